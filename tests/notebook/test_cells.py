import json
import time

import nbformat
import pytest
from nbformat import v3, v4

from crane_agent.errors import NoSuchCell, NotACodeCell, NotANotebook
from crane_agent.notebook.cells import choose_target, read_notebook

ERROR = v4.new_output("error", ename="KeyError", evalue="SECRET", traceback=["SECRET"])
STREAM = v4.new_output("stream", text="SECRET")


def code(source="x", count=None, outputs=(), tags=(), **more):
    return v4.new_code_cell(source, execution_count=count, outputs=list(outputs), metadata={"tags": list(tags)}, **more)


@pytest.fixture
def written(tmp_path):
    def write(*cells, **metadata):
        path = tmp_path / "a.ipynb"
        nbformat.write(v4.new_notebook(cells=list(cells), metadata=metadata), path)
        return read_notebook(path)

    return write


def message(kind, call, *arguments):
    with pytest.raises(kind) as caught:
        call(*arguments)
    text = str(caught.value)
    assert text
    assert "\n" not in text
    return text


def test_cells_are_read_in_order_with_all_that_is_known_of_them(written):
    notebook = written(
        v4.new_markdown_cell("# a"),
        code("x = 1\ny", 3, [STREAM, ERROR], ["t"], id="abc"),
        v4.new_raw_cell("r"),
        kernelspec={"name": "python3", "language": "python", "display_name": "P"},
        language_info={"name": "python"},
    )
    assert [cell.kind for cell in notebook.cells] == ["markdown", "code", "raw"]
    cell = notebook.cells[1]
    assert (cell.index, cell.id, cell.source, cell.execution_count, cell.tags) == (1, "abc", "x = 1\ny", 3, ("t",))
    assert cell.failed_when_saved
    assert (notebook.kernelspec, notebook.language) == ("python3", "python")


def test_no_stored_output_is_left(written):
    assert "SECRET" not in repr(written(code(outputs=[STREAM, ERROR])))


def test_the_file_is_not_written_back(tmp_path):
    path = tmp_path / "old.ipynb"
    path.write_text(v3.writes_json(v3.new_notebook(worksheets=[v3.new_worksheet(cells=[v3.new_code_cell("x")])])))
    before = path.read_bytes()
    read_notebook(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_notebooks_of_format_3_are_upgraded(tmp_path):
    path = tmp_path / "old.ipynb"
    failed = v3.new_output("pyerr", ename="KeyError", evalue="k", traceback=[])
    sheets = [
        v3.new_worksheet(cells=[v3.new_heading_cell("A", level=2), v3.new_code_cell("x = 1", prompt_number=1)]),
        v3.new_worksheet(cells=[v3.new_code_cell("x", prompt_number=2, outputs=[failed])]),
    ]
    path.write_text(v3.writes_json(v3.new_notebook(worksheets=sheets)))
    cells = read_notebook(path).cells
    assert [(cell.kind, cell.source, cell.execution_count) for cell in cells] == [
        ("markdown", "## A", None),
        ("code", "x = 1", 1),
        ("code", "x", 2),
    ]
    assert [cell.failed_when_saved for cell in cells] == [False, False, True]
    assert {cell.id for cell in cells} == {""}
    assert read_notebook(path) == read_notebook(path)


def test_missing_and_doubled_ids_are_taken_as_they_are(tmp_path):
    path = tmp_path / "a.ipynb"
    cell = {"cell_type": "code", "source": ["x\n", "y"], "metadata": {}, "outputs": [], "execution_count": None}
    cells = [cell, {**cell, "id": "a"}, {**cell, "id": "a"}]
    for minor in (0, 4, 5, 99):
        path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": minor, "metadata": {}, "cells": cells}))
        notebook = read_notebook(path)
        assert [each.id for each in notebook.cells] == ["", "a", "a"]
        assert notebook.cells[0].source == "x\ny"


def test_sources_keep_windows_newlines_and_lone_surrogates(tmp_path):
    path = tmp_path / "a.ipynb"
    notebook = {
        "nbformat": 4,
        "nbformat_minor": 4,
        "metadata": {},
        "cells": [{"cell_type": "code", "source": "a\r\n\ud800"}],
    }
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(notebook).encode())
    assert read_notebook(path).cells[0].source == "a\r\n\ud800"


