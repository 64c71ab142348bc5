# SPDX-License-Identifier: Apache-2.0
"""From the start of a mount to its end, however it comes; and what `vczfs` says about itself."""

import contextlib
import errno
import fcntl
import json
import mmap
import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading
import time

import pytest

import drills
import helpers

STORE = "biallelic.vcz"
CASE = "biallelic_vcz-plink"


def bed():
    return helpers.expected(CASE, ".bed")


# --- ends ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"])
def test_signal_unmounts(name, mount):
    with mount(helpers.store(STORE)) as m:
        assert m.read(".bed") == bed()
        m.stop(getattr(signal, name))


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_signal_unmounts_with_files_open(name, mount):
    with mount(helpers.store(STORE)) as m:
        fd = os.open(m.path(".bed"), os.O_RDONLY)
        view = mmap.mmap(fd, 0, prot=mmap.PROT_READ)
        directory = os.open(m.dir, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.pread(fd, 10, 0)
            m.stop(getattr(signal, name), seconds=5)
            assert not helpers.is_mounted(m.dir)
        finally:
            view.close()
            os.close(fd)
            os.close(directory)


def test_signal_unmounts_under_four_readers(mount, generated):
    """They get errors, at once; none of them hangs, and none reads wrong bytes."""
    store, _ = generated(*"--samples 2503 --variants 900 --one-chunk --seed 11".split())
    with mount(store) as m:
        loop = 'while :; do dd if="$1" of=/dev/null bs=64k iflag=nocache status=none || exit 1; done'
        command = ["sh", "-c", loop, "sh", m.path(".bed")]
        readers = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(4)]
        try:
            for reader in readers:
                helpers.wait_for(lambda reader=reader: helpers.children(reader.pid), what="a reader")
            m.stop(seconds=5)
            assert all(reader.wait(5 * helpers.SLOW) != 0 for reader in readers)
        finally:
            for reader in readers:
                reader.kill()
                reader.wait()


def test_two_mounts_of_one_store(mount):
    with mount(helpers.store(STORE)) as one, mount(helpers.store(STORE)) as two:
        assert one.encoder() != two.encoder()
        one.stop()
        assert two.read(".bed") == bed()


def test_two_mounts_on_one_directory_at_once(scratch):
    """One of them has it, however close they are; the others say so."""
    (scratch / "mnt").mkdir()
    for _ in range(10):
        command = [helpers.VCZFS, "mount-plink", "--background", helpers.store(STORE), scratch / "mnt"]
        fronts = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
        errors = [front.communicate(timeout=20 * helpers.SLOW)[1] for front in fronts]
        assert sorted(front.returncode for front in fronts) == [0, 1, 1], errors
        assert sum("is in use" in text for text in errors) == 2, errors
        assert (scratch / "mnt" / "biallelic.bed").read_bytes() == bed()
        assert helpers.run("unmount", scratch / "mnt").returncode == 0
        assert not helpers.is_mounted(scratch / "mnt")
        helpers.wait_for(lambda: not helpers.strays(), what="the end of all")
        helpers.bury()


def test_directory_that_somebody_has_locked(mount, scratch):
    """Who may open a directory may lock it: that keeps nobody from mounting there."""
    (scratch / "mnt").mkdir()
    with helpers.open_fd(scratch / "mnt", os.O_RDONLY | os.O_DIRECTORY) as fd:
        fcntl.flock(fd, fcntl.LOCK_EX)
        with mount(helpers.store(STORE), directory=scratch / "mnt") as m:
            assert m.read(".bed") == bed()


def test_directory_renamed_under_a_mount(mount, scratch):
    """The mount is taken away where it is, not where it was."""
    (scratch / "before" / "mnt").mkdir(parents=True)
    with mount(helpers.store(STORE), directory=scratch / "before" / "mnt") as m:
        (scratch / "before").rename(scratch / "after")
        assert (scratch / "after" / "mnt" / "biallelic.bed").read_bytes() == bed()
        m.stop(seconds=5)
        assert not helpers.is_mounted(scratch / "after" / "mnt")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount something else")
