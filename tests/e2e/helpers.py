# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests share: where things are, one mount as an object, and ways to look at processes."""

import contextlib
import ctypes
import errno
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("VCZFS_BUILD", "build")
VECTORS = ROOT / os.environ.get("VCZFS_VECTORS", "build/vectors")
VECTORS_ARCHIVE = ROOT / "tests/data/vectors.tar.zst"

VCZFS = BUILD / "vczfs"
ENCODERD = BUILD / "vczfs-encoderd"
FAKEENC = BUILD / "tools/fakeenc"
NULLFS = BUILD / "tools/nullfs"
PROTOFIELDS = BUILD / "tools/protofields"

SANITIZED = VCZFS.exists() and b"__asan_init" in VCZFS.read_bytes()
# Every limit of time is times this, so that only what hangs, or waits for a deadline of seconds, fails: a machine that
# is busy with something else is often three times as slow.
SLOW = float(os.environ.get("VCZFS_TEST_SLOW", "12" if SANITIZED else "4"))


def maker_of_stores():
    """mkvcz is not what is tested: of a build without sanitizers, if that has one, it takes a fraction of the time."""
    plain = ROOT / "build/tools/mkvcz"
    sources = ROOT.glob("tests/tools/mkvcz*")
    newest = max(source.stat().st_mtime for source in sources)
    return plain if SANITIZED and plain.exists() and plain.stat().st_mtime > newest else BUILD / "tools/mkvcz"


MKVCZ = maker_of_stores()
WORK = 4 if SANITIZED else 1  # how much longer the programs compute than without a sanitizer, roughly

# A front that hangs would hang its reader in the kernel, where no Python signal handler can run. So every
# front carries an alarm of its own, which survives exec: the kernel then fails the reads for us.
SOAK = os.environ.get("VCZFS_SOAK", "") not in ("", "0")
FRONT_LIMIT = int((2400 if SOAK else 240) * SLOW)

SANITIZER_REPORT = re.compile(r"(Address|Leak|Thread|Memory|UndefinedBehavior)Sanitizer|runtime error:")

PR_SET_CHILD_SUBREAPER = 36
MNT_DETACH = 2
libc = ctypes.CDLL(None, use_errno=True)


# Mounts in the background keep their log below it.
os.environ["XDG_STATE_HOME"] = str(BUILD.resolve() / "state")


class MountFailed(AssertionError):
    """The front ended before it had mounted anything."""

    def __init__(self, status, stderr):
        super().__init__(f"vczfs ended with status {status}:\n{stderr}")
        self.status = status
        self.stderr = stderr


# --- vectors ---------------------------------------------------------------------------------------------


def unpack_vectors():
    if not (VECTORS / "cases.tsv").exists():
        VECTORS.mkdir(parents=True, exist_ok=True)
        subprocess.run(["tar", "--zstd", "-xf", VECTORS_ARCHIVE, "-C", VECTORS, "--no-same-owner"], check=True)


def store(name):
    return VECTORS / "stores" / name


def vcf(name):
    return VECTORS / "vcf" / name


def expected(case, suffix):
    """Bytes that are due, or None where the case has no such file."""
    path = VECTORS / "expected" / case / f"x{suffix}"
    data = path.read_bytes() if path.exists() else None
    return four_columns(data) if suffix == ".sample" and data is not None else data


def four_columns(sample):
    """The reference's .sample has three columns; GCTA wants a fourth, and SAIGE one or four."""
    lines = sample.decode().splitlines()
    fourth = ["sex", "D"] + ["NA"] * (len(lines) - 2)
    return "".join(f"{line} {more}\n" for line, more in zip(lines, fourth)).encode()


def case_options(store, text):
    """Options of a case of the vectors. One store lacks chunks that cannot be what they would read as."""
    return shlex.split(text) + (["--absent-chunks", "fill"] if store == "missing_chunks.vcz" else [])


def copy_store(name, to):
    """A copy that the test may damage."""
    target = pathlib.Path(to) / name
    shutil.copytree(store(name), target)
    return target


