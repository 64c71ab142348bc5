# SPDX-License-Identifier: Apache-2.0
"""
Awkward names: a store with each of them is mounted and read right by plink 1.9, plink2 and BOLT-LMM, or it is refused.
No program may ever find a genotype under a sample or a variant that has another. Names are asked for in batches:
`info` says of each form whether a mount shows it, a mount shows all that are shown together.
"""

import json
import subprocess

import pytest

import helpers
import stores

NSAMPLES_MORE = 3  # plain ones beside the awkward
FRAGMENTS = ["\t", "\n", "\r", "\0", "\v", "\f", "\a", "\x1b", "\x7f", "\u0085", "\u00a0", "\u2028", "\u3000"]
COMMON = [
    "#", "#a", "##a", "a#", "0", "00", "01", "-9", "-1", "1", "1e5", "1.5", "NA", "NaN", "nan", ".", "..", "-", "--a",
    "*", "+", "?", "=", "=a", "_", "_a", "a_", "a_b", "/", "/a", "a/b", "\\", "\\n", "%s", "%n", "$1", "@", "@a", "!",
    "~", "^a", "&", '"', '""', '"a"', '"a', "'a'", "'a", "`a`", "(a)", "[a]", "{a}", "<a>", "<DEL>", ",", "a,b", ",a",
    ";", "a;b", ":", "a:b", "a|b", "a=b", " ", "a b", " a", "a ", "é", "日本", "\ufeffa", "a" * 79, "b" * 255,
    "c" * 16000, "d" * 16001,
    *(f"a{c}b" for c in FRAGMENTS), *(f"{c}a" for c in FRAGMENTS),
]  # fmt: skip
SAMPLES = COMMON + ["FID", "IID", "#FID", "#IID", "fid", "ID_1", "ID_2", "missing", "sex", "PHENO", "SID", "D", "P"]
IDS = COMMON + ["rs1,rs2", "1:100:A:G", "ID", "SNP", "#CHROM"]
ALLELES = COMMON + ["C,G", "C,<DEL>", "N", "n", "a", "I", "D", "2", "3", "4", "<*>", "<NON_REF>", "G]17:1982]", ".A",
                    "A.", "0A", "e" * 20000]  # fmt: skip
# Of contigs only such that no two are one to plink.
CONTIGS = [name for name in COMMON if name not in ("1", "01", "00")] + [
    "#CHROM", "#chr1", "1_KI270706v1_random", "chrUn_x", "HLA-A*01:01:01:01", "2", "chr3", "Chr4", "X", "chrY", "m",
    "PAR1", "5a", "NC_000001.11",
]  # fmt: skip

FORMS = ["plink", "bgen"]


# --- which names are shown -----------------------------------------------------------------------------------


class Shown:
    """Which of the things with these numbers would a mount show, in each form?"""

    def __init__(self, store, options_for):
        self.store, self.options_for, self.known = store, options_for, {}

    def refused(self, numbers):
        """The forms that a mount of them would not have."""
        if numbers not in self.known:
            done = helpers.run("info", "--json", *self.options_for(numbers), self.store)
            views = json.loads(done.stdout)["views"] if done.returncode == 0 else []
            self.known[numbers] = set(FORMS) - {view["format"] for view in views if not view["refused"]}
        return self.known[numbers]

    def accepted(self, form, numbers):
        """Halves are asked for, as long as one of them is not shown."""
        if not numbers or form not in self.refused(numbers):
            return numbers
        if len(numbers) == 1:
            return ()
        half = len(numbers) // 2
        return self.accepted(form, numbers[:half]) + self.accepted(form, numbers[half:])


def write_names(path, names):
    path.write_bytes(b"".join(name.encode() + b"\n" for name in names))
    return path


# --- programs ------------------------------------------------------------------------------------------------


