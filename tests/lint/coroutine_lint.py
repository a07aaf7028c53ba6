#!/usr/bin/env python3
"""g++ 12 destroys twice a temporary aggregate or a capturing lambda that shares a full expression
with co_await, and awaits in a loop's condition what && or || should have skipped. This finds the
forms in which that happens, so that they are written another way."""
import pathlib
import re
import sys

FORBIDDEN = [
    # co_await f(Agg{...}) and co_await f([x]{...})
    (re.compile(r"co_await\s+[\w:.>\-]+\s*\([^;]*\b[A-Za-z_][\w:]*\s*\{[^;]*\}[^;]*\)\s*;"),
     "a braced temporary in the arguments of co_await; name it first"),
    (re.compile(r"co_await\s+[\w:.>\-]+\s*\([^;]*\[[^\]]*\w[^\]]*\]\s*(\([^)]*\))?\s*(->[^{]*)?\{"),
     "a capturing lambda in the arguments of co_await; name it first"),
    (re.compile(r"co_await\s*\[[^\]]*\w[^\]]*\]\s*(\([^)]*\))?[^;]*\{"),
     "a capturing lambda that is awaited at once; name it first"),
    # co_await f([] {...}): the parameter may be a std::function, which is a temporary as well
    (re.compile(r"co_await\s+[\w:.>\-]+\s*\((?:[^;]*[,(\s])?\[&?\]\s*(\([^)]*\))?\s*(->[^{]*)?\{"),
     "a lambda in the arguments of co_await may become a temporary std::function; name it first"),
    # Agg{.b = co_await f()}
    (re.compile(r"\b[A-Za-z_][\w:]*\{\s*(?:\.\w+\s*=[^;{}]*,\s*)*\.\w+\s*=\s*co_await\b"),
     "co_await inside a braced initialiser; await first"),
    # return Agg{1, co_await f()}, = Agg{...}, g(Agg{...})
    (re.compile(r"(?:\bco_return|[=(,])\s*[A-Za-z_][\w:]*(?:<[^;{}]*>)?\{[^;{}]*\bco_await\b"),
     "co_await inside a braced initialiser; await first"),
    # while (a && co_await f())
    (re.compile(r"\b(?:while|switch)\s*\([^;{}]*(?:&&|\|\||\?)[^;{}]*\bco_await\b"),
     "co_await behind && or || in a condition of a loop is always awaited; use if and break"),
]
# Trivial types: nothing can be destroyed twice.
TRIVIAL = re.compile(r"(std::chrono::\w+|core::duration|core::instant|\d+)\s*\{[^{}]*\}")


BAD = [
    "void f() {\n  co_await send(request{id, name});\n}",
    "void f() {\n  co_await run([id]() { return id; });\n}",
    "void f() {\n  while (open && co_await next()) {\n  }\n}",
    "void f() {\n  auto x = pair{.a = 1, .b = co_await get()};\n}",
    "void f() {\n  co_await run([] { return 1; });\n}",
    "void f() {\n  co_await run(1, [&](int i) { return i; });\n}",
    "void f() {\n  co_return pair{1, co_await get()};\n}",
    "void f() {\n  keep(pair<int>{co_await get()});\n}",
    "void f() {\n  const auto x = co_await [s] { return s; }();\n}",
]
GOOD = [
    "void f() {\n  request r{id, name};\n  co_await send(std::move(r));\n}",
    "void f() {\n  while (open) {\n    if (!co_await next()) break;\n  }\n}",
    "void f() {\n  co_await wait(core::duration{5});\n}",
    "void f() {\n  co_return pair{1, 2};\n}",
    "void f() {\n  auto step = [id] { return id; };\n  co_await run(std::move(step));\n}",
    "void f() {\n  co_await run(table[i]);\n}",
]


def findings(text):
    text = re.sub(r"//[^\n]*", lambda m: " " * len(m.group()), text)
    text = re.sub(r'"(\\.|[^"\\\n])*"', lambda m: '"' + " " * (len(m.group()) - 2) + '"', text)
    for start in [m.start() for m in re.finditer(r"\bco_await\b", text)]:
        begin = max(text.rfind(";", 0, start), text.rfind("{\n", 0, start),
                    text.rfind("}\n", 0, start)) + 1
        end = text.find(";", start)
        end = len(text) if end < 0 else end
        statement = TRIVIAL.sub("0", text[begin:end + 1])
        for pattern, why in FORBIDDEN:
            if pattern.search(statement):
                yield text.count("\n", 0, start) + 1, why
                break


def main(folders):
    bad = 0
    for sample in BAD:
        if not list(findings(sample)):
            sys.exit("coroutine lint: does not see what is wrong in:\n" + sample)
    for sample in GOOD:
        if list(findings(sample)):
            sys.exit("coroutine lint: sees something wrong in:\n" + sample)
    for folder in folders:
        for path in sorted(p for p in pathlib.Path(folder).rglob("*") if p.suffix in (".cpp", ".hpp")):
            for line, why in findings(path.read_text(encoding="utf-8")):
                print(f"{path}:{line}: {why}")
                bad += 1
    if bad:
        sys.exit(1)
    print("coroutine lint: clean")


main(sys.argv[1:])