def edit_json(path, change):
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


@contextlib.contextmanager
def slowfs(source, mnt, ms, *options):
    """Storage at a distance (tests/tools/slowfs.c). Yields what asks for its counters."""
    mnt.mkdir()
    command = [BUILD / "tools/slowfs", *options, "1e6", str(ms), source, mnt]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "ready\n"
        yield lambda: json.loads((mnt / ".slowfs").read_text())
    finally:
        process.terminate()
        last = process.stdout.read()
        assert process.wait() == 0
        assert json.loads(last)["at_once"] == 0


def mkvcz(out, *options):
    """A generated store at `out`."""
    done = subprocess.run(
        [MKVCZ, *map(str, options), out], capture_output=True, text=True, timeout=60 * SLOW, check=False
    )
    assert done.returncode == 0, done.stderr
    return pathlib.Path(out)


# --- waiting ---------------------------------------------------------------------------------------------


def wait_for(condition, seconds=10, what=None):
    """Polls until condition() is true, and returns what it said."""
    end = time.monotonic() + seconds * SLOW
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds * SLOW:g} s in vain for {what or condition}")
        time.sleep(0.005)


# --- processes -------------------------------------------------------------------------------------------


def become_subreaper():
    """Orphans of what we start become our children, so that none can hide."""
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def process_stat(pid):
    """(state, parent) of a process, or None if there is none."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, parent = text.rpartition(")")[2].split()[:2]
    return state, int(parent)


def alive(pid):
    stat = process_stat(pid)
    return stat is not None and stat[0] not in "ZX"


def children(pid):
    """Living children of a process."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            stat = process_stat(int(entry))
            if stat and stat[1] == pid and stat[0] not in "ZX":
                found.append(int(entry))
    return sorted(found)


def comm(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def argv(pid):
    return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]


def encoders_of(pid):
    return [child for child in children(pid) if comm(child) == "vczfs-encoderd"]


def descriptors(pid):
    """{number: what it is} of a process."""
    found = {}
    for entry in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            found[int(entry)] = os.readlink(f"/proc/{pid}/fd/{entry}")
    return found


def state(pid):
    stat = process_stat(pid)
    return stat[0] if stat else None


held = set()  # pids of the processes that tests have started and will end themselves


def strays():
    """Our living children that are vczfs's programs and that no test holds."""
    return [
        pid
        for pid in children(os.getpid())
        if pid not in held and comm(pid).startswith(("vczfs", "fakeenc"))
    ]


def reap(pid, seconds=10):
    """Exit status (negative: signal) of a child or of an orphan that became our child."""
    def gone():
        done, status = os.waitpid(pid, os.WNOHANG)
        return [status] if done else None
    return os.waitstatus_to_exitcode(wait_for(gone, seconds, f"the end of process {pid}")[0])


