#!/usr/bin/env bash
# Installs what is needed to build on Debian 12; with --tests also what the tests need; with --real also
# the real things that the daemon is tried among: systemd in a container, an engine for images,
# Prometheus, a browser. What of those cannot be installed is told, and the tests skip it. Does nothing,
# and needs no rights, where all of it is there.
set -euo pipefail

packages=(g++ cmake ninja-build ccache pkg-config git ca-certificates curl python3
  libboost1.81-dev libboost-json1.81-dev libboost-url1.81-dev libyaml-cpp-dev libspdlog-dev
  prometheus-cpp-dev libssl-dev libsystemd-dev libcli11-dev libgtest-dev libgmock-dev)
optional=()
for argument in "$@"; do
  case "$argument" in
    --tests) packages+=(clang libclang-rt-14-dev python3-yaml openssl prometheus procps) ;;
    --real)
      optional+=(systemd-container mmdebstrap lintian dpkg-dev gzip buildah crun podman
        prometheus-alertmanager chromium nodejs npm)
      ;;
    *) echo "install-dependencies.sh: unknown argument '$argument'; expected --tests, --real" >&2; exit 3 ;;
  esac
done

is_missing() {
  ! dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'install ok installed'
}
missing=() wished=()
for package in "${packages[@]}"; do if is_missing "$package"; then missing+=("$package"); fi; done
# What another archive has brought is there as a program and not as this package.
declare -A program=([nodejs]=node [npm]=npm [chromium]=chromium)
for package in "${optional[@]}"; do
  if is_missing "$package" && ! command -v "${program[$package]:-no program}" >/dev/null; then
    wished+=("$package")
  fi
done
((${#missing[@]} + ${#wished[@]} == 0)) && exit 0

echo "installing: ${missing[*]} ${wished[*]}"
run=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    if ((${#missing[@]} == 0)); then
      echo "not root, so these are left out: ${wished[*]}"
      exit 0
    fi
    echo "these packages are missing: ${missing[*]}; install them as root" >&2
    exit 1
  fi
  run=(sudo)
fi
# What is packaged as a service of this machine must not start: only the programs are wanted.
install() {
  "${run[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
    apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}
"${run[@]}" apt-get update -qq
((${#missing[@]} == 0)) || install "${missing[@]}"
# Together, or one by one where one of them cannot be had.
if ((${#wished[@]} > 0)) && ! install "${wished[@]}" 2>/dev/null; then
  for package in "${wished[@]}"; do
    install "$package" 2>/dev/null || echo "install-dependencies.sh: $package cannot be installed" >&2
  done
fi
