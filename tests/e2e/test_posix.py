# SPDX-License-Identifier: Apache-2.0
"""What a program may expect of a read-only file system, on one mount that all these tests share."""

import concurrent.futures
import ctypes
import errno
import fcntl
import mmap
import os
import pathlib
import random
import stat
import struct
import subprocess
import sys

import pytest

import helpers

STORE = "oddwide.vcz"
CASE = "oddwide_vcz-plink"
SUFFIXES = (".bed", ".bim", ".fam")


@pytest.fixture(scope="module")
def shared():
    with helpers.mounted(helpers.store(STORE)) as m:
        yield m


@pytest.fixture(params=SUFFIXES)
def file(request, shared):
    """(path, bytes that are due) of each of the files."""
    return shared.path(request.param), helpers.expected(CASE, request.param)


def error_of(function, *args, **more):
    with pytest.raises(OSError) as caught:
        function(*args, **more)
    return caught.value.errno


# --- opening ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flags", ["O_WRONLY", "O_RDWR", "O_WRONLY O_APPEND", "O_RDWR O_CREAT", "O_WRONLY O_TRUNC"])
def test_open_for_writing_is_refused(flags, file):
    bits = 0
    for flag in flags.split():
        bits |= getattr(os, flag)
    assert error_of(os.open, file[0], bits, 0o644) == errno.EROFS


def test_open_with_truncation_is_refused_also_for_reading(file):
    """O_RDONLY|O_TRUNC truncates on Linux, so it is a write."""
    assert error_of(os.open, file[0], os.O_RDONLY | os.O_TRUNC) == errno.EROFS
    assert file[0].stat().st_size == len(file[1])


def test_open_to_read_and_append(file):
    """Nothing will be appended; better said at once."""
    assert error_of(os.open, file[0], os.O_RDONLY | os.O_APPEND) == errno.EROFS


def test_creating_a_file_is_refused(shared):
    assert error_of(os.open, shared.dir / "new", os.O_WRONLY | os.O_CREAT, 0o644) == errno.EROFS
    assert not (shared.dir / "new").exists()


def test_exclusive_creation_of_what_exists(file):
    assert error_of(os.open, file[0], os.O_RDONLY | os.O_CREAT | os.O_EXCL) == errno.EEXIST


def test_read_on_a_descriptor_opened_with_o_path(file):
    with helpers.open_fd(file[0], os.O_PATH) as fd:
        assert os.fstat(fd).st_size == len(file[1])
        assert error_of(os.read, fd, 1) == errno.EBADF


def test_a_thousand_open_and_close_cycles_leak_nothing(shared):
    def count():
        return len(helpers.descriptors(shared.front)), len(helpers.descriptors(shared.encoder()))

    shared.read(".bed")
    before = count()
    for i in range(1000):
        with helpers.open_fd(shared.path(".bed")) as fd:
            assert len(os.pread(fd, 16, i)) == 16
    # A release is sent after close() has returned.
    helpers.wait_for(lambda: count() <= before, what=f"descriptors to go back to {before}")


def test_64_handles_at_once(shared):
    due = helpers.expected(CASE, ".bed")
    handles = [os.open(shared.path(".bed"), os.O_RDONLY) for _ in range(64)]
    try:
        for turn in range(4):
            for i, fd in enumerate(handles):
                at = (i * 97 + turn * 1031) % len(due)
                assert os.pread(fd, 500, at) == due[at : at + 500]
    finally:
        for fd in handles:
            os.close(fd)


def test_handles_closed_in_mid_stream(shared):
    """What was asked for a reader that is gone is nobody's, and does not stay."""
    due = helpers.expected(CASE, ".bed")
    rng = random.Random(7)
    for _ in range(200):
        helpers.drop_cache(shared.path(".bed"))
        with helpers.open_fd(shared.path(".bed")) as fd:
            at = rng.randrange(len(due))
            assert os.pread(fd, 1, at) == due[at : at + 1]
    helpers.drop_cache(shared.path(".bed"))
    assert shared.read(".bed") == due