def why_nothing_can_be_mounted():
    """The reason, if nobody here can mount anything, else None. Found out by mounting: containers say no in many ways."""
    if not os.path.exists("/dev/fuse"):
        return "there is no /dev/fuse"
    with tempfile.TemporaryDirectory(prefix="vczfs-probe-") as place:
        probe = subprocess.Popen([NULLFS, "4096", place], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        ready = probe.stdout.readline()
        probe.terminate()
        _, errors = probe.communicate()
    # The same for all who ask, so that the summary says it once; what comes first says most.
    lines = errors.replace(place, "a directory").strip().splitlines()
    return None if ready else "; ".join(lines) or "a null file system ends without a word"


# --- mounts ----------------------------------------------------------------------------------------------


def mountinfo():
    """{mount point: (type, options, major:minor)} of this mount namespace."""
    found = {}
    for line in os.fsdecode(pathlib.Path("/proc/self/mountinfo").read_bytes()).splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        point = re.sub(r"\\(\d{3})", lambda m: chr(int(m[1], 8)), fields[4])
        found[point] = (after.split()[0], fields[5], fields[2])
    return found


def mount_id(directory):
    """What is mounted there, or None. Without touching the mount, which may be dead or another user's."""
    return mountinfo().get(os.path.realpath(os.path.dirname(directory)) + "/" + os.path.basename(directory))


def is_mounted(directory):
    return mount_id(directory) is not None


def force_unmount(directory):
    libc.umount2(os.fsencode(directory), MNT_DETACH)
    if is_mounted(directory):
        subprocess.run(["fusermount3", "-u", "-z", directory], check=False, capture_output=True)


@contextlib.contextmanager
def scratch(prefix="vczfs-e2e-"):
    """A directory for one test, gone afterwards; what is mounted in it is unmounted first."""
    directory = tempfile.mkdtemp(prefix=prefix)
    try:
        yield pathlib.Path(directory)
    finally:
        for point in sorted(mountinfo(), reverse=True):
            if point.startswith(directory + "/"):
                force_unmount(point)
        shutil.rmtree(directory, ignore_errors=True)


def test_environment(extra=None):
    env = dict(os.environ)
    env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    env.setdefault("TSAN_OPTIONS", "halt_on_error=0")
    env.update(extra or {})
    return env


def run(*args, timeout=30, env=None, **more):
    """Runs vczfs to its end; text in, text out."""
    return subprocess.run(
        [VCZFS, *args],
        capture_output=True,
        text=True,
        timeout=timeout * SLOW,
        env=test_environment(env),
        stdin=subprocess.DEVNULL,
        **more,
    )


def assert_clean(text):
    report = SANITIZER_REPORT.search(text)
    assert not report, f"sanitizer report:\n{text[max(0, report.start() - 500):][:6000]}"


class Mount:
    """A front that has mounted a store, and what can be asked of it."""

    def __init__(self, directory, process, errors):
        self.dir = directory
        self.process = process
        self.front = process.pid
        self.errors = errors
        self.status = None
        self.due = 0  # exit status; a test that kills the front says so here

    @property
    def base(self):
        """Path of the files without their suffixes."""
        stream = {os.path.splitext(name)[0] for name in os.listdir(self.dir) if name.endswith((".bed", ".bgen"))}
        assert len(stream) == 1, os.listdir(self.dir)
        return self.dir / stream.pop()

    def path(self, suffix):
        return pathlib.Path(str(self.base) + suffix)

    def read(self, suffix):
        return self.path(suffix).read_bytes()

    def log(self):
        return self.errors.read_text(errors="replace")

    def encoder(self):
        """The encoder's pid; waits for one if it is just being replaced."""
        return wait_for(lambda: encoders_of(self.front), what="an encoder")[0]

    def kill_encoder(self):
        pid = self.encoder()
        os.kill(pid, signal.SIGKILL)
        return pid

    def stop(self, number=signal.SIGTERM, seconds=10):
        """Ends the front with a signal and returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait(seconds)

    def wait(self, seconds=10):
        self.status = self.process.wait(seconds * SLOW)
        return self.status


def start_front(source, directory, options, errors, env=None, program=None, prefix=(), verb="mount-plink"):
    """Starts a front in the foreground, behind commands that exec it (setpriv), and returns at once."""
    return subprocess.Popen(
        [*prefix, program or VCZFS, verb, *map(str, options), source, directory],
        stdin=subprocess.DEVNULL,
        stdout=errors,
        stderr=errors,
        env=test_environment(env),
        preexec_fn=lambda: signal.alarm(FRONT_LIMIT),
    )


def answers(directory):
    """Is a living file system mounted there? (A dead one says ENOTCONN.)"""
    mount = mount_id(directory)
    if mount is None:
        return False
    try:
        os.statvfs(directory)  # what stat says may be remembered
    except OSError as error:
        return error.errno == errno.EACCES  # another user's
    return mount_id(directory) == mount  # else a dead one was cleared meanwhile, and the bare directory has answered


def await_mount(process, directory, errors):
    wait_for(lambda: process.poll() is not None or answers(directory), 30, f"{directory} to be mounted")
    if process.poll() is not None:
        raise MountFailed(process.returncode, errors.read_text(errors="replace"))


@contextlib.contextmanager
def mounted(source, *options, env=None, directory=None, program=None, prefix=(), verb="mount-plink"):
    """
    Mounts a store, and afterwards insists that nothing of it is left: the exit status that is due (0), no
    mount, no process, no sanitizer's report.
    """
    with scratch() as place:
        target = pathlib.Path(directory or place / "mnt")
        if directory is None:
            target.mkdir()
        errors = place / "stderr"
        with errors.open("wb") as sink:
            process = start_front(source, target, options, sink, env, program, prefix, verb)
        held.add(process.pid)
        bury()
        mount = Mount(target, process, errors)
        try:
            await_mount(process, target, errors)
            yield mount
            if mount.status is None:
                mount.stop()
            assert mount.status == mount.due, f"the front ended with {mount.status}:\n{mount.log()}"
            if mount.due == 0:
                assert not is_mounted(target), "the mount is still there"
                # (The leak sanitizer forks a helper, which outlives an encoder that is killed while it ends.)
                assert SANITIZED or not zombies(), "the front did not wait for its encoder"
            assert_clean(mount.log())
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            held.discard(process.pid)
            force_unmount(target)
        assert_no_strays()


def zombies():
    """Our dead children that are vczfs's programs and that nobody waited for."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and process_stat(int(entry)) == ("Z", os.getpid()):
            if int(entry) not in held and comm(int(entry)).startswith(("vczfs", "fakeenc")):
                found.append(int(entry))
    return found


def bury():
    for pid in zombies():
        os.waitpid(pid, 0)


def assert_no_strays():
    wait_for(lambda: not strays(), 10, f"stray processes to go: {[argv(p) for p in strays()]}")
    bury()


def refused(source, *options, directory=None, env=None, verb="mount-plink"):
    """Mounting must fail before anything is mounted. Returns the finished process."""
    with scratch() as place:
        target = pathlib.Path(directory or place / "mnt")
        if directory is None:
            target.mkdir()
        before = mount_id(target)
        with (place / "stdout").open("w+") as out, (place / "stderr").open("w+") as errors:
            front = subprocess.Popen(
                [VCZFS, verb, *map(str, options), source, target],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
                env=test_environment(env),
            )
            try:
                wait_for(lambda: front.poll() is not None or mount_id(target) != before, 30, "mounting to fail")
                assert mount_id(target) == before, "mounted instead of failing"
            finally:
                front.kill()
                front.wait()
            texts = [(out.seek(0), out.read())[1], (errors.seek(0), errors.read())[1]]
        assert_clean(texts[1])
        assert_no_strays()
        return subprocess.CompletedProcess(front.args, front.returncode, *texts)


# --- readers ---------------------------------------------------------------------------------------------


def pread_all(path, size=1 << 17):
    """The whole file through pread, in pieces."""
    with open_fd(path) as fd:
        parts, at = [], 0
        while part := os.pread(fd, size, at):
            parts.append(part)
            at += len(part)
    return b"".join(parts)


@contextlib.contextmanager
def open_fd(path, flags=os.O_RDONLY):
    fd = os.open(path, flags)
    try:
        yield fd
    finally:
        os.close(fd)


def drop_cache(path):
    """Makes the kernel forget the file's pages, so that the next read reaches the front."""
    with open_fd(path) as fd:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)


def errno_of(action):
    """errno that it fails with, or 0 if it works."""
    try:
        action()
    except OSError as error:
        return error.errno
    return 0


def pread_outcome(fd, size, at, due):
    """errno, or 0 and then the bytes were those of `due`: wrong bytes are never acceptable."""
    try:
        got = os.pread(fd, size, at)
    except OSError as error:
        return error.errno
    assert got == due[at : at + size], f"wrong bytes at {at}"
    return 0


def read_errno(path, offset=0, size=4096):
    """errno of an uncached pread, or 0 if it worked."""
    drop_cache(path)

    def read():
        with open_fd(path) as fd:
            os.pread(fd, size, offset)

    return errno_of(read)
