# SPDX-License-Identifier: Apache-2.0
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


def name_axes(store, array, names):
    if (store / array / "zarr.json").exists():
        helpers.edit_json(store / array / "zarr.json", lambda meta: meta.update(dimension_names=names))
    else:
        (store / array / ".zattrs").write_text(json.dumps({"_ARRAY_DIMENSIONS": names}))


OWN = {"variant_position": ["rows"], "sample_id": ["people"]}
TRANSPOSED = [{"call_genotype": ["samples", "variants", "ploidy"]}, {"call_genotype": ["variants", "ploidy", "samples"]},
              {"variant_allele": ["alleles", "variants"]},
              {"variant_position": ["samples"]}, OWN | {"call_genotype": ["people", "rows", "x"]},
              {"call_genotype": [None, "variants", None]}]
MEANINGLESS = [{"call_genotype": ["a", "b", "c"]}, {"call_genotype": [None, None, None]}, {"call_genotype": []},
               {"call_genotype": ["variants"]}, OWN | {"call_genotype": ["rows", "people", "x"]},
               {"call_genotype": {"a": 1}}, {"variant_position": ["x" * 300]}]


@pytest.mark.parametrize("store", ["codec_none.vcz", "biallelic_v3.vcz"])
@pytest.mark.parametrize("names", TRANSPOSED, ids=json.dumps)
def test_transposed(store, names, refused, scratch):
    """Shapes cannot tell where there are as many samples as variants: names can, where they are there."""
    copy = helpers.copy_store(store, scratch)
    for array, axes in names.items():
        name_axes(copy, array, axes)
    assert "is transposed" in refused(copy).stderr
    checked = helpers.run("info", "--check", copy)
    assert checked.returncode == 1 and "is transposed" in checked.stdout


def test_transposed_phase(mount, refused, scratch):
    """Who shows no phase does not need it."""
    copy = helpers.copy_store("codec_none.vcz", scratch)
    name_axes(copy, "call_genotype_phased", ["samples", "variants"])
    with mount(copy) as m:
        assert m.path(".bed").exists()
    assert "is transposed" in refused(copy, "--phased", verb="mount-bgen").stderr
    assert helpers.run("info", "--check", copy).returncode == 1


def test_names_that_say_nothing(mount, scratch):
    for i, names in enumerate(MEANINGLESS):
        copy = helpers.copy_store("codec_none.vcz", scratch / str(i))
        for array, axes in names.items():
            name_axes(copy, array, axes)
        assert helpers.run("info", "--check", copy).returncode == 0, names
        with mount(copy) as m:
            assert m.path(".bed").exists()


def test_transposed_array_of_an_expression(mount, refused, scratch):
    """Of an array that only a filter reads, the filter fails and nothing else."""
    copy = helpers.copy_store("codec_none.vcz", scratch)
    name_axes(copy, "call_DP", ["samples", "variants"])
    assert "is transposed" in refused(copy, "-i", "FMT/DP>3").stderr
    with mount(copy) as m:
        assert m.path(".bed").exists()
