# SPDX-License-Identifier: Apache-2.0
"""
vczfs under a real systemd and a real mount(8): the units, /etc/fstab, automounts. On a machine of the test's own
(guest.py), since both want the whole of one.
"""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import time

import pytest

import drills
import guest as guests
import helpers

STORE = "/srv/vectors/stores/biallelic.vcz"
CASE = "biallelic_vcz-plink"
UNITS = pathlib.Path("/usr/local/lib/systemd/system")
SUFFIXES = (".bed", ".bim", ".fam")
SYS_LANDLOCK_CREATE_RULESET = 444
LANDLOCK = helpers.libc.syscall(SYS_LANDLOCK_CREATE_RULESET, None, 0, 1) > 0  # the version that the kernel has


def due(suffix=".bed"):
    return helpers.expected(CASE, suffix)


@pytest.fixture(scope="module")
def guest():
    with guests.booted() as machine:
        yield machine


@pytest.fixture
def service(guest):
    """service(name, lines of its conf, drop-in): a vczfs@ that is configured and not started."""
    made = []

    def make(name, *lines, dropin=None, store=STORE, directory=None):
        place = directory or f"/srv/{name}"
        guest.path(place).mkdir(exist_ok=True)
        guest.write(f"/etc/vczfs/{name}.conf", "\n".join([f'STORE="{store}"', f"DIR={place}", *lines, ""]))
        unit = f"vczfs@{name}.service"
        if dropin:
            guest.write(f"/etc/systemd/system/{unit}.d/test.conf", f"[Service]\n{dropin}\n")
            guest.systemctl("daemon-reload")
        made.append((unit, place))
        return unit

    yield make
    for unit, _ in made:
        guest.systemctl("stop", unit)
        guest.systemctl("reset-failed", unit, check=False)
    assert not {place for _, place in made} & set(guest.mounts())


def read(guest, path):
    """Uncached, so that the front is asked."""
    path = guest.path(path)
    helpers.drop_cache(path)
    return path.read_bytes()


def encoder_of(front):
    return helpers.wait_for(lambda: helpers.encoders_of(front), what="an encoder")[0]


def capabilities(pid):
    """Those that a process has or could hand on, as a number."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    sets = re.findall(r"^Cap(?:Inh|Prm|Eff|Amb):\s*(\w+)$", status, re.M)
    assert len(sets) == 4
    return max(int(each, 16) for each in sets)


def uid(pid):
    return os.stat(f"/proc/{pid}").st_uid


# --- the guest -------------------------------------------------------------------------------------------


def test_guest_and_host_are_apart(guest, tmp_path):
    """What a systemd does to its machine, this one does to nobody else's."""
    canaries = [tmp_path / "canary", pathlib.Path(f"/run/vczfs-canary-{os.getpid()}")]
    for canary in canaries:
        canary.write_text("sings")
    try:
        assert guest.shares_with_host() == set()
        assert "vczfs-guest-" in pathlib.Path(f"/proc/{guest.pid}/cgroup").read_text()
        for canary in canaries:
            assert not guest.path(canary).exists()
        for place in ("/tmp", "/run", "/var", "/etc", "/dev", "/usr/local/bin", "/usr/sbin"):
            guest.run("touch", f"{place}/from-the-guest")
            assert not os.path.lexists(f"{place}/from-the-guest")
        guest.run("sh", "-c", "rm -rf /tmp/* /run/vczfs-* /srv/vectors/*", check=False)
        assert [canary.read_text() for canary in canaries] == ["sings", "sings"]
        assert helpers.store("biallelic.vcz").exists()
        assert not os.path.exists("/etc/vczfs") or not os.path.exists("/etc/vczfs/x.conf")
    finally:
        canaries[1].unlink()


# --- vczfs@.service --------------------------------------------------------------------------------------


