# SPDX-License-Identifier: Apache-2.0
"""vczfs and the programs that its users have beside it: stores as they write them, bytes as they make and read them."""

import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess

import pytest

import conftest
import helpers

SAMPLES, VARIANTS = 57, 900
MADE = (f"--samples {SAMPLES} --variants {VARIANTS} --contigs 3 --missing 0.03 --half-missing 0.01 --phased 0.6 "
        "--seed 15").split()
SUFFIXES = {"plink": (".bed", ".bim", ".fam"), "bgen": (".bgen",)}
CONVERSIONS = {
    "v2": ["--variants-chunk-size", "250", "--samples-chunk-size", "20"],
    "v3": ["--zarr-format", "3", "--variants-chunk-size", "400"],
    "defaults": [],
}
SELECTIONS = [
    [],
    ["-r", "{contig}:1-200000"],
    ["-s", "{third},{first}"],
    ["-s", "^{first}", "-i", "AC>3"],
    ["-v", "snps", "-e", "AF<0.1"],
]


def run(*command, **more):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


@pytest.fixture(scope="session")
def vcf(tmp_path_factory):
    """A VCF that is compressed and has an index, and the IDs of its samples."""
    place = tmp_path_factory.mktemp("vcf")
    helpers.mkvcz(place / "source.vcz", *MADE, "--vcf", place / "source.vcf")
    out = place / "source.vcf.gz"
    run("bcftools", "view", "-Oz", "-o", out, place / "source.vcf")
    run("bcftools", "index", out)
    return out, run("bcftools", "query", "-l", out).split()


@pytest.fixture(scope="session", params=CONVERSIONS)
def store(request, venv, vcf, tmp_path_factory):
    """As bio2zarr writes it."""
    out = tmp_path_factory.mktemp("bio2zarr") / "x.vcz"
    run(venv / "vcf2zarr", "convert", "-Q", *CONVERSIONS[request.param], vcf[0], out)
    return out


def words(options, vcf):
    path, samples = vcf
    contig = run("bcftools", "query", "-f", "%CHROM\n", path).split()[0]
    return [word.format(contig=contig, first=samples[0], third=samples[2]) for word in options]


def due(venv, verb, store, options, scratch):
    """{suffix: bytes} that vcztools makes."""
    form = ["--fixed-variant-size"] if verb == "bgen" else []
    run(venv / "vcztools", f"view-{verb}", *form, *options, "-o", scratch / "x", store)
    return {suffix: (scratch / f"x{suffix}").read_bytes() for suffix in SUFFIXES[verb]}


def shown(mount, verb, store, options):
    """{suffix: bytes} that vczfs shows."""
    form = ["--phased", "--haploid"] if verb == "bgen" else []
    with mount(store, *form, *options, verb=f"mount-{verb}") as m:
        return {suffix: m.read(suffix) for suffix in SUFFIXES[verb]}


@pytest.mark.parametrize("options", SELECTIONS, ids=" ".join)
@pytest.mark.parametrize("verb", SUFFIXES)
def test_bytes_are_those_of_vcztools(verb, options, store, venv, vcf, mount, scratch):
    options = words(options, vcf)
    assert shown(mount, verb, store, options) == due(venv, verb, store, options, scratch)


def test_check_finds_nothing_wrong(store):
    assert helpers.run("info", "--check", store).returncode == 0


@contextlib.contextmanager
def biofuse(venv, verb, store, directory):
    """A mount of the reference's, which ends on SIGINT."""
    directory.mkdir()
    process = subprocess.Popen([venv / "biofuse", f"mount-{verb}", store, directory], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        helpers.wait_for(lambda: process.poll() is not None or os.listdir(directory), 60, "biofuse to mount")
        assert process.poll() is None, process.stdout.read()
        yield directory
    finally:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)
        process.kill()
        process.wait()
        helpers.force_unmount(directory)


