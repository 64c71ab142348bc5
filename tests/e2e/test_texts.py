# SPDX-License-Identifier: Apache-2.0
"""tests/tools/texts.py, on small trees: does it see what it is there to see? And what the compiler is told to refuse."""

import subprocess
import sys

import helpers
import pytest

LINE = "/* SPDX-License-Identifier: Apache-2.0 */\n"
FAULTS = {
    "none": ("a.c", LINE + "int a;\n", None),
    "no licence": ("a.c", "int a;\n", "a.c:1: no line"),
    "a licence further down": ("a.sh", "#!/bin/sh\n\n# SPDX-License-Identifier: Apache-2.0\n", "a.sh:1: no line"),
    "wide": ("a.h", LINE + f"/* {'x' * 95} */\n", "a.h:2: wider"),
    "as wide as may be": ("a.h", LINE + f"/* {'x' * 94} */\n", None),
    "a wide string": ("a.c", LINE + f'const char *a = "{"x" * 200}";\n', None),
    "no source": ("notes.md", "anything\n", None),
}


@pytest.mark.parametrize("what", FAULTS)
def test_fault_is_found(tmp_path, what):
    name, text, fault = FAULTS[what]
    (tmp_path / name).write_text(text)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    subprocess.run(["git", "-C", tmp_path, "add", "."], check=True)
    done = subprocess.run([sys.executable, helpers.ROOT / "tests/tools/texts.py", tmp_path], stdout=subprocess.PIPE, text=True)
    assert done.returncode == (fault is not None)
    assert fault is None or done.stdout.startswith(fault)


@pytest.mark.parametrize("source", ["common/crc32c.c", "encoderd/format/bed.c"])
@pytest.mark.parametrize("order, refused", [("BIG", True), ("LITTLE", False)])
def test_a_big_endian_machine_is_refused_in_one_sentence(source, order, refused):
    """The byte order is one macro to the preprocessor, so that no such machine, nor a compiler for it, is needed."""
    done = subprocess.run(
        ["cc", "-E", "-I.", "-D_GNU_SOURCE", "-w", "-U__BYTE_ORDER__", f"-D__BYTE_ORDER__=__ORDER_{order}_ENDIAN__", "-o", "/dev/null", source],
        cwd=helpers.ROOT, capture_output=True, text=True, check=False)
    errors = [line for line in done.stderr.splitlines() if "error:" in line]
    assert len(errors) == refused
    assert all("vczfs builds on little-endian machines only" in line and "common/bytes.h" in line for line in errors)
