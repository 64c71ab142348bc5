# SPDX-License-Identifier: Apache-2.0
"""Names that a program would take for something else are refused where it would, each format for itself; contigs are called
what plink2 calls them. doc/NAMES.md has the table."""

import os
import re
import shutil
import subprocess

import pytest

import bgen_reader
import helpers
import plink_tools
import stores

PLINK, BGEN = {".bed", ".bim", ".fam"}, {".bgen", ".bgen.bgi", ".sample"}
BOTH = PLINK | BGEN
LONG = "x" * 16001
SAMPLES, VARIANTS = 5, 6


@pytest.fixture
def store(scratch):
    """Six variants of five samples, called S0 to S4, on one contig."""
    made = helpers.mkvcz(scratch / "s.vcz", "--samples", SAMPLES, "--variants", VARIANTS)
    shutil.rmtree(made / "region_index", ignore_errors=True)
    stores.write_strings(made / "sample_id", [f"S{i}" for i in range(SAMPLES)])
    stores.write_strings(made / "contig_id", ["1"])
    stores.write_ints(made / "variant_contig", [0] * VARIANTS)
    stores.write_ints(made / "variant_position", list(range(10, 10 + VARIANTS)))
    set_alleles(made, ["A", "C"])
    return made


def set_alleles(store, last):
    """The last variant's; A and C elsewhere."""
    array = store / "variant_allele"
    values = ["A", "C"] * (VARIANTS - 1) + last
    stores.write_strings(array, values)
    stores.edit_zarray(array, shape=[VARIANTS, 2], chunks=[VARIANTS, 2])
    (array / "0").rename(array / "0.0")


def set_contigs(store, names):
    """A variant for each, in this order."""
    stores.write_strings(store / "contig_id", names)
    stores.write_ints(store / "variant_contig", [min(i, len(names) - 1) for i in range(VARIANTS)])


def put_name(store, what, name):
    if what == "sample":
        stores.write_strings(store / "sample_id", ["S0", "S1", name, "S3", "S4"])
    elif what == "contig":
        set_contigs(store, ["1", name, "2"])
    elif what == "ID":
        stores.write_strings(store / "variant_id", [name, *(f"rs{i}" for i in range(1, VARIANTS))])
    else:
        set_alleles(store, [name, "C"] if what == "REF" else ["A", name])


def shown(store, *options):
    """(suffixes that a mount of every format has, what was said); nothing if there is none."""
    try:
        with helpers.mounted(store, *options, verb="mount") as m:
            return {name.removeprefix("s") for name in os.listdir(m.dir)}, m.log()
    except helpers.MountFailed as failed:
        assert failed.status == 1
        return set(), failed.stderr


# What it is, the name, options, and what is left of a mount.
REFUSED = [
    ("sample", "#S2", [], set()),
    ("sample", "#S2", ["--fid", "0"], PLINK),
    ("sample", "#S2", ["--no-fam"], {".bed", ".bim"}),
    ("sample", "#S2", ["--no-sample-file", "--no-header-samples"], BGEN - {".sample"}),
    ("sample", "0", [], set()),
    ("sample", "0", ["--fid", "0"], set()),
    ("sample", '"S1"', [], set()),
    ("sample", '""', ["--no-fam", "--no-sample-file"], BOTH - {".fam", ".sample"}),
    ("sample", "a b", [], set()),
    ("sample", LONG, [], set()),
    ("contig", "#contig", [], set()),
    ("contig", "#contig", ["--no-bim"], PLINK - {".bim"}),
    ("contig", "#contig", ["--targets", "1"], BOTH),
    ("contig", "NA", [], PLINK),
    ("contig", "12\u00e9", [], BGEN),
    ("contig", "chrxy\u00e9", [], BGEN),
    ("contig", "29", [], BGEN),
    ("contig", "29", ["--chr-set", "29"], BOTH),
    ("contig", "PAR1", ["--chr-set", "29"], BGEN),
    ("contig", "a b", [], set()),
    ("contig", LONG, [], set()),
    ("ID", "rs\t1", [], set()),
    ("ID", LONG, [], set()),
    ("REF", "0", [], set()),
    ("ALT", "0", [], set()),
    ("REF", "C,G", [], set()),
    ("ALT", "C,G", [], set()),
    ("ALT", "C,G", ["--no-bim"], PLINK - {".bim"}),
    ("ALT", "C G", [], set()),
]


