#!/usr/bin/env python3
"""Finds sources without a word in them: an empty check passes."""
import pathlib
import re
import sys

SUFFIXES = {".py", ".sh", ".cpp", ".hpp", ".md", ".json", ".service", ".css", ".js", ".html"}
COMMENT = re.compile(r"(?m)^\s*(?:#|//).*$")

SAMPLES = [("", True), (" \n\n", True), ("#!/bin/sh\n# to be written\n", True),
           ("#pragma once\n", False), ("int x;\n", False), ("# Title\n\nA word.\n", False)]


def is_empty(text):
    return not COMMENT.sub("", text.replace("#pragma", "pragma").replace("#include", "include")).strip()


for sample, expected in SAMPLES:
    if is_empty(sample) != expected:
        sys.exit(f"empty_lint.py: wrong about {sample!r}")
bad = [path for folder in sys.argv[1:] for path in sorted(pathlib.Path(folder).rglob("*"))
       if path.suffix in SUFFIXES and path.is_file() and is_empty(path.read_text(errors="replace"))]
for path in bad:
    print(f"{path}: it is empty; fill it or remove it")
sys.exit(1 if bad else 0)