@pytest.mark.parametrize("verb", SUFFIXES)
def test_bytes_are_those_of_biofuse(verb, venv, vcf, mount, scratch):
    store = scratch / "x.vcz"
    run(venv / "vcf2zarr", "convert", "-Q", vcf[0], store)
    ours = shown(mount, verb, store, [])
    with biofuse(venv, verb, store, scratch / "theirs") as theirs:
        for suffix in SUFFIXES[verb]:
            (path,) = [name for name in theirs.iterdir() if name.suffix == suffix]
            assert path.read_bytes() == ours[suffix], suffix


def genotypes(vcf):
    """ALT alleles of each call, a row a variant; -1: missing, also by half."""
    def count(call):
        alleles = call.replace("|", "/").split("/")
        return -1 if "." in alleles else sum(map(int, alleles)) * 2 // len(alleles)
    rows = run("bcftools", "query", "-f", "[%GT\t]\n", vcf).splitlines()
    return [[count(call) for call in row.split()] for row in rows]


READERS = {
    "bed-reader": """
import sys, json, bed_reader, numpy
bed = bed_reader.open_bed(sys.argv[1] + ".bed", count_A1=True)
values = bed.read(dtype="int8").T
print(json.dumps(numpy.where(values == -127, -1, values).tolist()))
""",
    "pgenlib": """
import sys, json, numpy, pgenlib
reader = pgenlib.PgenReader((sys.argv[1] + ".bed").encode(), raw_sample_ct=int(sys.argv[2]))
out = numpy.empty((reader.get_variant_ct(), int(sys.argv[2])), numpy.int8)
reader.read_range(0, reader.get_variant_ct(), out)
print(json.dumps(numpy.where(out == -9, -1, out).tolist()))
""",
    "bgen": """
import sys, json, bgen, numpy
rows = []
for variant in bgen.BgenReader(sys.argv[1] + ".bgen", delay_parsing=True):
    p = variant.probabilities
    rows.append([-1 if numpy.isnan(row[0]) else int(round(row[1] + 2 * row[2])) for row in p])
print(json.dumps(rows))
""",
}


@pytest.mark.parametrize("reader", READERS)
def test_others_read_what_we_show(reader, venv, vcf, mount, scratch):
    store = scratch / "x.vcz"
    run(venv / "vcf2zarr", "convert", "-Q", vcf[0], store)
    with mount(store, verb="mount") as m:
        said = run(venv / "python", "-c", READERS[reader], m.dir / "x", SAMPLES)
    assert json.loads(said) == genotypes(vcf[0])


def test_store_that_vczstore_appends_to(venv, vcf, mount, scratch):
    """Created, appended to twice; each time the whole is what vcztools makes of it."""
    path, samples = vcf
    parts = []
    for number, chosen in enumerate((samples[:20], samples[20:])):
        part = scratch / f"{number}.vcf.gz"
        run("bcftools", "view", "-Oz", "-o", part, "-I", "-s", ",".join(chosen), path)
        run("bcftools", "index", part)
        parts.append(scratch / f"{number}.vcz")
        run(venv / "vcf2zarr", "convert", "-Q", part, parts[-1])
    whole = parts[0]
    assert len(shown(mount, "plink", whole, [])[".fam"].splitlines()) == 20
    run(venv / "vczstore", "append", whole, parts[1])
    assert shown(mount, "plink", whole, []) == due(venv, "plink", whole, [], scratch)
    assert len(shown(mount, "plink", whole, [])[".fam"].splitlines()) == SAMPLES


