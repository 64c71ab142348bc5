# SPDX-License-Identifier: Apache-2.0
"""
What is legal and absurd in a store costs the encoder no more memory than --memory and a constant: each parser is given
far more of something than any store has, and the peak of all processes is watched.
"""

import array
import gzip
import math
import os
import resource
import shutil
import struct
import subprocess
import sys
import zipfile
import zlib

import pytest

import helpers
import stores

MEMORY = 16  # MiB, the least
# What a program takes that does nothing, its libraries, and the interpreter that measures.
REST = 24
NBYTES = 6 << 20  # of absurd text

MEASURE = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL).returncode
print("PEAK", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, file=sys.stderr)
sys.exit(status)
"""


def peak_of(store, *options):
    """(The finished process of info, the peak in MiB of it and the encoder.)"""
    line = [helpers.VCZFS, "info", f"--memory={MEMORY}M", *options, store]
    done = subprocess.run(
        # A small process starts it: what a child takes between fork and exec counts as well.
        [sys.executable, "-S", "-E", "-c", MEASURE, *map(str, line)],
        capture_output=True,
        text=True,
        timeout=60 * helpers.SLOW,
        check=False,
    )
    text, _, peak = done.stderr.rpartition("PEAK ")
    helpers.assert_clean(text)
    return done.returncode, done.stdout + text, int(peak)


def absurd(nbytes):
    """Members of an object, as text, of about so many bytes."""
    return {
        "one long string": f'"junk":"{"x" * nbytes}"',
        "empty lists": '"junk":[%s]' % ",".join(["[]"] * (nbytes // 3)),
        "empty objects": '"junk":[%s]' % ",".join(["{}"] * (nbytes // 3)),
        "members": ",".join('"k%d":0' % i for i in range(nbytes // 12)),
        "no numbers": '"junk":[%s]' % ",".join(["NaN"] * (nbytes // 4)),
        "halves of pairs": '"junk":[%s]' % ",".join([r'"\ud800"'] * (nbytes // 9)),
        "lists in lists": '"junk":[%s]' % ",".join(["[" * 1000 + "]" * 1000] * (nbytes // 2001)),
        "blanks": '"junk":"",%s"more":""' % (" " * nbytes),
        "lines": '"junk":"",%s"more":""' % ("\n" * (nbytes // 8)),
    }


def add_text(path, members):
    text = path.read_text().rstrip()[:-1].rstrip()
    path.write_text(text + ("" if text.endswith("{") else ",") + members + "}")


def within(peak):
    assert helpers.SANITIZED or peak <= MEMORY + REST, f"{peak} MiB"


@pytest.mark.parametrize("shape", absurd(0))
@pytest.mark.parametrize("place", [".zattrs", "call_genotype/.zattrs", ".zmetadata", "zarr.json"])
def test_attributes(place, shape, scratch):
    """They are the writer's own: whatever they are, the store is read."""
    version = 3 if place == "zarr.json" else 2
    store = helpers.mkvcz(scratch / "a.vcz", "--variants", 100, "--samples", 10, "--zarr", version)
    members = absurd(NBYTES)[shape]
    path = store / place
    if place == ".zmetadata":
        path.write_text('{"metadata":{".zattrs":{%s}},"zarr_consolidated_format":1}' % members)
    elif place == "zarr.json":
        path.write_text(path.read_text().replace('"attributes": {', '"attributes": {%s,' % members, 1))
        assert "attributes" in path.read_text() and path.stat().st_size > NBYTES / 16
    else:
        add_text(path, members)
    status, text, peak = peak_of(store)
    assert (status, "samples    10" in text) == (0, True), text
    within(peak)