def test_mount_that_is_covered(mount, scratch):
    """What somebody has mounted over it stays, with what is open there; ours is dead below, and can be cleared."""
    (scratch / "mnt").mkdir()
    with mount(helpers.store(STORE), directory=scratch / "mnt") as m:
        subprocess.run(["mount", "-t", "tmpfs", "none", m.dir], check=True)
        (m.dir / "theirs").touch()
        m.stop(seconds=5)
        assert os.listdir(m.dir) == ["theirs"]
        assert "over" in m.log() and str(m.dir) in m.log()
        subprocess.run(["umount", m.dir], check=True)
        assert helpers.run("unmount", m.dir).returncode == 0
        assert not helpers.is_mounted(m.dir)


def test_store_behind_a_symbolic_link(mount, scratch):
    (scratch / "link.vcz").symlink_to(helpers.store(STORE))
    with mount(scratch / "link.vcz") as m:
        assert m.path(".bed").name == "link.bed"
        assert m.read(".bed") == bed()


def test_mount_point_behind_a_symbolic_link(mount, scratch):
    (scratch / "real").mkdir()
    (scratch / "link").symlink_to(scratch / "real")
    front = helpers.run("mount-plink", "--background", helpers.store(STORE), scratch / "link")
    try:
        assert front.returncode == 0, front.stderr
        assert (scratch / "real" / "biallelic.bed").read_bytes() == bed()
        assert helpers.run("unmount", scratch / "link").returncode == 0
        assert not helpers.is_mounted(scratch / "real")
    finally:
        helpers.force_unmount(scratch / "real")
        helpers.assert_no_strays()


def test_second_signal_changes_nothing(mount):
    with mount(helpers.store(STORE)) as m:
        m.process.send_signal(signal.SIGTERM)
        m.process.send_signal(signal.SIGINT)
        m.wait(5)


def test_fusermount3_ends_both_processes(mount):
    with mount(helpers.store(STORE)) as m:
        encoder = m.encoder()
        subprocess.run(["fusermount3", "-u", m.dir], check=True)
        m.wait(5)
        helpers.wait_for(lambda: not helpers.alive(encoder), what="the encoder's end")


@pytest.mark.skipif(os.geteuid() != 0, reason="umount needs root")
@pytest.mark.parametrize("flags", [[], ["--lazy"]])
def test_umount_ends_both_processes(flags, mount):
    with mount(helpers.store(STORE)) as m:
        encoder = m.encoder()
        subprocess.run(["umount", *flags, m.dir], check=True)
        m.wait(5)
        helpers.wait_for(lambda: not helpers.alive(encoder), what="the encoder's end")


def test_vczfs_unmount_returns_when_all_has_ended(mount, scratch):
    with mount(helpers.store(STORE), "--access-log", scratch / "access") as m:
        m.read(".bed")
        encoder = m.encoder()
        done = helpers.run("unmount", m.dir)
        assert (done.returncode, done.stderr) == (0, "")
        assert not helpers.is_mounted(m.dir)
        assert helpers.state(m.front) == "Z" and not helpers.alive(encoder)
        kinds = [json.loads(line)["kind"] for line in (scratch / "access").read_text().splitlines()]
        assert kinds.count("open") == kinds.count("release") == 1
        m.wait(5)


def test_vczfs_unmount_of_a_busy_mount(mount):
    """Refused, with the cure; --lazy does it."""
    with mount(helpers.store(STORE)) as m:
        with helpers.open_fd(m.path(".bed")) as fd:
            done = helpers.run("unmount", m.dir)
            assert done.returncode == 1
            assert f"in use by process {os.getpid()} (" in done.stderr and "--lazy" in done.stderr
            assert f"{m.front} (" not in done.stderr  # it has the directory below the mount open
            assert os.pread(fd, len(bed()), 0) == bed()
            assert helpers.run("unmount", "--lazy", m.dir).returncode == 0
            assert not helpers.is_mounted(m.dir)
        m.wait(5)


