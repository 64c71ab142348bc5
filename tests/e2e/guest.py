# SPDX-License-Identifier: Apache-2.0
"""
A machine of the tests' own, in namespaces, with a systemd as its process 1 (tests/tools/guest.sh makes it) and with
vczfs installed in /usr/local. It shares nothing with the host that anybody could write to, and that is checked.
"""

import contextlib
import os
import pathlib
import re
import signal
import subprocess

import pytest

import helpers

SCRIPT = helpers.ROOT / "tests/tools/guest.sh"
CANNOT = 77  # guest.sh: this machine cannot, and the last line of output says why
PR_SET_PDEATHSIG = 1
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"

FILES = {
    "etc/machine-id": "0123456789abcdef0123456789abcdef\n",
    "etc/passwd": "root:x:0:0::/root:/bin/sh\n"
    "nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n"
    "alice:x:1000:1000::/home/alice:/bin/sh\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\nalice:x:1000:\n",
    "etc/nsswitch.conf": "passwd: files systemd\ngroup: files systemd\n",
    "etc/fuse.conf": "",
    "etc/fstab": "",
    # (A leak check wants to trace, which the units forbid.)
    "etc/systemd/system.conf": "[Manager]\nDefaultEnvironment=ASAN_OPTIONS=detect_leaks=0\n",
    "etc/systemd/system/guest.target": "[Unit]\n"
    "Requires=basic.target systemd-journald.service\n"
    "Wants=multi-user.target remote-fs.target\n"
    "After=basic.target systemd-journald.service multi-user.target remote-fs.target\n",
}


def devices_of_mounts(text):
    """{(major:minor, mount point)} of the mounts in a mountinfo that can be written to."""
    found = set()
    for line in text.splitlines():
        _, _, device, _, point, options = line.split(" ")[:6]
        if "rw" in options.split(","):
            found.add((device, point))
    return found


class Guest:
    """A guest that runs."""

    def __init__(self, shell, place):
        self.shell = shell
        self.place = place
        self.pid = None  # its process 1, as the host counts

    @property
    def alive(self):
        return self.shell.poll() is None

    def output(self):
        return (self.place / "output").read_text(errors="replace")

    def path(self, inside):
        """A path of the guest's as the host reaches it: what everybody in the guest sees. Triggers no automount."""
        return pathlib.Path(f"/proc/{self.pid}/root") / str(inside).lstrip("/")

    def write(self, inside, text, mode=0o644):
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def run(self, *command, user=None, check=True, timeout=30, text=True):
        """Runs a command to its end in the guest, as root or another user of its passwd."""
        become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
        done = subprocess.run(
            ["nsenter", "--target", str(self.pid), "--all", "--", "env", "-i", f"PATH={PATH}",
             "ASAN_OPTIONS=detect_leaks=0", *become, *map(str, command)],
            stdin=subprocess.DEVNULL, capture_output=True, text=text, check=False, timeout=timeout * helpers.SLOW,
        )  # fmt: skip
        if check:
            assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done

    def systemctl(self, *args, check=True):
        return self.run("systemctl", *args, check=check)

    def show(self, unit, what):
        return self.systemctl("show", "--value", "-p", what, unit).stdout.strip()

    def await_show(self, unit, what, value, seconds=15):
        helpers.wait_for(lambda: re.fullmatch(value, self.show(unit, what)), seconds, f"{what} of {unit} to be {value}")

    def journal(self, unit):
        self.run("journalctl", "--sync")
        return self.run("journalctl", "--no-pager", "-o", "cat", "-u", unit).stdout

    def all_processes(self):
        """{pid as the host counts: pid as the guest counts} of what lives in the guest."""
        found = {}
        space = os.readlink(f"/proc/{self.pid}/ns/pid")
        for entry in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
                if os.readlink(f"/proc/{entry}/ns/pid") == space and helpers.alive(int(entry)):
                    status = pathlib.Path(f"/proc/{entry}/status").read_text()
                    found[int(entry)] = int(re.search(r"^NSpid:.*\s(\d+)$", status, re.M)[1])
        return found

    def main_pid(self, unit):
        """The pid of a unit's main process as the host counts."""
        inside = int(self.show(unit, "MainPID"))
        (pid,) = [pid for pid, number in self.all_processes().items() if number == inside]
        return pid

    def processes(self, name="vczfs"):
        """Pids, as the host counts, of the guest's processes whose names begin so."""
        return [pid for pid in self.all_processes() if helpers.comm(pid).startswith(name)]

    def mounts(self):
        """{mount point: (type, source, options)} as everybody in the guest sees them."""
        found = {}
        for line in pathlib.Path(f"/proc/{self.pid}/mountinfo").read_text().splitlines():
            before, _, after = line.partition(" - ")
            kind, source, more = after.split(" ")
            point, options = before.split(" ")[4:6]
            point = re.sub(r"\\(\d{3})", lambda m: chr(int(m[1], 8)), point)
            found[point] = (kind, source, f"{options},{more}")
        return found

    def shares_with_host(self):
        """File systems of the host that the guest can write to. (cgroup2 is one for all, of which it sees a part.)"""
        here = {device for device, _ in devices_of_mounts(pathlib.Path("/proc/self/mountinfo").read_text())}
        guests = devices_of_mounts(pathlib.Path(f"/proc/{self.pid}/mountinfo").read_text())
        return {point for device, point in guests if device in here} - {"/sys/fs/cgroup"}


