# SPDX-License-Identifier: Apache-2.0
"""BGEN mounts: the vectors' bytes; the VCF as oracle, through a reader of our own and through plink2; the index."""

import json
import os
import random
import signal
import struct
import subprocess
import threading
import time

import pytest

import bgen_reader
import helpers
import plink_tools
import reference
import stores

helpers.unpack_vectors()

def bgen_mount(source, *options, **more):
    return helpers.mounted(source, *options, verb="mount-bgen", **more)


def bgen_refused(source, *options):
    return helpers.refused(source, *options, verb="mount-bgen")


# --- the vectors -----------------------------------------------------------------------------------------


def as_reference(case, options):
    """The reference shows phase and ploidy as they are stored, unless it is told not to."""
    return options if case == "small-bgenopt06" else [*options, "--phased", "--haploid"]


def bgen_cases():
    for line in (helpers.VECTORS / "cases.tsv").read_text().splitlines():
        case, store, form, options = line.split("\t")
        words = helpers.case_options(store, options)
        if form == "bgen" and not line.startswith("#"):
            yield case, store, words


CASES = [case for case in bgen_cases() if case[0] not in reference.IS_WRONG]
AS_BCFTOOLS = [case for case in bgen_cases() if case[0] in reference.IS_WRONG]


def test_the_cases_are_many():
    assert len(CASES) >= 60
    assert 0 < len(AS_BCFTOOLS) <= 8


@pytest.mark.parametrize("case, store, options", AS_BCFTOOLS, ids=[case[0] for case in AS_BCFTOOLS])
def test_case_in_which_the_reference_is_wrong(case, store, options, scratch):
    with bgen_mount(helpers.store(store), *options) as m:
        rows = bgen_reader.index_rows(m.path(".bgen.bgi"))
        sites = [(row[1], row[4], row[5]) for row in rows]
        assert sites == reference.bcftools_sites(store, options, scratch)


@pytest.mark.parametrize("case, store, options", CASES, ids=[case[0] for case in CASES])
def test_case(case, store, options):
    options = as_reference(case, options)
    if (helpers.VECTORS / "expected" / case / "error.txt").exists():
        done = bgen_refused(helpers.store(store), *options)
        assert done.returncode == (2 if "XY" in options else 1)
        assert done.stderr.strip() and done.stdout == ""
        return
    with bgen_mount(helpers.store(store), *options) as m:
        assert m.read(".bgen") == helpers.expected(case, ".bgen")
        for suffix, switch in ((".sample", "--no-sample-file"), (".bgen.bgi", "--no-bgi")):
            assert m.path(suffix).exists() == (switch not in options)
        if "--no-sample-file" not in options:
            assert m.read(".sample") == helpers.expected(case, ".sample")
        if "--no-bgi" not in options:
            rows = bgen_reader.index_rows(m.path(".bgen.bgi"))
            text = "".join("\t".join(map(str, row)) + "\n" for row in rows)
            assert text.encode() == helpers.expected(case, ".bgi.tsv")


# --- the source VCF, read here, as oracle ----------------------------------------------------------------


def vcf_records(path):
    """(contig, position, id, ref, alts, GTs) of each record."""
    for line in path.read_text().splitlines():
        if not line.startswith("#"):
            fields = line.split("\t")
            alts = [] if fields[4] == "." else fields[4].split(",")
            calls = [call.split(":")[0] for call in fields[9:]]
            yield fields[0], int(fields[1]), fields[2], fields[3], alts, calls


def call_of(text):
    """(alleles or None if any is missing, ploidy, phased) of a GT."""
    alleles = text.replace("|", "/").split("/")
    return None if "." in alleles else [int(a) for a in alleles], len(alleles), "/" not in text


def as_diploid(call):
    """A haploid call is homozygous."""
    alleles, ploidy, phased = call
    return (alleles and alleles * 2, 2, phased) if ploidy == 1 else call


def values_of(alleles, ploidy, phased):
    """What doc/FORMATS.md says that the probabilities are."""
    if alleles is None:
        return (0,) * ploidy
    if phased or ploidy == 1:
        return tuple(255 if a == 0 else 0 for a in alleles)
    return (255, 0) if alleles == [0, 0] else (0, 255) if 0 in alleles else (0, 0)


