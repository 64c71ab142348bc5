#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many instructions the genotype kernels take, against how many they took: instructions.txt.

usage: instructions.py BUILD > instructions.txt, after a change that was meant"""

import pathlib
import subprocess
import sys

EXPECTED = pathlib.Path(__file__).with_name("instructions.txt")
SLACK = 1.10  # of what is expected: more is a regression


def compiler():
    return subprocess.run(["cc", "--version"], stdout=subprocess.PIPE, text=True).stdout.splitlines()[0]


def run(build, *mode):
    """{kernel: (bytes of output, figure)}; None where the machine cannot."""
    done = subprocess.run([pathlib.Path(build) / "tools/kernels", *mode], stdout=subprocess.PIPE, text=True)
    if done.returncode == 3:
        return None
    done.check_returncode()
    rows = (line.split() for line in done.stdout.splitlines())
    return {name: (int(nbytes), float(figure)) for name, nbytes, figure in rows}


def expected():
    """The compiler that they hold for, and {kernel: instructions}."""
    first, *rows = EXPECTED.read_text().splitlines()
    return first.removeprefix("# "), {name: int(count) for name, count in map(str.split, rows)}


if __name__ == "__main__":
    print(f"# {compiler()}")
    for name, (_, count) in run(sys.argv[1], "count").items():
        if not name.startswith("memcpy"):
            print(name, int(count))
