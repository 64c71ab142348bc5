# SPDX-License-Identifier: Apache-2.0
"""
`vczfs info --for PROGRAM`: what it says of a store is what the program does with it. Of the programs that Debian has
every rule is tried in a run; of the others doc/CONSUMERS.md names the line of the source or the run by hand.
"""

import json
import random
import re
import subprocess

import pytest

import helpers
import stores

PROGRAMS = ["plink1.9", "plink2", "regenie", "saige", "gcta", "bolt", "qctool", "bgenix"]
NSAMPLES, NVARIANTS = 60, 24
SHAPE = ["--samples", NSAMPLES, "--variants", NVARIANTS, "--density", "dense", "--missing", "0", "--contigs", "2"]


@pytest.fixture
def plain(tmp_path):
    """A store that none of the programs minds: contigs 1 and 2, sorted, each variant with an ID of its own."""
    store = helpers.mkvcz(tmp_path / "s.vcz", *SHAPE)
    stores.write_strings(store / "variant_id", [f"rs{i}" for i in range(NVARIANTS)])
    return store


def contigs(*names, index=None):
    """Contigs of these names, the variants in equal runs on them, or on those of `index`."""
    def edit(store):
        stores.write_strings(store / "contig_id", names)
        stores.write_ints(store / "contig_length", [0] * len(names), "<i8")
        of = index or [i * len(names) // NVARIANTS for i in range(NVARIANTS)]
        stores.write_ints(store / "variant_contig", of, "|i1")
    return edit


def positions(change):
    def edit(store):
        values = [1000 * (i + 1) for i in range(NVARIANTS)]
        change(values)
        stores.write_ints(store / "variant_position", values)
    return edit


def ids(values):
    return lambda store: stores.write_strings(store / "variant_id", values)


def nothing(_):
    pass


def samples(*first):
    """These, and plain ones."""
    def edit(store):
        plain = [f"s{i}" for i in range(len(first), NSAMPLES)]
        stores.write_strings(store / "sample_id", [*first, *plain])
    return edit


def commas(store):
    stores.write_strings(store / "sample_id", [f"a,{i}" for i in range(NSAMPLES)])


def set_position(i, value):
    return positions(lambda p: p.__setitem__(i, value))


def in_turn(*edits):
    return lambda store: [edit(store) for edit in edits]


BFILE, BGEN = "bfile", "bgen"
PRUNE = ["--indep-pairwise", "50", "5", "0.2"]
FREQ = ["--freq"]
BOLT_CONTIG = "Invalid chrom (expecting integer 1-23 or X,XY,PAR1,PAR2)"
UNKNOWN = contigs("1", "chrUn_x")
SPLIT = contigs("1", "2", index=[0] * 8 + [1] * 8 + [0] * 8)
UNSORTED, FAR = set_position(4, 500), set_position(11, 2**31 - 1)
BY_TEXT = in_turn(set_position(0, 1000), contigs("chr2", "chr10"))
NOT_FIRST = "the first variant is not the first by contig and position:"
TWICE = ids(["rs1", "rs1", "."] + [f"rs{i}" for i in range(3, NVARIANTS)])
IS_UNKNOWN = "contig chrUn_x (12 variants)"
IS_SPLIT = "contig 1 is in several pieces, others between them"
IS_UNSORTED = "1 variant is at a lower position than the one before (first: 1:500)"
IS_FAR = "1 position is above 2147483646 (first: 1:2147483647)"
IS_TWICE = "1 variant has the ID of an earlier one, 0 of them '.'"
IS_EMPTY = "there is no variant"
IS_PHASED = "calls are shown with their phase (--phased)"
NONE = ["-t", "1:1-1"]

# What is done to the plain store, options, program, how its line begins; and how the program is run, and says it
# itself, or None where it cannot be run here.
CASES = [
    (UNKNOWN, [], "plink1.9", f"refuses .bim: {IS_UNKNOWN}", (BFILE, FREQ, "Invalid chromosome code 'chrUn_x'")),
    (UNKNOWN, [], "plink2", f"refuses .bim: {IS_UNKNOWN}", (BFILE, FREQ, "Invalid chromosome code 'chrUn_x'")),
    (UNKNOWN, [], "plink2", f"refuses .bgen: {IS_UNKNOWN}", (BGEN, FREQ, "Invalid chromosome code 'chrUn_x'")),
    (contigs("1", "PAR1"), [], "plink1.9", "refuses .bim: contig PAR1 (12 variants)",
     (BFILE, FREQ, "Invalid chromosome code 'PAR1'")),
    (SPLIT, [], "plink1.9", f"refuses .bim: {IS_SPLIT}", (BFILE, FREQ, "has a split chromosome")),
    (SPLIT, [], "plink2", f"refuses .bim: {IS_SPLIT}", (BFILE, FREQ, "has a split chromosome")),
    (SPLIT, [], "plink2", f"refuses .bgen: {IS_SPLIT}", (BGEN, FREQ, "has a split chromosome")),
    (UNSORTED, [], "plink1.9", f"refuses .bim: {IS_UNSORTED}", (BFILE, PRUNE, "requires a sorted .bim")),
    (UNSORTED, [], "plink2", f"refuses .bim: {IS_UNSORTED}",
     (BFILE, ["--extract", "bed1", "{regions}", *FREQ], "requires a sorted .pvar/.bim")),
    (FAR, [], "plink1.9", f"refuses .bim: {IS_FAR}", (BFILE, FREQ, "Invalid bp coordinate")),
    (FAR, [], "plink2", f"refuses .bim: {IS_FAR}", (BFILE, FREQ, "Invalid bp coordinate")),
    (FAR, [], "plink2", f"refuses .bgen: {IS_FAR}", (BGEN, FREQ, "Invalid bp coordinate")),
    (TWICE, [], "plink2", f"refuses .bim: {IS_TWICE}", (BFILE, PRUNE, "requires unique variant IDs")),
    (contigs("1", "Y"), [], "plink1.9", "leaves out .bed: contig Y (12 variants)",
     (BFILE, FREQ, "Nonmissing nonmale Y chromosome")),
    (nothing, ["-S", "{few}"], "plink2", "refuses .fam: 49 samples are fewer than 50", (BFILE, PRUNE, "less than 50")),
    (nothing, NONE, "plink1.9", f"refuses .bim: {IS_EMPTY}", (BFILE, FREQ, "No variants in .bim file")),
    (nothing, NONE, "plink2", f"refuses .bim: {IS_EMPTY}", (BFILE, FREQ, "fewer tokens than expected")),
    (contigs("1", "MT"), [], "bolt", "refuses .bim: contig MT (12 variants)",
     (BFILE, [], "Unknown chromosome code in bim file")),
    (contigs("1", "Y"), [], "bolt", "refuses .bgen: contig Y (12 variants)", (BGEN, [], f"{BOLT_CONTIG}: Y")),
    (contigs("1", "2_x"), [], "bolt", "misreads .bgen: contig 2_x (12 variants)", None),
    (ids(["."] * NVARIANTS), [], "bolt", "leaves out .bim: 23 variants have the ID of an earlier one, 23 of them '.'",
     (BFILE, [], "masking duplicate")),
    (nothing, NONE, "bolt", f"refuses .bim: {IS_EMPTY}", (BFILE, [], "No post-QC SNPs left")),
    (nothing, ["--haploid"], "bolt",
     "refuses .bgen: haploid calls are shown so (--haploid), if there are any, which --check finds out", None),
    (contigs("1", "MT"), [], "regenie", "refuses .bim: contig MT (12 variants)", None),
    (contigs("1", "MT"), [], "regenie", "refuses .bgen: contig MT (12 variants)", None),
    (contigs("1", "chr2_KI270v1"), [], "regenie", "misreads .bgen: contig chr2_KI270v1 (12 variants)", None),
    (contigs("2", "1"), [], "regenie", "refuses .bim: contig 1, chromosome 1 to it, comes after 2", None),
    (SPLIT, [], "regenie", "refuses .bgen: contig 1, chromosome 1 to it, comes after 2 and is not the first", None),
    (contigs("1", "2", "1_x"), [], "regenie",
     "refuses .bgen: contig 1_x, chromosome 1 to it, comes after 2 and is not the first", None),
    (TWICE, [], "regenie", f"leaves out .bim, .bgen: {IS_TWICE}", None),
    (nothing, ["--phased"], "regenie", f"misreads .bgen: {IS_PHASED}", None),
    (contigs("2", "1"), [], "saige", "refuses .bim: chromosome 2 begins or ends before 1", None),
    (BY_TEXT, [], "saige", f"misreads .bed: {NOT_FIRST} chr10:13000 is before it", None),
    (set_position(0, 100000), [], "saige", f"misreads .bed: {NOT_FIRST} 1:2000 is before it", None),
    (commas, [], "saige", "refuses .sample: every sample's ID has a ',' in it", None),
    (nothing, ["--phased"], "saige", f"refuses .bgen: {IS_PHASED}", None),
    (UNKNOWN, [], "gcta", f"refuses .bim: {IS_UNKNOWN}", None),
    (contigs("chr1", "2_x"), [], "gcta", "leaves out .bgen.bgi: contig chr1 (12 variants)", None),
    (contigs("chr1", "2_x"), [], "gcta", "misreads .bgen.bgi: contig 2_x (12 variants)", None),
    (samples("NA"), [], "qctool", "refuses .sample: a sample is called NA", None),
    (nothing, ["--fid", "0"], "qctool", "refuses .sample: the first column is 0 for every sample (--fid 0)", None),
    (contigs("1", "HLA-A*01:01"), [], "bgenix", "leaves out .bgen.bgi: contig HLA-A*01:01 (12 variants)", None),
]  # fmt: skip


def lines_for(program, store, *options):
    done = helpers.run("info", "--for", program, *options, store)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def samples_of(m):
    return [line.split("\t")[1] for line in m.read(".fam").decode().splitlines()]


def bolt_command(m, form, place):
    rows = [f"{s} {s} {i * 7919 % 101}" for i, s in enumerate(samples_of(m))]
    (place / "phenotype").write_text("FID IID P\n" + "\n".join(rows) + "\n")
    fam, simple = m.path(".fam"), m.base
    command = ["bolt", f"--fam={fam}", f"--phenoFile={place}/phenotype", "--phenoCol=P", "--numThreads=1",
               f"--statsFile={place}/stats", "--verboseStats"]  # fmt: skip
    if form == BFILE:
        return [*command, f"--bed={simple}.bed", f"--bim={simple}.bim"]
    # The .bgen is tested beside a .bim that BOLT-LMM takes.
    bim = re.sub(rb"(?m)^(?!\d+\t)\S+", b"2", m.read(".bim"))
    (place / "plain.bim").write_bytes(bim)
    return [*command, f"--bed={simple}.bed", f"--bim={place}/plain.bim", f"--bgenFile={simple}.bgen",
            f"--sampleFile={simple}.sample", "--bgenMinMAF=0", f"--statsFileBgenSnps={place}/bgen.stats"]  # fmt: skip


def run_program(program, m, form, args, place):
    """Its output, whatever its exit status."""
    (place / "regions").write_text("1\t1\t5\n")
    args = [arg.format(regions=place / "regions") for arg in args]
    if program == "bolt":
        command = bolt_command(m, form, place)
    else:
        source = ["--bfile", m.base] if form == BFILE else ["--bgen", m.path(".bgen"), "ref-first",
                                                            "--sample", m.path(".sample")]  # fmt: skip
        command = [program, *source, *args, "--threads", "1", "--memory", "640", "--out", place / "out"]
    command = [str(word) for word in command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60 * helpers.SLOW, check=False)
    return " ".join((done.stdout + done.stderr).split())


@pytest.mark.parametrize("edit, options, program, line, tried", CASES, ids=[f"{c[2]} {c[3]}" for c in CASES])
def test_what_is_said_is_so(edit, options, program, line, tried, plain, tmp_path):
    """(Of the store as it is, nothing is said: the next test.)"""
    (tmp_path / "few").write_text("\n".join(f"s{i}" for i in range(49)) + "\n")
    samples()(plain)
    edit(plain)
    options = [option.format(few=tmp_path / "few") for option in options]
    assert len([said for said in lines_for(program, plain, *options) if said.startswith(line + ": ")]) == 1
    if tried is not None:
        form, args, said = tried
        with helpers.mounted(plain, *options, verb="mount") as m:
            assert said in run_program(program, m, form, args, tmp_path)


@pytest.mark.parametrize("program", PROGRAMS)
def test_nobody_minds_the_plain_store(program, plain):
    assert lines_for(program, plain) == [f"nothing known that {program} would mind"]


@pytest.mark.parametrize("program, form", [("plink1.9", BFILE), ("plink2", BFILE), ("plink2", BGEN), ("bolt", BGEN)])
def test_and_it_is_read(program, form, plain, tmp_path):
    args = [] if program == "bolt" else ["--freq"]
    with helpers.mounted(plain, verb="mount") as m:
        said = run_program(program, m, form, args, tmp_path)
    assert not re.search("error|duplicate|out-of-order|nvalid", said, re.I), said


def test_a_selection_is_looked_at(plain):
    contigs("1", "MT")(plain)
    assert len(lines_for("regenie", plain)) == 2
    assert lines_for("regenie", plain, "-t", "^MT") == ["nothing known that regenie would mind"]


def test_a_format_that_is_not_shown(plain):
    samples("a b")(plain)
    said = lines_for("plink1.9", plain)
    assert len(said) == 1 and said[0].startswith("does not get .bed .bim .fam: ") and "a b" in said[0]


@pytest.mark.parametrize("fraction, due", [("0", 0), ("1", NVARIANTS)])
def test_haploid_calls_are_counted_by_a_check(fraction, due, tmp_path):
    store = helpers.mkvcz(tmp_path / "s.vcz", *SHAPE, "--haploid-fraction", fraction)
    stores.write_strings(store / "variant_id", [f"rs{i}" for i in range(NVARIANTS)])
    line = f'{due} variants have haploid calls (--haploid): "has minimum ploidy = 1 (not 2)"'
    said = lines_for("saige", store, "--haploid", "--check")
    assert said == ([f"refuses .bgen: {line}"] if due else ["nothing known that saige would mind"])


def test_order_and_ids_across_chunks(tmp_path):
    """A pass takes chunks apart and puts what it learnt together again: against a count in store order."""
    n, rng = 20000, random.Random(5)
    store = helpers.mkvcz(tmp_path / "s.vcz", "--samples", 1, "--variants", n, "--chunk-variants", 2000, "--level", 1)
    at = sorted(rng.choices(range(10), k=n))
    places = [rng.randrange(1, 10**6) if rng.random() < 0.3 else 1000 * i for i in range(n)]
    names = [f"rs{rng.randrange(n)}" if rng.random() < 0.9 else "." for _ in range(n)]
    stores.write_strings(store / "contig_id", [f"{i + 1}" for i in range(10)])
    stores.write_ints(store / "variant_contig", at, "|i1")
    stores.write_ints(store / "variant_position", places)
    stores.write_strings(store / "variant_id", names)
    lower = [i for i in range(1, n) if at[i] == at[i - 1] and places[i] < places[i - 1]]
    first = f"{at[lower[0]] + 1}:{places[lower[0]]}"
    due = [
        f"{len(lower)} variants are at a lower position than the one before (first: {first})",
        f"{n - len(set(names))} variants have the ID of an earlier one, {names.count('.') - 1} of them '.'",
    ]
    for threads in "13":
        said = lines_for("plink2", store, "--threads", threads)
        assert [any(line.startswith(f"refuses .bim: {what}: ") for line in said) for what in due] == [True, True]


def test_json(plain):
    contigs("1", "MT")(plain)
    done = helpers.run("info", "--for", "gcta", "--json", plain)
    assert json.loads(done.stdout) == {"program": "gcta", "findings": []}
    done = helpers.run("info", "--for", "bolt", "--json", "-r", "MT", plain)
    found = json.loads(done.stdout)["findings"]
    assert [f["verdict"] for f in found] == ["refuses", "refuses"]
    assert found[0]["what"] == "contig MT (12 variants)" and found[0]["evidence"] == "B1"


def test_a_program_that_is_not_known(plain):
    done = helpers.run("info", "--for", "plink", plain)
    assert done.returncode == 2
    assert "'plink'" in done.stderr and "plink1.9, plink2, regenie" in done.stderr


def test_every_rule_has_its_evidence():
    source = (helpers.ROOT / "encoderd/report/consumer_rules.c").read_text()
    table = source[source.index("rules[] = {") :]
    used = set(re.findall(r'"([A-Z]\d+)",\s', table))
    told = re.findall(r"^\| ([A-Z]\d+) \|", (helpers.ROOT / "doc/CONSUMERS.md").read_text(), re.M)
    assert len(told) == len(set(told)) and used == set(told)
