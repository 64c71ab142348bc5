# SPDX-License-Identifier: Apache-2.0
"""plink1.9 and plink2 as oracles and as users of a mount."""

import subprocess

import helpers


def plink(program, *args, timeout=30):
    """Runs plink1.9 or plink2; its own complaint is the test's."""
    done = subprocess.run(
        [program, *map(str, args)],
        capture_output=True,
        text=True,
        timeout=timeout * helpers.SLOW,
        check=False,
    )
    assert done.returncode == 0, f"{program} {args}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def make_bed(vcf, out):
    """
    (.bed, .bim, .fam) bytes of what plink2 makes of a VCF, with the options that README names; without
    multi-allelic records, which a .bed cannot hold.
    """
    plink(
        "plink2", "--vcf", vcf, "--make-bed", "--out", out,
        "--double-id", "--vcf-half-call", "missing", "--allow-extra-chr", "--max-alleles", "2", "--threads", "1",
    )  # fmt: skip
    return tuple(open(f"{out}{suffix}", "rb").read() for suffix in (".bed", ".bim", ".fam"))


# The reports that are compared: flags, and the files they make.
REPORTS = {
    "plink2": (
        ["--freq", "--missing", "--hardy", "--allow-extra-chr"],
        [".afreq", ".vmiss", ".smiss", ".hardy"],
    ),
    "plink1.9": (
        ["--freq", "--missing", "--hardy", "--allow-extra-chr", "--allow-no-sex"],
        [".frq", ".lmiss", ".imiss", ".hwe"],
    ),
}


def reports(program, base, out):
    """{suffix: bytes} of what a program reports about a fileset."""
    flags, suffixes = REPORTS[program]
    plink(program, "--bfile", base, *flags, "--threads", "1", "--out", out)
    return {suffix: open(f"{out}{suffix}", "rb").read() for suffix in suffixes}
