# SPDX-License-Identifier: Apache-2.0
"""Where the reference that made the vectors is wrong, and what bcftools keeps instead."""

import subprocess

import helpers

NO_END = ("the reference finds nothing in a region without an end where positions are stored as int16: "
          "its 'no end' does not fit; bcftools, and the reference on wider positions, find what is there")
ANY_ALLELE = "the reference compares REF and ALT with every allele; bcftools with REF, and with ALTs"
VECTOR_AN = "the reference drops no site here; bcftools drops those of which an allele's AC/AN is over 0.3"

IS_WRONG = {
    "small-opt09": NO_END, "small-opt10": NO_END, "small-opt11": NO_END,
    "biallelic-plink03": NO_END, "biallelic-plink05": NO_END, "biallelic-plink07": NO_END,
    "biallelic-plink09": NO_END, "biallelic-plink11": NO_END, "biallelic-plink12": NO_END,
    "biallelic-bgen03": NO_END, "biallelic-bgen05": NO_END, "biallelic-bgen07": NO_END,
    "biallelic-bgen09": NO_END, "biallelic-bgen11": NO_END, "biallelic-bgen12": NO_END,
    "filter-i46": ANY_ALLELE, "filter-i62": ANY_ALLELE, "filter-e24": VECTOR_AN,
}

BGEN_ONLY = {"--total-string-length": 1}


def bcftools_sites(store, options, scratch):
    """(position, REF, first ALT) of the records that bcftools keeps with these options."""
    vcf = scratch / "indexed.vcf.gz"
    source = helpers.vcf(store.replace(".vcz", ".vcf"))
    subprocess.run(["bcftools", "view", "-Oz", "-o", vcf, source], check=True, capture_output=True)
    subprocess.run(["bcftools", "index", "-f", vcf], check=True, capture_output=True)
    words = list(options)
    for name, values in BGEN_ONLY.items():
        if name in words:
            del words[words.index(name):words.index(name) + 1 + values]
    done = subprocess.run(["bcftools", "view", "-H", "-I", *words, vcf], check=True, capture_output=True, text=True)
    records = (line.split("\t") for line in done.stdout.splitlines())
    return [(int(record[1]), record[3], record[4].split(",")[0]) for record in records]
