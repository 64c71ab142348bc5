# SPDX-License-Identifier: Apache-2.0
"""tests/tools/arrows.py, on small trees: does it see what it is there to see?"""

import subprocess
import sys

import helpers
import pytest

FILES = {
    "common/size.h": "int size(void);",
    "common/size.c": '#include "common/size.h"\nint size(void) { return 1; }',
    "encoderd/vcz/vcz.h": "int vcz(void);",
    "encoderd/vcz/vcz.c": '#include "common/size.h"\n#include "encoderd/vcz/vcz.h"\nint vcz(void) { return size(); }',
}

FAULTS = {
    "none": ({}, None),
    "an include against the arrow": (
        {"common/up.c": '#include "encoderd/vcz/vcz.h"\nint up;'},
        "wrong way: common/up.c -> encoderd/vcz/vcz.h"),
    "a call against the arrow": (
        {"common/up.c": "int vcz(void);\nint up(void);\nint up(void) { return vcz(); }"},
        "wrong way: common/up.c -> encoderd/vcz/vcz.c: vcz"),
    "a folder that nobody knows": ({"common/more/a.c": "int a;"}, "wrong way: common/more: not in the table"),
    "a library that is for others": ({"common/up.c": "#include <zlib.h>\nint up;"}, "wrong way: common/up.c: <zlib.h>"),
    "calls in a circle of three": (
        {f"common/{a}.c": f"int {b}(void);\nint {a}(void);\nint {a}(void) {{ return {b}(); }}" for a, b in ("ab", "bc", "ca")},
        "circle by symbol: common/a, common/b, common/c"),
    "a circle through an inline function": (
        {"common/a.h": "int b(void);\nstatic inline int twice(void)\n{\n    return 2 * b();\n}",
         "common/a.c": "int a(void);\nint a(void) { return 1; }",
         "common/b.c": "int a(void);\nint b(void);\nint b(void) { return a(); }"},
        "circle by symbol: common/a, common/b"),
    "a circle through a macro": (
        {"common/a.h": "int b(void);\n#define TWICE \\\n    (2 * b())",
         "common/a.c": "int a(void);\nint a(void) { return 1; }",
         "common/b.c": "int a(void);\nint b(void);\nint b(void) { return a(); }"},
        "circle by symbol: common/a, common/b"),
    "what an inner header declares is another file's": (
        {"common/a_impl.h": "int a(void);\nint a_part(void);",
         "common/a.c": '#include "common/a_impl.h"\nint a(void) { return a_part(); }',
         "common/a_part.c": '#include "common/a_impl.h"\nint a_part(void) { return a(); }'},
        "circle by symbol: common/a, common/a_part"),
    "headers in a circle": (
        {"common/a.h": '#include "common/b.h"', "common/b.h": '#include "common/a.h"'},
        "circle by include: common/a, common/b"),
    "a call in a comment is none": (
        {"common/a.h": "/* { b() */\nint a(void);", "common/a.c": "int a(void);\nint a(void) { return 1; }",
         "common/b.c": "int a(void);\nint b(void);\nint b(void) { return a(); }"},
        None),
}


def look_at(tree, files, known=""):
    """Compiles what is C, and has the tool look at it; `known` is added to its list of circles."""
    for name, text in files.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
        if name.endswith(".c"):
            made = tree / "build/obj" / name.replace(".c", ".o")
            made.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["cc", f"-I{tree}", "-c", "-o", made, path], check=True)
    text = (helpers.ROOT / "tests/tools/arrows.py").read_text()
    assert 'KNOWN = """\n' in text
    tool = tree / "tests/tools/arrows.py"
    tool.parent.mkdir(parents=True)
    tool.write_text(text.replace('KNOWN = """\n', f'KNOWN = """\n{known}'))
    return subprocess.run([sys.executable, tool, tree / "build"], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("what", FAULTS)
def test_fault_is_found(tmp_path, what):
    files, fault = FAULTS[what]
    done = look_at(tmp_path, {**FILES, **files})
    found = [line for line in done.stdout.splitlines() if line.startswith(("wrong way", "circle"))]
    assert len(found) == (fault is not None), done.stdout
    if fault is not None:
        assert found[0].startswith(fault) and done.returncode == 1


def test_circle_that_is_no_more_must_be_taken_from_the_list(tmp_path):
    done = look_at(tmp_path, FILES, known="vcz/vcz vcz/holes\n")
    assert done.returncode == 1 and "take it from KNOWN: vcz/vcz vcz/holes" in done.stdout
