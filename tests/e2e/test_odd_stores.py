# SPDX-License-Identifier: Apache-2.0
"""Stores of other writers, half-made ones, and what is given in place of a store: what can be shown is, and no more is
refused than what depends on a fault."""

import json
import shutil

import helpers
import pytest
import stores

PLACES = ("variant_contig", "variant_position", "contig_id", "variant_id")


@pytest.fixture
def copy(scratch):
    return helpers.copy_store("biallelic.vcz", scratch)


def spoil(store, array):
    stores.edit_zarray(store / array, dtype="<f4", filters=None, shape=[3], chunks=[3])


def test_a_fault_stops_what_depends_on_it(copy, mount, refused):
    """The .bed of a store of which no place and no ID can be read; the .bim is of these."""
    for array in (*PLACES, "variant_filter", "variant_quality", "region_index", "variant_AC"):
        if (copy / array).exists():
            spoil(copy, array)
    with mount(copy, "--no-bim") as m:
        assert m.read(".bed") == helpers.expected("biallelic_vcz-plink", ".bed")
    for options in [(), ("--no-bim", "-r", "chr1"), ("--no-bim", "-i", 'ID="x"')]:
        done = refused(copy, *options)
        assert done.returncode == 1 and "variant_" in done.stderr, done.stderr


def test_a_broken_index_of_regions_is_not_used(copy, mount):
    with mount(copy, "-r", "chr1") as m:
        bed = m.read(".bed")
    spoil(copy, "region_index")
    with mount(copy, "-r", "chr1") as m:
        assert m.read(".bed") == bed


def test_no_version(copy, mount, refused):
    """Early writers do not say that a store is VCF Zarr: it is, if everything is there."""
    (copy / ".zattrs").write_text("{}")
    with mount(copy) as m:
        assert m.read(".bed") == helpers.expected("biallelic_vcz-plink", ".bed")
        assert "no attribute vcf_zarr_version" in m.log()
    shutil.rmtree(copy / "variant_position")
    assert "is not a VCF Zarr store" in refused(copy).stderr


def test_info_says_what_is_there(copy):
    """Exit status 0, and why no view is possible; info of a whole store is in test_docs and test_report."""
    shutil.rmtree(copy / "call_genotype")
    done = helpers.run("info", copy)
    assert done.returncode == 0 and "as bgen  not possible: " in done.stdout and "variant_allele" in done.stdout
    said = json.loads(helpers.run("info", "--json", copy).stdout)
    assert said["variants"] == 257 and said["ploidy"] is None and "no genotypes" in said["views"][0]["refused"]
    checked = helpers.run("info", "--check", copy)
    assert checked.returncode == 0 and "no genotypes" in checked.stdout.partition("remarks")[2]


def test_a_url(refused):
    for url, cure in [("s3://bucket/x.vcz", "aws s3 sync"), ("file:///data/x.vcz", "without file://")]:
        done = refused(url)
        assert done.returncode == 1 and "is a URL" in done.stderr and cure in done.stderr, done.stderr


def test_arguments_in_the_wrong_order(copy, scratch):
    (scratch / "mnt").mkdir()
    zipped = shutil.make_archive(str(scratch / "x"), "zip", copy)
    for store in (copy, zipped):
        for directory in (scratch / "mnt", scratch / "none"):
            done = helpers.run("mount-plink", directory, store)
            assert done.returncode == 1 and "the store comes first" in done.stderr, done.stderr


@pytest.mark.parametrize("words, status, says", [
    ("frobnicate", 2, "knows mount"),
    ("info --frobnicate STORE", 2, "no option"),
    ("info --types snps,snip STORE", 2, "no type"),
    ("info --regions chr1:5-x STORE", 2, "--regions"),
    ("info -i QUAL>1 -e QUAL<1 STORE", 2, "exclude each other"),
    ("mount --formats plnik STORE mnt", 2, "did you mean 'plink'?"),
    ("mount-plink --background --types snip STORE mnt", 2, "no type"),
    ("info --regions nope STORE", 1, "no contig"),
    ("info --samples nope STORE", 1, "no sample"),
    ("info --samples bia0001 STORE", 1, "did you mean 'BIA0001'?"),
    ("info --include QUAL> STORE", 1, "--include"),
    ("info --include DPX>1 STORE", 1, "did you mean 'FORMAT/DP'?"),
    ("info --samples-file none STORE", 1, "none"),
])
def test_exit_status(words, status, says, scratch):
    """2 for what no store could make right, 1 for what the store or the expression decides."""
    (scratch / "mnt").mkdir()
    source = helpers.store("biallelic.vcz")
    done = helpers.run(*[source if word == "STORE" else word for word in words.split()], cwd=scratch)
    assert done.returncode == status and says in done.stderr, done.stderr
