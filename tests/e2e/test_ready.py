"""How often somebody waits for storage at a distance until a mount is there: its requests are counted, and
most of them are on the way side by side."""

import time

import pytest

import helpers

MS = 20
OBJECTS = 700  # of the store below, roughly: 100 chunks of each array that is looked at, and metadata


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return helpers.mkvcz(tmp_path_factory.mktemp("far") / "far.vcz", "--variants", 100_000, "--samples", 4)


def show(far, options):
    with helpers.mounted(far, *options, verb="mount"):
        return time.monotonic()


@pytest.mark.parametrize(
    "options, requests_most",
    [
        ([], 5 * OBJECTS),
        (["-M", "2"], 6 * OBJECTS),
        (["-r", "1"], 6 * OBJECTS),
        (["-i", "QUAL>10"], 6 * OBJECTS),
    ],
    ids=["mount", "alleles", "regions", "expression"],
)
def test_requests_are_side_by_side(store, tmp_path, options, requests_most):
    with helpers.slowfs(store.parent, tmp_path / "mnt", MS) as counters:
        begin = time.monotonic()
        seconds = show(tmp_path / "mnt" / store.name, options) - begin
        counted = counters()
    requests = sum(counted[kind] for kind in ("lookup", "getattr", "open", "readdir", "read"))
    assert requests <= requests_most
    assert counted["most_at_once"] > 16
    # One after the other they take requests * MS.
    assert seconds < requests * MS / 1000 / 4