@pytest.mark.parametrize("what, name, options, left", REFUSED, ids=lambda value: str(sorted(value) if isinstance(value, set) else value)[:12])
def test_name_that_is_misread(what, name, options, left, store):
    put_name(store, what, name)
    suffixes, said = shown(store, *options)
    assert suffixes == left
    kept = {"plink": ".bed" in left, "bgen": ".bgen" in left}
    if all(kept.values()):
        assert "cannot stand" not in said
        return
    assert re.search(r"\b1 of \d variants has a name that|\b1 of 5 sample IDs cannot", said)
    assert name[:12] in said or "\\x09" in said
    if left:
        assert f"without the files of {'bgen' if kept['plink'] else 'plink'}: " in said
    for verb, format_kept in (("mount-plink", kept["plink"]), ("mount-bgen", kept["bgen"])):
        own = [o for o in options if verb == "mount-plink" or o not in ("--no-bim", "--no-fam")]
        if not format_kept and not any(o.startswith("--no-header") or o.startswith("--chr") for o in own):
            assert helpers.refused(store, *own, verb=verb).returncode == 1


HARMLESS = {
    "sample": ["S#2", "00", "-9", "NA", "\"S2", "a,b", "a_b", "\u00e9", "FID", "ID_1", "."],
    "contig": ["chr#1", "HLA-A*01:01:01:01", "1e3", "\u00e9", "-1", "099", "chrPAR1"],
    "ID": ["#rs", "0", "-9", "NA", "1:2,3;4", "\u00e9"],
    "ALT": ["*", "<DEL>", "G]17:198982]", "1", "-", "#", "c", "NA"],
}


@pytest.mark.parametrize("what", HARMLESS)
def test_name_that_is_read_right(what, store, scratch):
    """plink2 and plink 1.9 are asked, too: who reads the .bed finds it unchanged under the name."""
    for name in HARMLESS[what]:
        put_name(store, what, name)
        if what == "contig":  # plink 1.9 moves those without a code to the end
            set_contigs(store, ["1", "2", name])
        with helpers.mounted(store) as m:
            for program in ("plink2", "plink1.9"):
                out = scratch / program.replace(".", "")
                plink_tools.plink(
                    program, "--bfile", m.base, "--make-bed", "--allow-extra-chr", "--out", out,
                    *(["--keep-allele-order"] if program == "plink1.9" else []),
                )  # fmt: skip
                for suffix in (".bed", ".fam", *([".bim"] if program == "plink2" else [])):
                    seen, due = out.with_suffix(suffix).read_bytes(), m.read(suffix)
                    if suffix != ".bed":  # plink 1.9 puts blanks between columns
                        seen, due = seen.replace(b" ", b"\t"), due.replace(b" ", b"\t")
                    assert seen == due, (program, name, suffix)


# --- contigs ---------------------------------------------------------------------------------------------


def spellings():
    """Names of contigs, of many shapes, without two of one name."""
    ends = [str(n) for n in range(31)] + ["00", "01", "09", "010", "022", "023", "99", "100", "1a", "a1", "1_KI270706v1_random"]
    ends += ["X", "x", "Y", "y", "XY", "xy", "Xy", "M", "m", "MT", "mt", "Mt", "0X", "0x", "0Y", "0M", "0XY", "0MT", "00X"]
    ends += ["PAR1", "par1", "Par2", "PAR2", "PAR3", "PAR", "PAR11", "XX", "MM", "Z", "W", "Un", "", "-1", "+1", "1.", "#1"]
    names = [prefix + end for end in ends for prefix in ("", "chr", "CHR", "cHr", "ch", "chrchr")]
    return list(dict.fromkeys(name for name in names if name and name[0] != "#"))