def test_vczfs_unmount_of_what_is_not_mounted(scratch):
    for path in (scratch, scratch / "nothing"):
        done = helpers.run("unmount", path)
        assert done.returncode == 1
        assert str(path) in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount something else")
def test_vczfs_unmount_leaves_other_mounts_alone(scratch):
    (scratch / "tmpfs").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "none", scratch / "tmpfs"], check=True)
    done = helpers.run("unmount", scratch / "tmpfs")
    assert done.returncode == 1
    assert str(scratch / "tmpfs") in done.stderr
    assert helpers.is_mounted(scratch / "tmpfs")


def test_vczfs_unmount_if_dead(mount, scratch):
    """What somebody serves is not touched, also when it hangs; what nobody serves goes, also when it is in use."""
    assert helpers.run("unmount", "--if-dead", scratch).returncode == 0
    with mount(helpers.store(STORE)) as m:
        assert helpers.run("unmount", "--if-dead", m.dir).returncode == 0
        m.process.send_signal(signal.SIGSTOP)
        assert helpers.run("unmount", "--if-dead", m.dir).returncode == 0
        m.process.send_signal(signal.SIGCONT)
        assert m.read(".bed") == bed()
        with helpers.open_fd(m.path(".bed")):
            m.due = -signal.SIGKILL
            m.stop(signal.SIGKILL)
            done = helpers.run("unmount", "--if-dead", m.dir)
            assert (done.returncode, done.stderr) == (0, "")
            assert not helpers.is_mounted(m.dir)


def test_vczfs_unmount_of_a_dead_mount_in_use(mount):
    """Nobody can read it any more: no need to wait for those who have it open."""
    with mount(helpers.store(STORE)) as m:
        with helpers.open_fd(m.path(".bed")):
            m.due = -signal.SIGKILL
            m.stop(signal.SIGKILL)
            done = helpers.run("unmount", m.dir)
            assert (done.returncode, done.stderr) == (0, "")
            assert not helpers.is_mounted(m.dir)


def test_sigkill_of_the_front(mount):
    """The encoder goes, and the next start clears the dead mount and says so."""
    with mount(helpers.store(STORE)) as m:
        encoder = m.encoder()
        m.due = -signal.SIGKILL
        m.stop(signal.SIGKILL)
        helpers.wait_for(lambda: not helpers.alive(encoder), what="the encoder's end")
        with pytest.raises(OSError) as caught:
            os.listdir(m.dir)
        assert caught.value.errno == errno.ENOTCONN
        with mount(helpers.store(STORE), directory=m.dir) as again:
            assert again.read(".bed") == bed()
            assert re.search("dead mount|stale mount|left behind|cleared", again.log(), re.IGNORECASE), again.log()