def test_service(guest, service):
    """Started, read, with its encoder killed, read again, stopped; and that once more."""
    unit = service("x", "OPTIONS=--allow-other --log-level info")
    for _ in range(2):
        guest.systemctl("start", unit)
        # Active means that it answers, to everybody: this looks from outside of the unit.
        assert [read(guest, f"/srv/x/biallelic{suffix}") for suffix in SUFFIXES] == [due(s) for s in SUFFIXES]
        assert guest.mounts()["/srv/x"][:2] == ("fuse.vczfs", STORE)
        assert guest.run("cat", "/srv/x/biallelic.bed", user="alice", text=False).stdout == due()
        assert re.fullmatch(f"serving {STORE}: 257 variants, 41 samples", guest.show(unit, "StatusText"))

        front = guest.main_pid(unit)
        os.kill(encoder_of(front), signal.SIGKILL)
        assert read(guest, "/srv/x/biallelic.bed") == due()
        guest.await_show(unit, "StatusText", "serving .*")
        assert (guest.show(unit, "NRestarts"), guest.main_pid(unit)) == ("0", front)

        took, _ = drills.timed(lambda: guest.systemctl("stop", unit))
        assert took < 3 * helpers.SLOW
        assert "/srv/x" not in guest.mounts() and os.listdir(guest.path("/srv/x")) == []
        assert guest.processes() == []
        assert (guest.show(unit, "ActiveState"), guest.show(unit, "Result")) == ("inactive", "success")
    assert "killed by signal 9" in guest.journal(unit)


def test_service_has_no_mount_namespace_and_no_more_rights_than_it_needs(guest, service):
    unit = service("x", "OPTIONS=--allow-other")
    guest.systemctl("start", unit)
    front = guest.main_pid(unit)
    assert os.readlink(f"/proc/{front}/ns/mnt") == os.readlink(f"/proc/{guest.pid}/ns/mnt")
    assert os.readlink(f"/proc/{front}/ns/net") != os.readlink(f"/proc/{guest.pid}/ns/net")
    device = guest.run("mountpoint", "-d", "/srv/x").stdout.strip()
    assert guest.path(f"/sys/class/bdi/{device}/read_ahead_kb").read_text().strip() == "1024"
    if not helpers.SANITIZED:
        encoder = encoder_of(front)
        assert (uid(encoder), capabilities(encoder)) == (65534, 0)
    # Nothing of the sandbox is kept away by the unit: that would be a warning.
    assert not LANDLOCK or "Landlock" not in guest.journal(unit)


def test_names_with_blanks_and_every_format(guest, service):
    store = guest.path("/srv/stores of ours")
    shutil.copytree(helpers.store("biallelic.vcz"), store / "a cohort.vcz", dirs_exist_ok=True)
    unit = service("blanks", "VERB=mount", "OPTIONS=--allow-other --no-bgi", store="/srv/stores of ours/a cohort.vcz")
    guest.systemctl("start", unit)
    assert read(guest, "/srv/blanks/a cohort.bed") == due()
    assert {"a cohort.bgen", "a cohort.bed"} <= set(os.listdir(guest.path("/srv/blanks")))


def test_watchdog(guest, service):
    """A front that stands still is replaced, and what it left on the mount point is cleared; one that does not, is not."""
    unit = service("wedged", dropin="WatchdogSec=1")
    guest.systemctl("start", unit)
    front = guest.main_pid(unit)
    time.sleep(1.5)
    assert guest.show(unit, "NRestarts") == "0" and guest.main_pid(unit) == front
    os.kill(front, signal.SIGSTOP)
    guest.await_show(unit, "NRestarts", "1")
    guest.await_show(unit, "ActiveState", "active")
    assert not helpers.alive(front)
    assert read(guest, "/srv/wedged/biallelic.bed") == due()
    assert "Watchdog timeout" in guest.journal(unit)


def test_a_front_that_dies_is_started_again(guest, service):
    unit = service("dies")
    guest.systemctl("start", unit)
    encoder = encoder_of(guest.main_pid(unit))
    os.kill(guest.main_pid(unit), signal.SIGKILL)
    guest.await_show(unit, "NRestarts", "1")
    guest.await_show(unit, "ActiveState", "active")
    assert not helpers.alive(encoder)
    assert read(guest, "/srv/dies/biallelic.bed") == due()
    assert sum("fuse.vczfs" in line for line in guest.run("cat", "/proc/mounts").stdout.splitlines()) == 1


def test_a_front_that_dies_for_good_leaves_no_mount(guest, service):
    unit = service("gone", dropin="Restart=no")
    guest.systemctl("start", unit)
    with helpers.open_fd(guest.path("/srv/gone/biallelic.bed")):
        os.kill(guest.main_pid(unit), signal.SIGKILL)
        guest.await_show(unit, "ActiveState", "failed")
        assert "/srv/gone" not in guest.mounts()