def put(path, content):
    """A file of this text; a link, for a path; a directory, for None."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if content is None:
        path.mkdir()
    elif isinstance(content, pathlib.Path):
        path.symlink_to(content)
    else:
        path.write_text(content)


def start(place, files):
    for inside, content in files.items():
        put(place / "files" / inside, content)
    for name in ("root", "cgroup"):
        (place / name).mkdir()
    with (place / "output").open("w") as sink:
        return subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", SCRIPT, "boot", place, helpers.ROOT,
             helpers.BUILD, helpers.VECTORS],
            stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True,
            preexec_fn=lambda: helpers.libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0),
        )  # fmt: skip


def first_process(guest):
    """Process 1 of the guest once it is a systemd: guest.sh, its unshare, and the child of that."""
    for unshare in helpers.children(guest.shell.pid):
        for pid in helpers.children(unshare):
            if helpers.comm(pid) == "systemd":
                return pid
    return None


def may_enter(guest):
    """Can a command be run in there at all? Where we are in a chroot, or short of rights, the kernel refuses to enter."""
    done = guest.run("true", check=False)
    if done.returncode != 0 and done.stderr.startswith("nsenter: "):
        pytest.skip(f"this machine lets nobody into a guest: {done.stderr.strip().splitlines()[-1]}")


def await_boot(guest):
    guest.pid = helpers.wait_for(lambda: not guest.alive or first_process(guest), 30, "a systemd")
    if not guest.alive:
        lines = guest.output().strip().splitlines() or ["it said nothing"]
        if guest.shell.returncode == CANNOT or "unshare failed" in lines[-1]:
            pytest.skip(f"this machine cannot boot a systemd of the test's own: {lines[-1]}")
        raise AssertionError(f"no guest: status {guest.shell.returncode}: {lines}")
    may_enter(guest)
    helpers.wait_for(
        lambda: guest.systemctl("is-active", "guest.target", check=False).stdout == "active\n", 30, "the guest to be up"
    )


def kill(guest):
    """With process 1 everything in there ends; guest.sh then clears its part of the cgroup tree away."""
    if guest.alive:
        os.kill(guest.pid or guest.shell.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        guest.shell.wait(10 * helpers.SLOW)
    if guest.alive:
        guest.shell.kill()
        guest.shell.wait()


@contextlib.contextmanager
def booted(files=()):
    """A guest that boots with these files, too, and afterwards nothing of it."""
    if os.geteuid() != 0:
        pytest.skip("booting a systemd takes root")
    if not os.path.exists("/usr/lib/systemd/systemd"):
        pytest.skip("there is no /usr/lib/systemd/systemd")
    with helpers.scratch("vczfs-guest-") as place:
        guest = Guest(start(place, {**FILES, **dict(files)}), place)
        helpers.held.add(guest.shell.pid)
        try:
            await_boot(guest)
            yield guest
        finally:
            kill(guest)
            helpers.held.discard(guest.shell.pid)
        assert os.listdir(place / "root") == os.listdir(place / "cgroup") == [], "the host sees what is the guest's"
        assert not [point for point in helpers.mountinfo() if point.startswith(str(place))]
        helpers.assert_clean(guest.output())
