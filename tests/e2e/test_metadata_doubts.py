"""What a store's metadata leave in doubt: said at mount, or refused, and never a quiet guess."""

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