@pytest.mark.parametrize(
    "lines, complaint, restarts",
    [
        (["STORE=/srv/nothing.vcz"], "no such store: /srv/nothing.vcz", True),
        (["DIR=/srv/nowhere"], "mount point '/srv/nowhere' does not exist", True),
        (["OPTIONS=--nonsense"], "--nonsense", False),
        (["VERB=mount-tiff"], "mount-tiff", False),
    ],
)
def test_what_is_wrong_is_in_the_journal(lines, complaint, restarts, guest, service):
    unit = service(f"bad{len(complaint)}", *lines)
    done = guest.systemctl("start", unit, check=False)
    assert done.returncode != 0 and "failed" in done.stderr
    assert complaint in guest.journal(unit)
    assert complaint in guest.systemctl("status", "--no-pager", unit, check=False).stdout
    assert guest.show(unit, "ActiveState") == ("activating" if restarts else "failed")


def test_two_on_one_directory(guest, service):
    """The second one fails, and what it clears up is not the first one's mount."""
    first = service("first", directory="/srv/one")
    guest.systemctl("start", first)
    front = guest.main_pid(first)
    second = service("second", directory="/srv/one", store="/srv/vectors/stores/phased.vcz")
    assert guest.systemctl("start", second, check=False).returncode != 0
    assert "'/srv/one' is in use" in guest.show(second, "StatusText")
    guest.systemctl("stop", second)
    assert read(guest, "/srv/one/biallelic.bed") == due()
    assert guest.main_pid(first) == front


def test_without_a_configuration(guest):
    assert guest.systemctl("start", "vczfs@unheard-of", check=False).returncode != 0
    assert "Failed to load environment files: No such file" in guest.journal("vczfs@unheard-of")
    guest.systemctl("stop", "vczfs@unheard-of")


# --- a store that is one user's --------------------------------------------------------------------------


@pytest.fixture
def private(guest):
    """alice's home, where nobody else may go, with a store and a mount point."""
    home = guest.path("/home/alice")
    shutil.copytree(helpers.store("biallelic.vcz"), home / "own.vcz")
    (home / "mnt").mkdir()
    for path in (home, *home.rglob("*")):
        os.chown(path, 1000, 1000)
    home.chmod(0o700)
    yield "/home/alice"
    shutil.rmtree(home)


@pytest.mark.parametrize("inner", [False, True], ids=["home", "store"])
def test_private_store_is_refused_with_a_hint(inner, guest, service, private):
    if inner:
        guest.path(private).chmod(0o755)
        guest.path(f"{private}/own.vcz").chmod(0o700)
    unit = service("refused", store=f"{private}/own.vcz")
    assert guest.systemctl("start", unit, check=False).returncode != 0
    assert "permission denied" in guest.journal(unit) and "vczfs(1), SERVICES" in guest.journal(unit)


@pytest.mark.parametrize("options", ["", "--allow-other"])
def test_private_store_of_a_service_that_runs_as_its_user(options, guest, service, private):
    unit = service(
        f"alice{options}", f"OPTIONS={options}", store=f"{private}/own.vcz", directory=f"{private}/mnt",
        dropin="User=alice\nAmbientCapabilities=CAP_SYS_ADMIN",
    )  # fmt: skip
    bed = f"{private}/mnt/own.bed"
    guest.systemctl("start", unit)
    assert guest.run("cat", bed, user="alice", text=False).stdout == due()
    assert guest.run("cat", bed, check=False, text=False).stdout == (due() if options else b"")
    front = guest.main_pid(unit)
    assert uid(front) == 1000
    if not helpers.SANITIZED:
        assert (uid(encoder_of(front)), capabilities(encoder_of(front))) == (1000, 0)

    os.kill(front, signal.SIGKILL)
    guest.await_show(unit, "NRestarts", "1")
    guest.await_show(unit, "ActiveState", "active")
    assert guest.run("cat", bed, user="alice", text=False).stdout == due()
    guest.systemctl("stop", unit)
    assert f"{private}/mnt" not in guest.mounts()


# --- vczfs-encoderd@.service -----------------------------------------------------------------------------


