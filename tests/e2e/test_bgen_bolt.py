# SPDX-License-Identifier: Apache-2.0
"""BOLT-LMM (Debian's bolt-lmm), a BGEN reader that has nothing to do with plink2, reads both formats of one mount."""

import subprocess

import pytest

import helpers
import test_bgen

SHAPE = ["--samples", "500", "--variants", "2000", "--density", "dense", "--missing", "0.01"]


def frequency(record):
    """Of REF, over the calls that are not missing."""
    alleles = [a for text in record[5] for a in test_bgen.call_of(text)[0] or []]
    return alleles.count(0) / len(alleles)


@pytest.mark.parametrize("options", [[], ["--no-header-samples", "--total-string-length", "90"]])
def test_bolt_reads_the_frequencies_of_the_vcf(options, generated, scratch):
    store, vcf = generated(*SHAPE)
    records = list(test_bgen.vcf_records(vcf))
    stats = scratch / "bgen.stats"
    with helpers.mounted(store, *options, verb="mount") as m:
        samples = [line.split()[0] for line in m.read(".fam").decode().splitlines()]
        lines = [f"{s} {s} {i * 7919 % 101}" for i, s in enumerate(samples)]
        (scratch / "phenotype").write_text("FID IID P\n" + "\n".join(lines) + "\n")
        done = subprocess.run(
            [
                "bolt", f"--bed={m.path('.bed')}", f"--bim={m.path('.bim')}", f"--fam={m.path('.fam')}",
                f"--phenoFile={scratch}/phenotype", "--phenoCol=P", f"--statsFile={scratch}/bed.stats",
                f"--bgenFile={m.path('.bgen')}", f"--sampleFile={m.path('.sample')}", "--bgenMinMAF=0",
                f"--statsFileBgenSnps={stats}", "--numThreads=1",
                "--verboseStats",  # without it BOLT-LMM 2.4.0 crashes after linear regression, on any data
            ],
            capture_output=True, text=True, timeout=60 * helpers.SLOW, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split("\t") for line in stats.read_text().splitlines()[1:]]
    assert len(rows) == len(records) == 2000
    for record, (ident, contig, position, _, allele1, allele0, found, *_) in zip(records, rows):
        assert [contig, int(position), allele1, [allele0]] == [*record[:2], *record[3:5]]
        assert ident == record[2] or (record[2] == "." and set(ident) == {"."})  # then it shows the varid
        assert float(found) == pytest.approx(frequency(record), abs=2e-5)
