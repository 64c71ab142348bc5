#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Seeds for the fuzz targets, from the test vectors: make_corpus.py VECTORS OUT

OUT/NAME/ gets the seeds of fuzz_NAME.c. Everything is a function of the vectors: no chance, no clock.
"""
import gzip
import hashlib
import io
import json
import re
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SEED_MAX = 16384

# The number of each pipeline in fuzz_chunk.c, by the vector whose chunks it reads.
GENOTYPE_PIPELINES = {
    "biallelic.vcz": 0, "codec_blosc_blosclz_2.vcz": 0, "codec_blosc_lz4_0.vcz": 0,
    "codec_blosc_lz4_2.vcz": 0, "codec_blosc_lz4hc_1.vcz": 0, "codec_blosc_zlib_1.vcz": 0,
    "codec_blosc_zstd_0.vcz": 0, "codec_blosc_zstd_1.vcz": 0,
    "codec_blosc_zstd_bit_smallblocks.vcz": 0, "codec_none.vcz": 1, "codec_zstd.vcz": 2,
    "codec_gzip.vcz": 3, "codec_zlib.vcz": 4, "codec_lz4.vcz": 5, "order_f.vcz": 6,
    "gt_int16.vcz": 7, "biallelic_v3.vcz": 16, "v3_zstd.vcz": 17, "v3_gzip.vcz": 18,
}
OTHER_PIPELINES = {
    ("biallelic.vcz", "variant_position"): 9, ("biallelic.vcz", "variant_allele"): 10,
    ("codec_zstd.vcz", "variant_allele"): 11, ("v3_zstd.vcz", "variant_allele"): 21,
    ("v3_gzip.vcz", "variant_allele"): 22,
}


class Corpus:
    def __init__(self, vectors, out):
        self.stores = Path(vectors) / "stores"
        self.out = Path(out)

    def put(self, target, data):
        if len(data) <= SEED_MAX:
            folder = self.out / target
            folder.mkdir(parents=True, exist_ok=True)
            (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)

    def chunks(self, store, array, limit):
        """The first few chunk files of an array."""
        folder = self.stores / store / array
        files = [p for p in sorted(folder.rglob("*"))
                 if p.is_file() and not p.name.startswith(".z") and p.name != "zarr.json"]
        return [p.read_bytes() for p in files[:limit]]


def metadata(corpus):
    for path in sorted(corpus.stores.rglob(".zarray")):
        corpus.put("meta_v2", path.read_bytes())
    for path in sorted(corpus.stores.rglob(".zmetadata")):
        corpus.put("meta_v2", path.read_bytes())
        # The whole is larger than a useful seed: one of two arrays as well.
        whole = json.loads(path.read_text())
        part = {k: v for k, v in whole["metadata"].items() if k.startswith((".z", "variant_a"))}
        corpus.put("meta_v2", json.dumps({**whole, "metadata": part}).encode())
    for path in sorted(corpus.stores.rglob("zarr.json")):
        corpus.put("meta_v3", path.read_bytes())
        whole = json.loads(path.read_text())
        if "consolidated_metadata" in whole:
            held = whole["consolidated_metadata"]["metadata"]
            part = {k: v for k, v in held.items() if k.startswith("variant_a")}
            whole["consolidated_metadata"]["metadata"] = part
            corpus.put("meta_v3", json.dumps(whole).encode())


def pruned(corpus):
    """As fuzz_json_prune.c has them: two bytes, then a document."""
    for name, top in ((".zattrs", 1), (".zmetadata", 0), (".zarray", 0), ("zarr.json", 0)):
        for path in sorted(corpus.stores.rglob(name)):
            for how in (top, 14 | top):
                corpus.put("json_prune", bytes([how, 255]) + path.read_bytes())
    for text in (b'{"source":"x","junk":{"a":[1,"\\"",null]},\n"contigs":["a"]}', b'{"junk":0,"source":1,}',
                 b'{"a/.zattrs":{"j":[[]],"vcf_zarr_version":"1"},"attributes":{}}', b'{"source":"\\', b'{"a":1]', b"[" * 3000):
        for how in (0, 1, 3):
            corpus.put("json_prune", bytes([how, 255]) + text)
            corpus.put("json_prune", bytes([how, 1]) + text)


def chunks(corpus):
    for store, number in GENOTYPE_PIPELINES.items():
        for data in corpus.chunks(store, "call_genotype", 3):
            corpus.put("chunk", bytes([number]) + data)
            if number == 0:
                corpus.put("blosc", data)
    for (store, array), number in OTHER_PIPELINES.items():
        for data in corpus.chunks(store, array, 2):
            corpus.put("chunk", bytes([number]) + data)
    for data in corpus.chunks("gt_int32.vcz", "call_genotype", 2):
        corpus.put("chunk", bytes([8]) + data)
    raw = bytes(i % 3 for i in range(800))
    blosc = corpus.chunks("biallelic_v3.vcz", "call_genotype", 1)[0]
    stored_zstd = b"\x28\xb5\x2f\xfd\x20" + bytes([len(blosc)]) + struct.pack(
        "<I", 1 | len(blosc) << 3)[:3] + blosc
    corpus.put("chunk", bytes([19]) + stored_zstd)
    corpus.put("chunk", bytes([20]) + gzip.compress(
        corpus.chunks("v3_zstd.vcz", "call_genotype", 1)[0], mtime=0))
    corpus.put("chunk", bytes([18]) + gzip.compress(raw[:400], mtime=0)
               + gzip.compress(raw[400:], mtime=0))
    corpus.put("chunk", bytes([13]) + "".join(c + "\0\0" for c in "aé漢😀z" * 10).encode("utf-32le"))
    corpus.put("chunk", bytes([14]) + bytes(i % 2 for i in range(50)))
    corpus.put("chunk", bytes([15]) + struct.pack("<50Q", *range(50)))
    corpus.put("chunk", bytes([23]) + raw * 2)
    corpus.put("chunk", bytes([4]) + zlib.compress(raw))
    corpus.put("chunk", bytes([24]) + struct.pack("<50h", *range(50)))
    corpus.put("chunk", bytes([25]) + bytes([6]) + bytes(range(7)))
    corpus.put("chunk", bytes([26]) + bytes(range(50)))
    corpus.put("chunk", bytes([27]) + zlib.compress(bytes(200)))
    for data in corpus.chunks("v3_zstd.vcz", "call_genotype", 2):
        corpus.put("chunk", bytes([28]) + data)
    for array in ("call_DP", "variant_quality", "variant_allele", "region_index"):
        for data in corpus.chunks("small.vcz", array, 2):
            corpus.put("blosc", data)


def zstd(data):
    return subprocess.run(["zstd", "-q", "-3", "--no-check"], input=data, capture_output=True, check=True).stdout


def lz4_runs(nbytes):
    """One LZ4 block of nbytes zeros: a literal, a match one byte back, five literals."""
    more, rest = divmod(nbytes - 6 - 4 - 15, 255)
    return b"\x1f\0\1\0" + b"\xff" * more + bytes([rest]) + b"\x50" + bytes(5)


def blosc_one_block(data):
    """A frame of one block, bit-shuffled, zstd, not split."""
    packed = zstd(data)
    stream = struct.pack("<II", 20, len(packed)) + packed
    flags = 4 | 4 << 5 | 16
    return struct.pack("<4B3I", 2, 1, flags, 1, len(data), len(data), 16 + len(stream)) + stream


def beyond_the_budget(corpus):
    """Numbered as in fuzz_unfold.c."""
    n = 2048000
    raw = bytes(i // 1000 % 3 for i in range(n))
    blosc = blosc_one_block(raw)
    vlen_strings = struct.pack("<I", 200000) + b"".join(
        struct.pack("<I", k % 5 + 8) + b"ACGTACGTACGT"[: k % 5 + 8] for k in range(200000))
    for number, data in (
        (0, struct.pack("<I", n) + lz4_runs(n)), (1, blosc), (3, blosc), (2, zstd(raw + raw)),
        (4, zlib.compress(raw[: n // 2])), (5, zstd(b"\0" + raw[: n // 8])),
        (6, zstd(vlen_strings)), (7, struct.pack("<I", 2400000) + lz4_runs(2400000)), (8, b"\1\2\3\4"),
    ):
        corpus.put("unfold", bytes([number]) + data)


def vlen(corpus):
    for strings in (["", "a", "bc", "é", "漢字", "😀"], [""] * 6, ["x" * 300] * 6):
        data = struct.pack("<I", 6)
        for text in strings:
            data += struct.pack("<I", len(text.encode())) + text.encode()
        corpus.put("vlen", b"\0" + data)
        corpus.put("vlen", b"\1" + data)


def shards(corpus):
    """Numbered as the layouts in fuzz_shard.c; 4 inner chunks."""
    inner = [bytes(range(k, k + 4)) for k in range(0, 16, 4)]
    absent = struct.pack("<QQ", 2**64 - 1, 2**64 - 1)
    for number, first in ((0, False), (1, False), (2, True), (3, True), (4, False)):
        crc = bytes(4) if number in (1, 3, 4) else b""
        chunks = [gzip.compress(c, mtime=0) for c in inner] if number == 4 else inner
        at = 64 + len(crc) if first else 0
        index = b""
        for chunk in chunks:
            index += struct.pack("<QQ", at, len(chunk))
            at += len(chunk)
        for table in (index, index[:32] + absent + index[48:], index[16:32] + index[:16] + absent * 2):
            parts = [table + crc, b"".join(chunks)] if first else [b"".join(chunks), table + crc]
            corpus.put("shard", bytes([number]) + b"".join(parts))


def zips(corpus):
    """A few small members, deflated and stored, and with zip64 fields."""
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        for zip64 in (False, True):
            file = io.BytesIO()
            with zipfile.ZipFile(file, "w", method) as archive:
                for name in (".zgroup", "call_genotype/.zarray", "call_genotype/0.0.0", "a/"):
                    info = zipfile.ZipInfo(name)
                    info.compress_type = method if not name.endswith("/") else zipfile.ZIP_STORED
                    if name.endswith("/"):
                        archive.writestr(info, b"")
                        continue
                    with archive.open(info, "w", force_zip64=zip64) as member:
                        member.write(name.encode() * 8)
                archive.comment = b"" if zip64 else b"a comment"
            corpus.put("zip", file.getvalue())
    for path in sorted(corpus.stores.glob("*.zip")):
        corpus.put("zip", path.read_bytes())


def pack(value):
    """msgpack, as much of it as the protocol uses."""
    if value is True or value is False:
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return bytes([value]) if value < 128 else b"\xcf" + struct.pack(">Q", value)
    if isinstance(value, bytes):
        return b"\xc4" + bytes([len(value)]) + value
    if isinstance(value, str):
        return b"\xd9" + bytes([len(value.encode())]) + value.encode()
    if isinstance(value, list):
        return bytes([0x90 | len(value)]) + b"".join(map(pack, value))
    head = bytes([0x80 | len(value)]) if len(value) < 16 else b"\xde" + struct.pack(">H", len(value))
    return head + b"".join(pack(k) + pack(v) for k, v in value.items())


# Whoever adds a key to the protocol adds it here too: make check refuses seeds that are no messages.
VIEW = {"formats": ["plink", "bgen"], "optional": False, "basename": "x",
        "options": [["plink", "chr-set", "22"], ["bgen", "no-bgi", ""], ["bgen", "pad-byte", "."]],
        "min_alleles": 0, "max_alleles": 2,
        "follow_links": False, "absent_fill": False, "selection": False}
VERSION = int(re.search(r"#define PROTO_VERSION\s+(\d+)",
                        (ROOT / "proto/proto.h").read_text()).group(1))
HELLO = {"t": "hello", "version": VERSION, "program": "fuzz", "pid": 1}
OPEN = {"t": "open", "id": 1, "store": "biallelic.vcz", "view": VIEW, "resume": False}
RESUME = {**OPEN, "resume": True, "mark": bytes(16), "state": True}
READ = {"t": "read", "id": 2, "file": 0, "fh": 1, "off": 3, "len": 1000}
FRONT = [HELLO, OPEN, RESUME, READ, {"t": "info", "id": 3, "store": "small.vcz", "view": VIEW,
                                     "json": True, "check": True, "for": "bolt"},
         {"t": "return", "leases": [1, 2]}, {"t": "release", "fh": 1}, {"t": "stats", "id": 4}]
FILE_BED = {"t": "file", "id": 1, "file": 0, "name": "x.bed", "kind": "stream", "size": 100000, "buffer": 131072}
FILE_FAM = {"t": "file", "id": 1, "file": 1, "name": "x.fam", "kind": "sidecar", "size": 4096, "buffer": 0}
OPENED = {"t": "opened", "id": 1, "fp": bytes(32), "mtime": 1, "variants": 10, "samples": 4, "files": 2,
          "arena": 1 << 20, "state": True}
SPAN = {"t": "span", "id": 2, "lease": 7, "off": 0, "len": 4096, "at": 8192}
ENCODER = [HELLO, {"t": "progress", "id": 1, "what": "reading sites", "done": 1, "total": 2},
           {"t": "notice", "id": 1, "text": "n"}, FILE_BED, FILE_FAM, OPENED,
           {"t": "report", "id": 3, "size": 10, "problems": 0}, SPAN,
           {"t": "counters", "id": 4, "reads": 1, "spans": 1, "blocks": 1, "decoded": 1,
            "encoded": 1, "failed": 0, "mixed_phase": 0, "requests": 0, "read": 0, "opened": 0,
            "waits": 0, "most_in_flight": 0, "unforeseen": 0, "held": 0, "arena": 0, "resident": 1},
           {"t": "error", "id": 2, "code": "corrupt", "errno": 5, "text": "bad"}]


def talk(*packets):
    """A conversation: of each packet its descriptors (number | kind << 2), its length, its bytes."""
    out = b""
    for message, fds in packets:
        data = pack(message)
        out += bytes([fds]) + struct.pack("<H", len(data)) + data
    return out


def protocol(corpus):
    for message in FRONT + ENCODER:
        corpus.put("proto", pack(message))
    greeted = [(HELLO, 0)]
    opened = greeted + [(OPEN, 0)]
    corpus.put("server", talk(*greeted, (FRONT[4], 0)))
    corpus.put("server", talk(*greeted, (RESUME, 1)))
    corpus.put("server", talk(*greeted, ({**OPEN, "view": {**VIEW, "selection": True}}, 9)))
    corpus.put("server", talk(*opened, (READ, 0), ({**READ, "id": 5, "off": 1200}, 0),
                              ({"t": "return", "leases": [1]}, 0), (FRONT[6], 0), (FRONT[7], 0)))
    corpus.put("server", talk(*[(message, 0) for message in FRONT]))
    # For the front: descriptors are kind 0, a sealed memfd of 1 MiB.
    up = greeted + [(FILE_BED, 0), (FILE_FAM, 1), (OPENED, 2)]
    corpus.put("link", b"\0" + talk(*greeted, *[(m, 0) for m in ENCODER[1:3]], (ENCODER[9], 0)))
    corpus.put("link", b"\1" + talk(*up, (SPAN, 0)))
    corpus.put("link", b"\3" + talk(*up, (SPAN, 0), ({**SPAN, "id": 3, "lease": 8}, 0)))
    corpus.put("link", b"\3" + talk(*up, (ENCODER[9], 0), (ENCODER[8], 0)))
    corpus.put("leases", bytes.fromhex("05 01 000000 000000 0010 0000000000000000 00 00"
                                       "00 00 000000 0010 01 10"))


# By zstd, level 19: 256 KiB that end in zeroes.
COMPRESSED = bytes.fromhex(
    "28b52ffda000000400c40200480400021080400801201aa8807dd0583e493c10feffff7fb69b01cc1d25"
    "9fe43ff925bfe42bf94cbee4532c9fba3c8e21cae7b4294f575eeda6bc9527384d9efbf2d14ec947f279"
    "79497e56bef34efe2679e86bc81f900203001000")


def zstd_frame(nbytes, *blocks):
    """A frame of raw (0) and RLE (1) blocks: (type, length, byte)."""
    out = struct.pack("<IBI", 0xFD2FB528, 0xA0, nbytes)
    for i, (kind, length, byte) in enumerate(blocks):
        header = length << 3 | kind << 1 | (i + 1 == len(blocks))
        out += struct.pack("<I", header)[:3] + bytes([byte]) * (1 if kind == 1 else length)
    return out


def zeros(corpus):
    corpus.put("zeros", zstd_frame(100, (0, 10, 7), (1, 90, 0)))
    corpus.put("zeros", zstd_frame(100, (0, 10, 7), (1, 40, 0), (1, 50, 0)))
    corpus.put("zeros", zstd_frame(100, (1, 100, 0)))
    corpus.put("zeros", zstd_frame(100, (1, 50, 0), (0, 10, 7), (1, 40, 1)))
    corpus.put("zeros", COMPRESSED)


def histories(corpus):
    """What happens to reads, as chance would have it."""
    for i in range(24):
        corpus.put("reads", b"".join(hashlib.sha256(b"%d %d" % (i, n)).digest() for n in range(4 + 3 * i)))


def bgzf(data):
    """One member, and the empty one that ends a file."""
    out = b""
    for part in (data, b""):
        body = zlib.compressobj(6, zlib.DEFLATED, -15)
        body = body.compress(part) + body.flush()
        out += bytes([31, 139, 8, 4, 0, 0, 0, 0, 0, 255, 6, 0]) + b"BC" + struct.pack("<HH", 2, len(body) + 25)
        out += body + struct.pack("<II", zlib.crc32(part), len(part))
    return out


def regions(corpus):
    """How it is read (fuzz_regions.c), then a list or a file."""
    texts = [b"chr1\t5\t7\tname\n# x\r\n\n2\t1.5k\t2e3\n", b"chr1\t5\tA,C\n2\t6\tT\n",
             b"##fileformat=VCFv4.3\n#CHROM\tPOS\nchr1\t5\trs1\tA\tC\n", b"BCF\2\2\x10\0\0\0##file\n"]
    for text in texts:
        for packed in (text, gzip.compress(text, mtime=0), bgzf(text), gzip.compress(text[:9], mtime=0) + bgzf(text[9:])):
            corpus.put("regions", b"\0" + packed)
    corpus.put("regions", b"\x01" + texts[0])
    corpus.put("regions", b"\x0a" + texts[0])
    corpus.put("regions", b"\x03" + texts[1])
    corpus.put("regions", b"\x04chr1:5-9,{HLA:1:2}:1e3-,2,HLA:1:2:7")


def main():
    corpus = Corpus(sys.argv[1], sys.argv[2])
    for make in (metadata, pruned, chunks, beyond_the_budget, vlen, shards, zips, protocol, zeros, regions, histories):
        make(corpus)


main()
