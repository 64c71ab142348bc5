# SPDX-License-Identifier: Apache-2.0
"""A reader of BGEN files, written from the specification (chg.ox.ac.uk/~gav/bgen_format) alone, that trusts nothing."""

import contextlib
import sqlite3
import struct
import zlib
from typing import NamedTuple


class Variant(NamedTuple):
    varid: bytes
    rsid: bytes
    chromosome: bytes
    position: int
    alleles: list
    phased: bool
    ploidy: list  # of each sample
    missing: list
    values: list  # of each sample: probabilities in 255ths, one per haplotype, or of RR and RA
    offset: int
    size: int


class Header(NamedTuple):
    nvariants: int
    nsamples: int
    flags: int
    samples: list  # or None
    end: int


class Cursor:
    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def take(self, n):
        assert self.at + n <= len(self.data), "the file ends too early"
        self.at += n
        return self.data[self.at - n : self.at]

    def number(self, code):
        return struct.unpack("<" + code, self.take(struct.calcsize("<" + code)))[0]

    def string(self, code):
        return self.take(self.number(code))


def read_header(data):
    cursor = Cursor(data)
    offset, length = cursor.number("I"), cursor.number("I")
    assert length == 20
    nvariants, nsamples = cursor.number("I"), cursor.number("I")
    assert cursor.take(4) in (b"bgen", b"\0\0\0\0")
    flags = cursor.number("I")
    assert flags & 3 == 1, "zlib"
    assert flags >> 2 & 15 == 2, "layout 2"
    assert flags & ~0x8000003F == 0
    samples = None
    if flags >> 31:
        block, n = cursor.number("I"), cursor.number("I")
        assert n == nsamples
        samples = [cursor.string("H") for _ in range(n)]
        assert cursor.at == 24 + block
    assert cursor.at == 4 + offset
    return Header(nvariants, nsamples, flags, samples, cursor.at)


def inflate(stream):
    """zlib's own checks, and that all of the stream is used and nothing follows it."""
    unzip = zlib.decompressobj()
    data = unzip.decompress(stream) + unzip.flush()
    assert unzip.eof and not unzip.unused_data and not unzip.unconsumed_tail
    return data


def read_data(data, nsamples, nalleles):
    cursor = Cursor(data)
    assert cursor.number("I") == nsamples
    assert cursor.number("H") == nalleles == 2
    least, most = cursor.number("B"), cursor.number("B")
    ploidies = cursor.take(nsamples)
    phased, bits = cursor.number("B"), cursor.number("B")
    assert phased in (0, 1)
    assert bits == 8
    ploidy = [byte & 63 for byte in ploidies]
    missing = [byte >> 7 == 1 for byte in ploidies]
    assert all(byte & 64 == 0 for byte in ploidies)
    assert (min(ploidy), max(ploidy)) == (least, most)
    # Two alleles: one value for each haplotype, or one for each genotype but the last; as many either way.
    values = [tuple(cursor.take(n)) for n in ploidy]
    assert cursor.at == len(data)
    for value, gone in zip(values, missing):
        assert not gone or not any(value)
        assert phased or sum(value) <= 255
    return bool(phased), ploidy, missing, values


def read_variant(data, at, nsamples):
    cursor = Cursor(data, at)
    varid, rsid, chromosome = (cursor.string("H") for _ in range(3))
    position = cursor.number("I")
    nalleles = cursor.number("H")
    alleles = [cursor.string("I") for _ in range(nalleles)]
    length, full = cursor.number("I"), cursor.number("I")
    raw = inflate(cursor.take(length - 4))
    assert len(raw) == full
    return Variant(
        varid, rsid, chromosome, position, alleles, *read_data(raw, nsamples, nalleles), at, cursor.at - at
    )


def read(data):
    """(header, variants); the file must hold nothing else."""
    header = read_header(data)
    variants, at = [], header.end
    for _ in range(header.nvariants):
        variants.append(read_variant(data, at, header.nsamples))
        at += variants[-1].size
    assert at == len(data)
    return header, variants


# --- the index -------------------------------------------------------------------------------------------

COLUMNS = "chromosome, position, rsid, number_of_alleles, allele1, allele2, file_start_position, size_in_bytes"


def index_rows(path):
    """Rows of an index in file order, opened where it is, which nobody may write to."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(f"SELECT {COLUMNS} FROM Variant ORDER BY file_start_position").fetchall()


def index_metadata(path):
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        (row,) = connection.execute("SELECT * FROM Metadata").fetchall()
        return dict(row)


def index_row_of(variant):
    return (
        variant.chromosome.decode(), variant.position, variant.rsid.decode(), len(variant.alleles),
        variant.alleles[0].decode(), variant.alleles[1].decode(), variant.offset, variant.size,
    )  # fmt: skip