def test_sigkill_of_the_front_while_its_encoder_is_busy(mount, generated):
    store, _ = generated(*"--samples 2503 --variants 900 --one-chunk --seed 11".split())
    with mount(store) as m:
        encoder = m.encoder()
        m.due = -signal.SIGKILL
        reader = subprocess.Popen(["cat", m.path(".bed")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        m.stop(signal.SIGKILL)
        reader.wait(5)
        helpers.wait_for(lambda: not helpers.alive(encoder), what="the encoder's end")


def test_twenty_mounts_of_the_same_directory(mount, scratch):
    (scratch / "mnt").mkdir()
    for _ in range(20):
        with mount(helpers.store(STORE), directory=scratch / "mnt") as m:
            assert m.read(".bed") == bed()


# --- a wedged encoder ------------------------------------------------------------------------------------


def test_unmount_does_not_wait_for_a_stopped_encoder(mount):
    with mount(helpers.store(STORE)) as m:
        encoder = m.encoder()
        with drills.stopped(encoder):
            start = time.monotonic()
            m.stop(seconds=5)
            assert time.monotonic() - start < 1 * helpers.SLOW
            assert not helpers.alive(encoder)


def test_unmount_with_a_reader_waiting_for_a_stopped_encoder(mount):
    with mount(helpers.store(STORE)) as m:
        with drills.stopped(m.encoder()):
            helpers.drop_cache(m.path(".bed"))
            reader = subprocess.Popen(["cat", m.path(".bed")], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            helpers.wait_for(lambda: helpers.comm(reader.pid) == "cat" and helpers.state(reader.pid) in "DS")
            start = time.monotonic()
            m.stop(seconds=5)
            assert time.monotonic() - start < 1 * helpers.SLOW
            out, _ = reader.communicate(timeout=5)
            assert out == b"" and reader.returncode != 0


def test_stopped_encoder_leaves_sidecars_and_metadata_alone(mount):
    with mount(helpers.store(STORE)) as m:
        with drills.stopped(m.encoder()):
            start = time.monotonic()
            assert len(os.listdir(m.dir)) == 3
            assert m.path(".bed").stat().st_size == len(bed())
            for suffix in (".bim", ".fam"):
                assert m.read(suffix) == helpers.expected(CASE, suffix)
            assert time.monotonic() - start < 1 * helpers.SLOW


def test_read_timeout(mount):
    """EIO about a second after the read was asked for; and the encoder is of use again when it goes on."""
    with mount(helpers.store(STORE), "--read-timeout", "1") as m:
        with drills.stopped(m.encoder()):
            start = time.monotonic()
            assert helpers.read_errno(m.path(".bed")) == errno.EIO
            assert 0.8 < time.monotonic() - start < 3 * helpers.SLOW
        helpers.wait_for(lambda: helpers.read_errno(m.path(".bed")) == 0, what="reads to work again")
        helpers.drop_cache(m.path(".bed"))
        assert m.read(".bed") == bed()


def test_reader_that_is_killed_while_it_waits(mount):
    """It dies at once, though its read has no answer, and others read on."""
    with mount(helpers.store(STORE)) as m:
        with drills.stopped(m.encoder()):
            reader = subprocess.Popen(["cat", m.path(".bed")], stdout=subprocess.DEVNULL)
            helpers.wait_for(lambda: helpers.comm(reader.pid) == "cat" and helpers.state(reader.pid) in "DS")
            reader.kill()
            reader.wait(2 * helpers.SLOW)
        assert m.read(".bed") == bed()


def test_short_stop_is_only_a_delay(mount):
    with mount(helpers.store(STORE)) as m:
        encoder = m.encoder()
        with drills.stopped(encoder):
            wake = threading.Timer(0.3, os.kill, (encoder, signal.SIGCONT))
            wake.start()
            assert m.read(".bed") == bed()
            wake.join()
        assert m.encoder() == encoder


# --- in the background -----------------------------------------------------------------------------------


@contextlib.contextmanager
def in_background(*args, directory):
    """`vczfs mount-plink --background`; yields the pid of the front that it left."""
    done = helpers.run("mount-plink", "--background", *args, directory)
    try:
        assert done.returncode == 0, done.stderr
        (front,) = [p for p in helpers.strays() if helpers.comm(p) == "vczfs"]
        yield front
    finally:
        helpers.force_unmount(directory)
        helpers.assert_no_strays()


def test_background_returns_when_the_mount_answers(scratch):
    """Its output is at its end too: a pipe that it was given does not stay open."""
    (scratch / "mnt").mkdir()
    with in_background(helpers.store(STORE), directory=scratch / "mnt") as front:
        assert (scratch / "mnt" / "biallelic.bed").read_bytes() == bed()
        assert helpers.encoders_of(front)
        assert helpers.run("unmount", scratch / "mnt").returncode == 0
        assert helpers.reap(front) == 0


def test_background_front_ends_with_sigterm(scratch):
    (scratch / "mnt").mkdir()
    with in_background(helpers.store(STORE), directory=scratch / "mnt") as front:
        os.kill(front, signal.SIGTERM)
        assert helpers.reap(front) == 0
        assert not helpers.is_mounted(scratch / "mnt")


def test_background_front_survives_the_session_of_its_parent(scratch):
    """A closed terminal is no reason to unmount."""
    (scratch / "mnt").mkdir()
    with in_background(helpers.store(STORE), directory=scratch / "mnt") as front:
        assert os.getsid(front) != os.getsid(0)
        os.kill(front, signal.SIGTERM)
        helpers.reap(front)


def test_background_error_is_told(scratch):
    (scratch / "mnt").mkdir()
    done = helpers.run("mount-plink", "--background", helpers.store("small.vcz"), scratch / "mnt")
    assert done.returncode == 1
    assert "--max-alleles 2" in done.stderr
    assert not helpers.is_mounted(scratch / "mnt")
    helpers.assert_no_strays()


def test_background_with_relative_paths(scratch):
    """Store, directory, encoder and logs are meant from where the user stands."""
    (scratch / "mnt").mkdir()
    shutil.copytree(helpers.store(STORE), scratch / "here.vcz")
    logs = ["--log-file", "log", "--access-log", "access"]
    done = helpers.run("mount-plink", "--background", *logs, "here.vcz", "mnt", cwd=scratch)
    try:
        assert done.returncode == 0, done.stderr
        helpers.drop_cache(scratch / "mnt" / "here.bed")
        (front,) = [p for p in helpers.strays() if helpers.comm(p) == "vczfs"]
        os.kill(helpers.encoders_of(front)[0], signal.SIGKILL)  # the next encoder must find the store too
        assert (scratch / "mnt" / "here.bed").read_bytes() == bed()
        assert helpers.run("unmount", "mnt", cwd=scratch).returncode == 0
        assert helpers.reap(front) == 0
        assert (scratch / "log").exists() and (scratch / "access").read_text()
    finally:
        helpers.force_unmount(scratch / "mnt")
        helpers.assert_no_strays()


# --- the two processes -----------------------------------------------------------------------------------


def test_encoder_is_the_fronts_only_child(mount):
    with mount(helpers.store(STORE)) as m:
        assert helpers.children(m.front) == [m.encoder()]
        assert helpers.children(m.encoder()) == []


def test_front_shows_the_directory_as_typed(mount):
    with mount(helpers.store(STORE)) as m:
        assert helpers.argv(m.front)[-1] == os.fsencode(m.dir)
        assert helpers.argv(m.front)[-2] == os.fsencode(helpers.store(STORE))


def test_encoder_gets_no_descriptor_that_it_does_not_need(mount, scratch):
    """Neither /dev/fuse, nor the logs, nor what vczfs itself was started with."""
    secret = os.open(scratch / "secret", os.O_RDWR | os.O_CREAT)
    os.set_inheritable(secret, True)
    try:
        opener = ["sh", "-c", f'exec 9<>"{scratch}/secret"; exec "$@"', "sh"]
        with mount(helpers.store(STORE), "--access-log", scratch / "access", prefix=opener) as m:
            front = helpers.descriptors(m.front).values()
            encoder = helpers.descriptors(m.encoder()).values()
            assert any(target == "/dev/fuse" for target in front)
            assert not any("fuse" in target or "secret" in target or "access" in target for target in encoder)
    finally:
        os.close(secret)


def test_memory_that_is_shared_cannot_shrink(mount):
    """Or a read of it could end the front with SIGBUS."""
    get_seals, seal_shrink = 1034, 2
    with mount(helpers.store(STORE)) as m:
        m.read(".bed")
        memory = []
        for pid in (m.front, m.encoder()):
            for number, target in helpers.descriptors(pid).items():
                if target.startswith("/memfd:"):
                    with helpers.open_fd(f"/proc/{pid}/fd/{number}") as fd:
                        memory.append((target, fcntl.fcntl(fd, get_seals)))
        assert memory
        assert all(seals & seal_shrink for _, seals in memory), memory


def libraries(program):
    listing = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"\blib([a-z0-9]+?)(?:[-.0-9]*)\.so", listing))


def test_front_never_loads_a_decoder():
    assert not libraries(helpers.VCZFS) & {"blosc", "zstd", "lz4", "deflate", "snappy", "jansson"}
    assert "fuse3" in libraries(helpers.VCZFS) or "fuse" in libraries(helpers.VCZFS)


def test_encoder_never_loads_fuse():
    assert not libraries(helpers.ENCODERD) & {"fuse", "fuse3"}
    assert "blosc" in libraries(helpers.ENCODERD)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may raise a mount's read-ahead")
def test_read_ahead_is_raised(mount):
    with mount(helpers.store(STORE)) as m:
        _, _, device = helpers.mount_id(m.dir)
        setting = pathlib.Path(f"/sys/class/bdi/{device}/read_ahead_kb")
        assert int(setting.read_text()) >= 1024


def test_no_descriptors_are_left_by_replaced_encoders(mount):
    """Sockets, arenas, pidfds of the dead: closed."""
    with mount(helpers.store(STORE)) as m:
        m.read(".bed")
        before = len(helpers.descriptors(m.front))
        for _ in range(5):
            dead = m.kill_encoder()
            helpers.wait_for(lambda dead=dead: helpers.read_errno(m.path(".bed")) == 0 and m.encoder() != dead)
        helpers.wait_for(lambda: len(helpers.descriptors(m.front)) <= before, what="descriptors to be closed")


def test_no_zombies_are_left_by_replaced_encoders(mount):
    with mount(helpers.store(STORE)) as m:
        dead = m.kill_encoder()
        assert helpers.read_errno(m.path(".bed")) == 0
        helpers.wait_for(lambda: helpers.process_stat(dead) is None, what="the dead encoder to be reaped")


def test_mount_with_standard_descriptors_closed(scratch):
    """As some supervisors start programs: the files that are opened first must not pass for stderr."""
    (scratch / "mnt").mkdir()
    command = [helpers.VCZFS, "mount-plink", helpers.store(STORE), scratch / "mnt"]
    front = subprocess.Popen(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *command])
    try:
        helpers.wait_for(lambda: helpers.is_mounted(scratch / "mnt") or front.poll() is not None)
        assert front.poll() is None
        assert (scratch / "mnt" / "biallelic.bed").read_bytes() == bed()
        front.terminate()
        assert front.wait(5 * helpers.SLOW) == 0
    finally:
        front.kill()
        front.wait()
        helpers.force_unmount(scratch / "mnt")
        helpers.assert_no_strays()