def check_variant(variant, record, words):
    contig, position, ident, ref, alts, texts = record
    calls = [call_of(text) for text in texts]
    phased = "--phased" in words and all(call[2] for call in calls)
    if phased and any(call[1] == 1 for call in calls):
        # The VCF does not say whether a haploid call is phased; the store does, and bio2zarr says either.
        phased = variant.phased
    if "--haploid" not in words:
        calls = [as_diploid(call) for call in calls]
    slots = (variant.rsid, variant.varid) if "varid" in words else (variant.varid, variant.rsid)
    assert slots[1] == ident.encode()
    assert slots[0][:1] == b"." and len(set(slots[0][1:])) <= 1
    assert (variant.chromosome, variant.position) == (contig.encode(), position)
    assert variant.alleles == [ref.encode(), (alts[0] if alts else ".").encode()]
    assert variant.phased == phased
    assert variant.ploidy == [call[1] for call in calls]
    assert variant.missing == [call[0] is None for call in calls]
    assert variant.values == [values_of(*call[:2], phased) for call in calls]


def check_against_vcf(m, vcf, words):
    """words: the options of the mount, but --phased only if the store knows phase."""
    records = [record for record in vcf_records(vcf) if len(record[4]) <= 1]
    header, variants = bgen_reader.read(m.read(".bgen"))
    names = [line for line in vcf.read_text().splitlines() if line.startswith("#CHROM")][0].split("\t")[9:]
    assert header.samples == (None if "--no-header-samples" in words else [name.encode() for name in names])
    assert len(variants) == len(records) > 0
    assert len({variant.size for variant in variants}) == 1
    for variant, record in zip(variants, records):
        check_variant(variant, record, words)
    return header, variants


def check_index(m, variants):
    """Every row leads to its variant, which is read through its offset; Metadata is about this file."""
    stat = m.path(".bgen").stat()
    metadata = bgen_reader.index_metadata(m.path(".bgen.bgi"))
    rows = bgen_reader.index_rows(m.path(".bgen.bgi"))
    assert metadata["filename"] == m.path(".bgen").name
    assert metadata["file_size"] == stat.st_size
    assert metadata["last_write_time"] == int(stat.st_mtime)
    assert metadata["index_creation_time"] == int(stat.st_mtime), "its bytes are the same in every mount"
    with helpers.open_fd(m.path(".bgen")) as fd:
        assert metadata["first_1000_bytes"] == os.pread(fd, 1000, 0)
        assert rows == [bgen_reader.index_row_of(variant) for variant in variants]
        for row, variant in random.Random(7).sample(list(zip(rows, variants)), min(len(rows), 50)):
            data = os.pread(fd, row[7], row[6])
            read = bgen_reader.read_variant(data, 0, len(variant.ploidy))
            assert read._replace(offset=row[6]) == variant


VECTORS = ["biallelic", "phased", "unphased", "haploid", "mixedploidy", "longalleles", "small"]


FORMS = {"default": [], "as stored": ["--phased", "--haploid"]}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", VECTORS)
def test_vectors_hold_what_their_vcf_says(name, form):
    with bgen_mount(helpers.store(f"{name}.vcz"), "-M", "2", *FORMS[form]) as m:
        _, variants = check_against_vcf(m, helpers.vcf(f"{name}.vcf"), FORMS[form])
        check_index(m, variants)
        assert m.log().count("the .bgen has phase, as --phased asks: REGENIE") == ("--phased" in FORMS[form])


