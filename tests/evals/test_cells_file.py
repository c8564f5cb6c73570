import json
from pathlib import Path

import pytest

from evals.cells import kind_of, load_cells, setup_cells


@pytest.mark.parametrize(
    ("setup", "cells"),
    [
        ("x = 1\ny = 2", ("x = 1\ny = 2",)),
        (["x = 1", "y = 2"], ("x = 1", "y = 2")),
        ('["x = 1", "y = 2"]', ("x = 1", "y = 2")),
        ("[1, 2]", ("[1, 2]",)),
        ("x = ['a']", ("x = ['a']",)),
    ],
)
def test_a_setup_is_a_cell_or_a_list_of_cells(setup: str | list[str], cells: tuple[str, ...]) -> None:
    assert setup_cells(setup) == cells


def test_cells_are_read_in_the_order_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "cells.jsonl"
    lines = [{"id": f"plain00{n}", "setup": "x = 1", "target": "x", "crashes": False} for n in (2, 1)]
    file.write_text("\n".join(map(json.dumps, lines)))
    assert [cell.case for cell in load_cells(file)] == ["plain002", "plain001"]
    assert [cell.case for cell in load_cells(file, ["plain001"])] == ["plain001"]
    with pytest.raises(LookupError, match="plain003"):
        load_cells(file, ["plain003"])


def test_the_recorded_outcome_is_not_taken_for_the_truth(tmp_path: Path) -> None:
    file = tmp_path / "cells.jsonl"
    file.write_text(json.dumps({"id": "a1", "setup": "", "target": "x", "crashes": True, "real": "NameError: x"}))
    assert load_cells(file)[0].recorded is None
    assert kind_of("a1") == "a"