# --- logs ------------------------------------------------------------------------------------------------


def test_quiet_when_all_is_well(mount):
    """No progress, no chatter, where stderr is no terminal."""
    with mount(helpers.store("oddwide.vcz")) as m:
        m.read(".bed")
        m.stop()
        assert m.log() == ""


def test_log_file(mount, scratch):
    with mount(helpers.store(STORE), "--log-file", scratch / "log", "--log-level", "debug") as m:
        m.read(".bed")
        m.kill_encoder()
        assert helpers.read_errno(m.path(".bed")) == 0
        m.stop()
        assert m.log() == ""
    lines = (scratch / "log").read_text().splitlines()
    assert any("encoder" in line for line in lines)
    form = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z vczfs(-encoderd)?\[\d+\] \w+: "
    assert all(re.match(form, line) for line in lines)


def access_entries(path):
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    assert entries
    return entries


def test_access_log(mount, scratch):
    """Every line is an object with all the fields, and the reads in it are those that were made."""
    with mount(helpers.store(STORE), "--access-log", scratch / "access") as m:
        before = time.time()
        with helpers.open_fd(m.path(".bed")) as fd:
            os.pread(fd, len(bed()), 0)
        m.read(".bim")
    entries = access_entries(scratch / "access")
    for entry in entries:
        assert {"path", "fh", "offset", "size", "t_start", "t_end", "kind"} <= set(entry)
        assert entry["t_start"] <= entry["t_end"]
        assert before - 60 < entry["t_start"] < time.time() + 60
    of_bed = [entry for entry in entries if entry["path"].endswith("biallelic.bed")]
    kinds = [entry["kind"] for entry in of_bed]
    assert kinds[0] == "open" and kinds[-1] == "release" and "read" in kinds
    assert len({entry["fh"] for entry in of_bed}) == 1
    reads = [entry for entry in of_bed if entry["kind"] == "read"]
    assert reads[0]["offset"] == 0
    assert sum(entry["size"] for entry in reads) >= len(bed())
    assert any(entry["path"].endswith(".bim") for entry in entries)


