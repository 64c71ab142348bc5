"""Memory drills: the encoder stays within its budget under any mix of readers, and gives it back when idle."""

import os
import time

import pytest

import drills
import helpers

MIB = 1 << 20
# Not for sanitizers, which keep what is freed and shadow all of it.
pytestmark = pytest.mark.skipif(helpers.SLOW > 1, reason="a sanitizer's memory says nothing")


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """
    (store, copy of its .bed), 60 MB: several times a small --memory. The copy is of a mount that has had all the
    memory it wanted; that such bytes are right is for other tests.
    """
    place = tmp_path_factory.mktemp("large")
    options = "--samples 20003 --variants 12000 --chunk-variants 1000 --chunk-samples 10000 --seed 7"
    store = helpers.mkvcz(place / "large.vcz", *options.split())
    with helpers.mounted(store) as m:
        (place / "copy.bed").write_bytes(m.read(".bed"))
    assert (place / "copy.bed").stat().st_size > 50_000_000
    return store, place / "copy.bed"


def private(pid):
    """Bytes that are the process's own: without the arena, which both processes share, and without libraries."""
    text = open(f"/proc/{pid}/smaps_rollup", encoding="ascii").read()
    return sum(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith(("Private_Dirty", "Private_Clean")))


@pytest.mark.limit(drills.scaled(60, 600))
@pytest.mark.parametrize("budget", [16, 64])
def test_mixed_reads_stay_within_the_budget(budget, mount, large):
    store, bed = large
    seconds = drills.scaled(6, 90)
    with mount(store, "--memory", f"{budget}M") as m:
        encoder = m.encoder()
        start = drills.resident(encoder)
        peaks, fronts = [], []
        modes = ["seq", "seq", "rand", "mmap", "direct", "mix"]
        with drills.reading(m.path(".bed"), bed, modes) as readers, drills.reading(
            m.path(".bed"), bed, ["seq", "rand"], "-p", "20000"
        ) as slow:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                peaks.append(drills.resident(encoder))
                fronts.append(private(m.front))
                time.sleep(0.1)
            results = readers.finish(60) + slow.finish(60)
        drills.assert_all_right(results)
        assert m.encoder() == encoder
        deadline = time.monotonic() + 5 * helpers.SLOW
        while drills.resident(encoder) > start + 8 * MIB and time.monotonic() < deadline:
            time.sleep(0.1)
        idle = drills.resident(encoder)
    half = len(peaks) // 2
    figures = {
        "budget_mib": budget, "start_mib": start // MIB, "peak_mib": max(peaks) // MIB, "idle_mib": idle // MIB,
        "front_mib": max(fronts) // MIB,
    }  # fmt: skip
    drills.record("memory", seconds=seconds, **figures)
    assert max(peaks) <= start + (budget + 8) * MIB, figures
    assert max(peaks[half:]) <= max(peaks[:half]) + 8 * MIB, figures
    assert idle <= start + 8 * MIB, figures
    assert max(fronts) <= 32 * MIB, figures


def test_handles_that_read_and_pause(mount, large):
    """200 readers that stop in mid-stream hold no more than the budget, and get on when they want to."""
    store, bed = large
    due = bed.read_bytes()
    with mount(store, "--memory", "16M") as m:
        start = drills.resident(m.encoder())
        fds = [os.open(m.path(".bed"), os.O_RDONLY | os.O_DIRECT) for _ in range(200)]
        try:
            for step in range(3):
                for i, fd in enumerate(fds):
                    at = (i * 16384 + step * 131072) % (len(due) - 131072) // 4096 * 4096
                    assert os.pread(fd, 131072, at) == due[at : at + 131072]
            assert drills.resident(m.encoder()) <= start + 24 * MIB
        finally:
            for fd in fds:
                os.close(fd)
