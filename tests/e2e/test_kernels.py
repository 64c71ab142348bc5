# SPDX-License-Identifier: Apache-2.0
"""The genotype kernels take no more instructions than they did: what a quiet machine is not needed to see."""

import sys

import pytest

import helpers

sys.path.append(str(helpers.ROOT / "tests/bench"))
import instructions  # noqa: E402


@pytest.mark.limit(120)
def test_kernels_take_no_more_instructions():
    if helpers.SANITIZED:
        pytest.skip("a sanitizer's instructions are not the kernels'")
    compiler, expected = instructions.expected()
    if instructions.compiler() != compiler:
        pytest.skip(f"what is expected holds for {compiler}")
    counted = instructions.run(helpers.BUILD, "count")
    if counted is None:
        pytest.skip("this machine cannot count")
    seen = {name: count for name, (_, count) in counted.items() if name in expected}
    assert "bed-planes-portable" in seen and "bgen-planes-portable" in seen
    worse = {name: (count, expected[name]) for name, count in seen.items() if count > instructions.SLACK * expected[name]}
    assert not worse, f"more instructions than {instructions.EXPECTED} allows: {worse}"