def test_access_log_is_appended_to(mount, scratch):
    for _ in range(2):
        with mount(helpers.store(STORE), "--access-log", scratch / "access") as m:
            m.read(".fam")
    opens = [entry for entry in access_entries(scratch / "access") if entry["kind"] == "open"]
    assert len(opens) >= 2


# --- names -----------------------------------------------------------------------------------------------


def test_basename(mount):
    with mount(helpers.store(STORE), "--basename", "some.name") as m:
        assert sorted(os.listdir(m.dir)) == ["some.name.bed", "some.name.bim", "some.name.fam"]


@pytest.mark.parametrize("name", ["sample.vcz", "sample.zarr", "sample.vcz.zarr", "sample", "sample.with.dots.vcz"])
def test_default_basename_is_the_stores_name(name, mount, scratch):
    shutil.copytree(helpers.store("phased.vcz"), scratch / name)
    base = re.sub(r"(\.vcz|\.zarr)+$", "", name)
    with mount(f"{scratch}/{name}/") as m:
        assert sorted(os.listdir(m.dir)) == [f"{base}.bed", f"{base}.bim", f"{base}.fam"]


def test_names_with_blanks_and_beyond_ascii(mount, scratch):
    store = scratch / "my störe.vcz"
    directory = scratch / "Einhängepunkt mit 'Blanks'"
    shutil.copytree(helpers.store("phased.vcz"), store)
    directory.mkdir()
    with mount(store, directory=directory) as m:
        assert (directory / "my störe.bed").read_bytes() == helpers.expected("phased_vcz-plink", ".bed")
        assert helpers.run("unmount", directory).returncode == 0
        m.wait(5)


