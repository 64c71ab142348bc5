# SPDX-License-Identifier: Apache-2.0
"""Selections through a mount: every selected call is plink2's, and the files and `info` agree with each other.

The option sets are those of test_select_differential.py, which holds the sites against bcftools; here the
genotypes are held against what plink2 makes of the whole VCF, at the sites and samples that were selected.
"""

import json
import random
import shlex

import pytest

import bgen_reader
import helpers
import plink_tools
import test_select_differential as sets

# store, its VCF, sets to make
STORES = [
    ("biallelic.vcz", "biallelic.vcf", 110),
    ("filters.vcz", "filters.vcf", 80),
    ("phased.vcz", "phased.vcf", 30),
    ("mixedploidy.vcz", "mixedploidy.vcf", 40),
    ("longalleles.vcz", "longalleles.vcf", 40),
]

vcfs = sets.vcfs


def code(bed, row, nbytes, sample):
    return bed[3 + row * nbytes + sample // 4] >> sample % 4 * 2 & 3


class Whole:
    """What plink2 makes of a whole VCF (without multi-allelic records), by site and sample."""

    def __init__(self, name, scratch):
        self.bed, bim, fam = plink_tools.make_bed(helpers.vcf(name), scratch / "whole")
        self.row = {self.site(line): i for i, line in enumerate(bim.decode().splitlines())}
        self.column = {line.split("\t")[1]: i for i, line in enumerate(fam.decode().splitlines())}
        self.nbytes = (len(self.column) + 3) // 4

    @staticmethod
    def site(line):
        return tuple(line.split("\t"))

    def code(self, site, sample):
        return code(self.bed, self.row[site], self.nbytes, self.column[sample])


def check_genotypes(m, whole):
    """Returns how many calls were compared."""
    sites = [Whole.site(line) for line in m.read(".bim").decode().splitlines()]
    samples = [line.split("\t")[1] for line in m.read(".fam").decode().splitlines()]
    bed, nbytes = m.read(".bed"), (len(samples) + 3) // 4
    assert len(bed) == 3 + len(sites) * nbytes
    compared = 0
    for row, site in enumerate(sites):
        for i, sample in enumerate(samples):
            assert code(bed, row, nbytes, i) == whole.code(site, sample), (site, sample)
        compared += len(samples)
    return compared


def check_agreement(m, store, options):
    """.bgen, .sample, .bgi and info have the same samples and variants as .bim and .fam."""
    bim, fam = m.read(".bim").decode().splitlines(), m.read(".fam").decode().splitlines()
    assert [line.split(" ")[1] for line in m.read(".sample").decode().splitlines()[2:]] == [
        line.split("\t")[1] for line in fam]
    bgen = m.read(".bgen")
    assert int.from_bytes(bgen[8:12], "little") == len(bim)
    assert int.from_bytes(bgen[12:16], "little") == len(fam)
    rows = bgen_reader.index_rows(m.path(".bgen.bgi"))
    assert [(str(row[1]), row[4], row[5]) for row in rows] == [
        (line.split("\t")[3], line.split("\t")[5], line.split("\t")[4]) for line in bim]
    done = helpers.run("info", "--json", *options, helpers.store(store))
    assert done.returncode == 0, done.stderr
    info = json.loads(done.stdout)
    assert (info["shown_variants"], info["shown_samples"]) == (len(bim), len(fam))
    sizes = {suffix: size for view in info["views"] for suffix, size in view["files"].items()}
    for suffix in (".bed", ".bim", ".fam", ".bgen", ".sample"):
        assert sizes[suffix] == m.path(suffix).stat().st_size, suffix


@pytest.mark.limit(120)
@pytest.mark.parametrize("store, name, count", STORES, ids=[s[0] for s in STORES])
def test_genotypes_equal_plink2(vcfs, scratch, store, name, count):
    vcf, whole = vcfs(name), Whole(name, scratch)
    rng = random.Random(f"{sets.SEED} genotypes {store}")
    compared = 0
    for i in range(count):
        sample_options, samples = sets.choose_samples(rng, vcf)
        maker = sets.Maker(rng, vcf, samples)
        options = maker.places(scratch) + sample_options + ["-M", "2"]
        if rng.random() < 0.6:
            options += ["-i", maker.expression(rng.choice([0, 0, 1]))]
        try:
            with helpers.mounted(helpers.store(store), *options, verb="mount") as m:
                compared += check_genotypes(m, whole)
                if i % 5 == 0:
                    check_agreement(m, store, options)
        except AssertionError as wrong:
            raise AssertionError(f"{shlex.join(options)}: {wrong}") from wrong
    assert compared > 100 * count / 10


def test_enough_sets():
    assert sum(count for _, _, count in STORES) >= 300
