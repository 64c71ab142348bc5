# SPDX-License-Identifier: Apache-2.0
"""Chunks that are not stored: taken for their fill value where they can be it, an error where they cannot."""

import errno
import json
import os
import re
import shutil
import struct
import subprocess
import zipfile

import helpers
import pytest

FILL = ("--absent-chunks", "fill")
NV, NS, CV, CS = 12, 6, 4, 2  # variants and samples of a made store, and of its chunks


def put_array(store, name, dtype, shape, chunks, values, fill=0):
    """An uncompressed Zarr v2 array; values in C order (bytes for strings)."""
    array = store / name
    array.mkdir()
    meta = {"zarr_format": 2, "shape": shape, "chunks": chunks, "dtype": dtype, "compressor": None, "order": "C",
            "fill_value": fill, "filters": [{"id": "vlen-utf8"}] if dtype == "|O" else None}
    (array / ".zarray").write_text(json.dumps(meta))
    shape, chunks = shape + [1] * (3 - len(shape)), chunks + [1] * (3 - len(chunks))
    counts = [-(-n // c) for n, c in zip(shape, chunks)]
    for number in range(counts[0] * counts[1] * counts[2]):
        at = number // (counts[1] * counts[2]), number // counts[2] % counts[1], number % counts[2]
        data = []
        for i in range(chunks[0] * chunks[1] * chunks[2]):
            place = i // (chunks[1] * chunks[2]), i // chunks[2] % chunks[1], i % chunks[2]
            x, y, z = (a * c + p for a, c, p in zip(at, chunks, place))
            inside = x < shape[0] and y < shape[1] and z < shape[2]
            data.append(values[(x * shape[1] + y) * shape[2] + z] if inside else ("" if dtype == "|O" else 0))
        (array / ".".join(map(str, at[:len(meta["shape"])]))).write_bytes(encode(dtype, data))


def encode(dtype, data):
    if dtype == "|O":
        texts = [text.encode() for text in data]
        return struct.pack("<I", len(texts)) + b"".join(struct.pack("<I", len(t)) + t for t in texts)
    return struct.pack(f"<{len(data)}{ {'|i1': 'b', '<i4': 'i', '<f4': 'f'}[dtype]}", *data)


def made(place, calls, contigs=(0,) * NV, counts="ACAN", stale=0):
    """A store of NV variants and NS samples; calls[v][s]: allele 1's in the call. `stale` is added to each AC and AN."""
    store = place / "s.vcz"
    store.mkdir()
    (store / ".zgroup").write_text('{"zarr_format": 2}')
    (store / ".zattrs").write_text('{"vcf_zarr_version": "0.4"}')
    alleles = [(0, 0), (0, 1), (1, 1)]
    put_array(store, "call_genotype", "|i1", [NV, NS, 2], [CV, CS, 2],
              [a for row in calls for call in row for a in alleles[call]])
    put_array(store, "variant_position", "<i4", [NV], [CV], [10 * (v + 1) for v in range(NV)])
    put_array(store, "variant_contig", "|i1", [NV], [CV], list(contigs))
    put_array(store, "variant_allele", "|O", [NV, 2], [CV, 2], ["A", "C"] * NV, fill="")
    put_array(store, "variant_id", "|O", [NV], [CV], [f"r{v}" for v in range(NV)], fill="")
    put_array(store, "variant_length", "<i4", [NV], [CV], [1] * NV)
    put_array(store, "sample_id", "|O", [NS], [NS], [f"S{s}" for s in range(NS)], fill="")
    put_array(store, "contig_id", "|O", [3], [3], ["chr1", "chr2", "chr3"], fill="")
    if "AC" in counts:
        put_array(store, "variant_AC", "|i1", [NV, 1], [CV, 1], [sum(row) + stale for row in calls])
    if "AN" in counts:
        put_array(store, "variant_AN", "|i1", [NV], [CV], [2 * NS + stale] * NV)
    if "AF" in counts:
        put_array(store, "variant_AF", "<f4", [NV, 1], [CV, 1], [sum(row) / (2 * NS) for row in calls])
    return store


def all_kinds():
    """Every chunk of genotypes has an ALT."""
    return [[(v + s) % 3 for s in range(NS)] for v in range(NV)]


def with_ref(chunks):
    """The same, but all hom-ref in these chunks (v, s)."""
    return [[0 if (v // CV, s // CS) in chunks else call for s, call in enumerate(row)]
            for v, row in enumerate(all_kinds())]


def leave_out_zeroes(store):
    """As zarr-python 3.1 writes: no chunk that is nothing but zero bytes."""
    for path in store.rglob("*"):
        if path.is_file() and not path.name.startswith(".") and not any(path.read_bytes()):
            path.unlink()


def check(store, *options):
    done = helpers.run("info", "--check", "--json", *options, store)
    report = json.loads(done.stdout)
    assert done.returncode == (1 if report["nproblems"] else 0)
    return report


def bed_of(store, mount, *options):
    with mount(store, *options) as m:
        return m.read(".bed"), m.log()


def assert_refused(store, refused, said, mount):
    """By mount, info (not possible, whichever the program) and the check; and with fill it mounts."""
    assert re.search(said, refused(store).stderr)
    info = helpers.run("info", store)
    assert info.returncode == 0 and "not possible" in info.stdout and re.search(said, info.stdout)
    program = helpers.run("info", "--for", "plink2", store)
    assert program.stdout.startswith("does not get .bed") and re.search(said, program.stdout)
    assert check(store)["nproblems"] > 0
    bed_of(store, mount, *FILL)


# --- what writers mean ----------------------------------------------------------------------------------------------

LEGAL = {
    "a chunk of REF": [(1, 1)],
    "a row of REF": [(1, 0), (1, 1), (1, 2)],
    "the last row of REF": [(2, 0), (2, 1), (2, 2)],
    "two of three": [(0, 0), (0, 2)],
    "a whole column, counted": [(0, 1), (1, 1), (2, 1)],
    "the last column, counted": [(0, 2), (1, 2), (2, 2)],
}


@pytest.mark.parametrize("chunks", LEGAL.values(), ids=LEGAL)
@pytest.mark.parametrize("zipped", [False, True], ids=["directory", "zip"])
def test_as_some_writers_write(chunks, zipped, mount, scratch):
    """The same bytes as with every chunk stored, and no more than a remark with the count."""
    store = made(scratch, with_ref(chunks))
    due, log = bed_of(store, mount)
    assert "not stored" not in log
    leave_out_zeroes(store)
    assert not (store / "variant_contig/0").exists()
    if zipped:
        archive = scratch / "s.zip"
        with zipfile.ZipFile(archive, "w") as z:
            for path in store.rglob("*"):
                z.write(path, path.relative_to(store))
        store = archive
    bed, log = bed_of(store, mount)
    assert bed == due
    assert f"{len(chunks)} of 9 chunks of call_genotype are not stored" in log
    report = check(store)
    assert report["nproblems"] == 0
    assert any(f"{len(chunks)} of 9 chunks are not stored" in remark["message"] for remark in report["remarks"])
    assert not any("another value" in remark["message"] for remark in report["remarks"])


@pytest.mark.parametrize("stale", [1, 5])
def test_stale_counts_are_no_evidence(stale, mount, scratch):
    """Those of a VCF with more samples, say: they differ where nothing is absent, too."""
    store = made(scratch, with_ref([(1, 1)]), stale=stale)
    due, _ = bed_of(store, mount)
    leave_out_zeroes(store)
    assert bed_of(store, mount)[0] == due
    report = check(store)
    assert report["nproblems"] == 0
    assert {"variant_AC", "variant_AN"} <= {remark["array"] for remark in report["remarks"]}
    assert any("12 variants have another value" in remark["message"] for remark in report["remarks"])


# --- what cannot be -------------------------------------------------------------------------------------------------

CONTRADICTED = {
    "position": ("variant_position/1", "variant_position/1 is not stored"),
    "first position": ("variant_position/0", "variant_position/0 is not stored"),
    "alleles": ("variant_allele/2.0", "variant_allele/2.0 is not stored"),
    "a chunk": ("call_genotype/1.1.0", "call_genotype: chunk 1 along the variants"),
    "the last chunk": ("call_genotype/2.2.0", "call_genotype: chunk 2 along the variants"),
}


@pytest.mark.parametrize("key, said", CONTRADICTED.values(), ids=CONTRADICTED)
@pytest.mark.parametrize("counts", ["ACAN", "AF"])
def test_lost_chunk(key, said, counts, mount, refused, scratch):
    store = made(scratch, all_kinds(), counts=counts)
    (store / key).unlink()
    if counts == "AF" and key.startswith("call_"):
        assert said in refused(store).stderr  # the check counts only what is a count
    else:
        assert_refused(store, refused, said, mount)


def test_a_ref_that_is_the_fill_value(mount, scratch):
    """Shown, if the user wants it so, as an allele that is not known; plink2 reads it."""
    store = made(scratch, all_kinds())
    (store / "variant_allele/2.0").unlink()
    with mount(store, *FILL, verb="mount") as m:
        rows = [line.split() for line in m.read(".bim").decode().splitlines()]
        assert [row[4:] for row in rows[-4:]] == [[".", "."]] * 4 and "." not in rows[0][4:]
        done = subprocess.run(["plink2", "--bfile", m.dir / "s", "--freq", "--out", scratch / "out"], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        assert len(m.read(".bgen")) > 0
    with mount(store, *FILL, "-i", 'REF="."') as m:  # what is shown is what an expression sees
        assert len(m.read(".bim").splitlines()) == 4


@pytest.mark.parametrize("stale", [0, 3])
def test_lost_row(stale, mount, refused, scratch):
    """Of variants of whom nobody's genotypes are there, a stored AC > 0 is a contradiction, even if others are stale."""
    store = made(scratch, all_kinds(), stale=stale)
    for s in range(3):
        (store / f"call_genotype/1.{s}.0").unlink()
    assert_refused(store, refused, "call_genotype: chunk 1 along the variants", mount)


def test_lost_chunk_without_evidence(mount, scratch):
    """Nothing is known: said, with the count."""
    store = made(scratch, all_kinds(), counts="")
    (store / "call_genotype/1.1.0").unlink()
    assert "1 of 9 chunks of call_genotype are not stored" in bed_of(store, mount)[1]


def test_contigs(mount, refused, scratch):
    """An absent chunk is the first contig: held against the order of contigs, or the region_index."""
    def lost(contigs, chunk, index=None):
        place = scratch / f"{len(os.listdir(scratch))}"
        place.mkdir()
        store = made(place, all_kinds(), [c for c in contigs for _ in range(CV)])
        (store / f"variant_contig/{chunk}").unlink()
        if index is not None:
            rows = [[c, on, 40 * c + 10, 40 * c + 40, 40 * c + 40, CV] for c, on in enumerate(index)]
            put_array(store, "region_index", "<i4", [len(rows), 6], [3, 6], [x for row in rows for x in row])
        return store

    for contigs, chunk, index in [((0, 0, 1), 0, None), ((0, 0, 1), 1, None), ((0, 0, 0), 2, None),
                                  ((0, 1, 2), 0, (0, 1, 2)), ((1, 0, 2), 1, (1, 0, 2)), ((0, 0, 0), 0, (0, 0))]:
        with mount(lost(contigs, chunk, index)) as m:
            assert m.read(".bim").split(b"\n")[4 * chunk].startswith((b"chr1\t", b"1\t"))
    for contigs, chunk, index, said in [((0, 1, 1), 1, (0, 1, 1), "region_index"), ((2, 2, 2), 0, (2, 2, 2), "region_index"),
                                        ((0, 1, 1), 2, None, "another|cannot be"), ((0, 1, 2), 1, (0, 1, 2), "region_index")]:
        assert_refused(lost(contigs, chunk, index), refused, f"variant_contig/{chunk} is not stored.*({said})", mount)


def test_ids_and_lengths(mount, refused, scratch):
    store = made(scratch, all_kinds())
    (store / "variant_length/1").unlink()
    bed_of(store, mount)
    said = refused(store, "-r", "chr1:1-100").stderr
    assert "variant_length is not stored" in said and said.count(str(store)) == 1
    bed_of(store, mount, "-r", "chr1:1-100", *FILL)
    (store / "variant_id/2").unlink()
    bed_of(store, mount)
    put_array(store, "variant_id_mask", "|i1", [NV], [CV], [0] * NV)
    assert "variant_id/2 is not stored" in refused(store).stderr
    put = store / "variant_id_mask/2"
    put.write_bytes(b"\1" * CV)
    bed_of(store, mount)


# --- an append that died --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("counts", ["", "AC", "ACAN"])
@pytest.mark.parametrize("column", [1, 2])
def test_died_append(column, counts, mount, refused, scratch):
    """The IDs are written first. That the old counts agree with the new samples all REF is no proof: none is counted
    as called."""
    store = made(scratch, with_ref([(v, column) for v in range(3)]), counts=counts)
    if counts == "ACAN":
        for path in (store / "variant_AN").glob("[0-9]*"):
            path.write_bytes(bytes([2 * NS - 2 * CS]) * CV)
    for path in (store / "call_genotype").glob(f"*.{column}.0"):
        path.unlink()
    said = f"no genotypes are stored of 2 samples \\('S{2 * column}', 'S{2 * column + 1}'\\)"
    assert_refused(store, refused, said, mount)
    with mount(store, "-s", f"^S{2 * column},S{2 * column + 1}") as m:
        assert len(m.read(".fam").splitlines()) == 4


@pytest.mark.parametrize("counts", ["", "ACAN"])
def test_nobody_has_genotypes(counts, mount, refused, scratch):
    """Of several columns not one has a chunk: only a store that counts no ALT means it."""
    store = made(scratch, [[0] * NS] * NV, counts=counts)
    leave_out_zeroes(store)
    if counts:
        assert bed_of(store, mount)[0] == b"\x6c\x1b\x01" + b"\xff\x0f" * NV
    else:
        assert f"no genotypes are stored of {NS} samples" in refused(store).stderr
        bed_of(store, mount, *FILL)


def test_one_column_cannot_be_judged(mount, scratch):
    store = made(scratch, all_kinds(), counts="")
    shutil.rmtree(store / "call_genotype")
    put_array(store, "call_genotype", "|i1", [NV, NS, 2], [CV, NS, 2], [0] * (NV * NS * 2))
    leave_out_zeroes(store)
    assert "3 of 3 chunks of call_genotype are not stored" in bed_of(store, mount)[1]


# --- not looked at before -------------------------------------------------------------------------------------------


def many_chunks(scratch):
    """More genotype chunks than are looked at when a directory is mounted: 10000 of one variant and one sample."""
    variants, samples = 2500, 4
    store = made(scratch, all_kinds())
    for name in ["call_genotype", "variant_position", "variant_contig", "variant_allele", "variant_id", "sample_id",
                 "variant_AC", "variant_AN", "variant_length"]:
        shutil.rmtree(store / name)
    put_array(store, "sample_id", "|O", [samples], [samples], ["a", "b", "c", "d"], fill="")
    put_array(store, "variant_position", "<i4", [variants], [variants], list(range(1, variants + 1)))
    put_array(store, "variant_contig", "|i1", [variants], [variants], [0] * variants)
    put_array(store, "variant_allele", "|O", [variants, 2], [variants, 2], ["A", "C"] * variants, fill="")
    put_array(store, "call_genotype", "|i1", [variants, samples, 2], [1, 1, 2], [0, 1] * (variants * samples))
    put_array(store, "variant_AC", "|i1", [variants, 1], [variants, 1], [samples] * variants)
    return store


def test_check_of_a_store_that_lost_nearly_all(scratch):
    """A copy that died early: so little is left that its counts are not compared chunk by chunk. It is no good all the same."""
    store = many_chunks(scratch)
    assert helpers.run("info", "--check", store).returncode == 0
    for chunk in (store / "call_genotype").iterdir():
        if chunk.name[0].isdigit() and int(chunk.name.split(".")[0]) >= 100:
            chunk.unlink()
    done = helpers.run("info", "--check", store)
    assert done.returncode == 1 and "call_genotype" in done.stdout, done.stdout


def test_check_where_no_contig_is_stored(scratch):
    """One chromosome, whose number is 0: none of its chunks need be there. Sites are looked at all the same."""
    variants = 4100
    store = made(scratch, all_kinds())
    for path in [*store.glob("variant_*"), *store.glob("call_*")]:
        shutil.rmtree(path)
    positions = [2, 1, *range(3, variants + 1)]
    put_array(store, "variant_position", "<i4", [variants], [1000], positions)
    put_array(store, "variant_contig", "|i1", [variants], [1], [0] * variants)
    put_array(store, "variant_allele", "|O", [variants, 2], [1000, 2], ["A", "C"] * variants, fill="")
    put_array(store, "call_genotype", "|i1", [variants, NS, 2], [1000, NS, 2], [0, 1] * (variants * NS))
    for chunk in (store / "variant_contig").glob("[0-9]*"):
        chunk.unlink()
    report = helpers.run("info", "--check", store).stdout
    assert "next to nothing is stored" not in report and "not sorted" in report, report


@pytest.mark.parametrize("form", ["plink", "bgen"])
def test_judged_when_it_is_read(form, mount, scratch):
    """EIO where a lost chunk has a part in what is read, and the log names it."""
    store = many_chunks(scratch)
    with mount(store) as m:
        due = m.read(".bed")
    (store / "call_genotype/2000.2.0").unlink()
    suffix = {"plink": ".bed", "bgen": ".bgen"}[form]
    with mount(store, verb=f"mount-{form}") as m:
        path = m.path(suffix)
        size = path.stat().st_size
        row = (size - (3 if form == "plink" else 0)) // 2500
        first = 3 + 2000 if form == "plink" else size - row * 500
        assert helpers.read_errno(path, first, 1) == errno.EIO
        helpers.wait_for(lambda: "call_genotype: chunk 2000 along the variants" in m.log(), 10)
    assert helpers.run("info", "--check", store).returncode == 1
    with mount(store, *FILL) as m:
        assert m.read(".bed")[:2003] == due[:2003]


def test_an_expression_reads_it(refused, scratch):
    """A filter that counts genotypes is no way around it."""
    store = many_chunks(scratch)
    (store / "call_genotype/2000.2.0").unlink()
    assert "call_genotype: chunk 2000 along the variants" in refused(store, "-i", "N_PASS(GT='het')>2").stderr


# --- shards, vectors, options ---------------------------------------------------------------------------------------


def test_a_chunk_in_a_shard(mount, refused, scratch):
    """Its entry in the shard's index says that it is not there: the same as a file that is not there."""
    copy = helpers.copy_store("v3_sharded.vcz", scratch)
    place = copy / "call_genotype/zarr.json"
    meta = json.loads(place.read_text())
    sharding = meta["codecs"][0]["configuration"]
    shard, inner = meta["chunk_grid"]["configuration"]["chunk_shape"], sharding["chunk_shape"]
    entries = [s // i for s, i in zip(shard, inner)]
    row = 16 * entries[1] * entries[2]
    assert entries[0] > 1 and sharding["index_codecs"][-1]["name"] == "crc32c"
    sharding["index_codecs"].pop()
    place.write_text(json.dumps(meta))
    for path in [path for path in (copy / "call_genotype/c").rglob("*") if path.is_file()]:
        data = bytearray(path.read_bytes()[:-4])
        if path.relative_to(copy / "call_genotype/c").parts[0] == "0":
            index = len(data) - row * entries[0]
            data[index:index + row] = b"\xff" * row  # the first row of chunks in the shard
        path.write_bytes(data)
    assert_refused(copy, refused, "call_genotype: chunk 0 along the variants", mount)


def test_the_vector_is_refused(refused):
    assert "call_genotype: chunk 1 along the variants" in refused(helpers.store("missing_chunks.vcz")).stderr
    done = helpers.run("info", "--check", helpers.store("missing_chunks.vcz"))
    assert done.returncode == 1 and "chunks that are not stored cannot be what they read as" in done.stdout
    filled = helpers.run("info", "--check", *FILL, helpers.store("missing_chunks.vcz"))
    assert filled.returncode == 0 and "problems  none" in filled.stdout


def test_the_option(refused):
    done = refused(helpers.store("small.vcz"), "--absent-chunks", "zero")
    assert done.returncode == 2 and "error or fill" in done.stderr
