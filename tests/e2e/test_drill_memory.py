# SPDX-License-Identifier: Apache-2.0
"""Memory drills: the encoder stays within its budget under any mix of readers, and gives it back when idle."""

import os
import time

import pytest

import drills
import helpers

MIB = 1 << 20
# Not for sanitizers, which keep what is freed and shadow all of it.
pytestmark = pytest.mark.skipif(helpers.SANITIZED, reason="a sanitizer's memory says nothing")


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


SHAPES = {
    "chunks of 20 MB": [],
    "one chunk of 160 MB": ["--one-chunk"],
    "blocks of 8 MB": ["--blocksize", str(8 * MIB)],
}


@pytest.fixture(scope="module")
def shaped(tmp_path_factory):
    """shaped(name of a shape): a store of 20 MB of .bed."""
    made = {}

    def make(shape):
        if shape not in made:
            place = tmp_path_factory.mktemp("shaped") / "shaped.vcz"
            size = "--samples 20003 --variants 4000 --chunk-variants 1000 --chunk-samples 10000 --seed 3"
            made[shape] = helpers.mkvcz(place, *size.split(), *SHAPES[shape])
        return made[shape]

    return make


def peak(pid):
    text = open(f"/proc/{pid}/status", encoding="ascii").read()
    return int(text.split("VmHWM:")[1].split()[0]) * 1024


def idle_memory(encoder):
    """What an encoder keeps once it has nothing to do: two seconds after that, or later where the machine is busy."""
    time.sleep(2)
    end = time.monotonic() + 20
    while (idle := drills.resident(encoder)) > 24 * MIB and time.monotonic() < end:
        time.sleep(0.2)
    return idle


@pytest.mark.parametrize("suffix, verb", [(".bed", "mount-plink"), (".bgen", "mount-bgen")])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("budget", [32, 128])
def test_a_thousand_handles(budget, shape, suffix, verb, mount, shaped):
    """Of the promise that the encoder takes --memory and 32 MiB at most, and 24 MiB two seconds after the last close."""
    if shape == "blocks of 8 MB" and budget < 128:
        pytest.skip("a block has to fit: more memory is what the error asks for")
    with mount(shaped(shape), "--memory", f"{budget}M", "--threads", "2", verb=verb) as m:
        encoder, path = m.encoder(), m.path(suffix)
        size = os.stat(path).st_size
        # To decode such a block for every read takes too long: few read, all are open.
        every, most = (100, MIB) if "blocks" in shape else (1, 24 * MIB)
        fds = [os.open(path, os.O_RDONLY | os.O_DIRECT) for _ in range(1000)]
        try:
            for i, fd in enumerate(fds[::every]):
                os.pread(fd, 131072 if i % 20 == 0 else 4096, i * 7919 * 4096 % (size - 131072) // 4096 * 4096)
            for fd in fds[: 4 if every == 1 else 2]:
                for at in range(0, min(size, most), MIB):
                    os.pread(fd, MIB, at)
            assert peak(encoder) <= (budget + 32) * MIB, peak(encoder) / MIB
            assert private(m.front) <= 16 * MIB, private(m.front) / MIB
        finally:
            for fd in fds:
                os.close(fd)
        idle = idle_memory(encoder)
        drills.record("memory of a thousand handles", shape=shape, file=suffix, budget_mib=budget, peak_mib=peak(encoder) // MIB, idle_mib=idle // MIB)
        assert m.encoder() == encoder
        assert idle <= 24 * MIB, idle / MIB
