#!/usr/bin/env bash
# Installs what is needed to build (and, with --tests, to test) on Debian 12. Does nothing, and needs
# no rights, where all of it is there.
set -euo pipefail

packages=(g++ cmake ninja-build ccache pkg-config git ca-certificates curl python3
  libboost1.81-dev libboost-json1.81-dev libboost-url1.81-dev libyaml-cpp-dev libspdlog-dev
  prometheus-cpp-dev libssl-dev libsystemd-dev libcli11-dev libgtest-dev libgmock-dev)
if [[ "${1:-}" == --tests ]]; then
  packages+=(clang libclang-rt-14-dev python3-yaml openssl prometheus procps)
fi

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
    missing+=("$package")
done
((${#missing[@]} == 0)) && exit 0

echo "installing: ${missing[*]}"
run=()
if ((EUID != 0)); then
  command -v sudo >/dev/null || {
    echo "these packages are missing: ${missing[*]}; install them as root" >&2
    exit 1
  }
  run=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
# The packaged Prometheus would start as a service of this machine: only its promtool is wanted.
"${run[@]}" apt-get update -qq
"${run[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