@pytest.mark.parametrize("shape", absurd(0))
@pytest.mark.parametrize("place", ["call_genotype/.zarray", ".zmetadata", "contigs"])
def test_metadata_that_is_needed(place, shape, scratch):
    """No store has so much of it: it is refused where it cannot be left out."""
    store = helpers.mkvcz(scratch / "a.vcz", "--variants", 100, "--samples", 10)
    members = absurd(NBYTES)[shape]
    if place == "contigs":
        add_text(store / ".zattrs", '"contigs":{%s}' % members)
    elif place == ".zmetadata":
        (store / place).write_text('{"metadata":{%s},"zarr_consolidated_format":1}' % members)
    else:
        add_text(store / place, members)
    status, text, peak = peak_of(store)
    assert status == 0 or "metadata would take more than 8 MiB" in text, text
    within(peak)


def test_a_vcf_header_of_megabytes(mount, scratch):
    store = helpers.mkvcz(scratch / "a.vcz", "--variants", 100, "--samples", 10)
    helpers.edit_json(store / ".zattrs", lambda attrs: attrs.update(vcf_header="##contig=<ID=x>\n" * (3 << 16)))
    with mount(store) as m:
        assert (m.dir / "a.bed").stat().st_size == 3 + 100 * 3


def test_fill_value(scratch):
    """One of 10 MB that stands for each of the variants' alleles."""
    store = helpers.mkvcz(scratch / "a.vcz", "--variants", 1000, "--samples", 10)
    stores.remove_chunks(store / "variant_allele")
    for nbytes, due in (10 << 20, "8 MiB"), (100_000, "fill_value"), (1025, "fill_value"), (1024, "is not stored"):
        stores.edit_zarray(store / "variant_allele", fill_value="A" * nbytes)
        status, text, peak = peak_of(store, "--check")
        assert due in text, text
        within(peak)


