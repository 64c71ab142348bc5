#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which file needs which, and whether all arrows point one way.

usage: arrows.py BUILD          finds fault: exit status 1 if there is any
       arrows.py BUILD --draw   prints every arrow between units, "from -> to: what for"

A *unit* is a stem: encoderd/encode/encode is encode.c and encode.h. A header foo_impl.h shares what several foo*.c have,
and belongs to encoderd/foo. A header alone, or a .c file alone, is a unit, too.

An arrow A -> B says that A needs B. There are two kinds:
  by symbol   an object of A uses a symbol that an object of B defines (nm says so), or an inline function or a macro in
              a header of A calls it. A function that foo.h declares and foo_bar.c defines is foo_bar's.
  by include  a file of A includes a header of B.

Held to:
  folders     arrows of either kind go only where FOLDERS allows it, and outside libraries are where LIBRARIES says;
  circles     within a folder no unit needs itself by way of others, by either kind of arrow.
As FOLDERS has no circle, there is then none anywhere."""

import collections
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Each may need itself and these.
FOLDERS = {
    "common": [],
    "proto": ["common"],
    "fused/process": ["common"],
    "fused/mounts": ["fused/process", "common"],
    "fused/encoder": ["fused/process", "proto", "common"],
    "fused/files": ["fused/encoder", "fused/process", "proto", "common"],
    "fused/serve": ["fused/files", "fused/encoder", "fused/mounts", "fused/process", "proto", "common"],
    "fused/cli": ["fused/process", "encoderd/format/declared", "proto", "common"],
    "fused/verbs": [
        "fused/cli", "fused/serve", "fused/files", "fused/encoder", "fused/mounts", "fused/process", "proto", "common",
    ],
    "fused": ["fused/verbs", "fused/cli", "fused/process", "common"],
    "encoderd/zarr/store": ["common"],
    "encoderd/zarr/meta": ["encoderd/zarr/store", "common"],
    "encoderd/zarr/codec": ["encoderd/zarr/meta", "encoderd/zarr/store", "common"],
    "encoderd/zarr/chunk": ["encoderd/zarr/codec", "encoderd/zarr/meta", "encoderd/zarr/store", "common"],
    "encoderd/vcz": ["encoderd/zarr", "common"],
    "encoderd/select": ["encoderd/vcz", "encoderd/zarr", "common"],
    "encoderd/format/declared": ["common"],
    "encoderd/format": ["encoderd/format/declared", "encoderd/select", "encoderd/vcz", "encoderd/zarr", "common"],
    "encoderd/encode": ["encoderd/format", "encoderd/select", "encoderd/vcz", "encoderd/zarr", "common"],
    "encoderd/report": ["encoderd/format", "encoderd/select", "encoderd/vcz", "encoderd/zarr", "common"],
    "encoderd/check": ["encoderd/report", "encoderd/format", "encoderd/select", "encoderd/vcz", "encoderd/zarr", "common"],
    "encoderd/sandbox": ["common"],
    "encoderd/serve": [
        "encoderd/encode", "encoderd/report", "encoderd/check", "encoderd/sandbox",
        "encoderd/format", "encoderd/select", "encoderd/vcz", "encoderd/zarr", "proto", "common",
    ],
    "encoderd": ["encoderd/serve", "encoderd/format", "encoderd/select", "encoderd/vcz", "encoderd/zarr", "proto", "common"],
}

# Headers of libraries that are not everybody's, and the folders that may include them.
LIBRARIES = {
    "fuse": ["fused/serve"],
    "event2/": ["fused", "proto"],
    "msgpack": ["proto"],
    "seccomp": ["encoderd/sandbox"],
    "sqlite3": ["encoderd/format"],
    "jansson": ["encoderd/report", "encoderd/check", "encoderd/serve", "encoderd/zarr"],
    "blosc": ["encoderd/zarr"],
    "zstd": ["encoderd/zarr"],
    "lz4": ["encoderd/zarr"],
    "libdeflate": ["encoderd/zarr", "encoderd/format"],
    "zlib": ["encoderd/zarr", "encoderd/vcz", "encoderd/select"],
}

# Circles that are still to be broken: of units that are all in one line, one is let pass. A line that lets none pass
# must go.
KNOWN = """
"""

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.M)
NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
MACRO = re.compile(r"^[ \t]*#[ \t]*define[ \t]+\w+(?:\\\n|[^\n])*", re.M)


def unit_of(path):
    """encoderd/foo of encoderd/foo.c, foo.h and foo_impl.h."""
    stem = path.removesuffix(path[-2:])
    return stem.removesuffix("_impl") if path.endswith("_impl.h") else stem


def folder_of(path):
    return path.rpartition("/")[0]


def may_need(folder, other):
    return any(f"{other}/".startswith(f"{allowed}/") for allowed in [folder, *FOLDERS[folder]])


def sources():
    tops = sorted({folder.partition("/")[0] for folder in FOLDERS})
    paths = (path for top in tops for path in (ROOT / top).rglob("*.[ch]"))
    return {str(path.relative_to(ROOT)): path.read_text() for path in sorted(paths)}


class Arrows:
    """{(from, to): {what for}}; paths of files."""

    def __init__(self):
        self.names = collections.defaultdict(set)

    def add(self, origin, to, name):
        if origin != to:
            self.names[origin, to].add(name)

    def between_units(self):
        units = Arrows()
        for (origin, to), names in self.names.items():
            for name in names:
                units.add(unit_of(origin), unit_of(to), name)
        return units.names


def symbols(build, paths):
    """{path: (symbols defined, symbols used)} of .c files, by their objects."""
    objects = {f"{build}/obj/{path.removesuffix('.c')}.o": path for path in paths}
    missing = [name for name in objects if not pathlib.Path(name).exists()]
    if missing:
        sys.exit(f"arrows: no {missing[0]}: build first")
    listing = subprocess.run(["nm", "--extern-only", "--portability", "--print-file-name", *objects],
                             stdout=subprocess.PIPE, text=True, check=True).stdout
    found = {path: (set(), set()) for path in paths}
    for line in listing.splitlines():
        name, symbol, kind = line.split()[:3]
        found[objects[name.removesuffix(":")]][kind == "U"].add(symbol)
    return found


def code_of_header(text):
    """What a header's inline functions and macros say."""
    text = NOT_CODE.sub(" ", text)
    said = "\n".join(MACRO.findall(text))
    depth = 0
    for piece in re.split(r"([{}])", MACRO.sub("", text)):
        depth += {"{": 1, "}": -1}.get(piece, 0)
        said += piece if depth > 0 else "\n"
    return said


