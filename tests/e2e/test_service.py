# SPDX-License-Identifier: Apache-2.0
"""vczfs as a service: the units, sd_notify and mount.vczfs."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import time

import pytest

import drills
import helpers

STORE = "biallelic.vcz"
CASE = "biallelic_vcz-plink"
UNITS = helpers.ROOT / "fused/systemd"


def due():
    return helpers.expected(CASE, ".bed")


# --- the units, unstarted --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Directory of the unit files, installed with a prefix where their programs are."""
    place = tmp_path_factory.mktemp("inst")
    subprocess.run(
        ["make", "-s", "-o", "all", f"BUILD={helpers.BUILD}", f"prefix={place}", f"helperdir={place}/sbin", "install"],
        cwd=helpers.ROOT, check=True, capture_output=True,
    )  # fmt: skip
    return place / "lib/systemd/system"


def test_units_verify(installed):
    units = ["vczfs@x.service", "vczfs-encoderd@x.socket", "vczfs-encoderd@x.service"]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *[installed / unit for unit in units]],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.fixture(scope="module")
def for_one_user(installed):
    """The front's unit with the drop-in that the manual has for a store of one user."""
    text = (installed / "vczfs@.service").read_text()
    (installed / "own@.service").write_text(text + "[Service]\nUser=alice\nAmbientCapabilities=CAP_SYS_ADMIN\n")


@pytest.mark.parametrize(
    "unit, limit", [("vczfs@.service", 3.5), ("own@.service", 3.5), ("vczfs-encoderd@.service", 1.0)]
)
@pytest.mark.usefixtures("for_one_user")
def test_exposure_of_the_units(unit, limit, installed):
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", installed / unit],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    score = float(re.search(r"Overall exposure level.*: ([\d.]+)", done.stdout)[1])
    drills.record("exposure", unit=unit, score=score)
    assert score <= limit, done.stdout


# --- sd_notify -------------------------------------------------------------------------------------------