# --- reading ---------------------------------------------------------------------------------------------


def test_pread_at_and_across_the_end(file):
    path, due = file
    with helpers.open_fd(path) as fd:
        end = len(due)
        assert os.pread(fd, 10, end) == b""
        assert os.pread(fd, 10, end + 1) == b""
        assert os.pread(fd, 10, 1 << 40) == b""
        assert os.pread(fd, 10, end - 3) == due[-3:]
        assert os.pread(fd, 1 << 20, end - 1) == due[-1:]
        assert os.pread(fd, 0, 0) == b""
        assert os.pread(fd, len(due) + 1, 0) == due
        assert error_of(os.pread, fd, 1, -1) == errno.EINVAL


def test_lseek(file):
    path, due = file
    with helpers.open_fd(path) as fd:
        assert os.lseek(fd, 0, os.SEEK_END) == len(due)
        assert os.read(fd, 1) == b""
        assert os.lseek(fd, -5, os.SEEK_END) == len(due) - 5
        assert os.read(fd, 100) == due[-5:]
        assert os.lseek(fd, 7, os.SEEK_SET) == 7
        assert os.lseek(fd, 3, os.SEEK_CUR) == 10
        assert os.read(fd, 4) == due[10:14]
        assert os.lseek(fd, len(due) + 100, os.SEEK_SET) == len(due) + 100
        assert os.read(fd, 1) == b""
        assert error_of(os.lseek, fd, -1, os.SEEK_SET) == errno.EINVAL


def test_seek_data_and_hole(file):
    """No holes: data everywhere, and a hole only at the end."""
    path, due = file
    with helpers.open_fd(path) as fd:
        assert os.lseek(fd, 5, os.SEEK_DATA) == 5
        assert os.lseek(fd, 5, os.SEEK_HOLE) == len(due)
        assert error_of(os.lseek, fd, len(due), os.SEEK_DATA) == errno.ENXIO


def test_readv_and_preadv(file):
    path, due = file
    with helpers.open_fd(path) as fd:
        parts = [bytearray(3), bytearray(0), bytearray(20)]
        assert os.readv(fd, parts) == 23
        assert b"".join(parts) == due[:23]
        parts = [bytearray(8), bytearray(8)]
        assert os.preadv(fd, parts, len(due) - 12) == 12
        assert b"".join(parts)[:12] == due[-12:]


@pytest.mark.parametrize("flag", ["MAP_PRIVATE", "MAP_SHARED"])
def test_mmap(flag, file):
    path, due = file
    with helpers.open_fd(path) as fd:
        with mmap.mmap(fd, 0, flags=getattr(mmap, flag), prot=mmap.PROT_READ) as view:
            assert view[:] == due
            assert view[len(due) // 2] == due[len(due) // 2]


def test_private_mapping_may_be_written_by_its_owner(file):
    path, due = file
    with helpers.open_fd(path) as fd:
        with mmap.mmap(fd, 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE) as view:
            view[0:4] = b"mine"
        assert os.pread(fd, 4, 0) == due[:4]


def test_shared_writable_mapping_is_refused(file):
    with helpers.open_fd(file[0]) as fd:
        assert error_of(mmap.mmap, fd, 0, flags=mmap.MAP_SHARED, prot=mmap.PROT_WRITE) == errno.EACCES


def test_mapping_outlives_its_descriptor(shared):
    fd = os.open(shared.path(".bed"), os.O_RDONLY)
    view = mmap.mmap(fd, 0, prot=mmap.PROT_READ)
    os.close(fd)
    helpers.drop_cache(shared.path(".bed"))
    assert view[:] == helpers.expected(CASE, ".bed")
    view.close()


def test_direct_reads(file):
    path, due = file
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECT)
    except OSError as error:
        assert error.errno == errno.EINVAL
        pytest.skip("this kernel has no O_DIRECT here")
    try:
        buffer = mmap.mmap(-1, 8192)
        got = os.preadv(fd, [buffer], 0)
        assert buffer[:got] == due[:8192]
    finally:
        os.close(fd)


