# SPDX-License-Identifier: Apache-2.0
"""`vczfs status`: what a mount says about itself, and that it says so in time, whatever the encoder does."""

import errno
import json
import os
import signal
import stat
import subprocess
import time

import pytest

import drills
import helpers

STORE = "biallelic.vcz"
CASE = "biallelic_vcz-plink"
HIDDEN = [".vczfs-status", ".vczfs-status.txt"]


def status(m):
    """What `vczfs status --json` says, within a second; and its exit status is what it says."""
    took, done = drills.timed(lambda: helpers.run("status", "--json", m.dir))
    assert done.returncode in (0, 1) and done.stderr == "", done.stderr
    assert took < 1.0 * helpers.SLOW, took
    said = json.loads(done.stdout)
    ago = said["reads"]["last_failed_ago"]
    well = said["encoder"]["state"] == "serving" and (ago is None or ago > 300)
    assert done.returncode == (0 if well else 1), said
    return said


def test_status_of_a_new_mount(mount):
    with mount(helpers.store(STORE)) as m:
        s = status(m)
        assert s["store"] == str(helpers.store(STORE)) and s["directory"] == str(m.dir)
        assert (s["variants"], s["samples"]) == (257, 41)
        assert s["front"]["pid"] == m.front and s["front"]["state"] == "serving"
        assert s["encoder"]["pid"] == m.encoder() and s["encoder"]["state"] == "serving"
        assert s["encoder"]["restarts"] == 0 and s["encoder"]["last_end"] is None
        assert s["reads"]["served"] == 0 and s["reads"]["failed"] == 0
        assert s["condemned"] == [] and s["last_error"] is None
        assert 0 < s["front"]["resident"] < (1 << 30) and 0 < s["encoder"]["resident"] < (1 << 30)


def test_status_counts_reads(mount):
    with mount(helpers.store(STORE)) as m:
        due = m.read(".bed")
        with helpers.open_fd(m.path(".bed")) as fd:
            s = status(m)
            assert s["handles"] == 1
            assert os.pread(fd, 1, 0)
        assert s["reads"]["served"] >= 1 and s["reads"]["bytes"] == len(due)
        latency = s["reads"]["latency_us"]
        assert 0 < latency["p50"] <= latency["p90"] <= latency["p99"] <= latency["max"] < 30_000_000
        counters = s["encoder"]["counters"]
        assert counters["bytes_encoded"] >= len(due) - 3
        assert counters["requests"] >= counters["waits"] and counters["bytes_read"] > 0
        assert counters["unforeseen"] == 0
        assert status(m)["handles"] == 0


def test_status_for_people(mount):
    with mount(helpers.store(STORE)) as m:
        m.read(".bed")
        done = helpers.run("status", m.dir)
        assert done.returncode == 0 and done.stderr == ""
        for word in (str(m.dir), "257 variants", "41 samples", str(m.front), str(m.encoder()), "p99", "0 restarts"):
            assert word in done.stdout, (word, done.stdout)


def test_status_tells_of_replaced_encoders(mount):
    with mount(helpers.store(STORE)) as m:
        for _ in range(3):
            dead = m.kill_encoder()
            helpers.wait_for(lambda dead=dead: not helpers.alive(dead))
            assert helpers.read_errno(m.path(".bed")) == 0
        s = status(m)
        assert s["encoder"]["restarts"] == 3
        assert "signal 9" in s["encoder"]["last_end"]
        assert s["encoder"]["pid"] == m.encoder()
        assert s["last_error"]["text"] and s["last_error"]["ago"] < 30 * helpers.SLOW


def test_status_tells_of_condemned_chunks():
    environment = {"FAKEENC_LIE": "read-kill:0", "FAKEENC_SIZE": "65536", "FAKEENC_SPAN": "65536"}
    with helpers.mounted(helpers.store(STORE), "--encoder", helpers.FAKEENC, env=environment) as m:
        assert helpers.read_errno(m.path(".bed")) == errno.EIO
        s = status(m)
        assert [c["chunk"] for c in s["condemned"]] == ["span/0"] and 50 < s["condemned"][0]["for"] <= 60
        assert s["reads"]["failed"] >= 1 and "span/0 ends every encoder" in s["last_error"]["text"]


def test_status_does_not_wait_for_a_stopped_encoder(mount):
    with mount(helpers.store(STORE)) as m:
        with drills.stopped(m.encoder()):
            s = status(m)
            assert s["encoder"]["counters"] is None
            helpers.drop_cache(m.path(".bed"))
            reader = subprocess.Popen(["cat", m.path(".bed")], stdout=subprocess.PIPE)
            helpers.wait_for(lambda: status(m)["reads"]["pending"] > 0, what="the reader to wait")
            s = status(m)
            assert s["encoder"]["state"] == "not answering"
        assert reader.communicate(timeout=30)[0] == helpers.expected(CASE, ".bed")
        helpers.wait_for(lambda: status(m)["encoder"]["state"] == "serving")


def test_status_does_not_wait_for_a_stopped_front(mount):
    with mount(helpers.store(STORE)) as m:
        with drills.stopped(m.front):
            took, done = drills.timed(lambda: helpers.run("status", m.dir))
            assert done.returncode == 1 and "does not answer" in done.stderr
            assert took < 1.3 * helpers.SLOW
        assert status(m)["front"]["pid"] == m.front


