"""What the access log costs: runs with and without it, turn by turn, on the same store."""

import json
import mmap
import os
import pathlib
import statistics
import time

import pytest

import drills
import helpers

MIB = 1 << 20
pytestmark = pytest.mark.skipif(helpers.SLOW > 1, reason="test_lifecycle has the log's lines; this is about speed")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """30 MB of .bed, read many times over."""
    place = tmp_path_factory.mktemp("log")
    options = "--samples 20003 --variants 6000 --chunk-variants 1000 --chunk-samples 10000 --seed 8"
    return helpers.mkvcz(place / "log.vcz", *options.split())


def throughput(path, passes):
    """Bytes a second of a sequential reader whose every byte comes from the front."""
    nbytes = 0
    start = time.monotonic()
    for _ in range(passes):
        helpers.drop_cache(path)
        with helpers.open_fd(path) as fd:
            while piece := os.read(fd, MIB):
                nbytes += len(piece)
    return nbytes / (time.monotonic() - start)


def test_access_log_keeps_up(store, mount, scratch):
    """Every byte that was read is in it."""
    with mount(store, "--access-log", scratch / "log") as m:
        throughput(m.path(".bed"), 2)
        size = m.path(".bed").stat().st_size
    entries = [json.loads(line) for line in (scratch / "log").read_text().splitlines()]
    assert sum(entry["size"] for entry in entries if entry["kind"] == "read") >= 2 * size


def random_reads(path, number):
    """4 KiB each, past the page cache, at places that have nothing to do with each other."""
    size = os.stat(path).st_size // 4096 * 4096
    with helpers.open_fd(path, os.O_RDONLY | os.O_DIRECT) as fd:
        buffers = [mmap.mmap(-1, 4096)]
        for i in range(number):
            os.preadv(fd, buffers, i * 2654435761 % size // 4096 * 4096)


def cpu_ns(pid):
    """What the process has computed so far, to the nanosecond."""
    return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0])


def costs(m, read):
    """(front's nanoseconds of computing, all nanoseconds) of one turn."""
    before, start = cpu_ns(m.front), time.monotonic_ns()
    read(m.path(".bed"))
    return cpu_ns(m.front) - before, time.monotonic_ns() - start


LOADS = {"sequential": lambda path: throughput(path, 1), "random": lambda path: random_reads(path, 2000)}


@pytest.mark.limit(120)
@pytest.mark.parametrize("load", LOADS)
def test_access_log_costs_less_than_5_percent(load, store, mount, scratch):
    """
    What the front computes more with a log than without, as a share of all the time that the reads take: what throughput
    would lose if nothing of it went on beside the encoder's work. Counted by the kernel, in turns, in one run; elapsed
    times by themselves differ by more than that from turn to turn.
    """
    with mount(store) as plain, mount(store, "--access-log", scratch / "log") as logged:
        turns = {plain.front: [], logged.front: []}
        for _ in range(drills.scaled(25, 100)):
            for m in (plain, logged):
                turns[m.front].append(costs(m, LOADS[load]))
    without, with_log = (statistics.median(cpu for cpu, _ in turns[m.front]) for m in (plain, logged))
    elapsed = statistics.median(time for _, time in turns[plain.front])
    assert (scratch / "log").stat().st_size > 0
    share = (with_log - without) / elapsed
    drills.record(
        "access-log", load=load, percent_of_time=round(100 * share, 2), front_percent=round(100 * (with_log / without - 1), 1)
    )
    assert share < 0.05, (without, with_log, elapsed)