def by_symbol(build, texts):
    arrows, owner, used = Arrows(), {}, {}
    for path, (defined, used[path]) in symbols(build, [path for path in texts if path.endswith(".c")]).items():
        owner.update(dict.fromkeys(defined, path))
    for path, text in texts.items():
        if path.endswith(".h"):
            calls = re.findall(r"(?<![.>\w])(\w+)[ \t\n]*\(", code_of_header(text))
            used[path] = {name for name in calls if unit_of(owner.get(name, path)) != unit_of(path)}
    for path, names in used.items():
        for name in names & owner.keys():
            arrows.add(path, owner[name], name)
    return arrows


def by_include(texts):
    arrows = Arrows()
    for path, text in texts.items():
        for quote, header in INCLUDE.findall(text):
            if quote == '"':
                arrows.add(path, header, f'"{header}"')
    return arrows


def circles(units):
    """Sets of units that need each other: strongly connected components of more than one, found by Tarjan's way."""
    needs = collections.defaultdict(list)
    for origin, to in units:
        if folder_of(origin) == folder_of(to):
            needs[origin].append(to)
    index, low, stack, found = {}, {}, [], []

    def visit(unit):
        index[unit] = low[unit] = len(index)
        stack.append(unit)
        for other in needs.get(unit, []):
            if other not in index:
                visit(other)
            if other in stack:
                low[unit] = min(low[unit], low[other])
        if low[unit] == index[unit]:
            members = stack[stack.index(unit):]
            del stack[stack.index(unit):]
            if len(members) > 1:
                found.append(frozenset(members))

    for unit in sorted(needs):
        if unit not in index:
            visit(unit)
    return found


def show(origin, to, names):
    shown = sorted(names)
    more = f" and {len(shown) - 8} more" if len(shown) > 8 else ""
    return f"{origin} -> {to}: {', '.join(shown[:8])}{more}"


def wrong_folders(texts, *kinds):
    unknown = {folder_of(path) for path in texts} - FOLDERS.keys()
    faults = [f"{folder}: not in the table of folders" for folder in sorted(unknown)]
    for arrows in kinds:
        faults += [show(origin, to, names) for (origin, to), names in sorted(arrows.names.items())
                   if folder_of(origin) in FOLDERS and not may_need(folder_of(origin), folder_of(to))]
    return [f"wrong way: {fault}" for fault in faults]


def wrong_libraries(texts):
    for path, text in texts.items():
        for quote, header in INCLUDE.findall(text):
            for library, folders in LIBRARIES.items():
                if quote == "<" and header.startswith(library) and not path.startswith(tuple(f"{f}/" for f in folders)):
                    yield f"wrong way: {path}: <{header}> is for {', '.join(folders)}"


def wrong_circles(kind, arrows, seen):
    """Adds to `seen` those of KNOWN that it lets pass."""
    units = arrows.between_units()
    for members in circles(units):
        known = [line for line in KNOWN.strip().splitlines()
                 if members <= {f"encoderd/{name}" for name in line.split()}]
        seen.update(known)
        if not known:
            lines = [show(*ends, names) for ends, names in sorted(units.items()) if members.issuperset(ends)]
            yield "\n    ".join([f"circle by {kind}: {', '.join(sorted(members))}", *lines])


def main():
    build, texts = ROOT / sys.argv[1], sources()
    symbol, include = by_symbol(build, texts), by_include(texts)
    if "--draw" in sys.argv:
        print(*(show(*ends, names) for ends, names in sorted(symbol.between_units().items())), sep="\n")
        return 0
    seen = set()
    faults = [*wrong_folders(texts, symbol, include), *wrong_libraries(texts),
              *wrong_circles("symbol", symbol, seen), *wrong_circles("include", include, seen)]
    faults += [f"no circle any more, take it from KNOWN: {line}"
               for line in KNOWN.strip().splitlines() if line not in seen]
    print(*faults, f"arrows: {len(texts)} files, {len(faults)} at fault", sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
