#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What every source is held to that no compiler looks at: whose it is, and how wide.

usage: texts.py [FOLDER]   finds fault in the files that git has there: exit status 1 if there is any

Held to:
  licence   one of the first two lines of every source, script, unit and manual page has the SPDX line;
  width     a line of C is at most 100 columns wide, but for what a string in it takes: messages are there to be found."""

import pathlib
import re
import subprocess
import sys

LICENCE = "SPDX-License-Identifier: Apache-2.0"
SOURCES = re.compile(r"\.([chs1-8]|py|sh|service|socket|conf|txt|dict|yaml|yml)$|(^|/)(Makefile|run|mount\.vczfs)$|^\.clang-")
# Data: what is in them is read by programs that know no comments, or was made by one.
NO_SOURCES = re.compile(r"^tests/(fuzz/corpus|fuzz/regressions|data)/|^tests/bench/instructions\.txt$")
COLUMNS = 100
STRING = re.compile(r'"(?:\\.|[^"\\])*"')


def faults_of(name, text):
    lines = text.splitlines()
    if not any(LICENCE in line for line in lines[:2]):
        yield f"{name}:1: no line '{LICENCE}'"
    if name.endswith((".c", ".h")):
        for number, line in enumerate(lines, 1):
            if len(STRING.sub('""', line).removesuffix("\\").rstrip()) > COLUMNS:
                yield f"{name}:{number}: wider than {COLUMNS} columns"


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]
    listing = subprocess.run(["git", "-c", "safe.directory=*", "-C", root, "ls-files", "-z"],
                             stdout=subprocess.PIPE, text=True, check=True).stdout
    names = [name for name in listing.split("\0") if SOURCES.search(name) and not NO_SOURCES.search(name)]
    # What is deleted and not yet committed is listed, too.
    faults = [fault for name in names if (root / name).exists() for fault in faults_of(name, (root / name).read_text())]
    print(*faults, f"texts: {len(names)} files, {len(faults)} at fault", sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
