# SPDX-License-Identifier: Apache-2.0
"""An encoder that somebody else runs: `vczfs-encoderd --listen PATH`, `vczfs mount-plink --encoder-socket PATH`."""

import contextlib
import errno
import os
import pathlib
import resource
import signal
import socket
import stat
import subprocess
import threading
import time

import pytest

import helpers

STORE = "biallelic.vcz"
CASE = "biallelic_vcz-plink"
SO_ACCEPTCON = 0x10000  # of the flags in /proc/net/unix


def bed():
    return helpers.expected(CASE, ".bed")


class Listener:
    def __init__(self, process, path, errors):
        self.process, self.path, self.errors = process, path, errors

    def workers(self):
        """Pids of the children that serve one connection each."""
        return helpers.children(self.process.pid)


def is_listening(path):
    """The socket's file is there a moment before anybody may connect. It is bound by way of a descriptor of its directory."""
    for line in pathlib.Path("/proc/net/unix").read_text().splitlines():
        fields = line.split()
        if fields[-1].endswith(f"/{path.name}") and int(fields[3], 16) & SO_ACCEPTCON and path.is_socket():
            return True
    return False


@pytest.fixture
def listener(scratch):
    """A listening encoder; whatever happens, it ends with the test."""
    path = scratch / "encoder.sock"
    errors = scratch / "listener.stderr"
    with errors.open("wb") as sink:
        process = subprocess.Popen(
            ["env", "--block-signal", "--ignore-signal=CHLD", helpers.ENCODERD, "--listen", path],  # not to matter
            stderr=sink,
            env=helpers.test_environment(),
            preexec_fn=lambda: signal.alarm(helpers.FRONT_LIMIT),
        )
    helpers.held.add(process.pid)
    try:
        helpers.wait_for(lambda: is_listening(path) or process.poll() is not None, what="the socket")
        assert process.poll() is None, errors.read_text()
        yield Listener(process, path, errors)
        assert process.poll() is None, errors.read_text()
        process.terminate()
        assert process.wait(5 * helpers.SLOW) == 0
        assert not path.exists(), "the socket's file is still there"
        helpers.assert_clean(errors.read_text())
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()
        helpers.held.discard(process.pid)
        helpers.assert_no_strays()


def test_mount_through_a_socket(listener, mount):
    with mount(helpers.store(STORE), "--encoder-socket", listener.path) as m:
        assert helpers.children(m.front) == []
        for suffix in (".bed", ".bim", ".fam"):
            assert m.read(suffix) == helpers.expected(CASE, suffix)


def test_socket_is_its_owners_alone(listener):
    info = listener.path.stat()
    assert stat.S_ISSOCK(info.st_mode)
    assert stat.S_IMODE(info.st_mode) == 0o600


def test_listener_serves_the_next_mount(listener, mount):
    for _ in range(3):
        with mount(helpers.store(STORE), "--encoder-socket", listener.path) as m:
            assert m.read(".bed") == bed()
        helpers.wait_for(lambda: not listener.workers(), what="the connection's process to end")


def test_listener_serves_two_mounts_at_once(listener, mount):
    with mount(helpers.store(STORE), "--encoder-socket", listener.path) as one:
        with mount(helpers.store("oddwide.vcz"), "--encoder-socket", listener.path) as two:
            assert one.read(".bed") == bed()
            assert two.read(".bed") == helpers.expected("oddwide_vcz-plink", ".bed")


def test_relative_store_is_the_fronts(listener, mount):
    """The listener's working directory is not the user's."""
    relative = os.path.relpath(helpers.store(STORE))
    with mount(relative, "--encoder-socket", listener.path) as m:
        assert m.read(".bed") == bed()


def test_worker_killed_during_reads(listener, mount):
    with mount(helpers.store("oddwide.vcz"), "--encoder-socket", listener.path) as m:
        due = helpers.expected("oddwide_vcz-plink", ".bed")
        seen = []

        def read():
            for _ in range(50):
                helpers.drop_cache(m.path(".bed"))
                seen.append(m.path(".bed").read_bytes() == due)

        reader = threading.Thread(target=read)
        reader.start()
        for _ in range(5):
            so_far = len(seen)
            helpers.wait_for(lambda n=so_far: len(seen) > n or not reader.is_alive())
            for pid in listener.workers():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        reader.join()
        assert seen == [True] * 50