def test_encoder_that_systemd_runs(guest, service, generated):
    """Started by its socket when the front comes, restarted under readers, stopped and started by a read."""
    store, bed = drills.made(generated)
    shutil.copytree(store, guest.path("/srv/made.vcz"))
    socket, encoder = "vczfs-encoderd@e.socket", "vczfs-encoderd@e.service"
    guest.write("/etc/vczfs/e.encoder.conf", "OPTIONS=--memory 32M --threads 2\n")
    unit = service(
        "e", "VERB=mount", "OPTIONS=--allow-other --encoder-socket /run/vczfs/e.sock", store="/srv/made.vcz"
    )  # fmt: skip
    guest.systemctl("start", socket)
    assert guest.show(encoder, "ActiveState") == "inactive"
    guest.systemctl("start", unit)
    assert guest.show(encoder, "ActiveState") == "active"
    assert "--memory 32M" in guest.show(encoder, "ExecStart") or b"32M" in helpers.argv(guest.main_pid(encoder))
    served = guest.main_pid(encoder)
    assert uid(served) not in (0, 65534) and capabilities(served) == 0
    assert helpers.encoders_of(guest.main_pid(unit)) == []

    assert guest.path("/srv/e/made.bgen.bgi").read_bytes().startswith(b"SQLite format 3\0")
    path = guest.path("/srv/e/made.bed")
    assert read(guest, "/srv/e/made.bed") == bed.read_bytes()
    with drills.reading(path, bed, ["seq", "rand", "mmap"]) as readers:
        for _ in range(2):
            time.sleep(0.3)
            guest.systemctl("restart", encoder)
        time.sleep(0.3)
        drills.assert_all_right(readers.finish())
    guest.systemctl("stop", encoder)
    assert read(guest, "/srv/e/made.bed") == bed.read_bytes()
    assert guest.show(encoder, "ActiveState") == "active"
    assert not LANDLOCK or "Landlock" not in guest.journal(encoder)
    assert guest.show(unit, "NRestarts") == "0"
    guest.systemctl("stop", unit, socket, encoder)
    assert not guest.path("/run/vczfs/e.sock").exists()
    shutil.rmtree(guest.path("/srv/made.vcz"))


def test_an_encoder_that_is_started_often_keeps_its_socket(guest):
    guest.systemctl("start", "vczfs-encoderd@often.socket")
    for _ in range(8):
        guest.systemctl("restart", "vczfs-encoderd@often.service")
    assert guest.show("vczfs-encoderd@often.socket", "SubState") == "running"
    guest.systemctl("stop", "vczfs-encoderd@often.socket", "vczfs-encoderd@often.service")


def test_private_store_and_an_encoder_that_systemd_runs(guest, service, private):
    """Both as the store's user, and so is the socket."""
    socket, encoder = "vczfs-encoderd@own.socket", "vczfs-encoderd@own.service"
    guest.write(f"/etc/systemd/system/{socket}.d/test.conf", "[Socket]\nSocketUser=alice\n")
    guest.write(f"/etc/systemd/system/{encoder}.d/test.conf", "[Service]\nUser=alice\n")
    unit = service(
        "own", "OPTIONS=--encoder-socket /run/vczfs/own.sock", store=f"{private}/own.vcz",
        directory=f"{private}/mnt", dropin="User=alice\nAmbientCapabilities=CAP_SYS_ADMIN",
    )  # fmt: skip
    guest.systemctl("start", socket, unit)
    assert guest.run("cat", f"{private}/mnt/own.bed", user="alice", text=False).stdout == due()
    assert uid(guest.main_pid(encoder)) == 1000
    guest.systemctl("stop", unit, socket, encoder)


# --- mount(8), umount(8) and /etc/fstab ------------------------------------------------------------------


@pytest.fixture
def fstab(guest):
    """fstab(line, ...): what is in the guest's /etc/fstab, as systemd knows it, too."""
    points = []

    def fill(*lines):
        points.extend(line.split()[1].replace("\\040", " ") for line in lines)
        for point in points:
            guest.path(point).mkdir(parents=True, exist_ok=True)
        guest.write("/etc/fstab", "\n".join([*lines, ""]))
        guest.systemctl("daemon-reload")

    yield fill
    for point in points:
        guest.run("umount", "-q", point, check=False)
        assert guest.mounts().get(point, ("autofs",))[0] == "autofs"
    guest.write("/etc/fstab", "")
    guest.systemctl("daemon-reload")
    helpers.wait_for(lambda: not guest.processes(), what="the fronts to end")


def test_mount_and_umount(guest):
    guest.path("/srv/m").mkdir(exist_ok=True)
    guest.run("mount", "-t", "vczfs", "-o", "allow_other,basename=c,memory=32M", STORE, "/srv/m")
    assert read(guest, "/srv/m/c.bed") == due()
    line = guest.run("findmnt", "-n", "-o", "FSTYPE,SOURCE,OPTIONS", "/srv/m").stdout
    assert re.match(rf"fuse\.vczfs +{STORE} +ro,nosuid,nodev,.*allow_other", line)
    assert f"{STORE} on /srv/m type fuse.vczfs (ro," in guest.run("mount").stdout
    assert guest.run("df", "/srv/m").stdout.splitlines()[1].startswith(STORE)
    guest.run("umount", "/srv/m")
    assert "/srv/m" not in guest.mounts()
    helpers.wait_for(lambda: not guest.processes(), what="the front to end")


