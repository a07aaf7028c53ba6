#!/usr/bin/env python3
"""Compiles our files with clang, for its warnings alone: the commands of the release build with
another compiler and no output. With a second build, made by clang itself, only what that has not
compiled.
  clang_warnings.py build/release [build/clang-asan-ubsan]"""
import concurrent.futures
import json
import os
import re
import shlex
import subprocess
import sys

G_PLUS_PLUS_ONLY = {"-Wno-restrict", "-Wno-mismatched-new-delete", "-Wno-subobject-linkage"}


def command_of(entry):
    words = shlex.split(entry["command"])
    first = next(i for i, word in enumerate(words) if word.endswith("/c++") or word.endswith("g++"))
    kept, skip = ["clang++", "-fsyntax-only"], False
    for word in words[first + 1:]:
        if skip:
            skip = False
        elif word in ("-o", "-MF", "-MT"):
            skip = True
        elif word != "-MD" and word not in G_PLUS_PLUS_ONLY:
            kept.append(word)
    return kept


def sources_of(entry):
    """The files that an entry compiles: itself, or those that its unity file includes."""
    if "/Unity/" not in entry["file"]:
        return {entry["file"]}
    with open(entry["file"], encoding="utf-8") as file:
        return set(re.findall(r'^#include "(.+)"$', file.read(), re.MULTILINE))


def check(entry):
    done = subprocess.run(command_of(entry), cwd=entry["directory"], capture_output=True, text=True)
    return entry["file"], done.returncode, done.stderr


def commands(build):
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        return json.load(file)


def main(build, by_clang=None):
    seen = set()
    for e in commands(by_clang) if by_clang else []:
        words = shlex.split(e["command"])
        made = words[words.index("-o") + 1]
        if os.path.exists(os.path.join(e["directory"], made)):
            seen |= sources_of(e)
    entries = {e["file"]: e for e in commands(build)
               if "/boost_impl/" not in e["file"] and not sources_of(e) <= seen}
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, code, words in pool.map(check, entries.values()):
            if code or words:
                bad += 1
                print(f"{name}:\n{words}")
    print(f"clang: {len(entries)} files, {bad} with warnings")
    return 1 if bad else 0


sys.exit(main(*sys.argv[1:]))
