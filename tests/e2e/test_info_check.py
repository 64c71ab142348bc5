# SPDX-License-Identifier: Apache-2.0
"""vczfs info --check: nothing is wrong with the vectors; every kind of damage is named with array and chunk."""

import json
import os
import shutil

import helpers
import pytest

CLEAN = ["small.vcz", "biallelic.vcz", "mixedploidy.vcz", "haploid.vcz", "oddwide.vcz", "codec_none.vcz",
         "codec_lz4.vcz", "codec_zlib.vcz", "order_f.vcz", "bigendian.vcz", "gt_int32.vcz", "sep_slash.vcz",
         "consolidated.vcz", "null_samples.vcz", "biallelic_v3.vcz", "v3_gzip.vcz",
         "v3_sharded.vcz", "biallelic.vcz.zip", "biallelic_stored.vcz.zip", "biallelic_v3.vcz.zip"]


@pytest.mark.parametrize("name", CLEAN)
def test_clean(name):
    done = helpers.run("info", "--check", helpers.store(name))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "problems  none" in done.stdout


def patch(offset, value):
    """Changes bytes of a file."""
    def damage(path):
        data = bytearray(path.read_bytes())
        data[offset:offset + len(value)] = value
        path.write_bytes(data)
    return damage


def replace(make):
    """Puts something else in the file's place."""
    def damage(path):
        path.unlink()
        make(path)
    return damage


def meta(**changes):
    return lambda path: helpers.edit_json(path, lambda data: data.update(changes))


# What is done to which file of codec_none.vcz, whose chunks are not compressed, or of another store; and where the
# report must say it: the chunk's key, or the array's name.
DAMAGES = {
    "truncated": ("codec_none.vcz", "call_genotype/1.2.0", lambda p: os.truncate(p, 500), None),
    "empty": ("codec_gzip.vcz", "call_DP/0.0", lambda p: os.truncate(p, 0), None),
    "too long": ("codec_none.vcz", "call_genotype/0.0.0", lambda p: p.write_bytes(p.read_bytes() + b"x"), None),
    "directory": ("codec_none.vcz", "variant_quality/3", replace(lambda p: p.mkdir()), None),
    "fifo": ("codec_none.vcz", "variant_quality/3", replace(os.mkfifo), None),
    "link out of the store": ("codec_none.vcz", "variant_quality/3", replace(lambda p: p.symlink_to("/etc/passwd")),
                              None),
    "another array's chunk": ("codec_zstd.vcz", "call_genotype/2.0.0",
                              lambda p: shutil.copy(p.parent.parent / "variant_position/0", p), None),
    "Blosc header": ("biallelic.vcz", "call_genotype/0.1.0", patch(4, b"\xff\xff\xff\x7f"), None),
    "Blosc offsets": ("codec_blosc_zstd_bit_smallblocks.vcz", "call_genotype/0.0.0", patch(16, b"\xff\xff\xff\x7f"),
                      None),
    "no allele": ("codec_none.vcz", "call_genotype/0.0.0", patch(8, b"\x05"), None),
    "below fill": ("codec_none.vcz", "call_genotype/0.0.0", patch(8, b"\x80"), None),
    "allele after fill": ("codec_none.vcz", "call_genotype/0.0.0", patch(8, b"\xfe\x00"), None),
    "contig": ("codec_none.vcz", "variant_contig/2", patch(0, b"\x7f"), None),
    "position": ("codec_none.vcz", "variant_position/2", patch(1, b"\x80"), None),
    "phased": ("codec_none.vcz", "call_genotype_phased/0.0", patch(0, b"\x02"), None),
    "string": ("codec_none.vcz", "variant_allele/0.0", patch(4, b"\xff\xff"), None),
    "not UTF-8": ("codec_none.vcz", "variant_allele/0.0", patch(8, b"\xff"), None),
    "metadata": ("codec_none.vcz", "call_DP/.zarray", lambda p: p.write_text("{"), "call_DP"),
    "dtype": ("codec_none.vcz", "call_DP/.zarray", meta(dtype="<i9"), "call_DP"),
    "shape": ("codec_none.vcz", "call_DP/.zarray", meta(shape=[256, 41]), "call_DP"),
    "checksum of v3 gzip": ("v3_gzip.vcz", "call_genotype/c/0/0/0", patch(-8, b"\x00\x00\x00\x00"), None),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage(name, scratch):
    store, key, damage, where = DAMAGES[name]
    copy = helpers.copy_store(store, scratch)
    damage(copy / key)
    done = helpers.run("info", "--check", copy)
    assert done.returncode == 1
    assert f"\n  {where or key}: " in done.stdout, done.stdout + done.stderr
    report = json.loads(helpers.run("info", "--check", "--json", copy).stdout)
    assert report["nproblems"] == 1
    assert report["problems"][0]["array"] == key.split("/")[0]
    assert report["problems"][0]["chunk"] == ("" if where else key)


def test_sample_twice(scratch):
    copy = helpers.copy_store("codec_none.vcz", scratch)
    chunk = copy / "sample_id/0"
    data = chunk.read_bytes()
    first = data[8:8 + data[4]]
    at = 8 + data[4]
    assert data[at] == data[4], "the first two IDs are of one length"
    chunk.write_bytes(data[:at + 4] + first + data[at + 4 + len(first):])
    done = helpers.run("info", "--check", copy)
    assert done.returncode == 1
    assert "sample_id" in done.stdout and "twice" in done.stdout


def test_all_problems_are_counted(scratch):
    copy = helpers.copy_store("codec_none.vcz", scratch)
    for path in (copy / "call_genotype").glob("*.0"):
        os.truncate(path, 1)
    done = helpers.run("info", "--check", copy)
    assert done.returncode == 1
    assert "problems  36" in done.stdout


def test_no_store(scratch):
    done = helpers.run("info", "--check", scratch / "none")
    assert done.returncode == 1
    assert "none" in done.stderr and not done.stdout


def test_links_out_of_the_store(scratch):
    """Reported as a mount without --follow-links would fail on them; followed where the user says so."""
    copy = helpers.copy_store("biallelic.vcz", scratch)
    chunk = copy / "call_genotype/0.1.0"
    elsewhere = scratch / "elsewhere"
    chunk.rename(elsewhere)
    chunk.symlink_to(elsewhere)
    refused = helpers.run("info", "--check", copy)
    assert refused.returncode == 1
    assert "call_genotype/0.1.0" in refused.stdout and "--follow-links" in refused.stdout, refused.stdout
    followed = helpers.run("info", "--check", "--follow-links", copy)
    assert followed.returncode == 0, followed.stdout + followed.stderr
    assert "problems  none" in followed.stdout