def test_mount_by_the_name_that_findmnt_shows(guest):
    guest.path("/srv/m").mkdir(exist_ok=True)
    for kind, name in [("fuse.vczfs", "biallelic.bed"), ("vczfs.bgen", "biallelic.bgen")]:
        guest.run("mount", "-t", kind, STORE, "/srv/m")
        assert name in os.listdir(guest.path("/srv/m"))
        guest.run("umount", "/srv/m")


def test_umount_in_use(guest):
    """As everywhere: refused, or lazily at once, and then the reader's file is gone under it."""
    guest.path("/srv/m").mkdir(exist_ok=True)
    guest.run("mount", "-t", "vczfs", STORE, "/srv/m")
    with helpers.open_fd(guest.path("/srv/m/biallelic.bed")) as fd:
        busy = guest.run("umount", "/srv/m", check=False)
        assert busy.returncode == 32 and "busy" in busy.stderr
        assert os.pread(fd, 3, 0) == due()[:3]
        guest.run("umount", "-l", "/srv/m")
        assert "/srv/m" not in guest.mounts()
        assert os.pread(fd, 1 << 16, 0) == due()  # as long as somebody has it open it is served
    helpers.wait_for(lambda: not guest.processes(), what="the front to end")


def test_mount_again_after_the_front_was_killed(guest, fstab):
    fstab(f"{STORE} /srv/f vczfs noauto 0 0")
    for unmount in (False, True):  # what is dead is cleared by either
        guest.run("mount", "/srv/f")
        assert read(guest, "/srv/f/biallelic.bed") == due()
        (front,) = [pid for pid in guest.processes() if helpers.comm(pid) == "vczfs"]
        os.kill(front, signal.SIGKILL)
        helpers.wait_for(lambda: not guest.processes(), what="the encoder to end")
        if unmount:
            guest.run("umount", "/srv/f")
            assert "/srv/f" not in guest.mounts()


def test_remount_is_refused_and_changes_nothing(guest):
    guest.path("/srv/m").mkdir(exist_ok=True)
    guest.run("mount", "-t", "vczfs", STORE, "/srv/m")
    before = guest.mounts()["/srv/m"]
    done = guest.run("mount", "-o", "remount,rw", "/srv/m", check=False)
    assert done.returncode == 32 and "remount" in done.stderr
    assert guest.mounts()["/srv/m"] == before
    assert read(guest, "/srv/m/biallelic.bed") == due()
    guest.run("umount", "/srv/m")


USUAL = "rw,noauto,user,nofail,_netdev,noatime,x-systemd.device-timeout=5,comment=ours"


def test_fstab(guest, fstab):
    fstab(
        f"{STORE} /srv/f1 vczfs {USUAL},exec,allow_other,threads=1,basename=one 0 0",
        f"{STORE} /srv/two\\040words vczfs ro,noauto,basename=other\\040name 0 2",
        f"{STORE} /srv/auto vczfs defaults,format=all,no-bgi 0 0",
    )
    guest.run("mount", "/srv/f1")
    guest.run("mount", "/srv/two words")
    assert read(guest, "/srv/f1/one.bed") == read(guest, "/srv/two words/other name.bed") == due()
    for _ in range(2):  # the second time there is nothing to do
        guest.run("mount", "-a")
    assert sorted(point for point, mount in guest.mounts().items() if mount[0] == "fuse.vczfs") == [
        "/srv/auto", "/srv/f1", "/srv/two words",
    ]  # fmt: skip
    assert "biallelic.bgen" in os.listdir(guest.path("/srv/auto"))
    # systemd knows the same mounts by its own names.
    guest.await_show("srv-f1.mount", "ActiveState", "active")
    guest.systemctl("stop", "srv-f1.mount")
    assert "/srv/f1" not in guest.mounts()
    guest.systemctl("start", "srv-f1.mount")
    assert read(guest, "/srv/f1/one.bed") == due()


