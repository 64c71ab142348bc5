"""Every PLINK case of the vectors: the same bytes as the reference makes, or the error that is due."""

import re
import shlex

import pytest

import helpers
import plink_tools

helpers.unpack_vectors()

# What a later piece of work brings. Until then it must be refused as any unknown option is, and never be
# ignored. Each entry: the option, and what it belongs to. Every store is due now.
OPTIONS_DUE_LATER = {
    "-s": "sample selection",
    "--force-samples": "sample selection",
    "-r": "regions",
    "-t": "targets",
    "-v": "variant types",
    "-V": "variant types",
    "-i": "filter expressions",
    "-e": "filter expressions",
}


def plink_cases():
    """(case, store, options) of cases.tsv."""
    for line in (helpers.VECTORS / "cases.tsv").read_text().splitlines():
        if line.startswith("#"):
            continue
        case, store, form, options = line.split("\t")
        if form == "plink":
            yield case, store, shlex.split(options)


def due_later(options):
    return any(option in OPTIONS_DUE_LATER for option in options)


NOW = [case for case in plink_cases() if not due_later(case[2])]
LATER = [case for case in plink_cases() if due_later(case[2])]


def test_the_tables_cover_every_case():
    assert len(NOW) + len(LATER) == len(list(plink_cases()))
    assert len(NOW) >= 42
    known = {"--no-bim", "--no-fam", "-m", "-M", *OPTIONS_DUE_LATER}
    used = {word for _, _, options in plink_cases() for word in options if re.fullmatch("--?[A-Za-z-]+", word)}
    assert used <= known


@pytest.mark.parametrize("case, store, options", NOW, ids=[case[0] for case in NOW])
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


@pytest.mark.parametrize("case, store, options", LATER, ids=[case[0] for case in LATER])
def test_case_due_later_is_refused(case, store, options, refused):
    done = refused(helpers.store(store), *options)
    assert done.returncode == 2, done.stderr
    assert done.stderr.strip()


def test_haploid_store_is_homozygous_as_in_plink2(mount, scratch):
    """The reference refuses a ploidy axis of 1; plink2 is the oracle."""
    bed, bim, fam = plink_tools.make_bed(helpers.vcf("haploid.vcf"), scratch / "oracle")
    with mount(helpers.store("haploid.vcz")) as m:
        assert m.read(".bim") == bim
        assert m.read(".fam") == fam
        assert m.read(".bed") == bed
