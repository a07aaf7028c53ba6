#!/usr/bin/env bash
# Installs what is missing, builds everything, and runs every test.
#   tests/run.sh            every test, simulation, kills, both sanitizers, the second compiler,
#                           threads, fuzzing, soak
#   tests/run.sh --quick    the optimised build and its tests alone
#   tests/run.sh --e2e      the programs as a whole: end-to-end tests with a real browser and with ten
#                           thousand jobs, a booted systemd, the image, Prometheus with Alertmanager
#   tests/run.sh --all      the first and the third
# Ends with a table of the stages and their seconds, the figures, and the line
# "N passed, N failed, N skipped"; the exit code is 0 only when none failed.
#
# Which compiler runs what, by measurement (user seconds of one file with coroutines, -O0 -g1):
# clang needs about half of what g++ needs with both sanitizers (8 against 16 s), and g++ with the
# address sanitizer alone about half of that with both (6 against 12 s); and files that are compiled
# together need a third to a half of what each would need alone. So clang builds all of it
# with both sanitizers, with warnings as errors, and with the fuzzers' counters: one build serves as
# the second compiler's check, for every test, and for the fuzzers. But what g++ 12 destroys twice in
# a coroutine only g++ shows: the libraries with coroutines and the daemon are built once more by
# g++, with the address sanitizer alone; the other layers are taken from the optimised build.
set -euo pipefail
cd "$(dirname "$0")/.."

deep=true real=false only_e2e=false
for argument in "$@"; do
  case "$argument" in
    --quick) deep=false ;;
    --e2e) deep=false real=true only_e2e=true ;;
    --all) real=true ;;
    *) echo "run.sh: unknown argument '$argument'" >&2; exit 3 ;;
  esac
done
export CCACHE_DIR="${CCACHE_DIR:-$HOME/.cache/ccache}"
# UBSan says nothing of where by itself.
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"

passed=0 failed=0 skipped=0
stages=() figures=()

fail() {
  echo "FAILED: $1"
  failed=$((failed + 1))
}
# A line for the end of the output.
figure() { figures+=("$1"); }

# stage NAME COMMAND...: runs a function of this script, and notes how long it took. The command
# itself counts what passed and failed; an exit code other than 0 is one failure more.
stage() {
  local name=$1 begun=$SECONDS
  shift
  echo "== $name"
  "$@" || fail "$name"
  stages+=("$(printf '%-28s %5d s' "$name" "$((SECONDS - begun))")")
}

# One check that is a command: passed or failed. Its lines that begin with "figure: " are kept.
check() {
  local name=$1 output code=0
  shift
  output=$(mktemp)
  "$@" >"$output" 2>&1 || code=$?
  grep -v '^figure: ' "$output" || true
  local line
  while IFS= read -r line; do figure "${line#figure: }"; done < <(grep '^figure: ' "$output" || true)
  rm -f "$output"
  if ((code == 0)); then passed=$((passed + 1)); else fail "$name"; fi
}

# A command that runs beside the stages: begin it early, and take its outcome with `join` at the end.
declare -A beside_pid=() beside_from=()
beside() {
  local name=$1
  shift
  mkdir -p build/logs
  "$@" >"build/logs/$name.log" 2>&1 &
  beside_pid[$name]=$! beside_from[$name]=$SECONDS
}
join() {
  local name=$1 code=0
  wait "${beside_pid[$name]}" || code=$?
  stages+=("$(printf '%-28s %5d s, beside the others' "$name" "$((SECONDS - beside_from[$name]))")")
  check "$name" bash -c "cat build/logs/$name.log; exit $code"
}

# With less of a claim to the processor than the tests that run beside it.
build() {
  cmake --preset "$1" >/dev/null && nice -n 10 cmake --build --preset "$1" "${@:2}"
}

# Runs tests with ctest: PRESET, then options of ctest. A report is what remains of it.
ctest_of() {
  local preset=$1
  shift
  rm -rf "build/$preset/gtest"
  # More at a time than there are cores: the end-to-end tests mostly wait.
  GTEST_OUTPUT="xml:$PWD/build/$preset/gtest/" ctest --preset "$preset" -j"$((3 * $(nproc)))" \
    --output-junit "$PWD/build/$preset/junit.xml" "$@" | tail -n 60 || true
}
# Adds up what the report of a preset says.
count_tests() {
  local preset=$1 report="build/$1/junit.xml" counts p f s
  [[ -f "$report" ]] || { echo "run.sh: ctest of $preset left no report" >&2; return 1; }
  counts=$(python3 - "$report" "build/$preset/gtest" <<'PY'
import pathlib, sys, xml.etree.ElementTree as tree
good = bad = skip = 0
for case in tree.parse(sys.argv[1]).getroot().findall('testcase'):
    name, status = case.get('name'), case.get('status')
    inner = pathlib.Path(sys.argv[2], name + '.xml')
    if inner.is_file():  # a program of many tests
        before = bad
        for test in tree.parse(inner).getroot().iter('testcase'):
            label = test.get('classname') + '.' + test.get('name')
            if test.find('failure') is not None:
                bad += 1
                print('FAILED:', label, file=sys.stderr)
            elif test.get('result') == 'skipped':
                skip += 1
                print('skipped:', label, file=sys.stderr)
            elif test.get('status') == 'run':
                good += 1
        # It may also fail after its last test: what a sanitizer finds at the end.
        if status != 'fail' or bad > before:
            continue
    if status == 'fail':
        bad += 1
        print('FAILED:', name, file=sys.stderr)
    elif status == 'run':
        good += 1
    else:
        skip += 1
        reason = case.find('skipped')
        print('skipped:', name, reason.get('message', '') if reason is not None else '', file=sys.stderr)
print(good, bad, skip)
PY
)
  read -r p f s <<<"$counts"
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  figure "$preset: $p tests passed, $f failed, $s skipped"
  ((p > 0)) || { echo "run.sh: $preset ran no test" >&2; return 1; }
}
run_tests() {
  rm -f "build/$1/junit.xml"
  ctest_of "$@"
  count_tests "$1"
}
# The same in two steps: tests mostly wait, and what is built meanwhile takes the time they leave.
begin_tests() {
  rm -f "build/$1/junit.xml"
  beside "tests of $1" ctest_of "$@"
}
end_tests() {
  local name="tests of $1"
  wait "${beside_pid[$name]}" || true
  cat "build/logs/$name.log"
  stages+=("$(printf '%-28s %5d s, beside the others' "$name" "$((SECONDS - beside_from[$name]))")")
  count_tests "$1"
}

