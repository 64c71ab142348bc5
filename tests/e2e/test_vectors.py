# SPDX-License-Identifier: Apache-2.0
"""Every PLINK case of the vectors: the same bytes as the reference makes, or the error that is due."""

import pytest

import helpers
import plink_tools
import reference

helpers.unpack_vectors()

def plink_cases():
    """(case, store, options) of cases.tsv."""
    for line in (helpers.VECTORS / "cases.tsv").read_text().splitlines():
        if line.startswith("#"):
            continue
        case, store, form, options = line.split("\t")
        if form == "plink":
            yield case, store, helpers.case_options(store, options)


CASES = list(plink_cases())
AS_REFERENCE = [case for case in CASES if case[0] not in reference.IS_WRONG]
AS_BCFTOOLS = [case for case in CASES if case[0] in reference.IS_WRONG]


def test_the_cases_are_many():
    assert len(AS_REFERENCE) >= 140
    assert 0 < len(AS_BCFTOOLS) <= 12


@pytest.mark.parametrize("case, store, options", AS_REFERENCE, ids=[case[0] for case in AS_REFERENCE])
def test_case(case, store, options, mount, refused):
    if (helpers.VECTORS / "expected" / case / "error.txt").exists():
        done = refused(helpers.store(store), *options)
        assert done.returncode == 1
        assert done.stderr.strip()
        assert done.stdout == ""
        return
    with mount(helpers.store(store), *options) as m:
        for suffix in (".bed", ".bim", ".fam"):
            due = helpers.expected(case, suffix)
            if due is None:
                assert not m.path(suffix).exists()
            else:
                assert m.read(suffix) == due, suffix


def bim_sites(bim):
    rows = (line.split("\t") for line in bim.decode().splitlines())
    return [(int(row[3]), row[5], row[4]) for row in rows]


@pytest.mark.parametrize("case, store, options", AS_BCFTOOLS, ids=[case[0] for case in AS_BCFTOOLS])
def test_case_in_which_the_reference_is_wrong(case, store, options, mount, scratch):
    with mount(helpers.store(store), *options) as m:
        assert bim_sites(m.read(".bim")) == reference.bcftools_sites(store, options, scratch)
        samples = len(m.read(".fam").splitlines())
        rows = len(m.read(".bim").splitlines())
        assert len(m.read(".bed")) == 3 + rows * ((samples + 3) // 4)


def test_haploid_store_is_homozygous_as_in_plink2(mount, scratch):
    """The reference refuses a ploidy axis of 1; plink2 is the oracle."""
    bed, bim, fam = plink_tools.make_bed(helpers.vcf("haploid.vcf"), scratch / "oracle")
    with mount(helpers.store("haploid.vcz")) as m:
        assert m.read(".bim") == bim
        assert m.read(".fam") == fam
        assert m.read(".bed") == bed
