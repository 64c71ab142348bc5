"""The options that select, as a user meets them: what is refused and how, files, links, pipes."""

import os
import shutil
import subprocess

import pytest

import helpers

STORE = "biallelic.vcz"


@pytest.mark.parametrize("options, status, message", [
    (["-R", "/nope"], 1, "cannot open /nope"),
    (["-S", "/"], 1, "is a directory"),
    (["-T", "^/nope"], 1, "cannot open /nope"),
    (["-r", "chr1", "-r", "2"], 2, "--regions was given twice"),
    (["-i", "QUAL>5", "-e", "QUAL<3"], 1, "exclude each other"),
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


def test_nothing_left_is_an_empty_fileset_with_a_warning(mount):
    with mount(helpers.store(STORE), "-i", "QUAL>1e9") as m:
        assert m.read(".bed") == bytes([0x6C, 0x1B, 0x01])
        assert m.read(".bim") == b""
        assert len(m.read(".fam").splitlines()) == 41
        assert "no variant is left" in m.log()


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
