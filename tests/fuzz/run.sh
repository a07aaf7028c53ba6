#!/usr/bin/env bash
# Builds the fuzzers and runs each.
#   tests/fuzz/run.sh SECONDS [TARGET ...]    each for so many seconds, two at a time
# FUZZ_SEED=N begins as that run did; without it, every run looks elsewhere.
# New inputs go to build/fuzz-corpus/TARGET and are used again the next time; what is in
# tests/fuzz/corpus is only read. A crash is kept in build/fuzz-crashes. Ends with the number of
# executions, in lines "figure: ..."; the exit code is 0 only when nothing was found.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${1:?"how many seconds for each target?"}
[[ "$seconds" =~ ^[1-9][0-9]*$ ]] || { echo "run.sh: '$seconds' is no number of seconds" >&2; exit 3; }
shift
preset=clang-asan-ubsan
programs=build/$preset/tests/fuzz
if (($# > 0)); then
  targets=("$@")
else
  targets=()
  for source in tests/fuzz/*_target.cpp; do
    name=${source##*/}
    targets+=("${name%_target.cpp}")
  done
fi
for target in "${targets[@]}"; do
  [[ -f tests/fuzz/${target}_target.cpp ]] ||
    { echo "run.sh: there is no target '$target'" >&2; exit 3; }
done

export CCACHE_DIR="${CCACHE_DIR:-$HOME/.cache/ccache}"
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset" --target fuzzers

logs=build/fuzz-logs crashes=build/fuzz-crashes
mkdir -p "$logs" "$crashes"
# What has no bound of its own is held by these: 10 s for one input, 2 GB.
limits=(-timeout=10 -rss_limit_mb=2048 -print_final_stats=1)

fuzz() {
  local target=$1 found=build/fuzz-corpus/$1 words=tests/fuzz/dictionaries/$1.dict
  mkdir -p "$found"
  local options=("${limits[@]}" "-seed=${FUZZ_SEED:-0}" "-max_total_time=$seconds" "-artifact_prefix=$crashes/$target-")
  [[ -f "$words" ]] && options+=("-dict=$words")
  "$programs/fuzz_$target" "${options[@]}" "$found" "tests/fuzz/corpus/$target" \
    >"$logs/$target.log" 2>&1 || echo failed >"$logs/$target.failed"
}

rm -f "$logs"/*.failed
for target in "${targets[@]}"; do
  while (($(jobs -rp | wc -l) >= 2)); do wait -n || true; done
  fuzz "$target" &
done
wait

total=0 bad=0
for target in "${targets[@]}"; do
  log=$logs/$target.log
  count=$(awk '/^stat::number_of_executed_units:/ {n = $2} END {print n + 0}' "$log")
  total=$((total + count))
  if [[ -f $logs/$target.failed ]]; then
    bad=$((bad + 1))
    echo "FOUND by $target: $(grep -m1 -E 'broken promise|runtime error|ERROR: ' "$log" || echo "see $log")"
    input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
    [[ -z "$input" ]] || echo "  again: $programs/fuzz_$target $input"
  fi
  echo "figure: fuzz $target: $count executions in $seconds s, $(find "tests/fuzz/corpus/$target" -type f | wc -l) seeds"
done
echo "figure: fuzz: $total executions of ${#targets[@]} targets, $bad failed"
((bad == 0))
