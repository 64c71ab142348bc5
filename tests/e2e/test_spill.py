# SPDX-License-Identifier: Apache-2.0
"""Chunks that are many times the memory budget, of every kind that cannot be streamed, through a real mount."""

import concurrent.futures
import contextlib
import ctypes
import errno
import os
import pathlib
import shutil
import struct
import subprocess
import zlib

import pytest

import drills
import helpers

MIB = 1 << 20
BUDGET = 16
# 61 MiB of genotypes: more than the budget and what is allowed beyond it. Sanitizers' memory says nothing.
VARIANTS, SAMPLES = (2000 if helpers.SANITIZED else 8000), 4000
NBYTES = VARIANTS * SAMPLES * 2


def library(name):
    return ctypes.CDLL(f"lib{name}.so.1")


def packed(function, n, *arguments):
    """What a C compressor makes of its input: function(..., destination, room)."""
    room = n + n // 4 + 65536
    to = ctypes.create_string_buffer(room)
    got = function(to, room, *arguments)
    assert 0 < got <= room, got
    return to.raw[:got]


def lz4(data):
    call = library("lz4").LZ4_compress_default
    return struct.pack("<I", len(data)) + packed(
        lambda to, room: call(data, to, ctypes.c_int(len(data)), ctypes.c_int(room)), len(data)
    )


def zstd(data, window_log=0):
    """One frame; a window that long is used only by contents that are as long."""
    lib = library("zstd")
    lib.ZSTD_createCCtx.restype = ctypes.c_void_p
    lib.ZSTD_compress2.restype = ctypes.c_size_t
    context = ctypes.c_void_p(lib.ZSTD_createCCtx())
    lib.ZSTD_CCtx_setParameter(context, 100, 1)
    if window_log:
        lib.ZSTD_CCtx_setParameter(context, 101, window_log)
    try:
        return packed(
            lambda to, room: lib.ZSTD_compress2(context, to, ctypes.c_size_t(room), data, ctypes.c_size_t(len(data))),
            len(data),
        )
    finally:
        lib.ZSTD_freeCCtx(context)


def blosc(data, compressor, shuffle, typesize=1, block=None):
    lib = library("blosc")
    lib.blosc_set_splitmode(2)  # never, or blocks would be short
    size = ctypes.c_size_t
    return packed(
        lambda to, room: lib.blosc_compress_ctx(
            1, shuffle, size(typesize), size(len(data)), data, to, size(room), compressor.encode(),
            size(block or len(data)), 1,
        ),
        len(data),
    )  # fmt: skip


def unblosc(data):
    (nbytes,) = struct.unpack_from("<I", data, 4)
    to = ctypes.create_string_buffer(nbytes)
    assert library("blosc").blosc_decompress_ctx(data, to, ctypes.c_size_t(nbytes), 1) == nbytes
    return to.raw


def column_major(data):
    """(variants, samples, ploidy), the first fastest."""
    return b"".join(data[s * 2 + p :: SAMPLES * 2] for p in range(2) for s in range(SAMPLES))


def differences(data):
    """Each byte less the one before it, all at once: as the digits of a number."""
    high = int.from_bytes(b"\x80" * len(data), "little")
    low = int.from_bytes(b"\x7f" * len(data), "little")
    x = int.from_bytes(data, "little")
    y = x << 8 & (low | high)
    return (((x | high) - (y & low)) ^ ((x ^ y ^ high) & high)).to_bytes(len(data), "little")