def plink2_codes(names, scratch, *options):
    """{name: what plink2 calls it in the .bim, or None where it refuses it}."""
    done = {}
    left = [names]
    while left:
        some = left.pop()
        vcf = scratch / "names.vcf"
        lines = ["##fileformat=VCFv4.3", '##FORMAT=<ID=GT,Number=1,Type=String,Description="">']
        lines.append("\t".join("#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT A".split()))
        lines += [f"{name}\t5\t{i}\tA\tT\t.\t.\t.\tGT\t0/1" for i, name in enumerate(some)]
        vcf.write_text("\n".join(lines) + "\n")
        command = ["plink2", "--vcf", vcf, "--allow-extra-chr", "--make-just-bim", "--out", scratch / "names", *options]
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            rows = [line.split("\t") for line in (scratch / "names.bim").read_text().splitlines()]
            done.update({some[int(row[1])]: row[0] for row in rows})
        elif len(some) == 1:
            done[some[0]] = None
        else:
            left += [some[: len(some) // 2], some[len(some) // 2 :]]
    return done


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A store with room for a contig in each variant."""
    made = helpers.mkvcz(tmp_path_factory.mktemp("names") / "s.vcz", "--samples", 1, "--variants", 500)
    shutil.rmtree(made / "region_index", ignore_errors=True)
    return made


def give_contigs(store, names):
    """A variant for each; what is left belongs to the last one."""
    stores.write_strings(store / "contig_id", names)
    stores.write_ints(store / "variant_contig", [min(i, len(names) - 1) for i in range(500)])


def in_rounds(codes):
    """Lists of names, in each of which no code comes twice."""
    left = [name for name, code in codes.items() if code is not None]
    while left:
        some = {codes[name]: name for name in left[:500]}
        yield list(some.values())
        left = [name for name in left if name not in set(some.values())]


@pytest.mark.parametrize("options", [[], ["--chr-set", "29"]], ids=" ".join)
def test_contigs_are_called_what_plink2_calls_them(options, many, scratch):
    names = spellings() if not options else spellings()[:200]
    codes = plink2_codes(names, scratch, *options)
    assert len(codes) == len(names) and len({code for code in codes.values()}) > 20
    for some in in_rounds(codes):
        give_contigs(many, some)
        with helpers.mounted(many, *options) as m:
            found = [line.split("\t")[0] for line in m.read(".bim").decode().splitlines()]
        assert found[: len(some)] == [codes[name] for name in some]
    for name in [name for name, code in codes.items() if code is None][:20]:
        give_contigs(many, [name])
        done = helpers.refused(many, *options)
        assert done.returncode == 1 and name in done.stderr and "--chr-set" in done.stderr


def test_bgen_keeps_the_names_of_contigs(many, scratch):
    names = ["01", "chr23", "Chr2", "PAR1", "99", "1_KI270706v1_random"]
    give_contigs(many, names)
    with helpers.mounted(many, verb="mount-bgen") as m:
        _, variants = bgen_reader.read(m.read(".bgen"))
        assert [v.chromosome.decode() for v in variants[:6]] == names
        assert {row[0] for row in bgen_reader.index_rows(m.path(".bgen.bgi"))} == set(names)
        assert "REGENIE and BOLT-LMM take 1 contig" in m.log() and names[5] in m.log()


@pytest.mark.parametrize("one, other", [("1", "chr1"), ("23", "X"), ("chrM", "MT"), ("01", "Chr1")])
def test_two_contigs_of_one_code(one, other, store):
    """Neighbours or not: plink2 would take them for one chromosome, which may have its positions twice, or be split."""
    for names in ([one, other], [one, "2", other]):
        set_contigs(store, names)
        suffixes, said = shown(store)
        assert suffixes == BGEN and f"'{one}'" in said and f"'{other}'" in said
        done = helpers.refused(store)
        assert done.returncode == 1 and f"'{one}'" in done.stderr and f"'{other}'" in done.stderr
        assert shown(store, "--targets", names[0])[0] == BOTH
        assert shown(store, "--no-bim")[0] == BOTH - {".bim"}


# --- family IDs ------------------------------------------------------------------------------------------


def test_family_id(store):
    def first_columns(m, suffix, header, separator):
        return [line.split(separator)[:2] for line in m.read(suffix).decode().splitlines()[header:]]

    ids = [f"S{i}" for i in range(SAMPLES)]
    for options, due in (([], ids), (["--fid", "ID"], ids), (["--fid", "0"], ["0"] * SAMPLES)):
        with helpers.mounted(store, *options, verb="mount") as m:
            assert first_columns(m, ".fam", 0, "\t") == [list(pair) for pair in zip(due, ids)]
            assert first_columns(m, ".sample", 2, " ") == [list(pair) for pair in zip(due, ids)]
    assert helpers.refused(store, "--fid", "1").returncode == 2


def test_fid_0_is_plink2s_default(store, scratch):
    """plink2 --vcf without --double-id."""
    vcf = scratch / "v.vcf"
    ids = [f"S{i}" for i in range(SAMPLES)]
    head = ["##fileformat=VCFv4.3", '##FORMAT=<ID=GT,Number=1,Type=String,Description="">']
    head += ["\t".join([*"#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT".split(), *ids])]
    vcf.write_text("\n".join([*head, "1\t5\ta\tA\tT\t.\t.\t.\tGT" + "\t0/1" * SAMPLES]) + "\n")
    plink_tools.plink("plink2", "--vcf", vcf, "--make-bed", "--out", scratch / "o")
    with helpers.mounted(store, "--fid", "0") as m:
        assert m.read(".fam") == (scratch / "o.fam").read_bytes()


def test_sample_file(store, scratch):
    """Just the four columns that GCTA wants, and plink2 reads them."""
    with helpers.mounted(store, verb="mount-bgen") as m:
        lines = m.read(".sample").decode().splitlines()
        assert lines == ["ID_1 ID_2 missing sex", "0 0 0 D", *(f"S{i} S{i} 0 NA" for i in range(SAMPLES))]
        plink_tools.plink(
            "plink2", "--bgen", m.path(".bgen"), "ref-first", "--sample", m.path(".sample"), "--make-just-psam",
            "--out", scratch / "o",
        )  # fmt: skip
        people = [line.split() for line in (scratch / "o.psam").read_text().splitlines() if line[0] != "#"]
        assert people == [[f"S{i}", f"S{i}", "NA"] for i in range(SAMPLES)]
