# SPDX-License-Identifier: Apache-2.0
"""The mount as genetics programs see it: plink2's conversion of the source VCF is the oracle."""

import os
import random
import subprocess

import pytest

import helpers
import plink_tools

# name of store and VCF, options that make it showable
SOURCES = [
    ("biallelic", []),
    ("small", ["-M", "2"]),
    ("filters", ["-M", "2"]),
    ("phased", []),
    ("unphased", []),
    ("mixedploidy", []),
    ("longalleles", []),
    ("oddwide", []),
    ("haploid", []),
]


def assert_equals_plink2(m, vcf, scratch):
    """The mounted fileset against `plink2 --vcf --make-bed`."""
    bed, bim, fam = plink_tools.make_bed(vcf, scratch / "oracle")
    assert m.read(".fam") == fam
    assert m.read(".bim") == bim
    assert m.read(".bed") == bed


@pytest.mark.parametrize("name, options", SOURCES, ids=[name for name, _ in SOURCES])
def test_equals_plink2_of_the_vcf(name, options, mount, scratch):
    with mount(helpers.store(f"{name}.vcz"), *options) as m:
        assert_equals_plink2(m, helpers.vcf(f"{name}.vcf"), scratch)


@pytest.mark.parametrize("name", ["biallelic", "oddwide"])
@pytest.mark.parametrize("program", plink_tools.REPORTS)
def test_reports_equal_those_on_copies(program, name, mount, scratch):
    copies = scratch / "copies"
    with mount(helpers.store(f"{name}.vcz")) as m:
        base = m.base.name
        subprocess.run(["cp", "-r", m.dir, copies], check=True)
        on_mount = plink_tools.reports(program, m.base, scratch / "on_mount")
    on_copies = plink_tools.reports(program, copies / base, scratch / "on_copies")
    assert on_mount == on_copies


def test_plink_converts_the_mount_back(mount, scratch):
    """A second program's reading of every genotype: plink1.9 recodes, plink2 imports, the bytes come back."""
    with mount(helpers.store("biallelic.vcz")) as m:
        plink_tools.plink(
            "plink2", "--bfile", m.base, "--make-bed", "--allow-extra-chr", "--output-chr", "MT",
            "--out", scratch / "again",
        )  # fmt: skip
        assert (scratch / "again.bed").read_bytes() == m.read(".bed")
        assert (scratch / "again.bim").read_bytes() == m.read(".bim")


def test_cp_makes_the_expected_files(mount, scratch):
    with mount(helpers.store("biallelic.vcz")) as m:
        subprocess.run(["cp", "-r", m.dir, scratch / "copy"], check=True)
    copied = {path.suffix: path.read_bytes() for path in (scratch / "copy").iterdir()}
    assert copied == {
        suffix: helpers.expected("biallelic_vcz-plink", suffix) for suffix in (".bed", ".bim", ".fam")
    }


def pieces(size, order, step=4096):
    starts = list(range(0, size, step))
    if order == "backwards":
        starts.reverse()
    if order == "random":
        random.Random(1).shuffle(starts)
    return starts


@pytest.mark.parametrize("order", ["forwards", "backwards", "random"])
@pytest.mark.parametrize("step", [61, 4096])
def test_order_of_reading_does_not_matter(order, step, mount, scratch):
    """Every piece is asked of the front: the kernel's cache is dropped each time."""
    with mount(helpers.store("oddwide.vcz")) as m:
        due = helpers.expected("oddwide_vcz-plink", ".bed")
        with helpers.open_fd(m.path(".bed")) as fd:
            seen = bytearray(len(due))
            for start in pieces(len(due), order, step):
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
                seen[start : start + step] = os.pread(fd, step, start)
        assert bytes(seen) == due


# mkvcz options: sample counts round the four samples of a byte, chunk edges off byte edges, ploidies, widths
GENERATED = {
    "one sample": "--samples 1 --variants 40 --chunk-variants 7 --chunk-samples 1",
    "two samples": "--samples 2 --variants 40 --chunk-variants 7 --chunk-samples 1",
    "three samples": "--samples 3 --variants 41 --chunk-variants 40 --chunk-samples 2",
    "four samples": "--samples 4 --variants 41 --chunk-variants 41 --chunk-samples 3",
    "five samples": "--samples 5 --variants 33 --chunk-variants 8 --chunk-samples 3",
    "one variant": "--samples 9 --variants 1 --chunk-variants 10 --chunk-samples 10",
    "unaligned chunk edges": "--samples 2503 --variants 60 --chunk-variants 25 --chunk-samples 501",
    "edges on every residue": "--samples 103 --variants 50 --chunk-variants 9 --chunk-samples 17",
    "tiny chunks": "--samples 37 --variants 30 --chunk-variants 1 --chunk-samples 1",
    "large chunks": "--samples 2503 --variants 900 --chunk-variants 1000 --chunk-samples 10000",
    "one chunk": "--samples 2503 --variants 700 --one-chunk",
    "many missing": "--samples 101 --variants 90 --missing 0.5 --chunk-variants 20 --chunk-samples 33",
    "nothing missing": "--samples 101 --variants 90 --missing 0 --chunk-variants 20 --chunk-samples 33",
    "haploid calls": "--samples 101 --variants 90 --haploid-fraction 0.4 --chunk-variants 20 --chunk-samples 33",
    "all haploid calls": "--samples 50 --variants 40 --haploid-fraction 1 --chunk-variants 20 --chunk-samples 33",
    "ploidy 1": "--samples 101 --variants 90 --ploidy 1 --missing 0.1 --chunk-variants 20 --chunk-samples 33",
    "ploidy 1, odd": "--samples 2503 --variants 90 --ploidy 1 --chunk-variants 20 --chunk-samples 501",
    "zarr v3": "--samples 103 --variants 90 --zarr 3 --chunk-variants 20 --chunk-samples 33",
    "zarr v3 ploidy 1": "--samples 103 --variants 90 --zarr 3 --ploidy 1 --chunk-variants 20 --chunk-samples 33",
}


@pytest.mark.parametrize("shape", GENERATED)
def test_generated_store_equals_plink2_of_its_vcf(shape, generated, mount, scratch):
    store, vcf = generated(*GENERATED[shape].split(), "--seed", "11")
    with mount(store) as m:
        assert_equals_plink2(m, vcf, scratch)


def test_generated_store_without_its_multiallelic_sites(generated, mount, scratch):
    store, vcf = generated(
        "--samples", "57", "--variants", "200", "--multiallelic", "0.3",
        "--chunk-variants", "30", "--chunk-samples", "20", "--seed", "5",
    )  # fmt: skip
    with mount(store, "--max-alleles", "2") as m:
        assert_equals_plink2(m, vcf, scratch)


def test_a_budget_smaller_than_the_store(generated, mount, scratch):
    """Spans and blocks come and go when the encoder may keep little."""
    store, vcf = generated(*GENERATED["large chunks"].split(), "--seed", "11")
    with mount(store, "--memory", "16M", "--threads", "1") as m:
        assert_equals_plink2(m, vcf, scratch)