SHAPES = {
    "diploid": ["--samples", "700", "--variants", "300", "--missing", "0.02", "--half-missing", "0.02", "--phased", "0.7"],
    "haploid": ["--samples", "500", "--variants", "200", "--ploidy", "1", "--missing", "0.05"],
    "mixed ploidy": ["--samples", "333", "--variants", "250", "--haploid-fraction", "0.4", "--missing", "0.05", "--phased", "0.5"],
    "several stored blocks": ["--samples", "22000", "--variants", "7", "--missing", "0.01", "--chunk-samples", "6000"],
    "several stored blocks, mixed": ["--samples", "44000", "--variants", "5", "--haploid-fraction", "0.5"],
    "no phase": ["--samples", "50", "--variants", "900", "--no-phased", "--chunk-variants", "70"],
    "multi-allelic left out": ["--samples", "90", "--variants", "400", "--multiallelic", "0.3"],
    "Zarr v3": ["--samples", "120", "--variants", "300", "--zarr", "3", "--missing", "0.1"],
}  # fmt: skip


@pytest.mark.limit(120)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", SHAPES)
def test_generated_stores(shape, form, generated):
    store, vcf = generated(*SHAPES[shape])
    known = [word for word in FORMS[form] if word != "--phased" or "--no-phased" not in SHAPES[shape]]
    with bgen_mount(store, "-M", "2", *FORMS[form]) as m:
        _, variants = check_against_vcf(m, vcf, known)
        check_index(m, variants)
        assert m.log().count("the .bgen has phase") == ("--phased" in known)


OPTIONS = {
    "no header samples": ["--no-header-samples", "--unphased"],
    "phased": ["--phased"],
    "haploid": ["--haploid"],
    "varid": ["--variant-id-field", "varid"],
    "varid, no header samples, long": [
        "--variant-id-field", "varid", "--no-header-samples", "--total-string-length", "131", "--haploid",
    ],
    "pad byte": ["--pad-byte", "X", "--total-string-length", "99", "--haploid"],
    "long strings": ["--total-string-length", "70000", "--haploid", "--phased"],
}  # fmt: skip


@pytest.mark.limit(120)
@pytest.mark.parametrize("shape", ["diploid", "haploid", "mixed ploidy"])
@pytest.mark.parametrize("options", OPTIONS)
def test_options(options, shape, generated):
    store, vcf = generated(*SHAPES[shape])
    words = OPTIONS[options]
    with bgen_mount(store, *words) as m:
        _, variants = check_against_vcf(m, vcf, words)
        check_index(m, variants)
        pads = {bytes(set((v.rsid if "varid" in words else v.varid)[1:])) for v in variants}
        assert pads <= {b"", b"X" if "X" in words else b"."}


# --- plink2 ----------------------------------------------------------------------------------------------


def plink2_calls(vcf):
    """{(position, id, ref, alt): GTs} of what plink2 wrote."""
    return {(r[1], r[2], r[3], tuple(r[4])): r[5] for r in vcf_records(vcf)}


def exported(out, *source):
    plink_tools.plink(
        "plink2", *source, "--export", "vcf", "--out", out, "--allow-extra-chr", "--not-chr", "X", "--threads", "1"
    )
    return plink2_calls(out.with_suffix(".vcf"))


def unordered(call):
    return sorted(call.replace("|", "/").split("/"))


def imported(out, base):
    return exported(out, "--bgen", f"{base}.bgen", "ref-first", "--sample", f"{base}.sample")


PLINK2 = ["phased", "unphased", "haploid", "mixedploidy", "biallelic", *SHAPES]


def same_phase(a, b):
    """Only heterozygotes have any; how others are written depends on the rest of the variant."""
    return len(set(unordered(a))) == 1 or a == b


def plink2_bgen(vcf, out):
    plink_tools.plink(
        "plink2", "--vcf", vcf, "--export", "bgen-1.2", "bits=8", "ref-first", "--out", out, "--threads", "1",
        "--vcf-half-call", "missing", "--double-id", "--max-alleles", "2", "--allow-extra-chr", "--not-chr", "X",
    )  # fmt: skip
    return out