@pytest.mark.parametrize("option", ["nonsense", "memory=tiny", "uid=5", "formats=plink"])
def test_fstab_with_options_that_there_are_not(option, guest, fstab):
    fstab(f"{STORE} /srv/f vczfs noauto,{option} 0 0")
    done = guest.run("mount", "/srv/f", check=False)
    assert done.returncode == 1 and option.split("=")[0] in done.stderr
    assert "/srv/f" not in guest.mounts()


def test_commas_in_an_option(guest, fstab):
    ids = due(".fam").decode().split("\n")[:2]
    pair = ",".join(line.split("\t")[0] for line in ids)
    fstab(f'{STORE} /srv/f vczfs noauto,samples="{pair}",no-bim 0 0')
    guest.run("mount", "/srv/f")
    assert guest.path("/srv/f/biallelic.fam").read_text().split("\n")[:2] == ids
    assert guest.path("/srv/f/biallelic.bed").stat().st_size == 3 + 257


def test_mount_by_a_user(guest, fstab, private):
    """`user` in fstab: mount(8) steps down to that user, whose mount it then is."""
    fstab(f"{private}/own.vcz {private}/mnt vczfs noauto,user 0 0")
    guest.run("mount", f"{private}/mnt", user="alice")
    assert guest.run("cat", f"{private}/mnt/own.bed", user="alice", text=False).stdout == due()
    assert {uid(pid) for pid in guest.processes()} == {1000}
    guest.run("umount", f"{private}/mnt", user="alice")
    assert f"{private}/mnt" not in guest.mounts()


@pytest.mark.skipif(not os.path.exists("/dev/autofs"), reason="this kernel has no autofs")
def test_automount(guest, fstab):
    fstab(f"{STORE} /srv/auto vczfs noauto,x-systemd.automount,x-systemd.idle-timeout=1,allow_other 0 0")
    guest.systemctl("start", "srv-auto.automount")
    assert guest.mounts()["/srv/auto"][0] == "autofs"
    for user in (None, "alice"):  # the first look mounts, and after a second of leisure it is gone again
        assert guest.run("cat", "/srv/auto/biallelic.bed", user=user, text=False).stdout == due()
        assert guest.mounts()["/srv/auto"][0] == "fuse.vczfs"
        helpers.wait_for(lambda: guest.mounts()["/srv/auto"][0] == "autofs", 20, "the mount to be left alone")
        helpers.wait_for(lambda: not guest.processes(), what="the front to end")
    guest.run("ls", "/srv/auto")
    guest.systemctl("stop", "srv-auto.automount")
    helpers.wait_for(lambda: "/srv/auto" not in guest.mounts(), what="the mount to be gone")


@pytest.mark.skipif(not os.path.exists("/dev/autofs"), reason="this kernel has no autofs")
def test_automount_that_cannot(guest, fstab):
    """Whoever looks gets an error, not a wait."""
    fstab("/srv/nothing.vcz /srv/auto vczfs noauto,x-systemd.automount 0 0")
    guest.systemctl("start", "srv-auto.automount")
    done = guest.run("ls", "/srv/auto", check=False)
    assert done.returncode != 0 and "No such device" in done.stderr
    assert "no such store: /srv/nothing.vcz" in guest.journal("srv-auto.mount")
    guest.systemctl("stop", "srv-auto.automount")


# --- the end ---------------------------------------------------------------------------------------------


def test_boot_and_power_off():
    """Mounted by an enabled service and by fstab when the machine is up; powered off under a reader, in good time."""
    files = {
        "etc/fstab": f"{STORE} /srv/f vczfs defaults 0 0\n",
        "etc/vczfs/x.conf": f"STORE={STORE}\nDIR=/srv/x\nOPTIONS=--log-file /var/x.log --log-level info\n",
        "etc/systemd/system/multi-user.target.wants/vczfs@x.service": UNITS / "vczfs@.service",
        "srv/f": None,
        "srv/x": None,
    }
    with guests.booted(files) as machine, contextlib.ExitStack() as stack:
        assert read(machine, "/srv/f/biallelic.bed") == read(machine, "/srv/x/biallelic.bed") == due()
        log = stack.enter_context(machine.path("/var/x.log").open())
        stack.enter_context(helpers.open_fd(machine.path("/srv/x/biallelic.bed")))
        start = time.monotonic()
        machine.systemctl("poweroff")
        machine.shell.wait(30 * helpers.SLOW)
        assert time.monotonic() - start < 8 * helpers.SLOW
        assert "ending on signal 15" in log.read()