def test_odd_values_are_read_as_absent(tmp_path):
    path = tmp_path / "a.ipynb"
    cells = [
        {"cell_type": "code", "source": 5, "execution_count": "*", "metadata": {"tags": [1, "t"]}, "id": 7},
        {"cell_type": "code", "source": "x", "execution_count": True, "metadata": None, "outputs": None},
        {"cell_type": "poem", "source": "x"},
    ]
    metadata = {"kernelspec": "python3", "language_info": []}
    path.write_text(
        json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells[:1] + cells[2:]})
    )
    notebook = read_notebook(path)
    assert [(c.kind, c.source, c.execution_count, c.tags, c.id) for c in notebook.cells] == [
        ("code", "", None, ("t",), ""),
        ("raw", "x", None, (), ""),
    ]
    assert (notebook.kernelspec, notebook.language) == (None, None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "not JSON"),
        (b"print('hello')", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"\xff\xfe", "UTF-8"),
        (b"[]", "cells"),
        (b"7", "cells"),
        (b"{}", "cells"),
        (b'{"a": 1}', "cells"),
        (b'{"nbformat": 4, "metadata": {}}', "cells"),
        (b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": 5}', "cells"),
        (b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [5]}', "cells"),
        (b'{"nbformat": 3, "worksheets": [{"cells": [{}]}]}', "cells"),
        (b'{"nbformat": 3, "worksheets": 4}', "cells"),
        (b'{"nbformat": 9, "nbformat_minor": 0, "metadata": {}, "cells": []}', "format 9"),
        (b'{"nbformat": [], "cells": []}', "cells"),
    ],
)
def test_what_is_no_notebook_is_said_in_one_line(tmp_path, text, words):
    path = tmp_path / "a.ipynb"
    path.write_bytes(text)
    said = message(NotANotebook, read_notebook, path)
    assert words in said
    assert len(said) < 200 + len(str(path))


def test_a_missing_file_and_a_folder_are_said_in_one_line(tmp_path):
    assert "no such file" in message(NotANotebook, read_notebook, tmp_path / "none.ipynb")
    assert "folder" in message(NotANotebook, read_notebook, tmp_path)


def test_a_target_is_named_by_id_then_index_then_tag(written):
    notebook = written(code("a", id="one"), code("b", id="0", tags=["3"]), code("c", tags=["t"]), code("d"))
    assert choose_target(notebook, "one").source == "a"
    assert choose_target(notebook, "0").source == "b"
    assert choose_target(notebook, "3").source == "d"
    assert choose_target(notebook, "-1").source == "d"
    assert choose_target(notebook, "-4").source == "a"
    assert choose_target(notebook, "t").source == "c"


def test_without_a_name_the_first_failed_cell_is_meant_else_the_last_one_not_run(written):
    cells = [code("a", 1), code("b"), code("c", 3, [ERROR]), code("d", 4, [ERROR]), code("e"), code(" \n")]
    assert choose_target(written(*cells)).source == "c"
    assert choose_target(written(cells[0], cells[1], cells[4], cells[5])).source == "e"


def test_a_cell_that_cannot_be_chosen_is_said_with_what_there_is(written):
    notebook = written(v4.new_markdown_cell("m"), code(count=1, tags=["t", "u"]), code(count=2, tags=["t"]))
    assert "2 cells carry the tag 't' (1, 2)" in message(NoSuchCell, choose_target, notebook, "t")
    assert "its tags are t, u" in message(NoSuchCell, choose_target, notebook, "nothing")
    assert "from 1 to 2" in message(NoSuchCell, choose_target, notebook, "3")
    assert "from 1 to 2" in message(NoSuchCell, choose_target, notebook, "-4")
    assert "no cell 9999" in message(NoSuchCell, choose_target, notebook, "9" * 5000)
    assert "every code cell was run" in message(NoSuchCell, choose_target, notebook)
    assert "is markdown, not code" in message(NotACodeCell, choose_target, notebook, "0")
    assert "no code cell" in message(NoSuchCell, choose_target, written())


def test_a_notebook_of_a_thousand_cells_is_read_in_well_under_a_second(written):
    started = time.perf_counter()
    notebook = written(*(code("x = 1\n" * 20, number) for number in range(1000)))
    assert len(notebook.cells) == 1000
    assert time.perf_counter() - started < 5.0  # most of it is writing