@pytest.mark.limit(120)
@pytest.mark.parametrize("name", PLINK2)
def test_plink2_imports_the_genotypes_of_the_vcf(name, generated, scratch):
    """
    Genotypes are those of the VCF. Phases, of variants that are phased in every sample (a BGEN says it once for each
    variant), are those of the BGEN that plink2 itself makes of the VCF: its import turns haplotypes round (2.00a3.5
    reads 0|1 as 1|0, from files of its own too), so that the VCF cannot be compared with.
    """
    store, vcf = generated(*SHAPES[name]) if name in SHAPES else (
        helpers.store(f"{name}.vcz"), helpers.vcf(f"{name}.vcf"))  # fmt: skip
    known = "--no-phased" not in SHAPES.get(name, [])
    phased = {(r[1], r[2], r[3], tuple(r[4])): known and all("|" in call for call in r[5]) for r in vcf_records(vcf)}
    due = exported(scratch / "vcf", "--vcf", vcf, "--vcf-half-call", "missing", "--double-id", "--max-alleles", "2")
    own = imported(scratch / "own", plink2_bgen(vcf, scratch / "made"))
    with bgen_mount(store, "-M", "2", "--phased", "--haploid") as m:
        got = imported(scratch / "bgen", m.base)
    with bgen_mount(store, "-M", "2") as m:
        diploid = imported(scratch / "diploid", m.base)
    assert got.keys() == diploid.keys() == due.keys() == own.keys() and got
    for site, calls in due.items():
        for call, two, of_vcf, of_own in zip(got[site], diploid[site], calls, own[site], strict=True):
            assert unordered(call) == unordered(of_vcf), site
            assert set(unordered(two)) == set(unordered(of_vcf)), site
            assert not phased.get(site) or same_phase(call, of_own), site


# --- errors ----------------------------------------------------------------------------------------------


def test_too_short_strings_name_the_worst_variant():
    done = bgen_refused(helpers.store("longalleles.vcz"), "--total-string-length", "64")
    assert done.returncode == 1
    assert "variant" in done.stderr and "--total-string-length" in done.stderr
    least = int(done.stderr.split("give ")[1].split()[0])
    assert bgen_refused(helpers.store("longalleles.vcz"), "--total-string-length", str(least - 1)).returncode == 1
    with bgen_mount(helpers.store("longalleles.vcz"), "--total-string-length", str(least)) as m:
        exact = m.read(".bgen")
        assert "total-string-length" not in m.log()
    with bgen_mount(helpers.store("longalleles.vcz")) as m:
        assert m.read(".bgen") == exact
        assert m.log().count(f"--total-string-length {least}") == 1


def test_an_invalid_call_fails_its_own_span_only(scratch):
    """Allele 2 in a two-allele record, in one variant of many."""
    store = helpers.mkvcz(
        scratch / "s.vcz", "--samples", "3000", "--variants", "2000", "--chunk-variants", "100", "--cname", "lz4"
    )
    with bgen_mount(store) as m:
        size = m.path(".bgen").stat().st_size
        whole = m.read(".bgen")
        rows = bgen_reader.index_rows(m.path(".bgen.bgi"))
    meta = stores.read_zarray(store / "call_genotype")
    variants, samples, ploidy = meta["chunks"]
    assert variants == 100
    # Chunk 5 (variants 500 to 599) becomes one that holds a 2: stored, not compressed.
    spoiled = bytearray(variants * samples * ploidy)
    spoiled[(50 * samples + 7) * ploidy] = 2
    key = meta.get("dimension_separator", ".").join(["5", "0", "0"])
    (store / "call_genotype" / key).write_bytes(stored_frame(spoiled))
    with bgen_mount(store) as m:
        path = m.path(".bgen")
        assert path.stat().st_size == size
        assert helpers.read_errno(path, rows[550][6], 100) == 5
        assert "variant 550" in m.log()
        for row in (0, 499, 548, 552, 600, 1999):  # (Rows share pages with their neighbours.)
            assert helpers.read_errno(path, rows[row][6], 100) == 0, row
        with helpers.open_fd(path) as fd:
            assert os.pread(fd, rows[600][7], rows[600][6]) == whole[rows[600][6] : rows[601][6]]


def stored_frame(data):
    """A Blosc frame that stores its bytes as they are."""
    return struct.pack("<BBBBIII", 2, 1, 2, 1, len(data), len(data), len(data) + 16) + bytes(data)


# --- the index comes when it is asked for ----------------------------------------------------------------


