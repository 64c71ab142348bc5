"""What the access log costs: runs with and without it, turn by turn, on the same store."""

import json
import os
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


@pytest.mark.skipif(not drills.SOAK, reason="a ratio needs time and a quiet machine: make soak")
@pytest.mark.limit(240)
def test_access_log_costs_less_than_5_percent(store, mount, scratch):
    with mount(store) as plain, mount(store, "--access-log", scratch / "log") as logged:
        ratios = []
        for _ in range(15):
            without = throughput(plain.path(".bed"), 6)
            ratios.append(throughput(logged.path(".bed"), 6) / without)
    ratio = statistics.median(ratios)
    drills.record("access-log", ratio=round(ratio, 3), quartiles=[round(q, 3) for q in statistics.quantiles(ratios)])
    assert ratio > 0.95, ratios
