#!/usr/bin/env bash
# The daemon among the real things: a booted systemd in which its package lives a life, the image of
# the Dockerfile, Prometheus with Alertmanager. Installs what it needs, keeps what is expensive below
# ~/.cache/cml-reconciler-tests, needs root, and ends with "N passed, N failed, N skipped".
#   tests/e2e/real/run.sh [--build FOLDER] [service] [image] [prometheus]
set -euo pipefail
cd "$(dirname "$0")/../../.."

deploy/install-dependencies.sh --tests --real

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
