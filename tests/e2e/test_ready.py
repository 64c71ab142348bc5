# SPDX-License-Identifier: Apache-2.0
"""How often somebody waits for storage at a distance until a mount is there: its requests are counted, and
most of them are on the way side by side."""

import time

import pytest

import helpers

MS = 20


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return helpers.mkvcz(tmp_path_factory.mktemp("far") / "far.vcz", "--variants", 100_000, "--samples", 4)


def show(far, options):
    with helpers.mounted(far, *options, verb="mount"):
        return time.monotonic()


@pytest.mark.parametrize(
    "options, opened_most",
    [
        # Once for the passes of all formats, and once for the choice's; what identifies the store is not opened.
        ([], 450),
        (["-M", "2"], 550),
        (["-r", "1"], 550),
        (["-i", "QUAL>10"], 550),
    ],
    ids=["mount", "alleles", "regions", "expression"],
)
def test_requests_are_side_by_side(store, tmp_path, options, opened_most):
    with helpers.slowfs(store.parent, tmp_path / "mnt", MS) as counters:
        begin = time.monotonic()
        seconds = show(tmp_path / "mnt" / store.name, options) - begin
        counted = counters()
    requests = sum(counted[kind] for kind in ("lookup", "getattr", "open", "readdir", "read"))
    assert counted["open"] <= opened_most
    assert requests <= 2500
    assert counted["most_at_once"] > 16
    # One after the other they take requests * MS.
    assert seconds < requests * MS / 1000 / 4