# With strings this long the index of this many variants may not fit in memory.
LARGE = ["--samples", "4", "--variants", "20000", "--seed", "5"]
LONG = ["--total-string-length", "4000"]


def test_listing_does_not_make_the_index(generated):
    store, _ = generated(*SHAPES["diploid"])
    with bgen_mount(store, "--log-level", "debug") as m:
        assert sorted(os.listdir(m.dir)) == sorted(f"generated{s}" for s in (".bgen", ".bgen.bgi", ".sample"))
        with os.scandir(m.dir) as entries:
            assert all(entry.is_file(follow_symlinks=False) for entry in entries)
        before = helpers.descriptors(m.encoder())
        assert m.path(".bgen.bgi").stat().st_size > 0
        assert not any("vczfs-bgi" in name for name in before.values())
        assert not any("vczfs-bgi" in name for name in helpers.descriptors(m.encoder()).values())
        first = m.read(".bgen.bgi")
        m.kill_encoder()
        helpers.drop_cache(m.path(".bgen.bgi"))
        assert m.read(".bgen.bgi") == first, "what was made once stays"


def test_a_large_index_is_a_file_without_a_name(generated, scratch):
    store, _ = generated(*LARGE)
    temporary = scratch / "tmp"
    temporary.mkdir()
    temporary.chmod(0o777)
    with bgen_mount(store, *LONG, env={"TMPDIR": str(temporary)}) as m:
        reads = []
        done = threading.Event()

        def read_on():
            with helpers.open_fd(m.path(".bgen")) as fd:
                while not done.is_set():
                    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
                    began = time.monotonic()
                    os.pread(fd, 4096, 1 << 20)
                    reads.append(time.monotonic() - began)
                    time.sleep(0.01)

        reader = threading.Thread(target=read_on)
        reader.start()
        try:
            helpers.wait_for(lambda: reads, what="a first read")
            size = m.path(".bgen.bgi").stat().st_size
        finally:
            done.set()
            reader.join()
        assert size > 1 << 19
        assert max(reads) < 5 * helpers.SLOW, "reads have to go on meanwhile"
        assert os.listdir(temporary) == []
        assert any(str(temporary) in name and "(deleted)" in name for name in helpers.descriptors(m.front).values())
        rows = bgen_reader.index_rows(m.path(".bgen.bgi"))
        assert len(rows) == 20000
        header = bgen_reader.read_header(m.path(".bgen").open("rb").read(4096))
        assert [row[6] for row in rows] == [header.end + i * rows[0][7] for i in range(len(rows))]


def test_the_index_outlives_an_encoder_that_died_of_it(generated):
    store, _ = generated(*LARGE)
    with bgen_mount(store) as m:
        found = []
        os.kill(m.encoder(), signal.SIGSTOP)
        looker = threading.Thread(target=lambda: found.append(m.path(".bgen.bgi").stat().st_size))
        looker.start()
        time.sleep(0.2)
        assert not found
        m.kill_encoder()
        looker.join(60 * helpers.SLOW)
        assert found and found[0] > 1 << 19
        assert bgen_reader.index_metadata(m.path(".bgen.bgi"))["file_size"] == m.path(".bgen").stat().st_size