@pytest.mark.parametrize("options", [["--no-bim"], ["--no-fam"], ["--no-bim", "--no-fam"]])
def test_files_left_out(options, mount):
    left = {".bed", ".bim", ".fam"} - {option.replace("--no-", ".") for option in options}
    with mount(helpers.store(STORE), *options) as m:
        assert {os.path.splitext(name)[1] for name in os.listdir(m.dir)} == left
        assert m.read(".bed") == bed()


# --- info, help, version ---------------------------------------------------------------------------------


def numbers_in(value):
    """Every number in a JSON value."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [number for item in value for number in numbers_in(item)]
    return [value] if isinstance(value, (int, float)) and not isinstance(value, bool) else []


def info_json(store, *options):
    done = helpers.run("info", "--json", *options, store)
    assert done.returncode == 0, done.stderr
    helpers.assert_clean(done.stderr)
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "store, nsamples, nvariants, ploidy",
    [
        ("biallelic.vcz", 41, 257, 2),
        ("biallelic_v3.vcz", 41, 257, 2),
        ("oddwide.vcz", 1003, 30, 2),
        ("haploid.vcz", 7, 20, 1),
        ("small.vcz", 5, 14, 2),
    ],
)
def test_info_json(store, nsamples, nvariants, ploidy):
    info = info_json(helpers.store(store))
    assert (info["samples"], info["variants"], info["ploidy"]) == (nsamples, nvariants, ploidy)


def test_info_counts_contigs():
    counts = {}
    for line in helpers.vcf("biallelic.vcf").read_text().splitlines():
        if line[0] != "#":
            name = line.split("\t")[0]
            counts[name] = counts.get(name, 0) + 1
    info = info_json(helpers.store(STORE))
    seen = {contig["name"]: contig["variants"] for contig in info["contigs"]}
    assert {name: count for name, count in seen.items() if count} == counts


def test_info_says_how_large_the_files_would_be():
    sizes = numbers_in(info_json(helpers.store(STORE)))
    for suffix in (".bed", ".bim", ".fam"):
        assert len(helpers.expected(CASE, suffix)) in sizes, suffix


def test_info_text():
    done = helpers.run("info", helpers.store(STORE))
    assert done.returncode == 0, done.stderr
    for word in ("41", "257", "chrUn_KI270742v1", "call_genotype", "blosc", "zstd", "50 x 8 x 2", f"{len(bed()):,}"):
        assert word in done.stdout, word
    assert "Error" not in done.stdout


def test_info_needs_no_genotype_chunk(scratch):
    store = helpers.copy_store(STORE, scratch)
    for path in (store / "call_genotype").iterdir():
        if not path.name.startswith("."):
            path.write_bytes(b"garbage")
    assert info_json(store)["variants"] == 257


def test_info_of_no_store():
    done = helpers.run("info", "/nonexistent.vcz")
    assert done.returncode == 1
    assert "/nonexistent.vcz" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("args", [["--help"], ["mount-plink", "--help"], ["unmount", "--help"], ["info", "--help"]])
def test_help(args):
    done = helpers.run(*args)
    assert done.returncode == 0
    assert "Usage: vczfs" in done.stdout or "Usage:\n  vczfs" in done.stdout
    assert done.stderr == ""
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_help_names_every_option():
    text = helpers.run("mount-plink", "--help").stdout
    for option in (
        "--basename", "--no-bim", "--no-fam", "--background", "--allow-other", "--memory", "--threads", "--encoder",
        "--encoder-socket", "--read-timeout", "--access-log", "--log-level", "--log-file", "--max-alleles",
        "--min-alleles", "--help", "--version",
    ):  # fmt: skip
        assert option in text, option


def test_version():
    for program in (helpers.VCZFS, helpers.ENCODERD):
        done = subprocess.run([program, "--version"], capture_output=True, text=True)
        assert done.returncode == 0
        assert re.fullmatch(rf"{program.name} \d+\.\d+.*\n", done.stdout)


def test_output_that_cannot_be_written_is_an_error():
    with open("/dev/full", "w", encoding="ascii") as full:
        for args in (["--help"], ["--version"], ["info", helpers.store(STORE)]):
            assert subprocess.run([helpers.VCZFS, *args], stdout=full, stderr=subprocess.PIPE).returncode == 1


@pytest.mark.parametrize("state", ["state", None])
def test_mount_in_the_background_keeps_a_log(state, scratch):
    """In a file of its own that status names; without a place for it, with a warning and all the same."""
    directory = scratch / "mnt"
    directory.mkdir()
    env = helpers.test_environment({"XDG_STATE_HOME": str(scratch / state) if state else "/proc/nowhere"})
    done = helpers.run("mount-plink", "--background", helpers.store(STORE), directory, env=env)
    try:
        assert done.returncode == 0, done.stderr
        said = json.loads(helpers.run("status", "--json", directory).stdout)
        os.kill(said["encoder"]["pid"], signal.SIGKILL)
        assert (directory / "biallelic.bed").read_bytes() == bed()
        assert helpers.run("unmount", directory).returncode == 0
    finally:
        helpers.force_unmount(directory)
    if state is None:
        assert "there will be no log of this mount" in done.stderr and said["log"] is None
        return
    log = scratch / "state/vczfs" / (str(directory).strip("/").replace("/", "-") + ".log")
    assert (done.stderr, said["log"]) == ("", str(log))
    assert "killed by signal 9" in log.read_text() and "mounted" in log.read_text()
