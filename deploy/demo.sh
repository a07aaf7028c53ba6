#!/usr/bin/env bash
# Shows cml-reconciler at work, without a CML: installs what is missing, builds, starts the simulator
# and the daemon on config/jobs_config.yaml, and follows until the three jobs have run.
#   --exit-when-converged   end with 0 then, instead of going on until Ctrl-C
set -euo pipefail
cd "$(dirname "$0")/.."

exit_when_converged=false
for argument in "$@"; do
  case "$argument" in
    --exit-when-converged) exit_when_converged=true ;;
    -h | --help) sed -n '2,4s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "demo.sh: unknown argument '$argument'; see deploy/demo.sh --help" >&2; exit 3 ;;
  esac
done

deploy/install-dependencies.sh
[[ -f build/release/build.ninja ]] || cmake --preset release >/dev/null
cmake --build --preset release --target cml-reconciler cml-simulator

work=$(mktemp -d)
simulator_pid= daemon_pid=
finish() {
  for pid in $daemon_pid $simulator_pid; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

# Waits at most 30 s for a line of a file that matches, and prints it.
line_of() {
  for _ in $(seq 300); do
    grep -m1 -E "$2" "$1" 2>/dev/null && return 0
    sleep 0.1
  done
  echo "demo.sh: '$2' did not come in $1:" >&2
  cat "$1" >&2
  return 1
}

# One minute of the simulated workspace passes in a second.
speed=60
build/release/tests/simulator/cml-simulator --listen 127.0.0.1:0 --speed $speed >"$work/simulator" &
simulator_pid=$!
CML_HOST=$(line_of "$work/simulator" 'listening on' | grep -oE 'http://[0-9.:]+')
echo "simulator: $CML_HOST ($speed times as fast as real)"

export CML_HOST CML_API_KEY=demo-key-demo-key-demo-key
export GITHUB_REPOSITORY=example/ray-on-cml
export RUNTIME_IDENTIFIER=docker.repository.cloudera.com/cloudera/cdsw/ml-runtime-pbj-workbench-python3.11-standard:2024.10.1-b12
mkdir "$work/state"
# The simulated gateway finishes what its caller gave up within half a second, not within 30 s.
build/release/daemon/cml-reconciler run --config config/jobs_config.yaml --state-dir "$work/state" \
  --listen 127.0.0.1:0 --write-settle 1s 2> >(tee "$work/daemon" >&2) &
daemon_pid=$!
status=$(line_of "$work/daemon" 'listen=' | grep -oE '127\.0\.0\.1:[0-9]+' | head -1)
echo "status: http://$status/v1/status   metrics: http://$status/metrics"

for _ in $(seq 1200); do
  kill -0 "$daemon_pid" 2>/dev/null || { echo "demo.sh: the daemon has ended" >&2; exit 1; }
  if grep -qE 'event=project.state .*msg="?Converged' "$work/daemon"; then
    converged=true
    break
  fi
  if grep -qE 'event=project.state .*msg="?Degraded' "$work/daemon"; then
    echo "demo.sh: the project is Degraded" >&2
    exit 1
  fi
  sleep 0.1
done
[[ "${converged:-false}" == true ]] || { echo "demo.sh: not converged within 2 min" >&2; exit 1; }

echo
echo "Converged. What the simulator saw:"
curl -s "$CML_HOST/-/ledger" || true
echo
if ! $exit_when_converged; then
  echo "The status is at http://$status/v1/status; Ctrl-C ends the demo."
  wait "$daemon_pid"
fi
