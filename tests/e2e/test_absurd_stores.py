"""
What is legal and absurd in a store costs the encoder no more memory than --memory and a constant: each parser is given
far more of something than any store has, and the peak of all processes is watched.
"""

import json
import subprocess
import sys

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


def test_variants_that_are_only_claimed(scratch):
    """2^33 of them in chunks of one: what is not stored is found missing without a look at each (it would take hours)."""
    store = helpers.mkvcz(scratch / "a.vcz", "--variants", 10, "--samples", 10)
    for array in store.glob("*/.zarray"):
        if array.parent.name.startswith(("variant_", "call_")):
            stores.remove_chunks(array.parent)
            meta = stores.read_zarray(array.parent)
            shape, chunks = [1 << 33, *meta["shape"][1:]], [1, *meta["chunks"][1:]]
            stores.edit_zarray(array.parent, shape=shape, chunks=chunks)
    status, text, peak = peak_of(store)
    assert "8,589,934,592" in text, text
    within(peak)