def test_listener_that_went_away(listener, mount, scratch):
    """Reads fail at their deadline, sidecars and unmount are fine."""
    with mount(helpers.store(STORE), "--encoder-socket", listener.path, "--read-timeout", "1") as m:
        listener.path.rename(scratch / "hidden.sock")
        for pid in listener.workers():
            os.kill(pid, signal.SIGKILL)
        start = time.monotonic()
        assert helpers.read_errno(m.path(".bed")) == errno.EIO
        assert time.monotonic() - start < 3 * helpers.SLOW
        assert m.read(".bim") == helpers.expected(CASE, ".bim")
        (scratch / "hidden.sock").rename(listener.path)
        helpers.wait_for(lambda: helpers.read_errno(m.path(".bed")) == 0, 30, "reads to work again")


NONSENSE = {
    "nothing": b"",
    "garbage": b"garbage",
    "empty map": b"\x80",
    "cut short": b"\x81\xa1t\xa5hello",
    "much": b"\xff" * 60000,
}


@pytest.mark.parametrize("what", NONSENSE)
def test_listener_survives_a_peer_that_talks_nonsense(what, listener, mount):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as peer:
        peer.connect(os.fspath(listener.path))
        if NONSENSE[what]:
            peer.send(NONSENSE[what])
    with mount(helpers.store(STORE), "--encoder-socket", listener.path) as m:
        assert m.read(".bed") == bed()


def packets_of_info(store, place):
    """What a front says that wants a report of this store: its hello, and its question."""
    place.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as encoder:
        encoder.settimeout(10 * helpers.SLOW)
        encoder.bind(os.fspath(place))
        encoder.listen()
        front = subprocess.Popen([helpers.VCZFS, "info", "--encoder-socket", place, store], stderr=subprocess.DEVNULL)
        peer = encoder.accept()[0]
        with peer:
            hello = peer.recv(1 << 16)
            peer.send(hello)
            question = peer.recv(1 << 16)
    front.kill()
    front.wait()
    return hello, question


