# SPDX-License-Identifier: Apache-2.0
"""How often somebody waits for storage at a distance until a mount is there: what it is asked for is counted, and the
longest chain of requests of which each came when the one before it was answered."""

import math
import os

import pytest

import helpers

MS = 100
CHUNKS = 100  # of each array along the variants
AT_ONCE = 128
TRIES = 3  # who gets no processor for as long as a request takes makes a chain longer


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return helpers.mkvcz(tmp_path_factory.mktemp("far") / "far.vcz", "--variants", CHUNKS * 1000, "--samples", 4)


def counted(store, mnt, options):
    """What slowfs counts until the store is shown, lookups and openings one trip as on NFS."""
    with helpers.slowfs(store.parent, mnt, MS, "-c") as counters:
        with helpers.mounted(mnt / store.name, *options, verb="mount"):
            return counters()


def slack():
    """How much longer chains may be where others keep the processors busy."""
    return 2 if os.getloadavg()[0] > 2 * os.cpu_count() else 1


@pytest.mark.parametrize(
    "options, arrays, more",
    [
        ([], 4, 0),
        (["-M", "2"], 4, 0),
        # Nothing of the sites is read before it is known which: contigs, positions and lengths are read first.
        (["-r", "1"], 5, 9),
        # The expression's array comes after what identifies the store.
        (["-i", "QUAL>10"], 5, 2),
    ],
    ids=["mount", "alleles", "regions", "expression"],
)
def test_rounds(store, tmp_path, options, arrays, more):
    objects = arrays * CHUNKS + 2
    enough = 6 + math.ceil(objects / AT_ONCE) + more
    for i in range(TRIES):
        count = counted(store, tmp_path / f"mnt{i}", options)
        # A chunk of sites is looked up, opened and read once; one of calls is looked up, or twice. The rest are metadata.
        assert count["lookup"] <= objects + 4 * CHUNKS + 200
        assert count["read"] <= objects + 50
        assert count["most_at_once"] > AT_ONCE / 2
        if count["rounds"] <= enough * slack():
            return
    raise AssertionError(f"{count} where {enough} rounds are enough")
