#!/usr/bin/env python3
"""Compiles every file of ours with clang, for its warnings alone: the commands of the release build
with another compiler and no output."""
import concurrent.futures
import json
import os
import shlex
import subprocess
import sys

G_PLUS_PLUS_ONLY = {"-Wno-restrict", "-Wno-mismatched-new-delete"}


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


def check(entry):
    done = subprocess.run(command_of(entry), cwd=entry["directory"], capture_output=True, text=True)
    return entry["file"], done.returncode, done.stderr


def main(build):
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        entries = {e["file"]: e for e in json.load(file) if "/boost_impl/" not in e["file"]}
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, code, words in pool.map(check, entries.values()):
            if code or words:
                bad += 1
                print(f"{name}:\n{words}")
    print(f"clang: {len(entries)} files, {bad} with warnings")
    return 1 if bad else 0


sys.exit(main(sys.argv[1]))