@pytest.mark.skipif(helpers.SANITIZED, reason="a build with sanitizers has no sandbox")
def test_sandbox_is_entered_after_a_request_that_failed(listener, scratch):
    gone = scratch / "gone.vcz"
    gone.mkdir()
    hello, nothing = packets_of_info(gone, scratch / "asked.sock")
    gone.rmdir()
    _, question = packets_of_info(helpers.store(STORE), scratch / "asked.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as peer:
        peer.settimeout(30 * helpers.SLOW)
        peer.connect(os.fspath(listener.path))
        peer.send(hello)
        peer.recv(1 << 16)
        for packet, answer in ((nothing, b"error"), (question, b"report")):
            peer.send(packet)
            while answer not in (said := peer.recv(1 << 16)):
                assert said, "the encoder hung up"
        (worker,) = listener.workers()
        assert "Seccomp:\t2" in pathlib.Path(f"/proc/{worker}/status").read_text()


def test_silent_peers_do_not_keep_others_out(listener, mount):
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            peer = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
            peer.connect(os.fspath(listener.path))
        with mount(helpers.store(STORE), "--encoder-socket", listener.path) as m:
            assert m.read(".bed") == bed()


def test_errors_come_through_a_socket(listener, refused):
    done = refused(helpers.store("small.vcz"), "--encoder-socket", listener.path)
    assert done.returncode == 1
    assert "--max-alleles 2" in done.stderr


def test_info_through_a_socket(listener):
    done = helpers.run("info", "--encoder-socket", listener.path, helpers.store(STORE))
    assert done.returncode == 0, done.stderr
    assert "257" in done.stdout


def test_no_socket_there(refused):
    done = refused(helpers.store(STORE), "--encoder-socket", "/nonexistent/encoder.sock")
    assert done.returncode == 1
    assert "/nonexistent/encoder.sock" in done.stderr


def test_socket_that_nobody_listens_on(refused, scratch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as dead:
        dead.bind(os.fspath(scratch / "dead.sock"))
    done = refused(helpers.store(STORE), "--encoder-socket", scratch / "dead.sock")
    assert done.returncode == 1
    assert "dead.sock" in done.stderr


def test_listening_where_something_is_already(listener):
    """A living listener's socket is not taken from it."""
    done = subprocess.run(
        [helpers.ENCODERD, "--listen", listener.path], capture_output=True, text=True, timeout=10 * helpers.SLOW
    )
    assert done.returncode == 1
    assert "encoder.sock" in done.stderr
    assert listener.path.exists()


def test_listener_without_descriptors_waits_for_some(listener):
    """A connection that cannot be taken yet stays where it is; asking for it again and again would take a whole CPU."""
    pid = listener.process.pid
    nopen = len(os.listdir(f"/proc/{pid}/fd"))
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE, (nopen, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

    def cpu_seconds():
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as peer:
        peer.connect(str(listener.path))
        before = cpu_seconds()
        time.sleep(1)
        assert cpu_seconds() - before < 0.2
        assert not listener.workers()
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
        helpers.wait_for(listener.workers, what="the connection to be served")


# --- who is at the other end ------------------------------------------------------------------------------

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has other users to be")


@contextlib.contextmanager
def encoder_of_nobody(path):
    process = subprocess.Popen([*NOBODY, helpers.ENCODERD, "--listen", path], stderr=subprocess.DEVNULL)
    helpers.held.add(process.pid)
    try:
        helpers.wait_for(lambda: is_listening(path) or process.poll() is not None, what="the socket")
        assert process.poll() is None
        yield process
    finally:
        process.kill()
        process.wait()
        helpers.held.discard(process.pid)


@pytest.fixture
def safe(scratch):
    """A directory that user nobody may enter, and root alone write to."""
    scratch.chmod(0o755)
    return scratch


@as_root
def test_encoder_of_another_user_is_refused_unless_named(safe, refused, mount):
    """The socket itself is nobody's, in a directory of nobody's that is found below one of root's."""
    (safe / "theirs").mkdir()
    os.chown(safe / "theirs", 65534, 65534)
    path = safe / "theirs/e.sock"
    with encoder_of_nobody(path):
        done = refused(helpers.store(STORE), "--encoder-socket", path)
        assert done.returncode == 1
        assert "others may write" in done.stderr
        done = helpers.run("info", "--encoder-socket", path, helpers.store(STORE))
        assert done.returncode == 1 and "others may write" in done.stderr
        for user in ("nobody", "65534"):
            with mount(helpers.store(STORE), "--encoder-socket", path, "--encoder-user", user) as m:
                assert m.read(".bed") == bed()
        done = helpers.run("info", "--encoder-socket", path, "--encoder-user", "nobody", helpers.store(STORE))
        assert done.returncode == 0, done.stderr


@as_root
def test_socket_of_another_user_in_a_sticky_directory(safe, refused):
    (safe / "tmp").mkdir()
    (safe / "tmp").chmod(0o1777)
    with encoder_of_nobody(safe / "tmp/e.sock"):
        done = refused(helpers.store(STORE), "--encoder-socket", safe / "tmp/e.sock")
    assert done.returncode == 1
    assert "--encoder-user" in done.stderr and "nobody" in done.stderr


@as_root
def test_socket_that_was_given_away(safe, refused):
    """Its owner may be root by now: what counts is who listens."""
    (safe / "tmp").mkdir()
    (safe / "tmp").chmod(0o1777)
    path = safe / "tmp/e.sock"
    with encoder_of_nobody(path):
        os.chown(path, 0, 0)
        done = refused(helpers.store(STORE), "--encoder-socket", path)
    assert done.returncode == 1
    assert "listens" in done.stderr and "nobody" in done.stderr


@pytest.mark.parametrize("mode", [0o777, 0o775])
def test_directory_that_others_may_write_to(mode, listener, refused, scratch):
    scratch.chmod(mode)
    done = refused(helpers.store(STORE), "--encoder-socket", listener.path)
    assert done.returncode == 1
    assert "others may write" in done.stderr and "0755" in done.stderr
    scratch.chmod(0o1777)
    done = helpers.run("info", "--encoder-socket", listener.path, helpers.store(STORE))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("owner, mode, why", [(0, 0o777, "others may write"), (65534, 0o755, "another user's")])
@as_root
def test_directories_that_are_not_listened_in(owner, mode, why, safe):
    """Whoever may write there could have root remove and make what he likes, and could take the socket's name."""
    path = safe / "theirs/e.sock"
    path.parent.mkdir()
    os.chown(path.parent, owner, owner)
    path.parent.chmod(mode)
    done = run_listener(path)
    assert done.returncode == 1 and why in done.stderr
    assert not path.exists()


def run_listener(path):
    """Of one that ends by itself."""
    arguments = [helpers.ENCODERD, "--listen", path]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=10 * helpers.SLOW, check=False)


@as_root
def test_what_others_left_where_it_listens_stays(safe):
    """In a sticky directory: a socket that nobody answers on, and a link to a file of root's that does not exist."""
    (safe / "tmp").mkdir()
    (safe / "tmp").chmod(0o1777)
    stale, link = safe / "tmp/stale.sock", safe / "tmp/link.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as theirs:
        theirs.bind(str(stale))
    os.chown(stale, 65534, 65534)
    link.symlink_to(safe / "made")
    for path in stale, link:
        assert run_listener(path).returncode == 1
        assert os.path.lexists(path)
    assert not (safe / "made").exists()


def test_socket_is_removed_where_it_was_made(scratch):
    """Its directory has another name by now, and another directory that name."""
    place, moved = scratch / "place", scratch / "moved"
    place.mkdir()
    process = subprocess.Popen([helpers.ENCODERD, "--listen", place / "e.sock"], stderr=subprocess.DEVNULL)
    helpers.held.add(process.pid)
    helpers.wait_for(lambda: is_listening(place / "e.sock"), what="the socket")
    place.rename(moved)
    place.mkdir()
    (place / "e.sock").touch()
    process.terminate()
    assert process.wait(5 * helpers.SLOW) == 0
    helpers.held.discard(process.pid)
    assert (place / "e.sock").exists() and not (moved / "e.sock").exists()


@as_root
def test_name_taken_by_another_user_meanwhile(safe, mount):
    """When the encoder has ended, its place is another's: no byte comes from there, and all is well when it is back."""
    (safe / "tmp").mkdir()
    (safe / "tmp").chmod(0o1777)
    path = safe / "tmp/e.sock"
    ours = [helpers.ENCODERD, "--listen", path]
    first = subprocess.Popen(ours, stderr=subprocess.DEVNULL)
    helpers.held.add(first.pid)
    helpers.wait_for(lambda: is_listening(path), what="the socket")
    with mount(helpers.store(STORE), "--encoder-socket", path, "--read-timeout", "2") as m:
        assert m.read(".bed") == bed()
        first.terminate()
        first.wait()
        helpers.held.discard(first.pid)
        with encoder_of_nobody(path):
            assert helpers.read_errno(m.path(".bed")) == errno.EIO
            assert "nobody" in m.log()
            path.unlink()
        second = subprocess.Popen(ours, stderr=subprocess.DEVNULL)
        helpers.held.add(second.pid)
        helpers.wait_for(lambda: helpers.read_errno(m.path(".bed")) == 0, 30, "reads to work again")
        assert m.read(".bed") == bed()
        helpers.bury()  # what the first one left
    second.terminate()
    second.wait()
    helpers.held.discard(second.pid)


@pytest.mark.parametrize("user", ["no-such-user", "-1", "1x", "4294967295", "4294967296", "18446744073709551616"])
def test_no_such_user(user):
    """Nor is a number one that wraps around to root's."""
    done = helpers.run("info", "--encoder-socket", "/s", "--encoder-user", user, helpers.store(STORE))
    assert done.returncode != 0
    assert f"there is no user '{user}'" in done.stderr


def test_user_without_a_socket(refused):
    done = refused(helpers.store(STORE), "--encoder-user", "root")
    assert done.returncode == 2
    assert "--encoder-socket" in done.stderr