def test_status_judges_by_reads_that_failed_of_late():
    environment = {"FAKEENC_LIE": "read-fail:0", "FAKEENC_SIZE": "65536", "FAKEENC_SPAN": "65536"}
    with helpers.mounted(helpers.store(STORE), "--encoder", helpers.FAKEENC, env=environment) as m:
        assert helpers.run("status", m.dir).returncode == 0
        assert helpers.read_errno(m.path(".bed")) == errno.EIO
        assert helpers.run("status", m.dir).returncode == 1
        assert status(m)["reads"]["last_failed_ago"] < 300
        helpers.wait_for(lambda: helpers.run("status", "--since", "1", m.dir).returncode == 0, 10, "it to be long ago")
        assert helpers.run("status", m.dir).returncode == 1


def test_status_of_all_mounts(mount, scratch):
    """A line each; one that does not answer, or is another user's, holds up no other."""
    mine = {}
    with mount(helpers.store(STORE)) as first, mount(helpers.store(STORE), verb="mount-bgen") as second:
        done = helpers.run("status")
        for line in done.stdout.splitlines():
            directory, _, said = line.partition(": ")
            mine[directory] = said
        assert mine[str(first.dir)].startswith("encoder serving, 0 reads served, 0 failed")
        assert str(second.dir) in mine
        listed = json.loads(helpers.run("status", "--json").stdout)
        assert {str(first.dir), str(second.dir)} <= {each["directory"] for each in listed}
        with drills.stopped(first.front):
            done = helpers.run("status")
            assert done.returncode == 1
            assert f"{first.dir}: the mount on '{first.dir}' does not answer\n" in done.stdout
            assert f"{second.dir}: encoder serving" in done.stdout
        if os.geteuid() == 0:
            nobody = ["setpriv", "--reuid=65534", "--clear-groups", helpers.VCZFS, "status"]
            others = subprocess.run(nobody, capture_output=True, text=True, check=True)
            assert others.stdout == "you have mounted nothing with vczfs\n"


def test_status_of_a_dead_mount(mount):
    with mount(helpers.store(STORE)) as m:
        m.due = -signal.SIGKILL
        m.stop(signal.SIGKILL)
        done = helpers.run("status", m.dir)
        assert done.returncode == 1 and "unmount" in done.stderr


def test_status_of_what_is_no_mount(scratch):
    for path in (scratch, scratch / "nothing"):
        done = helpers.run("status", path)
        assert done.returncode == 1
        assert str(path) in done.stderr


def test_status_when_the_store_has_changed(mount, scratch):
    store = helpers.copy_store(STORE, scratch)
    with mount(store) as m:
        (store / "call_genotype" / "0.0.0").unlink()
        m.kill_encoder()
        assert helpers.read_errno(m.path(".bed")) == errno.ESTALE
        assert status(m)["front"]["state"] == "stale"
        assert "changed" in helpers.run("status", m.dir).stdout.lower()


def test_status_files_are_hidden(mount):
    with mount(helpers.store(STORE)) as m:
        assert sorted(os.listdir(m.dir)) == ["biallelic.bed", "biallelic.bim", "biallelic.fam"]
        for name in HIDDEN:
            path = m.dir / name
            assert stat.S_IMODE(path.stat().st_mode) == 0o400
            with pytest.raises(OSError) as caught:
                path.open("r+b")
            assert caught.value.errno in (errno.EROFS, errno.EACCES)
            assert path.read_bytes()


def test_each_opening_of_the_status_is_a_moment(mount):
    """A reader sees one whole text, however it reads; and many at once do not get in each other's way."""
    with mount(helpers.store(STORE)) as m:
        fds = [os.open(m.dir / HIDDEN[0], os.O_RDONLY) for _ in range(50)]
        try:
            m.read(".bed")
            for fd in fds:
                text = b""
                while piece := os.pread(fd, 7, len(text)):
                    text += piece
                assert json.loads(text)["reads"]["served"] == 0
                assert os.pread(fd, 10, 1 << 40) == b""
            m.stop()  # with all of them open
        finally:
            for fd in fds:
                os.close(fd)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_status_is_the_owners_alone(mount):
    with mount(helpers.store(STORE), "--allow-other") as m:
        os.chmod(m.dir.parent, 0o755)
        done = subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "cat", m.dir / HIDDEN[0]],
            capture_output=True,
            check=False,
        )
        assert done.returncode != 0 and done.stdout == b""


def test_status_under_load(mount, generated):
    """Asking often costs readers nothing that shows, and is answered in time."""
    store, bed = drills.made(generated)
    with mount(store) as m, drills.reading(m.path(".bed"), bed, ["rand", "direct", "seq", "mmap"]) as readers:
        took = []
        end = time.monotonic() + 2
        while time.monotonic() < end:
            took.append(drills.timed(lambda: json.loads((m.dir / HIDDEN[0]).read_text()))[0])
        drills.assert_all_right(readers.finish())
        assert len(took) > 10 and max(took) < 1 * helpers.SLOW, (len(took), max(took))


def test_no_sandbox_is_handed_on(mount):
    with mount(helpers.store(STORE), "--no-sandbox") as m:
        assert b"--no-sandbox" in helpers.argv(m.encoder())
        assert m.read(".bed") == helpers.expected(CASE, ".bed")


def test_no_sandbox_is_not_for_anothers_encoder(scratch):
    done = helpers.run("mount-plink", "--no-sandbox", "--encoder-socket", scratch / "s", helpers.store(STORE), scratch)
    assert done.returncode == 2 and "--no-sandbox" in done.stderr