class Manager:
    """Somebody who listens at $NOTIFY_SOCKET."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.socket.settimeout(10 * helpers.SLOW)
        self.seen = []

    def wait_for(self, what, and_then=lambda: None):
        """Until a datagram says `what`; and_then() is called at once."""
        while True:
            text = self.socket.recv(4096).decode()
            if any(line.startswith(what) for line in text.split("\n")):
                and_then()
                return text
            self.seen.append(text)

    def rest(self):
        self.socket.settimeout(0.2)
        with contextlib.suppress(TimeoutError):
            while True:
                self.seen.append(self.socket.recv(4096).decode())
        return self.seen


@pytest.fixture(params=["file", "abstract"])
def manager(request, scratch):
    name = str(scratch / "notify") if request.param == "file" else f"@vczfs-test-{os.getpid()}"
    manager = Manager(name.replace("@", "\0"))
    manager.name = name
    yield manager
    manager.socket.close()


def test_ready_comes_when_the_mount_answers(manager, scratch, mount):
    def look():
        assert (scratch / "mnt" / "biallelic.bed").stat().st_size == len(due())

    (scratch / "mnt").mkdir()
    with mount(helpers.store(STORE), env={"NOTIFY_SOCKET": manager.name}, directory=scratch / "mnt") as m:
        assert manager.wait_for("READY=1", look) == "READY=1"
        assert b"NOTIFY_SOCKET" not in open(f"/proc/{m.encoder()}/environ", "rb").read()
        m.kill_encoder()
        manager.wait_for("STATUS=the encoder is gone")
        manager.wait_for("STATUS=serving")
        m.stop()
        manager.wait_for("STOPPING=1")
        assert not any("READY" in text for text in manager.rest())
        helpers.wait_for(lambda: not helpers.zombies(), what="the prober to be reaped")


def test_watchdog_is_fed_from_the_loop(manager, mount):
    """About every half of the time allowed; and not while the loop stands still."""
    with mount(helpers.store(STORE), env={"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "200000"}) as m:
        manager.wait_for("READY=1")
        start = time.monotonic()
        for _ in range(5):
            manager.wait_for("WATCHDOG=1")
        assert 0.3 < time.monotonic() - start < 2 * helpers.SLOW
        with drills.stopped(m.front):
            manager.rest()  # what was under way
            manager.seen.clear()
            assert manager.rest() == []
        manager.socket.settimeout(10)
        manager.wait_for("WATCHDOG=1")


def test_watchdog_of_somebody_else(manager, mount):
    environment = {"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"}
    with mount(helpers.store(STORE), env=environment):
        manager.wait_for("READY=1")
        assert not any("WATCHDOG" in text for text in manager.rest())


@pytest.mark.parametrize("name", ["/nonexistent/socket", "relative", "@", "/" + "x" * 200])
def test_manager_that_cannot_be_reached(name, mount):
    with mount(helpers.store(STORE), env={"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "100000"}) as m:
        assert m.read(".bed") == due()


# --- sockets that a service manager opens ----------------------------------------------------------------


@contextlib.contextmanager
def activated(listener, path):
    """An encoder as systemd's socket unit starts it: the listening socket is descriptor 3."""

    def hand_over():
        os.dup2(listener.fileno(), 3)
        signal.alarm(helpers.FRONT_LIMIT)

    script = f'LISTEN_FDS=1 LISTEN_PID=$$ exec {helpers.ENCODERD} --listen "{path}"'
    process = subprocess.Popen(
        ["sh", "-c", script], close_fds=False, preexec_fn=hand_over, env=helpers.test_environment(),
        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    helpers.held.add(process.pid)
    try:
        yield process
    finally:
        process.terminate()
        assert process.wait(10 * helpers.SLOW) == 0
        helpers.held.discard(process.pid)
        helpers.assert_no_strays()  # its workers end with it


def test_encoder_on_a_socket_that_was_opened_for_it(mount, scratch):
    """Nobody is connected to in vain between two encoders, and the socket is not theirs to remove."""
    path = scratch / "socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(path))
        listener.listen(16)
        with contextlib.ExitStack() as stack:
            with activated(listener, path):
                m = stack.enter_context(mount(helpers.store(STORE), "--encoder-socket", path))
                assert m.read(".bed") == due()
            assert path.exists()
            with activated(listener, path):
                helpers.drop_cache(m.path(".bed"))
                assert m.read(".bed") == due()
                m.stop()


def test_listen_fds_of_somebody_else(scratch):
    """Another process's are not taken: the encoder opens its own socket."""
    process = subprocess.Popen(
        [helpers.ENCODERD, "--listen", scratch / "socket"], stderr=subprocess.DEVNULL,
        env=helpers.test_environment({"LISTEN_FDS": "1", "LISTEN_PID": "1"}),
    )  # fmt: skip
    helpers.held.add(process.pid)
    try:
        helpers.wait_for((scratch / "socket").exists, what="a socket of its own")
    finally:
        process.terminate()
        assert process.wait(10 * helpers.SLOW) == 0
        helpers.held.discard(process.pid)
    assert not (scratch / "socket").exists()


# --- mount.vczfs -----------------------------------------------------------------------------------------


@pytest.fixture
def helper(scratch):
    """mount.vczfs with the path of the program that is being tested."""
    text = (helpers.ROOT / "fused/mount.vczfs").read_text().replace("@bindir@", str(helpers.BUILD))
    (scratch / "mount.vczfs").write_text(text)
    (scratch / "mount.vczfs").chmod(0o755)
    (scratch / "mnt").mkdir()

    def run(*args):
        return subprocess.run(
            [scratch / "mount.vczfs", *args], capture_output=True, text=True, timeout=30 * helpers.SLOW, check=False
        )

    yield run
    helpers.run("unmount", "--lazy", scratch / "mnt")
    helpers.assert_no_strays()


def the_front():
    (front,) = [pid for pid in helpers.strays() if helpers.comm(pid) == "vczfs"]
    return front


@pytest.mark.parametrize(
    "options, words",
    [
        ('samples="a,b",memory=32M', [b"--samples=a,b", b"--memory=32M"]),
        ('basename="x, y"', [b"--basename=x, y"]),
        ("user=alice,users,symfollow,threads=1", [b"--threads=1"]),
    ],
)
def test_mount_helper_takes_options_apart(options, words, helper, scratch):
    (scratch / "vczfs").write_text('#!/bin/sh\nprintf "%s\\0" "$@" >"${0%/*}/words"\n')
    (scratch / "vczfs").chmod(0o755)
    text = (scratch / "mount.vczfs").read_text().replace(str(helpers.BUILD), str(scratch))
    (scratch / "mount.vczfs").write_text(text)
    assert helper("a store", scratch / "mnt", "-o", "rw", "-o", options).returncode == 0
    end = [b"--", b"a store", os.fsencode(scratch / "mnt")]
    assert (scratch / "words").read_bytes().split(b"\0")[:-1] == [b"mount-plink", b"--background", *words, *end]


def test_mount_helper(helper, scratch):
    options = "rw,noauto,user,_netdev,x-systemd.automount,basename=other name,memory=32M,threads=1,read_timeout=7"
    done = helper(helpers.store(STORE), scratch / "mnt", "-n", "-v", "-o", options, "-t", "vczfs")
    assert (done.returncode, done.stderr) == (0, "")
    assert (scratch / "mnt" / "other name.bed").read_bytes() == due()
    line = helpers.argv(the_front())
    for option in (b"--memory=32M", b"--threads=1", b"--read-timeout=7", b"--background"):
        assert option in line, line
    assert helpers.run("unmount", scratch / "mnt").returncode == 0


@pytest.mark.parametrize("args", [["-o", "format=bgen"], ["-t", "vczfs.bgen"], ["-t", "vczfs.bgen", "-o", "haploid"]])
def test_mount_helper_chooses_a_format(args, helper, scratch):
    assert helper(helpers.store("phased.vcz"), scratch / "mnt", *args).returncode == 0
    assert (scratch / "mnt" / "phased.bgen").exists()


@pytest.mark.parametrize(
    "options",
    [
        "nonsense", "memory=tiny", "remount", "suid", "bind", "context=x", "format=tiff", "--memory=1G", "memory",
        "lazy", 'samples="a', "help", "he", "version", "v", "ve",
    ],
)  # fmt: skip
def test_mount_helper_refuses(options, helper, scratch):
    done = helper(helpers.store(STORE), scratch / "mnt", "-o", options)
    assert done.returncode == (32 if options == "remount" else 1), done.stderr
    assert options.lstrip("-").split("=")[0] in done.stderr
    assert not helpers.is_mounted(scratch / "mnt")


def test_mount_helper_tells_failure_from_misuse(helper, scratch):
    done = helper(scratch / "nothing.vcz", scratch / "mnt")
    assert done.returncode == 32 and "nothing.vcz" in done.stderr
    assert helper(helpers.store(STORE)).returncode == 1
    assert helper(helpers.store(STORE), scratch / "mnt", "-f").returncode == 0
    assert not helpers.is_mounted(scratch / "mnt")
