#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does each struct's tag stand for one thing? usage: tags.py; exit status 1 and a line for each that does not.

Two structs of one tag in two files compile, and a stranger who looks one up finds the other."""

import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ["common", "proto", "fused", "encoderd"]
DEFINED = re.compile(r"^(?:static |const |typedef )*struct (\w+) \{", re.M)


def places_of_tags():
    places = collections.defaultdict(list)
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.[ch]")):
            for tag in DEFINED.findall(path.read_text()):
                places[tag].append(str(path.relative_to(ROOT)))
    return places


def main():
    twice = {tag: places for tag, places in places_of_tags().items() if len(places) > 1}
    for tag, places in sorted(twice.items()):
        print(f"struct {tag} is defined in {', '.join(places)}")
    return 1 if twice else 0


if __name__ == "__main__":
    sys.exit(main())
