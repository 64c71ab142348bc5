# SPDX-License-Identifier: Apache-2.0
"""The options that select, as a user meets them: what is refused and how, files, links, pipes."""

import gzip
import json
import os
import shutil
import signal
import subprocess

import pytest

import helpers

STORE = "biallelic.vcz"


@pytest.mark.parametrize("options, status, message", [
    (["-R", "/nope"], 1, "cannot open /nope"),
    (["-S", "/"], 1, "is a directory"),
    (["-T", "^/nope"], 1, "cannot open /nope"),
    (["-r", "chr1", "-r", "2"], 2, "--regions was given twice: give one list"),
    (["-i", "QUAL>1", "-i", "QUAL>2"], 2, "--include was given twice: join expressions with &&"),
    (["-S", "/a", "-S", "/b"], 2, "--samples-file was given twice: put all of it into one file"),
    (["-r", "1"], 1, "no contig '1', but it has 'chr1'; it has 'chr1', '2'"),
    (["-t", "^chr2:5-9"], 1, "no contig 'chr2', but it has '2'"),
    (["-r", "chr1,nope"], 1, "no contig 'nope'; it has"),
    (["--error-if-empty", "-i", "QUAL>1e9"], 1, "no variant of"),
    (["--regions-format", "bad", "-R", "/nope"], 2, "is auto, bed, tab or vcf, not 'bad'"),
    (["--targets-format", "bed"], 2, "no such file is given"),
    (["-i", "QUAL>5", "-e", "QUAL<3"], 2, "exclude each other"),
    (["-s", "NOPE"], 1, "no sample 'NOPE'"),
    (["-i", "QUAL>"], 1, "column 6: expected a value"),
    (["-i", "ID=@/nope"], 1, "cannot open /nope"),
    (["-m", "3", "-M", "2"], 2, "more than --max-alleles"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else None)  # fmt: skip
def test_refused(options, status, message, refused):
    done = refused(helpers.store(STORE), *options)
    assert done.returncode == status
    assert message in done.stderr


def test_files_are_read_before_the_encoder_is_confined(mount, scratch):
    """By the front, so that they may be private, pipes, or gone when an encoder is started again."""
    ids = scratch / "samples"
    ids.write_text("BIA0003\nBIA0001\n")
    ids.chmod(0o600)
    regions = scratch / "regions.bed"
    regions.write_text("chr1\t0\t1000\n")
    with mount(helpers.store(STORE), "-S", ids, "-R", regions) as m:
        shutil.rmtree(scratch)
        scratch.mkdir()
        bed = m.read(".bed")
        m.kill_encoder()
        helpers.drop_cache(m.path(".bed"))
        assert m.read(".bed") == bed
        assert m.read(".fam").split(b"\t")[0] == b"BIA0003"
        assert 0 < len(m.read(".bim").splitlines()) < 60


def test_the_home_directory_in_an_expression(scratch):
    """No shell expands what stands behind an @."""
    (scratch / "ids").write_text("rs_none\n")
    done = helpers.run("info", "-i", "ID=@~/ids", helpers.store(STORE), env={"HOME": str(scratch)})
    assert done.returncode == 0, done.stderr
    assert "no variant is left" in done.stderr


@pytest.mark.parametrize("option, what", [("-R", "regions"), ("-T", "targets")])
def test_what_a_pipe_holds_is_said(scratch, option, what):
    """By the name of a pipe nobody can tell; a compressed one is read."""
    lines = [line.split("\t") for line in helpers.expected("biallelic_vcz-plink", ".bim").decode().splitlines()]
    first = int(next(line[3] for line in lines if line[0] == "1"))
    counts = []
    for how in ("bed", "tab", "auto"):
        read_end, write_end = os.pipe()
        os.write(write_end, gzip.compress(f"chr1\t{first}\t{first + 1}\n".encode()))
        os.close(write_end)
        done = helpers.run("info", "--json", option, f"/dev/fd/{read_end}", f"--{what}-format", how, helpers.store(STORE),
                           pass_fds=[read_end])  # fmt: skip
        os.close(read_end)
        assert done.returncode == 0, done.stderr
        counts.append(json.loads(done.stdout)["shown_variants"])
    assert counts == [0, 1, 1]


def test_nothing_left_is_an_empty_fileset_with_a_warning(mount, scratch):
    log = scratch / "log"
    with mount(helpers.store(STORE), "-i", "QUAL>1e9", "--log-file", log, "--log-level", "WARNING") as m:
        assert m.read(".bed") == bytes([0x6C, 0x1B, 0x01])
        assert m.read(".bim") == b""
        assert len(m.read(".fam").splitlines()) == 41
        assert "no variant is left" in m.log()
        assert "no variant is left" in log.read_text()


def test_the_background_warns_on_the_terminal_and_in_the_log(scratch):
    directory, log = scratch / "mnt", scratch / "log"
    directory.mkdir()
    done = subprocess.run(
        [helpers.VCZFS, "mount-plink", "--background", "--log-file", log, "-s", "BIA0000,NOPE", "--force-samples",
         helpers.store(STORE), directory],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert subprocess.run([helpers.VCZFS, "unmount", directory]).returncode == 0
    assert "warning: --samples: not in the store, left out: 'NOPE'" in done.stderr
    assert "left out: 'NOPE'" in log.read_text()


def test_info_warns_of_what_a_mount_would(scratch):
    log = scratch / "log"
    done = subprocess.run([helpers.VCZFS, "info", "--log-file", log, "-i", "QUAL>1e9", helpers.store(STORE)],
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "no variant is left" in done.stderr and "no variant is left" in log.read_text()
    done = subprocess.run([helpers.VCZFS, "info", "-r", "1", helpers.store(STORE)], capture_output=True, text=True)
    assert done.returncode == 1 and "no contig '1', but it has 'chr1'" in done.stderr


def test_a_pipe_that_nobody_writes_can_be_interrupted(scratch):
    """Also where a script's shell has SIGINT ignored, as for what it starts in the background."""
    fifo, directory = scratch / "fifo", scratch / "mnt"
    os.mkfifo(fifo)
    directory.mkdir()
    front = subprocess.Popen(
        [helpers.VCZFS, "mount-plink", "-R", fifo, helpers.store(STORE), directory],
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )

    def interrupted():
        front.send_signal(signal.SIGINT)
        return front.poll() is not None

    try:
        helpers.wait_for(interrupted, what="the front to end")
        assert front.returncode == -signal.SIGINT
    finally:
        front.kill()
        front.wait()


def test_links_are_followed_only_if_asked(mount, scratch):
    store = scratch / STORE
    shutil.copytree(helpers.store(STORE), store)
    chunk, outside = store / "call_genotype/1.0.0", scratch / "outside"
    chunk.rename(outside)
    chunk.symlink_to(outside)
    with mount(store, "--follow-links") as m:
        assert m.read(".bed") == helpers.expected("biallelic_vcz-plink", ".bed")
    with mount(store) as m:
        with pytest.raises(OSError):
            m.read(".bed")
        assert "call_genotype/1.0.0" in m.log()


def test_info_into_a_closed_pipe_is_silent():
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run([helpers.VCZFS, "info", helpers.store(STORE)], stdout=write_end, stderr=subprocess.PIPE)
    os.close(write_end)
    assert done.stderr == b""
