#!/usr/bin/env bash
# The daemon among the real things: a booted systemd in which its package lives a life, the image of
# the Dockerfile, Prometheus with Alertmanager. Installs what it needs, keeps what is expensive below
# ~/.cache/cml-reconciler-tests, needs root, and ends with "N passed, N failed, N skipped".
#   tests/e2e/real/run.sh [--build FOLDER] [service] [image] [prometheus]
set -euo pipefail
cd "$(dirname "$0")/../../.."

# Heavy packages, which the other tests do not need; what cannot be installed is skipped later, with
# its reason. They must not start services here.
packages=(systemd-container mmdebstrap lintian dpkg-dev buildah crun podman
  prometheus prometheus-alertmanager python3 procps gzip)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
    missing+=("$package")
done
if ((${#missing[@]} > 0 && EUID == 0)); then
  echo "installing: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
  apt-get update -qq || true
  for package in "${missing[@]}"; do
    apt-get install -y -qq --no-install-recommends "$package" >/dev/null ||
      echo "run.sh: $package cannot be installed" >&2
  done
fi

build=build/release
arguments=()
while (($# > 0)); do
  case "$1" in
    --build) build=$2; shift ;;
    *) arguments+=("$1") ;;
  esac
  shift
done
[[ -f "$build/build.ninja" ]] || cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build "$build" --target cml-reconciler cml-simulator >/dev/null
exec python3 tests/e2e/real/run.py --build "$build" "${arguments[@]}"