def test_sendfile(file, scratch):
    path, due = file
    with helpers.open_fd(path) as fd, open(scratch / "out", "wb") as out:
        at = 0
        while sent := os.sendfile(out.fileno(), fd, at, 1 << 20):
            at += sent
    assert (scratch / "out").read_bytes() == due


def test_copy_file_range(file, scratch):
    """Either the kernel copies, or it says that it cannot between file systems; never wrong bytes."""
    path, due = file
    with helpers.open_fd(path) as fd, open(scratch / "out", "wb") as out:
        try:
            at = 0
            while copied := os.copy_file_range(fd, out.fileno(), 1 << 20, at):
                at += copied
        except OSError as error:
            assert error.errno in (errno.EXDEV, errno.EOPNOTSUPP, errno.EINVAL)
            return
    assert (scratch / "out").read_bytes() == due


def test_dd(file, scratch):
    path, due = file
    subprocess.run(["dd", f"if={path}", f"of={scratch / 'out'}", "bs=777", "status=none"], check=True)
    assert (scratch / "out").read_bytes() == due


def test_tail(file):
    path, due = file
    assert subprocess.run(["tail", "-c", "100", path], check=True, capture_output=True).stdout == due[-100:]


def test_cmp(file):
    path, _ = file
    due = helpers.VECTORS / "expected" / CASE / f"x{path.suffix}"
    subprocess.run(["cmp", path, due], check=True)


def read_at_random(path, due, seed, times=200):
    """Uncached preads at random places; returns how many were wrong."""
    rng = random.Random(seed)
    wrong = 0
    with helpers.open_fd(path) as fd:
        for _ in range(times):
            at, size = rng.randrange(len(due)), rng.choice([1, 13, 512, 4096, 40000])
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            wrong += os.pread(fd, size, at) != due[at : at + size]
    return wrong


def test_parallel_threads_at_random_offsets(shared):
    due = helpers.expected(CASE, ".bed")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        results = [pool.submit(read_at_random, shared.path(".bed"), due, seed) for seed in range(8)]
        assert [result.result() for result in results] == [0] * 8


PROCESS_READER = """
import pathlib, sys
sys.path.insert(0, sys.argv[1])
import test_posix
due = pathlib.Path(sys.argv[3]).read_bytes()
sys.exit(test_posix.read_at_random(sys.argv[2], due, int(sys.argv[4])) != 0)
"""


def test_parallel_processes_at_random_offsets(shared):
    due = helpers.VECTORS / "expected" / CASE / "x.bed"
    here = pathlib.Path(__file__).parent
    readers = [
        subprocess.Popen([sys.executable, "-c", PROCESS_READER, here, shared.path(".bed"), due, str(seed)])
        for seed in range(4)
    ]
    assert [reader.wait() for reader in readers] == [0] * 4


# --- attributes ------------------------------------------------------------------------------------------


def statx(path):
    """(size, mode, inode, nlink, uid) by statx(2)."""
    buffer = ctypes.create_string_buffer(256)
    done = helpers.libc.statx(-100, os.fsencode(path), 0, 0x7FF, buffer)
    assert done == 0, os.strerror(ctypes.get_errno())
    _mask, _blksize, _attributes, nlink, uid, _gid, mode, ino, size = struct.unpack_from("=IIQIIIHxxQQ", buffer)
    return size, mode, ino, nlink, uid


def test_stat_forms_agree(file):
    path, due = file
    by_name = os.stat(path)
    with helpers.open_fd(path) as fd:
        by_fd = os.fstat(fd)
    assert by_name == os.lstat(path) == by_fd
    assert statx(path) == (len(due), by_name.st_mode, by_name.st_ino, by_name.st_nlink, by_name.st_uid)


def test_attributes_of_a_file(file):
    path, due = file
    info = os.stat(path)
    assert info.st_size == len(due)
    assert info.st_mode == stat.S_IFREG | 0o444
    assert info.st_nlink == 1
    assert (info.st_uid, info.st_gid) == (os.getuid(), os.getgid())
    assert info.st_blocks * 512 >= info.st_size
    assert info.st_mtime_ns == info.st_ctime_ns == info.st_atime_ns


