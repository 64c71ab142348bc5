"""What a store's metadata leave in doubt: said at mount, or refused, and never a quiet guess."""

import json

import helpers
import pytest

DATES = {"zarr_format": 2, "shape": [257, 41], "chunks": [257, 41], "dtype": "<M8[ns]", "compressor": None,
         "fill_value": None, "order": "C", "filters": None}


def add_array(store, name, **changes):
    (store / name).mkdir()
    (store / name / ".zarray").write_text("{}")
    helpers.edit_json(store / name / ".zarray", lambda meta: meta.update(DATES | changes))


@pytest.mark.parametrize("name, dtype, said", [("call_DS", "<f4", True), ("call_GP", "<f4", True),
                                               ("call_GP", "<M8[ns]", True), ("call_HDS", "<f4", False)])
def test_dosages(name, dtype, said, mount, scratch):
    """Hard calls in place of the dosages that are there: said, whether the array can be read or not."""
    copy = helpers.copy_store("biallelic.vcz", scratch)
    add_array(copy, name, dtype=dtype)
    with mount(copy) as m:
        assert (f"dosages ({name})" in m.log()) == said, m.log()


def shrink(meta, axis, by=1):
    meta["shape"][axis] -= by


def stale_v2(store):
    """As if the last sample had been appended after the metadata were consolidated."""
    def change(top):
        shrink(top["metadata"]["sample_id/.zarray"], 0)
        for key, meta in top["metadata"].items():
            if key.startswith("call_") and key.endswith(".zarray"):
                shrink(meta, 1)

    helpers.edit_json(store / ".zmetadata", change)


def stale_v3(store):
    def change(top):
        held = top["consolidated_metadata"]["metadata"]
        shrink(held["sample_id"], 0)
        for name, meta in held.items():
            if name.startswith("call_"):
                shrink(meta, 1)

    helpers.edit_json(store / "zarr.json", change)


@pytest.mark.parametrize("name, make, where", [("consolidated.vcz", stale_v2, ".zmetadata"),
                                               ("v3_consolidated.vcz", stale_v3, "zarr.json")])
def test_stale_copy(name, make, where, mount, scratch):
    """The arrays are right, and that the copy is not is said."""
    copy = helpers.copy_store(name, scratch)
    with mount(copy) as m:
        due = m.read(".fam"), m.read(".bed")
        assert where not in m.log()
    assert "older" not in helpers.run("info", copy).stdout
    make(copy)
    with mount(copy) as m:
        assert (m.read(".fam"), m.read(".bed")) == due
        assert f"{where} is older than the arrays" in m.log()
    assert f"{where} is older than the arrays" in helpers.run("info", copy).stdout
    checked = helpers.run("info", "--check", "--json", copy)
    report = json.loads(checked.stdout)
    assert (checked.returncode, report["nproblems"]) == (0, 0)
    assert any("older than the arrays" in remark["message"] for remark in report["remarks"])


def test_array_that_only_the_copy_has(refused, scratch):
    """Genotypes that were removed are not genotypes that are all REF."""
    copy = helpers.copy_store("consolidated.vcz", scratch)
    for path in sorted((copy / "call_genotype").rglob("*"), reverse=True):
        path.unlink()
    (copy / "call_genotype").rmdir()
    assert "no genotypes" in refused(copy).stderr