RECODE = """
import sys, json, pathlib, shutil, zarr, numpy
source, out, how = sys.argv[1:]
shutil.copytree(source, out)
shutil.rmtree(pathlib.Path(out) / "call_genotype")
old = zarr.open(source, mode="r")["call_genotype"]
group = zarr.open(out, mode="r+")
codecs = {
    "zstd": dict(compressors=[zarr.codecs.ZstdCodec(level=3)]),
    "gzip": dict(compressors=[zarr.codecs.GzipCodec(level=1)]),
    "stored": dict(compressors=None),
    "sharded": dict(shards=(600, 60), chunks=(100, 20, 2)),
    "crc32c": dict(compressors=[zarr.codecs.ZstdCodec(), zarr.codecs.Crc32cCodec()]),
}[how]
chunks = codecs.pop("chunks", (123, 31, 2))
shards = codecs.pop("shards", None)
new = group.create_array("call_genotype", shape=old.shape, dtype="int16", chunks=chunks, fill_value=-1,
    shards=None if shards is None else (*shards, 2), dimension_names=("variants", "samples", "ploidy"), **codecs)
new[:] = old[:]
"""


@pytest.mark.parametrize("how", ["zstd", "gzip", "stored", "sharded", "crc32c"])
def test_genotypes_that_zarr_python_writes(how, venv, vcf, mount, scratch):
    run(venv / "vcf2zarr", "convert", "-Q", "--zarr-format", "3", vcf[0], scratch / "x.vcz")
    due_bed = shown(mount, "plink", scratch / "x.vcz", [])[".bed"]
    run(venv / "python", "-c", RECODE, scratch / "x.vcz", scratch / "again.vcz", how)
    assert shown(mount, "plink", scratch / "again.vcz", [])[".bed"] == due_bed


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def status_of(port, path):
    """The HTTP status that a server of ours on this machine answers with; None until it answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()


@pytest.mark.parametrize("server, path, status", [("versitygw", "/", 403), ("toxiproxy-server", "/version", 200)])
def test_servers_start(server, path, status, go, scratch):
    """What stores that are far away will be tested with: an S3 server that checks signatures, and a slow line."""
    port = free_port()
    words = {
        "versitygw": ["--access", "key", "--secret", "word", "--port", f"127.0.0.1:{port}", "posix", scratch],
        "toxiproxy-server": ["-host", "127.0.0.1", "-port", port],
    }[server]
    process = subprocess.Popen([go / server, *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert helpers.wait_for(lambda: process.poll() is not None or status_of(port, path), 30) == status
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("suite", ["bookworm", "trixie"] + (["sid"] if helpers.SOAK else []))
def test_builds_and_works_in_a_bare_debian(suite):
    command = ["sh", helpers.ROOT / "tests/world/root.sh", suite, conftest.WORLD, helpers.ROOT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 77:
        pytest.skip(done.stdout.strip().splitlines()[-1])
    assert done.returncode == 0, done.stdout + done.stderr


def program_at_hand(name):
    """A program of no registry: VCZFS_NAME is the path of a build."""
    variable = f"VCZFS_{name.upper()}"
    if variable not in os.environ:
        pytest.skip(f"{name} is in no registry: set {variable} to a build of it")
    return os.environ[variable]


# Asked for before anything is made for them.
@pytest.fixture
def regenie():
    return program_at_hand("regenie")


@pytest.fixture
def gcta():
    return program_at_hand("gcta")


@pytest.fixture
def saige():
    return pathlib.Path(program_at_hand("saige"))


def frequencies(rows):
    """ALT frequency of each variant from its genotypes."""
    called = [[count for count in row if count >= 0] for row in rows]
    return [sum(row) / (2 * len(row)) for row in called]


def table(path):
    """Rows of a file with a header, as {column: word}."""
    header, *rows = [line.split() for line in path.read_text().splitlines()]
    return [dict(zip(header, row)) for row in rows]


@pytest.fixture
def cohort(venv, vcf, scratch):
    """(store, phenotype file, {"1:1234": ALT frequency}) as these programs call sites."""
    store = scratch / "x.vcz"
    run(venv / "vcf2zarr", "convert", "-Q", vcf[0], store)
    lines = [f"{sample} {sample} {(7 * number) % 11}" for number, sample in enumerate(vcf[1])]
    (scratch / "pheno").write_text("\n".join(["FID IID y", *lines, ""]))
    sites = run("bcftools", "query", "-f", "%CHROM:%POS\n", vcf[0]).replace("chr", "").split()
    return store, scratch / "pheno", dict(zip(sites, frequencies(genotypes(vcf[0]))))


def assert_frequencies(rows, site, frequency, due_at):
    """Each of the rows has that of the VCF in column `frequency`; `site` names a row's site."""
    assert len(rows) > len(due_at) / 2
    for row in rows:
        assert float(row[frequency]) == pytest.approx(due_at[site(row)], abs=1e-4), row


