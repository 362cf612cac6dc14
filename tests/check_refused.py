#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_refused.py SOURCE COMPILER ARGUMENT...: what must not compile does not, and says why."""

import re
import subprocess
import sys


def compile_source(source, command, *more):
    return subprocess.run(
        [*command, "-fsyntax-only", *more, source], capture_output=True, text=True, timeout=300
    )


def expectations(source):
    """(line that must be refused, text that must be said of it)"""
    lines = open(source, encoding="utf-8").read().splitlines()
    for number, line in enumerate(lines, 1):
        said = re.match(r"\s*// refused: (.*)", line)
        if said:
            yield number + 1, said.group(1)


def blocks(output, source):
    """The lines of the source that an error's text was said of, with that text."""
    name = source.rsplit("/", 1)[-1]
    pending = set()
    for line in output.splitlines():
        place = re.search(rf"{re.escape(name)}:(\d+)", line)
        if place and re.search("required from|in instantiation|error:", line):
            pending.add(int(place.group(1)))
        if "error:" in line or "note: in instantiation" in line:
            yield pending.copy(), line
        if "error:" in line:
            pending.clear()


def main():
    source, *command = sys.argv[1:]
    allowed = compile_source(source, command, "-DONLY_ALLOWED")
    if allowed.returncode != 0:
        sys.exit("what is allowed does not compile:\n" + allowed.stderr)
    refused = compile_source(source, command, "-fmax-errors=0")
    if refused.returncode == 0:
        sys.exit("everything that must be refused compiles")
    said = list(blocks(refused.stderr, source))
    wanted = list(expectations(source))
    missing = [
        f"{source}:{line}: not refused with: {text}"
        for line, text in wanted
        if not any(text in message and line in places for places, message in said)
    ]
    if missing or len(wanted) < 10:
        sys.exit("\n".join(missing) + "\n\n" + refused.stderr)
    print(f"{len(wanted)} refusals, each with its words")


main()
