#!/usr/bin/env python3
"""Finds tests that wait for a fixed time instead of for a condition: they are slow where they pass
and wrong where the machine is busy. A sleep is allowed in one place alone, the pause of a loop that
asks for a condition and gives up at a deadline."""
import pathlib
import re
import sys

SLEEP = {
    ".py": re.compile(r"\btime\.sleep\s*\(|\bfrom\s+time\s+import\b.*\bsleep\b|\basyncio\.sleep\s*\("),
    ".sh": re.compile(r"(?:^|[;&|(]|\bdo\b|\bthen\b)\s*sleep\s+[\w\"'$.]"),
}
SLEEP[".cpp"] = SLEEP[".hpp"] = re.compile(
    r"\b(?:std::)?this_thread::sleep_(?:for|until)\s*\(|(?<![\w.>])(?:::)?u?sleep\s*\(|"
    r"\bnanosleep\s*\(")
COMMENT = {".py": re.compile(r"#.*"), ".sh": re.compile(r"(?:^|\s)#.*")}
COMMENT[".cpp"] = COMMENT[".hpp"] = re.compile(r"//.*")
TEXT = re.compile(r'"(?:\\.|[^"\\\n])*"')
LOOP = re.compile(r"^\s*(?:while|until|for)\b")
DEADLINE = re.compile(r"deadline|until|monotonic\(\)|SECONDS|steady_clock")

# (file suffix, text, how many findings)
SAMPLES = [
    (".py", "def f():\n    time.sleep(1)\n", 1),
    (".py", "def f():\n    for i in range(9):\n        time.sleep(1)\n", 1),
    (".py", "def f():\n    start()\n\n\n    time.sleep(2)  # until it is up, before the deadline\n", 1),
    (".py", "def f(end):\n    while True:\n        if ready():\n            return\n"
            "        if time.monotonic() > deadline:\n            raise E\n        time.sleep(0.02)\n", 0),
    (".py", "def f():\n    print('time.sleep')  # time.sleep(1)\n", 0),
    (".sh", "start &\nsleep 3\n", 1),
    (".sh", "while ! up; do\n  ((SECONDS < deadline)) || exit 1\n  sleep 0.1\ndone\n", 0),
    (".cpp", "void f() {\n  std::this_thread::sleep_for(1s);\n}\n", 1),
    (".cpp", "void f() {\n  usleep(5);\n}\n", 1),
    (".cpp", "void f() {\n  while (now() < deadline) {\n    if (up()) return;\n"
             "    std::this_thread::sleep_for(1ms);\n  }\n}\n", 0),
    (".cpp", "void f() {\n  co_await life.sleep_until(at);\n}\n", 0),
]


def indent(line):
    return len(line) - len(line.lstrip())


def is_pause_of_a_poll(lines, number):
    """Whether a loop around this line knows a deadline."""
    depth = indent(lines[number])
    for first in range(number, -1, -1):
        line = lines[first]
        if not line.strip() or (first != number and indent(line) >= depth):
            continue
        depth = indent(line)
        if LOOP.match(line):
            return any(DEADLINE.search(inner) for inner in lines[first:number + 1])
        if depth == 0:
            return False
    return False


def findings(text, suffix):
    lines = [COMMENT[suffix].sub("", TEXT.sub('""', line)) for line in text.split("\n")]
    for number, line in enumerate(lines):
        if SLEEP[suffix].search(line) and not is_pause_of_a_poll(lines, number):
            yield number + 1


def main(folders):
    for suffix, text, expected in SAMPLES:
        if len(list(findings(text, suffix))) != expected:
            sys.exit(f"sleep lint: finds not {expected} but another number of sleeps in:\n{text}")
    bad = 0
    for folder in folders:
        for path in sorted(pathlib.Path(folder).rglob("*")):
            if path.suffix not in SLEEP or path.name == pathlib.Path(__file__).name:
                continue
            for line in findings(path.read_text(encoding="utf-8"), path.suffix):
                print(f"{path}:{line}: waits for a fixed time; wait for a condition with a deadline")
                bad += 1
    if bad:
        sys.exit(1)
    print("sleep lint: clean")


main(sys.argv[1:])