def sources(m, bed, bgen, sample):
    """What a program is given for each of the two, by its names for these options."""
    return {"bed": [bed, m.dir / "x"], "bgen": [bgen, m.path(".bgen"), sample, m.path(".sample")]}


@pytest.mark.parametrize("form, more", [("bed", []), ("bgen", ["--ref-first"])], ids=["bed", "bgen"])
def test_regenie_step_2(form, more, regenie, cohort, mount, scratch):
    store, pheno, due_at = cohort
    with mount(store, verb="mount") as m:
        source = sources(m, "--bed", "--bgen", "--sample")[form]
        run(regenie, "--step", "2", *source, *more, "--phenoFile", pheno, "--bsize", "100", "--ignore-pred", "--qt",
            "--minMAC", "0.5", "--out", scratch / "out", cwd=scratch)  # fmt: skip
    rows = table(scratch / "out_y.regenie")
    assert_frequencies(rows, lambda row: f"{row['CHROM']}:{row['GENPOS']}", "A1FREQ", due_at)


@pytest.mark.parametrize("form", ["bed", "bgen"])
def test_gcta_freq(form, gcta, cohort, mount, scratch):
    """Its A1 is the .bim's first allele, which is ALT, and the .bgen's first, which is REF."""
    store, _, due_at = cohort
    with mount(store, verb="mount") as m:
        source = sources(m, "--bfile", "--bgen", "--sample")[form]
        run(gcta, *source, "--freq", "--out", scratch / "out", cwd=scratch)
    rows = table(scratch / "out.frq")
    if form == "bgen":
        due_at = {site: 1 - frequency for site, frequency in due_at.items()}
    assert_frequencies(rows, lambda row: f"{row['CHR'].removeprefix('chr')}:{row['POS']}", "AF", due_at)


@pytest.mark.parametrize("form", ["bed", "bgen"])
def test_saige(form, saige, cohort, mount, scratch):
    """VCZFS_SAIGE is the folder of its scripts; Rscript finds the package (R_LIBS). Both steps, without LOCO."""
    store, pheno, due_at = cohort
    with mount(store, verb="mount") as m:
        run("Rscript", saige / "step1_fitNULLGLMM.R", f"--plinkFile={m.dir / 'x'}", f"--phenoFile={pheno}", "--phenoCol=y",
            "--sampleIDColinphenoFile=IID", "--traitType=quantitative", "--LOCO=FALSE", f"--outputPrefix={scratch / 'null'}",
            cwd=scratch)  # fmt: skip
        source = {
            "bed": [f"--{kind}File={m.path(f'.{kind}')}" for kind in ("bed", "bim", "fam")],
            "bgen": [f"--bgenFile={m.path('.bgen')}", f"--bgenFileIndex={m.path('.bgen')}.bgi",
                     f"--sampleFile={m.path('.sample')}", "--AlleleOrder=ref-first"],
        }[form]  # fmt: skip
        run("Rscript", saige / "step2_SPAtests.R", *source, f"--GMMATmodelFile={scratch / 'null.rda'}", "--LOCO=FALSE",
            f"--varianceRatioFile={scratch / 'null.varianceRatio.txt'}", "--impute_method=mean", "--dosage_zerod_cutoff=0",
            f"--SAIGEOutputFile={scratch / 'out'}", cwd=scratch)  # fmt: skip
    rows = table(scratch / "out")  # where the mean in place of what is missing leaves the frequency as it is
    assert_frequencies(rows, lambda row: f"{row['CHR'].removeprefix('chr')}:{row['POS']}", "AF_Allele2", due_at)