def test_attributes_of_the_directory(shared):
    info = os.stat(shared.dir)
    assert info.st_mode == stat.S_IFDIR | 0o555
    assert info.st_nlink >= 2
    assert (info.st_uid, info.st_gid) == (os.getuid(), os.getgid())


def inodes(directory):
    return {entry.name: entry.inode() for entry in os.scandir(directory)}


def test_inode_numbers_are_unique_and_agree(shared):
    numbers = inodes(shared.dir)
    numbers["."] = os.stat(shared.dir).st_ino
    assert len(set(numbers.values())) == len(SUFFIXES) + 1
    assert all(os.stat(shared.dir / name).st_ino == number for name, number in numbers.items())


def test_inode_numbers_are_stable(shared, mount):
    """Across lookups that the kernel forgot, and across mounts."""
    numbers = inodes(shared.dir)
    if os.geteuid() == 0:
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("2")
    assert inodes(shared.dir) == numbers
    with mount(helpers.store(STORE)) as again:
        assert inodes(again.dir) == numbers


def test_attributes_do_not_change(shared):
    before = [os.stat(shared.path(suffix)) for suffix in SUFFIXES]
    shared.read(".bed")
    after = [os.stat(shared.path(suffix)) for suffix in SUFFIXES]
    assert before == after


def test_statvfs_says_read_only(shared):
    for info in (os.statvfs(shared.dir), os.statvfs(shared.path(".bed"))):
        assert info.f_flag & os.ST_RDONLY
        assert info.f_bfree == info.f_bavail == 0
        assert info.f_namemax == 255
        assert info.f_bsize > 0


def test_mount_is_marked_as_ours(shared):
    kind, options, _ = helpers.mountinfo()[str(shared.dir)]
    assert kind.startswith("fuse")
    assert {"ro", "nosuid", "nodev"} <= set(options.split(","))


def access(path, mode):
    """errno of access(2), 0 if it said yes. os.access hides it."""
    if helpers.libc.access(os.fsencode(path), mode) == 0:
        return 0
    return ctypes.get_errno()


def test_access(file):
    path, _ = file
    assert access(path, os.F_OK) == 0
    assert access(path, os.R_OK) == 0
    assert access(path, os.W_OK) == errno.EROFS
    assert access(path, os.X_OK) == errno.EACCES


def test_access_of_the_directory(shared):
    assert access(shared.dir, os.R_OK | os.X_OK) == 0
    assert access(shared.dir, os.W_OK) == errno.EROFS


# --- names -----------------------------------------------------------------------------------------------


def test_listing(shared):
    assert sorted(os.listdir(shared.dir)) == sorted(f"oddwide{suffix}" for suffix in SUFFIXES)
    assert all(entry.is_file(follow_symlinks=False) for entry in os.scandir(shared.dir))


def getdents(fd):
    """[(inode, type, name)] from raw getdents64 calls until the directory's end."""
    found = []
    buffer = ctypes.create_string_buffer(64)  # one or two entries a call: offsets must work
    while (got := helpers.libc.syscall(SYS_GETDENTS64, fd, buffer, len(buffer))) > 0:
        at = 0
        while at < got:
            ino, _off, length, kind = struct.unpack_from("=QqHB", buffer, at)
            name = buffer.raw[at + 19 : at + length].split(b"\0")[0].decode()
            found.append((ino, kind, name))
            at += length
    assert got == 0, os.strerror(ctypes.get_errno())
    return found


SYS_GETDENTS64 = {"x86_64": 217, "aarch64": 61}.get(os.uname().machine)
DT_DIR, DT_REG = 4, 8