# What becomes of the genotypes' bytes, and what the metadata says of it.
KINDS = {
    "lz4": (lz4, {"compressor": {"id": "lz4", "acceleration": 1}}),
    "order F": (column_major, {"compressor": None, "order": "F"}),
    "order F, zlib": (lambda d: zlib.compress(column_major(d), 1), {"compressor": {"id": "zlib"}, "order": "F"}),
    "delta, zstd": (
        lambda d: zstd(differences(d)),
        {"compressor": {"id": "zstd"}, "filters": [{"id": "delta", "dtype": "|i1", "astype": "|i1"}]},
    ),
    "shuffle, lz4": (
        lambda d: lz4(d[0::2] + d[1::2]),
        {"compressor": {"id": "lz4"}, "filters": [{"id": "shuffle", "elementsize": 2}]},
    ),
    "one Blosc block, zstd": (lambda d: blosc(d, "zstd", 2), {"compressor": {"id": "blosc"}}),
    "one Blosc block, lz4": (lambda d: blosc(d, "lz4", 2), {"compressor": {"id": "blosc"}}),
    "one Blosc block, blosclz, shuffled": (lambda d: blosc(d, "blosclz", 1, 4), {"compressor": {"id": "blosc"}}),
    "Blosc blocks of a third": (
        lambda d: blosc(d, "zlib", 2, 1, len(d) // 3),
        {"compressor": {"id": "blosc"}},
    ),
    "zstd window of 64 MiB": (lambda d: zstd(d, 26), {"compressor": {"id": "zstd"}}),
}  # fmt: skip

# v3 has chains: the codecs, and their bytes.
CHAINS = {
    "zstd and gzip": (lambda d: gzip(zstd(d)), ["zstd", "gzip"]),
    "Blosc and LZ4": (lambda d: lz4(blosc(d, "zstd", 2, 1, 500_000)), ["blosc", "numcodecs.lz4"]),
    "a stored Blosc frame in zstd": (
        lambda d: zstd(struct.pack("<BBBBIII", 2, 1, 2, 1, len(d), len(d), len(d) + 16) + d),
        ["blosc", "numcodecs.zstd"],
    ),
}


def gzip(data):
    pack = zlib.compressobj(1, zlib.DEFLATED, 31)
    return pack.compress(data) + pack.flush()


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """(v2 store, v3 store, genotypes, .bed): all genotypes in one chunk."""
    place = tmp_path_factory.mktemp("spill")
    options = ["--samples", SAMPLES, "--variants", VARIANTS, "--one-chunk", "--level", 1, "--seed", 5]
    stores = [helpers.mkvcz(place / f"v{n}.vcz", *options, "--zarr", n) for n in (2, 3)]
    genotypes = unblosc(genotype_chunk(stores[0]).read_bytes())
    assert len(genotypes) == NBYTES
    assert unblosc(genotype_chunk(stores[1]).read_bytes()) == genotypes
    with helpers.mounted(stores[0]) as m:
        bed = m.read(".bed")
    return *stores, genotypes, bed


def genotype_chunk(store):
    array = store / "call_genotype"
    return array / "c/0/0/0" if (array / "c").exists() else array / "0.0.0"


def changed(base_store, to, data, change):
    store = pathlib.Path(to) / "s.vcz"
    shutil.copytree(base_store, store)
    genotype_chunk(store).write_bytes(data)
    name = "zarr.json" if (store / "zarr.json").exists() else ".zarray"
    helpers.edit_json(store / "call_genotype" / name, change)
    if (store / "zarr.json").exists():
        helpers.edit_json(store / "zarr.json", lambda top: top.pop("consolidated_metadata", None))
    return store


def change_chain(names):
    def change(meta):
        meta["codecs"] = [meta["codecs"][0], *({"name": name, "configuration": {}} for name in names)]

    return change


def peak(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("VmHWM"))


def reads_right(path, bed, seed):
    """Some reads here and there, and one of everything."""
    with open(path, "rb", buffering=0) as file:
        for k in range(8):
            at = (seed * 7919 + k * 104729) * 4099 % (len(bed) - 4096)
            if os.pread(file.fileno(), 4096, at) != bed[at : at + 4096]:
                return False
        return seed % 2 == 0 or path.read_bytes() == bed


def within_budget(encoder, what, budget=BUDGET):
    most = peak(encoder)
    if not helpers.SANITIZED:
        drills.record("spill", what=what, budget_mib=budget, peak_mib=most // MIB)
        assert most <= (budget + 32) * MIB, most // MIB


def check_reads(store, bed, directory, what):
    """From the back, and by several at a time; within the budget; and nothing is left behind."""
    with helpers.mounted(store, "--memory", f"{BUDGET}M", env={"TMPDIR": str(directory)}) as m:
        encoder = m.encoder()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            assert all(pool.map(lambda seed: reads_right(m.path(".bed"), bed, seed), range(4)))
        assert m.read(".bed") == bed
        assert m.encoder() == encoder
        assert any("deleted" in name and str(directory) in name for name in helpers.descriptors(encoder).values())
        within_budget(encoder, what)
    assert os.listdir(directory) == []


@pytest.fixture
def temporary(tmp_path):
    directory = tmp_path / "tmp"
    directory.mkdir(mode=0o777)
    return directory


@pytest.mark.limit(60)
@pytest.mark.parametrize("kind", KINDS)
def test_kinds(kind, base, tmp_path, temporary):
    pack, meta = KINDS[kind]
    store = changed(base[0], tmp_path, pack(base[2]), lambda old: old.update(meta))
    check_reads(store, base[3], temporary, kind)


@pytest.mark.limit(60)
@pytest.mark.parametrize("kind", CHAINS)
def test_chains(kind, base, tmp_path, temporary):
    pack, names = CHAINS[kind]
    store = changed(base[1], tmp_path, pack(base[2]), change_chain(names))
    check_reads(store, base[3], temporary, kind)


def sharded(base_store, to, genotypes):
    """One shard of two chunks, LZ4; the index at the end."""
    half = NBYTES // 2
    chunks = [lz4(genotypes[:half]), lz4(genotypes[half:])]
    index = struct.pack("<4Q", 0, len(chunks[0]), len(chunks[0]), len(chunks[1]))
    little = {"name": "bytes", "configuration": {"endian": "little"}}
    codecs = [
        {
            "name": "sharding_indexed",
            "configuration": {
                "chunk_shape": [VARIANTS // 2, SAMPLES, 2],
                "codecs": [little, {"name": "numcodecs.lz4", "configuration": {}}],
                "index_codecs": [little],
            },
        }
    ]
    return changed(base_store, to, b"".join(chunks) + index, lambda meta: meta.update(codecs=codecs))


def test_chunks_in_a_shard(base, tmp_path, temporary):
    store = sharded(base[1], tmp_path, base[2])
    check_reads(store, base[3], temporary, "sharded lz4")


def shards_of(parts, index_first):
    """One shard; its index has no checksum."""
    at = len(parts) * 16 if index_first else 0
    entries = []
    for part in parts:
        entries += [at, len(part)]
        at += len(part)
    index = struct.pack(f"<{len(entries)}Q", *entries)
    return b"".join([index, *parts] if index_first else [*parts, index])


def test_shards_in_a_shard(base, tmp_path, temporary):
    """Transposed to (samples, variants, 2), in halves by samples; those turned back, in quarters by variants."""
    little = {"name": "bytes", "configuration": {"endian": "little"}}

    def transpose():
        return {"name": "transpose", "configuration": {"order": [1, 0, 2]}}

    def sharding(shape, codecs, location):
        names = ("chunk_shape", "codecs", "index_codecs", "index_location")
        return {"name": "sharding_indexed", "configuration": dict(zip(names, (shape, codecs, [little], location)))}

    def half(h):
        rows = [base[2][at : at + SAMPLES] for at in range(h * SAMPLES, NBYTES, SAMPLES * 2)]
        step = VARIANTS // 4
        return shards_of([lz4(b"".join(rows[q * step : (q + 1) * step])) for q in range(4)], False)

    inner = sharding([VARIANTS // 4, SAMPLES // 2, 2], [little, {"name": "numcodecs.lz4"}], "end")
    outer = sharding([SAMPLES // 2, VARIANTS, 2], [transpose(), inner], "start")
    store = changed(
        base[1], tmp_path, shards_of([half(0), half(1)], True), lambda meta: meta.update(codecs=[transpose(), outer])
    )
    check_reads(store, base[3], temporary, "sharded sharded lz4")


def strings(values):
    return struct.pack("<I", len(values)) + b"".join(struct.pack("<I", len(v)) + v for v in values)


@pytest.mark.limit(60)
def test_strings(base, tmp_path, temporary):
    """Chunks of strings that no budget holds: IDs, stored as they are, and alleles, column-major and LZ4."""
    store = changed(base[0], tmp_path, genotype_chunk(base[0]).read_bytes(), lambda meta: None)
    ids = [b"rs%06d" % i + b"x" * 5000 for i in range(VARIANTS)]
    refs = [b"ACGT"[i % 4 : i % 4 + 1] * (1 + i % 5 * 500) for i in range(VARIANTS)]
    alts = [b"ACGT"[(i + 1) % 4 : (i + 1) % 4 + 1] for i in range(VARIANTS)]
    for name, shape, values, more in (
        ("variant_id", [VARIANTS], ids, {"compressor": None}),
        ("variant_allele", [VARIANTS, 2], refs + alts, {"compressor": {"id": "lz4"}, "order": "F"}),
    ):
        array = store / name
        meta = {"shape": shape, "chunks": shape, **more, "dtype": "|O", "filters": [{"id": "vlen-utf8"}]}
        for chunk in array.glob("[0-9]*"):
            chunk.unlink()
        helpers.edit_json(array / ".zarray", lambda old, meta=meta: old.update(meta))
        data = strings(values)
        (array / ".".join("0" * len(shape))).write_bytes(lz4(data) if more["compressor"] else data)
    with helpers.mounted(store, "--memory", f"{BUDGET}M", env={"TMPDIR": str(temporary)}) as m:
        lines = m.read(".bim").splitlines()
        assert len(lines) == VARIANTS
        for i, line in enumerate(lines):
            fields = line.split()
            assert (fields[1], fields[4], fields[5]) == (ids[i], alts[i], refs[i])
        # The .bim itself is kept: 40 MB of IDs.
        m.read(".bed")
    with helpers.mounted(
        store, "--memory", f"{BUDGET}M", "-i", 'ID~"^rs00001"', env={"TMPDIR": str(temporary)}
    ) as m:
        assert [line.split()[1] for line in m.read(".bim").splitlines()] == [v for v in ids if v[:7] == b"rs00001"]
        within_budget(m.encoder(), "strings, selected")


@pytest.mark.parametrize("kind", ["lz4", "order F", "one Blosc block, zstd"])
def test_check(kind, base, tmp_path, temporary):
    """info --check decodes it, too, and notices damage."""
    pack, meta = KINDS[kind]
    store = changed(base[0], tmp_path, pack(base[2]), lambda old: old.update(meta))
    chunk = genotype_chunk(store)

    def check():
        return helpers.run("info", "--check", "--memory", f"{BUDGET}M", store, env={"TMPDIR": str(temporary)})

    done = check()
    assert done.returncode == 0, done.stdout + done.stderr
    chunk.write_bytes(chunk.read_bytes()[:-1000])
    done = check()
    assert done.returncode == 1
    assert "call_genotype" in done.stdout and "0.0.0" in done.stdout


@contextlib.contextmanager
def small_disk(directory):
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", directory], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", directory], check=True)


def read_error(m):
    with pytest.raises(OSError) as caught:
        m.read(".bed")
    return caught.value.errno


def test_no_room(base, tmp_path, temporary):
    """A disk that is full, and none at all: the read fails, the log says what to do, and the rest goes on."""
    store = changed(base[0], tmp_path, lz4(base[2]), lambda old: old.update(KINDS["lz4"][1]))
    if os.geteuid() == 0:
        with small_disk(temporary):
            with helpers.mounted(store, "--memory", f"{BUDGET}M", env={"TMPDIR": str(temporary)}) as m:
                encoder = m.encoder()
                assert read_error(m) == errno.ENOMEM
                assert m.read(".fam")
                assert m.encoder() == encoder, "another encoder has no more room"
                helpers.wait_for(lambda: "TMPDIR" in m.log() and str(temporary) in m.log())
    with helpers.mounted(store, "--memory", f"{BUDGET}M", env={"TMPDIR": str(temporary / "nowhere")}) as m:
        encoder = m.encoder()
        for _ in range(3):
            assert read_error(m) == errno.ENOMEM
        helpers.wait_for(lambda: "--memory" in m.log() and "TMPDIR" in m.log())
        assert m.encoder() == encoder, "what is over the budget fails that read only"


@pytest.mark.parametrize("kind", ["lz4", "order F", "delta, zstd", "one Blosc block, lz4"])
def test_lies(kind, base, tmp_path, temporary):
    """Metadata that claims terabytes for a chunk of a few bytes costs neither memory nor disk."""
    _, meta = KINDS[kind]
    lie = {**meta, "chunks": [VARIANTS * 1000, SAMPLES * 100, 2]}
    data = struct.pack("<I", 0x7FFFFFFF) + bytes(100) if kind == "lz4" else bytes(100)
    store = changed(base[0], tmp_path, data, lambda old: old.update(lie))
    with helpers.mounted(store, "--memory", f"{BUDGET}M", env={"TMPDIR": str(temporary)}) as m:
        assert read_error(m) == errno.EIO
        assert m.read(".fam")
        within_budget(m.encoder(), f"lies, {kind}")
