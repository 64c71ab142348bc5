# SPDX-License-Identifier: Apache-2.0
"""What is measured: a mount of vczfs, and the null file system, each fresh."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time

from processes import children_of, cpu_seconds


def find_front(directory, verb):
    """The vczfs process that serves `directory`."""
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            words = pathlib.Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if os.fsencode(verb) in words and os.fsencode(directory) in words:
            return int(entry)
    raise SystemExit(f"bench: no vczfs process serves {directory}")


def is_mounted(directory):
    with open("/proc/self/mountinfo") as mounts:
        return any(line.split()[4] == str(directory) for line in mounts)


def wait_until(condition, what, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"bench: waited {seconds} s for {what}")
        time.sleep(0.01)


def read_ahead_file(directory):
    device = os.stat(directory).st_dev
    return pathlib.Path(f"/sys/class/bdi/{os.major(device)}:{os.minor(device)}/read_ahead_kb")


def read_ahead(mount):
    """As the kernel has it, in KiB: what a null file system to compare it with should have."""
    return read_ahead_file(mount.directory).read_text().strip()


class Mount:
    """One fresh vczfs mount; knows both its processes, and the large file that it shows."""

    def __init__(self, bench, store, verb="mount-plink"):
        self.bench, self.verb = bench, verb
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="vczfs-bench-"))
        command = [bench.vczfs, verb, "--background", "--memory", bench.memory]
        command += ["--threads", str(bench.threads), store, self.directory]
        begin = time.monotonic()
        try:
            subprocess.run(command, check=True)
        except subprocess.CalledProcessError:
            self.directory.rmdir()
            raise
        self.ready_seconds = time.monotonic() - begin

    def __enter__(self):
        self.front = find_front(self.directory, self.verb)
        encoders = children_of(self.front)
        if len(encoders) != 1:
            raise SystemExit(f"bench: {len(encoders)} encoders under process {self.front}, not one")
        self.encoder = encoders[0]
        (self.file,) = self.directory.glob("*.bed" if self.verb == "mount-plink" else "*.bgen")
        return self

    def cpu(self):
        return {"front": cpu_seconds(self.front), "encoder": cpu_seconds(self.encoder)}

    def __exit__(self, *_):
        # On storage at a distance the process may take longer to end than `unmount` waits.
        subprocess.run([self.bench.vczfs, "unmount", self.directory], stderr=subprocess.DEVNULL)
        wait_until(lambda: not is_mounted(self.directory), f"{self.directory} to be unmounted")
        wait_until(lambda: not os.path.exists(f"/proc/{self.front}"), f"process {self.front} to end", 300)
        self.directory.rmdir()


class ToolMount:
    """A file system of tests/tools that says "ready" when it is mounted."""

    def __init__(self, program, *words):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix=f"{program.name}-bench-"))
        self.process = subprocess.Popen([program, *map(str, words), self.directory], stdout=subprocess.PIPE)

    def __enter__(self):
        if self.process.stdout.readline() != b"ready\n":
            raise SystemExit(f"bench: {self.process.args[0].name} did not start")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
        self.directory.rmdir()


class NullMount(ToolMount):
    """nullfs with one file of `size` bytes, read ahead as far as the mount that it is compared with."""

    def __init__(self, bench, size, read_ahead):
        super().__init__(bench.nullfs, size)
        self.read_ahead = read_ahead
        self.file = self.directory / "null"

    def __enter__(self):
        super().__enter__()
        if os.geteuid() == 0:
            read_ahead_file(self.directory).write_text(self.read_ahead)
        return self


class SlowMount(ToolMount):
    """A directory as storage of so many MB/s, and so many ms away, shows it; options are those of slowfs."""

    def __init__(self, bench, source, mb_per_second, ms, *options):
        super().__init__(bench.slowfs, *options, mb_per_second, ms, source)

    def leave(self):
        """To where it was to be, if it began nearer."""
        self.process.send_signal(signal.SIGUSR1)

    def counters(self):
        """What was asked of it so far, by kind, and the most at once since this was called last."""
        return json.loads((self.directory / ".slowfs").read_text())