def run(place, program, *args):
    done = subprocess.run(
        [program, *map(str, args), "--allow-extra-chr", "--threads", "1", "--memory", "640", "--out", place / "out"],
        capture_output=True, text=True, timeout=60 * helpers.SLOW, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def fields(path):
    return [line.split(b"\t") for line in path.read_bytes().rstrip(b"\n").split(b"\n")]


def exported(place, m, program, form):
    """(names of samples, [(ID, allele that is counted, other allele, counts)]) as a program reads them."""
    args = {
        "bfile": ["--bfile", m.base], "bgen": ["--bgen", m.path(".bgen"), "ref-first", "--sample", m.path(".sample")],
        "embedded": ["--bgen", m.path(".bgen"), "ref-first"],
    }[form]  # fmt: skip
    if program == "plink1.9":
        run(place, program, *args, "--recode", "A-transpose", "tab", "--keep-allele-order")
    else:
        run(place, program, *args, "--export", "A-transpose")
    head, *rows = fields(place / "out.traw")
    return head[6:], [(row[1], row[4], row[5], [None if g == b"NA" else int(g) for g in row[6:]]) for row in rows]


READERS = [("plink", "plink1.9", "bfile"), ("plink", "plink2", "bfile"), ("bgen", "plink2", "bgen"),
           ("bgen", "plink2", "embedded")]  # fmt: skip


def records(vcf):
    """[(ALT, copies of it in each sample)]"""
    with open(vcf) as text:
        rows = [line.rstrip("\n").split("\t") for line in text if line[0] != "#"]
    return [(row[4].encode(), [call[:3].count("1") for call in row[9:]]) for row in rows]


# --- samples -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sample_store(tmp_path_factory):
    place = tmp_path_factory.mktemp("samples")
    names = SAMPLES + [f"s{i}" for i in range(NSAMPLES_MORE)]
    store = helpers.mkvcz(place / "s.vcz", "--samples", len(names), "--variants", 60, "--density", "dense",
                          "--missing", "0", "--contigs", "2", "--vcf", place / "s.vcf")  # fmt: skip
    stores.write_strings(store / "sample_id", names)
    stores.write_strings(store / "variant_id", [f"v{i}" for i in range(60)])
    return store, names, records(place / "s.vcf"), place


@pytest.fixture(scope="module")
def sample_choice(sample_store):
    """{form: numbers of the samples that a mount shows}"""
    store, names, _, place = sample_store
    look = Shown(store, lambda numbers: choose(names, numbers, place))
    return {form: look.accepted(form, tuple(range(len(names)))) for form in FORMS}


def choose(names, numbers, place):
    return ["-S", write_names(place / "chosen", [names[i] for i in numbers])]


def test_plain_samples_are_shown_and_the_worst_are_not(sample_store, sample_choice):
    names = sample_store[1]
    for form in FORMS:
        found = {names[i] for i in sample_choice[form]}
        assert found >= {"s0", "s1", "a#", "a_b", "-9", "NA", "a,b", "FID", "é", "c" * 16000}
        assert not found & {"#", "#a", "#FID", "#IID", "0", "d" * 16001, "a b", "\ta", "a\x1bb"}


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("kind, program, form", READERS)
def test_samples(kind, program, form, order, sample_store, sample_choice, tmp_path):
    store, names, due, place = sample_store
    numbers = sample_choice[kind][::order]
    with helpers.mounted(store, *choose(names, numbers, place), verb=f"mount-{kind}") as m:
        found, rows = exported(tmp_path, m, program, form)
    ids = [names[i].encode() for i in numbers]
    assert found == [(b"0" if form == "embedded" else i) + b"_" + i for i in ids]
    assert len(rows) == len(due)
    for (_, counted, _, counts), (alternate, copies) in zip(rows, due):
        assert counts == [copies[i] if counted == alternate else 2 - copies[i] for i in numbers]


def slope(genotypes, phenotypes):
    n, mean = len(genotypes), sum(genotypes) / len(genotypes)
    middle = sum(phenotypes) / n
    spread = sum((g - mean) ** 2 for g in genotypes)
    return sum((g - mean) * (p - middle) for g, p in zip(genotypes, phenotypes)) / spread if spread > 0 else None


def test_samples_of_bolt(sample_store, sample_choice, tmp_path):
    """Linear regression of a phenotype that tells samples apart: BETA is that of each sample's own genotype."""
    store, names, due, place = sample_store
    numbers = [i for i in sample_choice["plink"] if i in sample_choice["bgen"]]
    phenotypes = [i * 7919 % 101 for i in numbers]
    lines = [f"{names[i]} {names[i]} {p}\n".encode() for i, p in zip(numbers, phenotypes)]
    (tmp_path / "phenotype").write_bytes(b"FID IID P\n" + b"".join(lines))
    with helpers.mounted(store, *choose(names, numbers, place), verb="mount") as m:
        done = subprocess.run(
            [
                "bolt", f"--bed={m.base}.bed", f"--bim={m.base}.bim", f"--fam={m.base}.fam", "--phenoCol=P",
                f"--phenoFile={tmp_path}/phenotype", f"--statsFile={tmp_path}/bed", f"--bgenFile={m.base}.bgen",
                f"--sampleFile={m.base}.sample", "--bgenMinMAF=0", f"--statsFileBgenSnps={tmp_path}/bgen",
                "--numThreads=1", "--verboseStats",
            ],
            capture_output=True, text=True, timeout=60 * helpers.SLOW, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    for path, sign in ((tmp_path / "bed", 1), (tmp_path / "bgen", -1)):
        head, *rows = [line.split("\t") for line in path.read_text().splitlines()]
        assert len(rows) == len(due)
        for row, (_, copies) in zip(rows, due):
            beta = slope([copies[i] for i in numbers], phenotypes)
            if beta is not None:
                assert float(row[head.index("BETA")]) == pytest.approx(sign * beta, rel=1e-4, abs=1e-4)


# --- variants ------------------------------------------------------------------------------------------------

NSAMPLES = 9
KINDS = {"contig": CONTIGS, "ID": IDS, "REF": ALLELES, "ALT": ALLELES}


def write_variants(store, kind, names):
    n = len(names)
    contigs = names if kind == "contig" else ["1"]
    stores.write_strings(store / "contig_id", contigs)
    stores.write_ints(store / "contig_length", [0] * len(contigs), "<i8")
    stores.write_ints(store / "variant_contig", list(range(n)) if kind == "contig" else [0] * n)
    stores.write_ints(store / "variant_position", [1000 * (i + 1) for i in range(n)])
    stores.write_ints(store / "variant_length", [1] * n)
    stores.write_strings(store / "variant_id", names if kind == "ID" else [f"v{i}" for i in range(n)])
    ref, alt = (names if kind == which else [base] * n for which, base in (("REF", "TT"), ("ALT", "GG")))
    stores.write_strings(store / "variant_allele", [allele for pair in zip(ref, alt) for allele in pair])
    stores.edit_zarray(store / "variant_allele", shape=[n, 2], chunks=[n, 2])
    (store / "variant_allele" / "0").rename(store / "variant_allele" / "0.0")
    return ref, alt


def only(numbers):
    return ["-i", " || ".join(f"POS={1000 * (i + 1)}" for i in numbers)] if numbers else ["-i", "POS=1"]


@pytest.fixture(scope="module", params=KINDS)
def variant_store(request, tmp_path_factory):
    """(kind, names, {form: numbers of the variants that a mount shows}, ...)"""
    place, names = tmp_path_factory.mktemp("variants"), KINDS[request.param]
    store = helpers.mkvcz(place / "s.vcz", "--samples", NSAMPLES, "--variants", len(names), "--density", "dense",
                          "--missing", "0", "--contigs", "1", "--vcf", place / "s.vcf")  # fmt: skip
    ref, alt = write_variants(store, request.param, names)
    look = Shown(store, only)
    choice = {form: look.accepted(form, tuple(range(len(names)))) for form in FORMS}
    return store, request.param, names, choice, records(place / "s.vcf"), ref, alt


def test_the_worst_names_of_variants_are_not_shown(variant_store):
    _, kind, names, choice, *_ = variant_store
    for form in FORMS:
        found = {names[i] for i in choice[form]}
        assert not found & {"a b", "\ta", "a\x1bb", "a\0b"}
        assert "a_b" in found and "<DEL>" in found and "é" in found
        if kind == "contig":
            assert not found & {"#", "#a", "#CHROM", "d" * 16001}
        if kind in ("REF", "ALT"):
            assert not found & {"0", ",", "a,b", "C,G"}
        if kind == "ID":
            assert {"#a", "a,b", "0"} <= found and "d" * 16001 not in found


@pytest.mark.parametrize("form, program, how", READERS[:3])
def test_variants(form, program, how, variant_store, tmp_path):
    store, kind, names, choice, due, ref, alt = variant_store
    numbers = [i for i in choice[form] if kind != "contig" or program != "plink1.9" or names[i] != "PAR1"]
    with helpers.mounted(store, *only(numbers), verb=f"mount-{form}") as m:
        _, rows = exported(tmp_path, m, program, how)
    assert len(rows) == len(numbers)
    for i, (ident, counted, other, found) in zip(numbers, rows):
        assert ident == (names[i] if kind == "ID" else f"v{i}").encode()
        alleles = [b"." if a == "." else a.encode() for a in (alt[i], ref[i])]
        assert [counted, other] in (alleles, alleles[::-1]), names[i]
        copies = due[i][1]
        assert found == (copies if counted == alleles[0] else [2 - n for n in copies]), names[i]