def test_who_looks_for_the_index_can_be_interrupted(generated):
    store, _ = generated(*LARGE)
    with bgen_mount(store) as m:
        encoder = m.encoder()
        os.kill(encoder, signal.SIGSTOP)
        try:
            looker = subprocess.Popen(["stat", m.path(".bgen.bgi")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.3)
            assert looker.poll() is None
            looker.terminate()
            assert looker.wait(10 * helpers.SLOW) == -signal.SIGTERM
        finally:
            os.kill(encoder, signal.SIGCONT)
        assert m.path(".bgen.bgi").stat().st_size > 1 << 19


def test_unmounting_does_not_wait_for_the_index(generated):
    store, _ = generated(*LARGE)
    with bgen_mount(store) as m:
        os.kill(m.encoder(), signal.SIGSTOP)
        looker = subprocess.Popen(["stat", m.path(".bgen.bgi")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.2)
        assert m.stop() == 0
        assert looker.wait(10 * helpers.SLOW) != 0


def test_sqlite3_opens_the_index_in_place():
    with bgen_mount(helpers.store("phased.vcz")) as m:
        done = subprocess.run(
            ["sqlite3", "-readonly", m.path(".bgen.bgi"), "PRAGMA integrity_check; SELECT count(*) FROM Variant;"],
            capture_output=True, text=True, timeout=30 * helpers.SLOW, check=True,
        )  # fmt: skip
        header = bgen_reader.read_header(m.read(".bgen"))
        assert done.stdout.split() == ["ok", str(header.nvariants)]


# --- several formats in one mount ------------------------------------------------------------------------


def test_mount_shows_every_format():
    with helpers.mounted(helpers.store("phased.vcz"), "--phased", "--haploid", verb="mount") as m:
        names = {"phased" + s for s in (".bed", ".bim", ".fam", ".bgen", ".bgen.bgi", ".sample")}
        assert set(os.listdir(m.dir)) == names
        assert m.read(".bgen") == helpers.expected("phased_vcz-bgen", ".bgen")
        for suffix in (".bed", ".bim", ".fam"):
            assert m.read(suffix) == helpers.expected("phased_vcz-plink", suffix)
        m.kill_encoder()
        helpers.drop_cache(m.path(".bgen"))
        assert m.read(".bgen") == helpers.expected("phased_vcz-bgen", ".bgen")
        assert len(bgen_reader.index_rows(m.path(".bgen.bgi"))) > 0


def test_mount_with_formats():
    with helpers.mounted(helpers.store("phased.vcz"), "--formats", "bgen", verb="mount") as m:
        assert set(os.listdir(m.dir)) == {"phased" + s for s in (".bgen", ".bgen.bgi", ".sample")}
    with helpers.mounted(helpers.store("phased.vcz"), "--formats", "bgen,plink", verb="mount") as m:
        assert len(os.listdir(m.dir)) == 6
    done = helpers.refused(helpers.store("phased.vcz"), "--formats", "plink,vcf", verb="mount")
    assert done.returncode == 2 and "vcf" in done.stderr


def test_mount_leaves_out_what_the_store_does_not_allow(scratch):
    """A sample ID with a blank cannot be in a .fam; in a BGEN that names no samples it need not be."""
    store = helpers.copy_store("phased.vcz", scratch)
    with bgen_mount(store) as m:
        names = bgen_reader.read_header(m.read(".bgen")).samples
    stores.write_strings(store / "sample_id", [b"a b", *names[1:]])
    log = scratch / "log"
    nowhere = ["--no-sample-file", "--no-header-samples"]
    with helpers.mounted(store, *nowhere, "--log-file", log, verb="mount") as m:
        assert set(os.listdir(m.dir)) == {"phased.bgen", "phased.bgen.bgi"}
        for told in (m.log(), log.read_text()):
            assert "without the files of plink" in told and "--no-fam" in told
        assert not bgen_reader.read_header(m.read(".bgen")).samples
    done = helpers.refused(store, verb="mount")
    assert done.returncode == 1 and "a b" in done.stderr
    assert "--no-fam" in done.stderr and "--no-header-samples" in done.stderr
    done = helpers.refused(store, *nowhere, "--formats", "plink,bgen", verb="mount")
    assert done.returncode == 1 and "a b" in done.stderr


def mixed_phase_variants(vcf):
    """How many variants have both phased and unphased calls."""
    separators = ({sign for call in calls for sign in "|/" if sign in call} for *_, calls in vcf_records(vcf))
    return sum(len(signs) == 2 for signs in separators)


def test_mixed_phase_is_counted_and_said_once():
    due = mixed_phase_variants(helpers.vcf("biallelic.vcf"))
    assert due > 0
    with bgen_mount(helpers.store("biallelic.vcz"), "--phased") as m:
        m.read(".bgen")
        status = json.loads(helpers.run("status", "--json", m.dir).stdout)
        assert status["encoder"]["counters"]["mixed_phase"] == due
        helpers.wait_for(lambda: "shown without phase" in m.log(), what="the warning")
        m.read(".bgen")
        assert m.log().count("shown without phase") == 1
