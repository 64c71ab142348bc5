# SPDX-License-Identifier: Apache-2.0
"""Ways to change a copied store: Zarr v2 arrays written by hand, uncompressed."""

import json
import struct


def read_zarray(array):
    return json.loads((array / ".zarray").read_text())


def edit_zarray(array, **changes):
    meta = read_zarray(array)
    meta.update(changes)
    (array / ".zarray").write_text(json.dumps(meta))


def remove_chunks(array):
    for path in array.iterdir():
        if not path.name.startswith("."):
            path.unlink()


def write_strings(array, values):
    """Replaces a one-dimensional string array by these values, in one chunk."""
    remove_chunks(array)
    edit_zarray(array, shape=[len(values)], chunks=[max(1, len(values))], compressor=None)
    data = struct.pack("<I", len(values))
    for value in values:
        raw = value if isinstance(value, bytes) else value.encode()
        data += struct.pack("<I", len(raw)) + raw
    (array / "0").write_bytes(data)


def write_ints(array, values, dtype="<i4"):
    """Replaces a one-dimensional integer array by these values, in one chunk."""
    remove_chunks(array)
    edit_zarray(array, shape=[len(values)], chunks=[len(values)], compressor=None, filters=None, dtype=dtype)
    code = {"<i4": "i", "|i1": "b", "<i8": "q"}[dtype]
    (array / "0").write_bytes(struct.pack(f"<{len(values)}{code}", *values))


def new_ints(array, values, shape, dtype="<i4"):
    """A new array, in one chunk that is not compressed; values: lists in lists."""
    flat = values
    for _ in shape[1:]:
        flat = [value for row in flat for value in row]
    array.mkdir()
    meta = {"zarr_format": 2, "shape": shape, "chunks": shape, "dtype": dtype, "fill_value": -1, "order": "C",
            "filters": None, "compressor": None, "dimension_separator": "."}  # fmt: skip
    (array / ".zarray").write_text(json.dumps(meta))
    (array / ".".join("0" for _ in shape)).write_bytes(struct.pack(f"<{len(flat)}i", *flat))


# --- ways to spoil a chunk's file, each of which a decoder must notice ------------------------------------


def truncate_half(path):
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def truncate_last_byte(path):
    data = path.read_bytes()
    path.write_bytes(data[:-1])


def make_empty(path):
    path.write_bytes(b"")


def overwrite(path, at, data):
    old = path.read_bytes()
    assert len(old) >= at + len(data)
    path.write_bytes(old[:at] + data + old[at + len(data) :])


def spoil_header(path):
    overwrite(path, 0, b"\xff" * 16)


def spoil_nbytes(path):
    """A Blosc frame that says it decodes to much more than the chunk holds."""
    overwrite(path, 4, struct.pack("<I", 1 << 30))


def spoil_blocksize(path):
    overwrite(path, 8, struct.pack("<I", 0x7FFFFFFF))


def spoil_offsets(path):
    """The first block lies far outside of the frame."""
    overwrite(path, 16, struct.pack("<i", 0x7FFFFFF0))


def spoil_negative_offset(path):
    overwrite(path, 16, struct.pack("<i", -8))


def spoil_stream(path):
    """The first block's stream begins with what no compressor writes."""
    (start,) = struct.unpack_from("<i", path.read_bytes(), 16)
    overwrite(path, start + 4, b"\xff" * 8)


def spoil_stream_length(path):
    (start,) = struct.unpack_from("<i", path.read_bytes(), 16)
    overwrite(path, start, struct.pack("<i", -1))


SPOILERS = {
    "truncated to half": truncate_half,
    "last byte gone": truncate_last_byte,
    "empty": make_empty,
    "header": spoil_header,
    "decoded size": spoil_nbytes,
    "block size": spoil_blocksize,
    "block offset": spoil_offsets,
    "negative block offset": spoil_negative_offset,
    "stream": spoil_stream,
    "stream length": spoil_stream_length,
}
# Small chunks are often stored as they are; then there are no blocks whose description could be wrong.
SPOILERS_OF_STORED = ["truncated to half", "last byte gone", "empty", "header", "decoded size"]