dependencies() {
  local wanted=(--tests)
  if $real; then wanted+=(--real); fi
  deploy/install-dependencies.sh "${wanted[@]}"
}

release_build() {
  if $only_e2e; then build release --target cml-reconciler cml-simulator; else build release; fi
}
release_tests() {
  if $only_e2e; then run_tests release -L e2e; else run_tests release --label-exclude large; fi
}

# Its last line counts what passed, failed and was skipped.
real_things() {
  local log=build/logs/real.log p f s
  mkdir -p build/logs
  tests/e2e/real/run.sh 2>&1 | tee "$log" || true
  if [[ ! "$(tail -n 1 "$log")" =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
    echo "run.sh: the real things did not come to their end" >&2
    return 1
  fi
  p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]} s=${BASH_REMATCH[3]}
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  figure "real things: $p checks passed, $f failed, $s skipped"
}

clang_build() { build clang-asan-ubsan --target checked fuzzers; }
# Warnings of clang in what the build above does not compile.
clang_rest() {
  check clang-warnings python3 tests/lint/clang_warnings.py build/release build/clang-asan-ubsan
}

gcc_build() {
  build gcc-asan --target test_cml test_http test_reconcile cml-reconciler
}
gcc_tests() { run_tests gcc-asan --tests-regex '^test_(cml|http|reconcile)$'; }
# The daemon's own coroutines, with the simulator of the optimised build.
gcc_daemon() {
  local name
  for name in forced_apply_runs_the_chain_exactly_once_more sigterm_stops_within_ten_seconds_with_exit_0; do
    check "gcc-asan e2e $name" python3 tests/e2e/run.py "$name" \
      --daemon build/gcc-asan/daemon/cml-reconciler \
      --simulator build/release/tests/simulator/cml-simulator
  done
}

# The daemon has one thread but for the resolver's.
tsan() { build tsan --target test_threads && run_tests tsan --tests-regex '^test_threads$'; }

# From the same seed each time: what a change breaks is told apart from what nobody had found yet. To
# look elsewhere is what tests/fuzz/run.sh is for.
fuzz() { check fuzz env FUZZ_SEED=1 tests/fuzz/run.sh 20; }

programs=(--daemon build/release/daemon/cml-reconciler
          --simulator build/release/tests/simulator/cml-simulator)
simulation() {
  local simulate=build/release/tests/simulation
  beside mutants "$simulate/simulate_mutants" --seeds 2000
  beside month "$simulate/simulate_month"
  check simulation "$simulate/simulate" --seeds 20000
  join mutants
  join month
}

stage dependencies dependencies
stage "release: build" release_build
if $deep; then
  stage "release: timed tests" run_tests release -L timed
  # Kills and soak are mostly waits, as are the tests: each begins when it can, and the builds that
  # follow take what is left of the processor.
  beside kills python3 tests/kill/run.py "${programs[@]}" --kills 200
  beside soak python3 tests/soak/run.py "${programs[@]}" --minutes 10
  begin_tests release --label-exclude 'timed|large'
  stage "clang ASan+UBSan: build" clang_build
  stage "release: the tests' end" end_tests release
  # What a browser shows is the page's matter; the streams behind it have tests of their own.
  begin_tests clang-asan-ubsan --label-exclude 'lint|browser|large'
  stage "clang: other warnings" clang_rest
  stage "g++ ASan: build" gcc_build
  stage "clang: the tests' end" end_tests clang-asan-ubsan
  stage "g++ ASan: coroutines" gcc_tests
  stage "g++ ASan: daemon" gcc_daemon
  stage "TSan: threads" tsan
  stage "simulation" simulation
  stage "fuzzing" fuzz
  join kills
  join soak
else
  stage "release: every test" release_tests
fi
# Last, when nothing else takes the processor from a browser and a booted system.
if $real && ! $only_e2e; then stage "release: ten thousand jobs" run_tests release -L large; fi
if $real; then stage "real things" real_things; fi

echo
printf '%-28s %s\n' stage seconds
printf '%s\n' "${stages[@]}"
echo
if ((${#figures[@]} > 0)); then printf '%s\n' "${figures[@]}"; fi
echo "in all: $SECONDS s"
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