@pytest.mark.parametrize("length", [1, 1000, 1 << 30])
@pytest.mark.parametrize("options", [(), ("--check",), ("--check", "--absent-chunks=fill")], ids=" ".join)
def test_variants_that_are_only_claimed(options, length, scratch):
    """2^33 of them: what is not stored is found missing without a look at each chunk (it would take hours)."""
    store = helpers.mkvcz(scratch / "a.vcz", "--variants", 10, "--samples", 10)
    shutil.copytree(store / "variant_position", store / "variant_id_mask")
    stores.edit_zarray(store / "variant_id_mask", dtype="|b1", fill_value=True)
    for path in store.glob("*/.zarray"):
        if path.parent.name.startswith(("variant_", "call_")):
            stores.remove_chunks(path.parent)
            meta = stores.read_zarray(path.parent)
            shape, chunks = [1 << 33, *meta["shape"][1:]], [length, *meta["chunks"][1:]]
            stores.edit_zarray(path.parent, shape=shape, chunks=chunks)
    status, text, peak = peak_of(store, *options)
    nchunks = -(-(1 << 33) // length)
    if options:
        assert f"{nchunks} of {nchunks} chunks are not stored" in text, text
        assert ("variant_position: " in text and "is not stored, and" in text) == (len(options) == 1), text
    else:
        assert "8,589,934,592" in text, text
    within(peak)


@pytest.mark.parametrize("version", [2, 3])
def test_check_finds_the_few_chunks_that_are_stored(version, scratch):
    """Among 2^33 that are claimed, one of them damaged; they are counted as a walk over all would."""
    sizes = ("--variants", 100, "--samples", 20, "--chunk-variants", 10, "--chunk-samples", 5)
    store = helpers.mkvcz(scratch / "a.vcz", *sizes, "--zarr", version)
    calls = store / "call_genotype"
    if version == 2:
        stores.edit_zarray(calls, shape=[1 << 33, 20, 2])
        chunk = calls / "7.2.0"
    else:
        helpers.edit_json(calls / "zarr.json", lambda meta: meta.update(shape=[1 << 33, 20, 2]))
        chunk = calls / "c/7/2/0"
    chunk.write_bytes(chunk.read_bytes()[:-3])
    status, text, peak = peak_of(store, "--check")
    nchunks = -(-(1 << 33) // 10) * 4
    assert f"call_genotype: {nchunks - 40} of {nchunks} chunks are not stored" in text, text
    assert f"call_genotype/{chunk.relative_to(calls)}: " in text, text
    assert status == 1
    within(peak)


def claim_shards(place):
    """2^33 variants in shards of four chunks along them, of which those that are stored have the first."""

    def edit(meta):
        chunk = meta["chunk_grid"]["configuration"]["chunk_shape"]
        index = [{"name": "bytes", "configuration": {"endian": "little"}}]
        inner = {"chunk_shape": chunk, "codecs": meta["codecs"], "index_codecs": index, "index_location": "end"}
        meta["shape"][0] = 1 << 33
        meta["chunk_grid"]["configuration"]["chunk_shape"] = [4 * chunk[0], *chunk[1:]]
        meta["codecs"] = [{"name": "sharding_indexed", "configuration": inner}]

    helpers.edit_json(place / "zarr.json", edit)
    for path in (place / "c").rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            path.write_bytes(data + struct.pack("<QQ", 0, len(data)) + b"\xff" * 48)


@pytest.mark.parametrize("options", [(), ("--absent-chunks=fill",)], ids=" ".join)
def test_check_of_shards_that_are_only_claimed(options, scratch):
    store = helpers.mkvcz(
        scratch / "a.vcz", "--variants", 100, "--samples", 20, "--chunk-variants", 10, "--zarr", 3
    )
    for place in [*store.glob("variant_*"), *store.glob("call_*")]:
        claim_shards(place)
    status, text, peak = peak_of(store, "--check", *options)
    nchunks = -(-(1 << 33) // 10)
    for name in "call_genotype", "variant_position", "variant_contig", "variant_id":
        assert f"{name}: {nchunks - 10} of {nchunks} chunks are not stored" in text, text
    assert status == (0 if options else 1), text
    within(peak)


def long_sample_ids(mib):
    """Ten of so many MiB each."""

    def change(store):
        stores.remove_chunks(store / "sample_id")
        stores.edit_zarray(store / "sample_id", chunks=[1], compressor=None)
        for i in range(10):
            chunk = struct.pack("<2I", 1, mib << 20) + b"%08d" % i * (mib << 17)
            (store / "sample_id" / str(i)).write_bytes(chunk)
        return store

    return change


def many_contigs(store):
    """Their strings are empty, and there is no chunk."""
    stores.remove_chunks(store / "contig_id")
    stores.edit_zarray(store / "contig_id", shape=[1 << 40], chunks=[1 << 20], fill_value="")
    return store


def stored_contigs(millions):
    """Empty strings."""

    def change(store):
        stores.remove_chunks(store / "contig_id")
        stores.edit_zarray(
            store / "contig_id", shape=[millions << 20], chunks=[1 << 20], compressor={"id": "zlib", "level": 1}
        )
        chunk = zlib.compress(struct.pack("<I", 1 << 20) + bytes(4 << 20), 1)
        for i in range(millions):
            (store / "contig_id" / str(i)).write_bytes(chunk)
        return store

    return change


def many_filters(store):
    stores.remove_chunks(store / "filter_id")
    stores.edit_zarray(store / "filter_id", shape=[5 << 20], chunks=[1 << 20], fill_value="")
    return store


def zip_of(store, nmembers, name_nbytes):
    """With so many more members that are empty and have names that long."""
    path = store.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(store.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(store))
        for i in range(nmembers):
            archive.writestr("%06d" % i + "x" * (name_nbytes - 6), b"")
    return path


def shards_of(side):
    """One shard of calls with as many chunks of one call along each axis, and a file as long as its index."""

    def change(store):
        def shard(meta):
            meta["chunk_grid"]["configuration"]["chunk_shape"] = [side, side, 2]
            index = [{"name": "bytes", "configuration": {"endian": "little"}}]
            inner = {"chunk_shape": [1, 1, 2], "codecs": index, "index_codecs": index, "index_location": "end"}
            meta["codecs"] = [{"name": "sharding_indexed", "configuration": inner}]

        helpers.edit_json(store / "call_genotype/zarr.json", shard)
        for path in (store / "call_genotype").rglob("0"):
            if path.is_file():
                os.truncate(path, 16 * side * side)
        return store

    return change


def blosc_blocks_of(nbytes):
    """A chunk of calls of almost 2 GiB in blocks that small, each of which has four bytes in the file."""

    def change(store):
        chunk = [100_000, 10_000, 2]
        compressor = {"id": "blosc", "cname": "zstd", "clevel": 1, "shuffle": 0, "blocksize": 0}
        stores.edit_zarray(store / "call_genotype", chunks=chunk, compressor=compressor, filters=None)
        n = -(-2_000_000_000 // nbytes)
        head = struct.pack("<4B3I", 2, 1, 4 << 5, 1, 2_000_000_000, nbytes, 16 + 8 * n)
        table = array.array("I", range(16 + 4 * n, 16 + 8 * n, 4))
        stores.remove_chunks(store / "call_genotype")
        (store / "call_genotype/0.0.0").write_bytes(head + table.tobytes() + bytes(4 * n))
        return store

    return change


def long_region_index(store):
    stores.new_ints(store / "region_index", [[0] * 6], [1, 6])
    stores.remove_chunks(store / "region_index")
    stores.edit_zarray(store / "region_index", shape=[2 << 20, 6], chunks=[1 << 16, 6], fill_value=0)
    return store


def long_line(store):
    """A file of one line, 64 MiB when it is unpacked."""
    with gzip.open(store.with_name("long.gz"), "wb", 1) as file:
        for _ in range(64):
            file.write(b"x" * (1 << 20))
    return store


def many_directories(store):
    for i in range(16385):
        (store / f"variant_{i}").mkdir()
    return store


def long_strings(name, nbytes, count):
    """So many of the first values of an array are that long."""

    def change(store):
        meta = stores.read_zarray(store / name)
        n = math.prod(meta["chunks"])
        values = (struct.pack("<I", nbytes) + b"A" * nbytes) * count + struct.pack("<I1s", 1, b"A") * (n - count)
        stores.remove_chunks(store / name)
        stores.edit_zarray(store / name, compressor={"id": "zlib", "level": 1})
        key = ".".join("0" * len(meta["shape"]))
        (store / name / key).write_bytes(zlib.compress(struct.pack("<I", n) + values, 1))
        return store

    return change


def wide_strings(name, length):
    """Fixed-width text of so many characters each, of which none is stored."""

    def change(store):
        stores.remove_chunks(store / name)
        stores.edit_zarray(store / name, dtype=f"<U{length}", fill_value="", filters=None)
        return store

    return change


def long_zstd_window(store):
    """Chunks of calls behind a frame that wants a window of 2 GiB: one block, of one byte as often as is needed."""
    stores.edit_zarray(store / "call_genotype", compressor={"id": "zstd", "level": 1}, filters=None)
    for path in (store / "call_genotype").glob("[0-9]*"):
        block = (100 * 10 * 2 << 3 | 1 << 1 | 1).to_bytes(3, "little") + b"\0"
        path.write_bytes(struct.pack("<I", 0xFD2FB528) + bytes([0, 21 << 3]) + block)
    return store


def many_alleles(store):
    stores.remove_chunks(store / "variant_allele")
    stores.edit_zarray(store / "variant_allele", shape=[100, 1 << 40], chunks=[100, 1 << 20])
    return store


def wide_ploidy(store):
    stores.remove_chunks(store / "call_genotype")
    stores.edit_zarray(store / "call_genotype", shape=[100, 10, 1 << 40], chunks=[100, 10, 1 << 40])
    return store


READ = "samples  "
# What is changed, the version of Zarr, how, options, what is said (or READ: it is read all the same), MiB beyond the budget: see LIMITS.
ABSURD = [
    ("long sample IDs", 2, long_sample_ids(7), (), "64 MiB", 64 + 16),
    ("sample IDs that may be", 2, long_sample_ids(6), (), READ, 64 + 16),
    ("contigs that are claimed", 2, many_contigs, (), "64 MiB", 0),
    ("contigs that are stored", 2, stored_contigs(5), (), "64 MiB", 0),
    ("contigs that may be", 2, stored_contigs(3), (), READ, 48 + 72),
    ("filters", 2, many_filters, ("-i", 'FILTER="PASS"'), "64 MiB", 0),
    ("a long directory", 2, lambda store: zip_of(store, 600, 60_000), (), READ, 64),
    ("a directory too long", 2, lambda store: zip_of(store, 4700, 60_000), (), "256 MiB", 0),
    ("a shard of 2^30", 3, shards_of(1 << 15), ("--check",), "chunks in a shard", 0),
    ("a shard of 2^26", 3, shards_of(1 << 13), ("--check",), "call_genotype", 0),
    ("small Blosc blocks", 2, blosc_blocks_of(4096), ("--check",), "call_genotype", 32),
    ("tiny Blosc blocks", 2, blosc_blocks_of(1024), ("--check",), "Blosc blocks", 0),
    ("a long region_index", 2, long_region_index, ("-r", "1:1-100"), READ, 0),
    ("many directories", 2, many_directories, (), "16384 directories", 0),
    ("a long allele", 2, long_strings("variant_allele", 100 << 20, 1), ("--check",), "held at once", 0),
    ("a long ID", 2, long_strings("variant_id", 100 << 20, 1), ("-i", 'ID="x"'), "held at once", 0),
    ("long IDs", 2, long_strings("variant_id", 1 << 20, 60), ("-i", 'ID="x"'), READ, 0),
    ("wide IDs", 2, wide_strings("variant_id", 1 << 16), ("-i", 'ID="x"'), READ, 0),
    ("wide sample IDs", 2, wide_strings("sample_id", 1 << 24), (), READ, 0),
    ("a long window of zstd", 2, long_zstd_window, ("--check",), "problems  none", 0),
    ("alleles that are claimed", 2, many_alleles, ("--check",), "variant_allele has room for", 0),
    ("ploidy that is claimed", 2, wide_ploidy, ("--check",), "ploidy 1099511627776", 0),
    ("a long expression", 2, lambda store: store, ("-i", "||".join(["POS>1"] * 9000)), "too long", 0),
    ("a deep expression", 2, lambda store: store, ("-i", "(" * 30000 + "POS>1" + ")" * 30000), "expression", 0),
    ("a long line of regions", 2, long_line, ("-R", "long.gz"), "long.gz", 0),
    ("a long sample ID in a file", 2, long_line, ("-S", "long.gz"), "no sample", 256),
]


@pytest.mark.parametrize("name, version, change, options, due, more", ABSURD, ids=[row[0] for row in ABSURD])
def test_parsers(name, version, change, options, due, more, scratch):
    store = helpers.mkvcz(scratch / "a.vcz", "--variants", 100, "--samples", 10, "--zarr", version)
    source = change(store)
    options = [str(scratch / word) if word == "long.gz" else word for word in options]
    status, text, peak = peak_of(source, *options)
    assert due in text and (status == 0 or due != READ), text
    within(peak - more)


def test_more_arrays_than_descriptors(scratch):
    """As a VCF with many INFO fields becomes."""
    store = helpers.mkvcz(scratch / "a.vcz", "--variants", 100, "--samples", 10)
    for i in range(400):
        shutil.copytree(store / "variant_position", store / f"variant_{i}")
    for options in ([], ["--check"]):
        done = subprocess.run(
            [helpers.VCZFS, "info", *options, store],
            capture_output=True,
            text=True,
            timeout=60 * helpers.SLOW,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256)),
        )
        assert done.returncode == 0 and "Too many open files" not in done.stdout, done.stdout + done.stderr
