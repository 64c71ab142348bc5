"""Overload drills: everything at once, and still every byte right, no read refused, and the mount alive."""

import itertools
import json
import os
import shutil
import subprocess
import time

import pytest

import drills
import helpers

# What the sanitizers have seen in the other drills they need not see again.
unsanitized = pytest.mark.skipif(helpers.SLOW > 1, reason="the same code runs in other drills")

FIO = {
    "sequential": ("--rw=read", "--bs=1M"),
    "random": ("--rw=randread", "--bs=4k", "--direct=1"),
    "mmap": ("--rw=randread", "--bs=4k", "--ioengine=mmap"),
    "4 sequential": ("--rw=read", "--bs=128k", "--numjobs=4"),
    "16 random": ("--rw=randread", "--bs=4k", "--direct=1", "--numjobs=16"),
    "16 on a sidecar": ("--rw=randread", "--bs=4k", "--numjobs=16"),
}


@unsanitized
@pytest.mark.parametrize("job", FIO)
def test_fio(job, mount, generated):
    """No error, no EAGAIN."""
    store, _ = drills.made(generated)
    with mount(store) as m:
        path = m.path(".bim" if "sidecar" in job else ".bed")
        done = subprocess.run(
            ["fio", "--name=job", f"--filename={path}", "--readonly", "--invalidate=1", "--time_based",
             f"--runtime={drills.scaled(1, 30)}", "--group_reporting", "--output-format=json", *FIO[job]],
            capture_output=True, text=True, timeout=60 * helpers.SLOW, check=False, cwd=m.dir.parent,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr + done.stdout[-500:]
        (result,) = json.loads(done.stdout[done.stdout.index("{") :])["jobs"]
        assert result["error"] == 0 and result["read"]["total_ios"] > 0, result
        assert result["read"]["short_ios"] == 0
        drills.record("fio", job=job, iops=round(result["read"]["iops"]), mb_s=round(result["read"]["bw_bytes"] / 1e6))


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.limit(60)
def test_fsx_like_reads(seed, mount, generated):
    """50,000 operations: pread, mmap, O_DIRECT, dropped caches, sizes."""
    store, bed = drills.made(generated)
    with mount(store) as m:
        with drills.reading(m.path(".bed"), bed, ["mix"], "-n", drills.scaled(10000, 50000), "-s", seed) as readers:
            results = readers.finish(50, end=False)
    drills.assert_all_right(results)
    assert results[0]["ops"] == drills.scaled(10000, 50000)


@pytest.mark.limit(drills.scaled(60, 300))
def test_liveness_while_16_readers_saturate(mount, generated):
    store, bed = drills.made(generated)
    with mount(store) as m, drills.reading(m.path(".bed"), bed, ["rand", "direct"] * 8) as readers:
        took = []
        end = time.monotonic() + drills.scaled(4, 120)
        while time.monotonic() < end:
            helpers.drop_cache(m.path(".fam"))
            took.append(drills.timed(lambda: (os.listdir(m.dir), m.read(".fam")))[0])
            time.sleep(0.5 if drills.SOAK else 0.1)
        drills.assert_all_right(readers.finish(60))
    drills.record("liveness", probes=len(took), p99_ms=drills.milliseconds(drills.quantile(took, 0.99)), max_ms=drills.milliseconds(max(took)))
    assert max(took) < 1 * helpers.SLOW


@unsanitized
@pytest.mark.skipif(shutil.which("stress-ng") is None, reason="stress-ng is not installed")
@pytest.mark.limit(drills.scaled(60, 300))
def test_readers_beside_stress(mount, generated):
    store, bed = drills.made(generated)
    seconds = drills.scaled(4, 120)
    with mount(store) as m:
        stress = subprocess.Popen(
            ["stress-ng", "--cpu", "2", "--vm", "1", "--vm-bytes", "256M", "--timeout", str(seconds), "--quiet",
             "--temp-path", m.dir.parent]
        )  # fmt: skip
        try:
            with drills.reading(m.path(".bed"), bed, ["seq", "rand", "mmap", "direct", "mix"], "-t", seconds) as readers:
                results = readers.finish(seconds + 30, end=False)
            assert stress.wait(30) == 0
        finally:
            stress.kill()
            stress.wait()
    drills.assert_all_right(results)


@pytest.mark.limit(drills.scaled(90, 600))
def test_mount_and_unmount_again_and_again(scratch):
    """No mount, process or descriptor is left (helpers.mounted looks)."""
    (scratch / "mnt").mkdir()
    before = len(os.listdir("/proc/self/fd"))
    start = time.monotonic()
    for i in range(drills.scaled(60, 500)):
        with helpers.mounted(helpers.store("biallelic.vcz"), directory=scratch / "mnt") as m:
            if i % 3 == 0:
                assert m.path(".bed").stat().st_size > 0
            elif i % 3 == 1:
                assert helpers.read_errno(m.path(".bed")) == 0
    assert len(os.listdir("/proc/self/fd")) == before
    drills.record("cycles", cycles=drills.scaled(60, 500), seconds=round(time.monotonic() - start, 1))


def test_a_thousand_handles(mount, generated):
    """Each reads a place of its own; none is refused, and nothing grows out of bounds."""
    store, bed = drills.made(generated)
    due = bed.read_bytes()
    with mount(store) as m:
        fds = [os.open(m.path(".bed"), os.O_RDONLY | os.O_DIRECT) for _ in range(1000)]
        try:
            for fd, at in zip(fds, itertools.cycle(range(0, len(due) - 4096, 36864))):
                assert os.pread(fd, 4096, at) == due[at : at + 4096]
            assert drills.resident(m.front) < (48 << 20) * helpers.SLOW
        finally:
            for fd in fds:
                os.close(fd)
