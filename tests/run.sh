#!/usr/bin/env bash
# Installs what is missing, builds everything, and runs every test.
#   tests/run.sh                all of it
#   tests/run.sh --quick        without the second compiler
#   tests/run.sh --sanitizers   the unit tests once more under the address and undefined-behaviour
#                               sanitizers, which doubles the time to build
# Ends with a line "N passed, N failed, N skipped"; the exit code is 0 only when none failed.
set -euo pipefail
cd "$(dirname "$0")/.."

quick=false sanitizers=false
for argument in "$@"; do
  case "$argument" in
    --quick) quick=true ;;
    --sanitizers) sanitizers=true ;;
    *) echo "run.sh: unknown argument '$argument'" >&2; exit 3 ;;
  esac
done

deploy/install-dependencies.sh --tests
export CCACHE_DIR="${CCACHE_DIR:-$HOME/.cache/ccache}"

passed=0 failed=0 skipped=0
# Runs the tests of a preset, and adds up.
run_preset() {
  local preset=$1 report="build/$1/junit.xml"
  shift
  rm -f "$report"
  # More at a time than there are cores: the end-to-end tests mostly wait.
  ctest --preset "$preset" -j"$((2 * $(nproc)))" --output-junit "$PWD/$report" "$@" | tail -n 60 || true
  [[ -f "$report" ]] || { echo "run.sh: ctest of $preset left no report" >&2; failed=$((failed + 1)); return; }
  local counts
  counts=$(python3 - "$report" <<'PY'
import sys, xml.etree.ElementTree as tree
suite = tree.parse(sys.argv[1]).getroot()
cases = suite.findall('testcase')
bad = [c.get('name') for c in cases if c.get('status') == 'fail']
skip = [c for c in cases if c.get('status') in ('notrun', 'disabled')]
for c in skip:
    reason = c.find('skipped')
    print('skipped:', c.get('name'), reason.get('message', '') if reason is not None else '', file=sys.stderr)
for name in bad:
    print('FAILED:', name, file=sys.stderr)
print(len(cases) - len(bad) - len(skip), len(bad), len(skip))
PY
)
  read -r p f s <<<"$counts"
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

# One check that is a command: passed or failed.
run_check() {
  local name=$1
  shift
  if "$@"; then
    passed=$((passed + 1))
  else
    echo "FAILED: $name"
    failed=$((failed + 1))
  fi
}

echo "== release: build and every test"
cmake --preset release >/dev/null
cmake --build --preset release
run_preset release

echo "== source lint"
run_check lint python3 tests/lint/coroutine_lint.py lib daemon tests

if ! $quick; then
  echo "== clang: no warning in any of our files"
  run_check clang python3 tests/lint/clang_warnings.py build/release
fi

if $sanitizers; then
  echo "== asan-ubsan: the unit tests"
  cmake --preset asan-ubsan >/dev/null
  cmake --build --preset asan-ubsan
  run_preset asan-ubsan --label-exclude e2e
fi

echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
