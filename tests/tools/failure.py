#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How a failure is tested: tests/tools/failure.py [FILE...]

A function that returns 0 or -1 is tested with `!= 0` and `== 0`. `< 0` and its kin are for what
returns a descriptor, a count or an order; VALUES names those. An `int` that says 0 for success is
never tested bare, where 0 would read as "no".
"""

import pathlib
import re
import sys
from collections import defaultdict

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Ours, then the system's and the libraries'.
VALUES = set("""
    compare compare_names descriptor_of memfd_arena memfd_open names_compare read_all
    asprintf blosc_cbuffer_validate blosc_compname_to_compcode dup dup2 fcntl fork fputs getopt_long
    json_integer_value memcmp memfd_create open openat poll pread puts pwrite read readlinkat recvmsg
    sendmsg setsid socket strcmp syscall vasprintf waitpid write
    """.split())

DEFINITION = re.compile(r"^((?:static |inline )*)(\w+) (\**)(\w+)\([^;{]*?\)\s*\n\{", re.M)
BELOW_ZERO = re.compile(r"\)\s+(?:<|>=|[!=]=\s*-)\s*[01]\b(?!\.)")
BARE = re.compile(r"(?:\b(?:if|while) \(|!|&& \(?|\|\| \(?)(\w+)(?=\()")
NAME = re.compile(r"([A-Za-z_][\w.>-]*)$")


def blank(text):
    """Comments, strings and characters as blanks: places stay where they are."""
    return re.sub(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'',
                  lambda found: re.sub(r"[^\n]", " ", found.group()), text, flags=re.S)


def open_of(text, close):
    """Where the parenthesis opens that is closed at `close`."""
    depth = 0
    for at in range(close, -1, -1):
        depth += {")": 1, "(": -1}.get(text[at], 0)
        if depth == 0:
            return at
    return 0


def close_of(text, begin):
    depth = 0
    for at in range(begin, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return at
    return len(text)


def statuses(texts):
    """The functions that are defined as int, as {name: [(file, is static)]}."""
    found = defaultdict(list)
    for path, text in texts.items():
        for static, kind, star, name in DEFINITION.findall(text):
            found[name].append((path, "static" in static, kind == "int" and not star))
    return found


def is_status(name, path, found):
    """The definition that a call in `path` means returns an int that is no value."""
    mine = ([d for d in found[name] if d[0] == path] or
            [d for d in found[name] if not d[1]])
    return name not in VALUES and bool(mine) and mine[0][2]


def faults(path, text, found):
    for test in BELOW_ZERO.finditer(text):
        name = NAME.search(text[max(0, open_of(text, test.start()) - 80):
                                open_of(text, test.start())])
        if name is not None and name.group(1) not in VALUES:
            yield test.start(), f"{name.group(1)}() is tested with {' '.join(test.group()[1:].split())}"
    for test in BARE.finditer(text):
        after = text[close_of(text, test.end()) + 1:][:12].lstrip()
        if is_status(test.group(1), path, found) and re.match(r"\)|&&|\|\||\?", after):
            yield test.start(), f"{test.group(1)}() returns 0 for success and is tested bare"


def main():
    names = sys.argv[1:] or [str(path) for top in ("common", "proto", "fused", "encoderd", "tests")
                             for path in sorted((ROOT / top).rglob("*.[ch]"))]
    texts = {name: blank(pathlib.Path(name).read_text(encoding="utf-8")) for name in names}
    found = statuses(texts)
    told = [f"{name}:{text.count(chr(10), 0, at) + 1}: {what}"
            for name, text in texts.items() for at, what in faults(name, text, found)]
    for line in told:
        print(line)
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