@pytest.mark.skipif(SYS_GETDENTS64 is None, reason="getdents64's number is not known for this machine")
def test_getdents_twice_with_dot_entries(shared):
    with helpers.open_fd(shared.dir, os.O_RDONLY | os.O_DIRECTORY) as fd:
        first = getdents(fd)
        assert getdents(fd) == []
        os.lseek(fd, 0, os.SEEK_SET)
        second = getdents(fd)
    assert first == second
    assert sorted((name, kind) for _, kind, name in first) == sorted(
        [(".", DT_DIR), ("..", DT_DIR), *((f"oddwide{suffix}", DT_REG) for suffix in SUFFIXES)]
    )
    assert {name: ino for ino, _, name in first if name[0] != "."} == inodes(shared.dir)


def test_dot_entries_lead_where_they_should(shared):
    assert os.path.samestat(os.stat(shared.dir / "."), os.stat(shared.dir))
    assert os.path.samestat(os.stat(shared.dir / ".."), os.stat(shared.dir.parent))


def test_relative_and_redundant_paths(shared):
    due = helpers.expected(CASE, ".fam")
    name = shared.path(".fam").name
    for path in (f"./{name}", f".//.///{name}", f"../mnt/{name}", f"../mnt/../mnt/./{name}"):
        seen = subprocess.run(["cat", path], cwd=shared.dir, check=True, capture_output=True).stdout
        assert seen == due


def test_openat(shared):
    with helpers.open_fd(shared.dir, os.O_RDONLY | os.O_DIRECTORY) as directory:
        fd = os.open(shared.path(".fam").name, os.O_RDONLY, dir_fd=directory)
        assert os.read(fd, 1 << 20) == helpers.expected(CASE, ".fam")
        os.close(fd)


def test_names_that_do_not_exist(shared):
    assert error_of(os.stat, shared.dir / "nothing") == errno.ENOENT
    assert error_of(os.open, shared.dir / "ODDWIDE.BED", os.O_RDONLY) == errno.ENOENT
    assert error_of(os.stat, shared.dir / "oddwide") == errno.ENOENT
    assert error_of(os.stat, shared.dir / "sub" / "nothing") == errno.ENOENT
    assert error_of(os.stat, shared.dir / ("x" * 255)) == errno.ENOENT
    assert error_of(os.stat, shared.dir / ("x" * 256)) == errno.ENAMETOOLONG


def test_a_file_is_not_a_directory(shared):
    bed = shared.path(".bed")
    assert error_of(os.stat, bed / "x") == errno.ENOTDIR
    assert error_of(os.listdir, bed) == errno.ENOTDIR
    assert error_of(os.open, bed, os.O_RDONLY | os.O_DIRECTORY) == errno.ENOTDIR
    assert error_of(os.chdir, bed) == errno.ENOTDIR


def test_the_directory_is_not_a_file(shared):
    with helpers.open_fd(shared.dir) as fd:
        assert error_of(os.read, fd, 1) == errno.EISDIR
    assert error_of(os.open, shared.dir, os.O_WRONLY) in (errno.EISDIR, errno.EROFS)


def test_files_are_not_links(file):
    assert error_of(os.readlink, file[0]) == errno.EINVAL


# --- changing --------------------------------------------------------------------------------------------

MUTATIONS = {
    "mkdir": lambda d, f: os.mkdir(d / "new"),
    "mkdir existing": lambda d, f: os.mkdir(f),
    "rmdir": lambda d, f: os.rmdir(f),
    "unlink": lambda d, f: os.unlink(f),
    "rename": lambda d, f: os.rename(f, d / "new"),
    "rename into": lambda d, f: os.rename(f, f.with_suffix(".other")),
    "link": lambda d, f: os.link(f, d / "new"),
    "symlink": lambda d, f: os.symlink("target", d / "new"),
    "mknod": lambda d, f: os.mknod(d / "new", stat.S_IFREG | 0o644),
    "mkfifo": lambda d, f: os.mkfifo(d / "new"),
    "chmod": lambda d, f: os.chmod(f, 0o644),
    "chmod directory": lambda d, f: os.chmod(d, 0o755),
    "chown": lambda d, f: os.chown(f, os.getuid(), os.getgid()),
    "truncate": lambda d, f: os.truncate(f, 0),
    "truncate longer": lambda d, f: os.truncate(f, 1 << 30),
    "utime": lambda d, f: os.utime(f),
    "utime to a time": lambda d, f: os.utime(f, (1, 1)),
    "utime directory": lambda d, f: os.utime(d),
    "setxattr": lambda d, f: os.setxattr(f, "user.new", b"value"),
    "setxattr directory": lambda d, f: os.setxattr(d, "user.new", b"value"),
    "removexattr": lambda d, f: os.removexattr(f, "user.new"),
}
REFUSALS = {
    "mkdir existing": {errno.EEXIST, errno.EROFS},
    "rmdir": {errno.EROFS, errno.ENOTDIR},
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_every_change_is_refused(mutation, shared):
    listing, before = sorted(os.listdir(shared.dir)), os.stat(shared.path(".bed"))
    refusal = error_of(MUTATIONS[mutation], shared.dir, shared.path(".bed"))
    assert refusal in REFUSALS.get(mutation, {errno.EROFS, errno.EPERM}), errno.errorcode[refusal]
    assert sorted(os.listdir(shared.dir)) == listing
    assert os.stat(shared.path(".bed")) == before


MS_REMOUNT = 32


@pytest.mark.skipif(os.geteuid() != 0, reason="only root remounts")
def test_every_change_is_refused_also_when_it_was_remounted(mount):
    """The kernel makes it writable in name, and tells nobody."""
    with mount(helpers.store(STORE)) as m:
        assert ctypes.CDLL(None).mount(b"none", os.fsencode(m.dir), b"none", MS_REMOUNT, None) == 0
        listing, before = sorted(os.listdir(m.dir)), os.stat(m.path(".bed"))
        refusals = {name: error_of(change, m.dir, m.path(".bed")) for name, change in MUTATIONS.items()}
        refusals["create"] = error_of(os.open, m.dir / "new", os.O_CREAT | os.O_WRONLY, 0o644)
        for name, refusal in refusals.items():
            assert refusal in REFUSALS.get(name, {errno.EROFS, errno.EPERM}), (name, errno.errorcode[refusal])
        assert sorted(os.listdir(m.dir)) == listing and os.stat(m.path(".bed")) == before
        assert m.read(".bed") == helpers.expected(CASE, ".bed")


def test_fallocate_and_ftruncate_on_a_reading_descriptor(file):
    with helpers.open_fd(file[0]) as fd:
        assert error_of(os.ftruncate, fd, 0) in (errno.EINVAL, errno.EBADF, errno.EROFS)
        assert error_of(os.posix_fallocate, fd, 0, 10) in (errno.EBADF, errno.EROFS, errno.EOPNOTSUPP)
        assert error_of(os.write, fd, b"x") == errno.EBADF


def test_extended_attributes(file):
    """None, or none supported; either way an answer that tools take in their stride."""
    path, _ = file
    try:
        assert os.listxattr(path) == []
    except OSError as error:
        assert error.errno == errno.EOPNOTSUPP
    assert error_of(os.getxattr, path, "user.nothing") in (errno.ENODATA, errno.EOPNOTSUPP)
    assert error_of(os.getxattr, path, "security.capability") in (errno.ENODATA, errno.EOPNOTSUPP)
    subprocess.run(["ls", "-la", path], check=True, capture_output=True)


def test_fsync_of_a_reader_does_no_harm(file):
    with helpers.open_fd(file[0]) as fd:
        try:
            os.fsync(fd)
        except OSError as error:
            assert error.errno in (errno.EINVAL, errno.EROFS, errno.ENOSYS)


def test_locks(file):
    """plink takes none, but samtools-like tools do."""
    with helpers.open_fd(file[0]) as fd:
        fcntl.flock(fd, fcntl.LOCK_SH)
        fcntl.flock(fd, fcntl.LOCK_UN)
        fcntl.lockf(fd, fcntl.LOCK_SH)
        fcntl.lockf(fd, fcntl.LOCK_UN)
