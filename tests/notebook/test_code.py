import ast
import cProfile
import subprocess
import sys
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager
from IPython.core.interactiveshell import InteractiveShell

from crane_agent.in_kernel.wire import Running, decode_tree, encode_tree
from crane_agent.notebook.code import Code, followed, names_in, parse


@pytest.fixture(scope="module")
def shell():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = InteractiveShell(history_load_length=0)
        made.history_manager.enabled = False
    yield made
    made.history_manager.end_session()


def run(shell, source, capsys):
    """Run a cell in a real IPython; return (its error, what it printed, the names that it bound)."""
    before = set(shell.user_ns)
    result = shell.run_cell(source)
    bound = {name for name in set(shell.user_ns) - before if not name.startswith("_")}
    shell.drop_by_id({name: shell.user_ns[name] for name in bound})
    return result.error_before_exec or result.error_in_exec, capsys.readouterr().out, bound


@pytest.mark.parametrize(
    "source",
    [
        "x = 1",
        "\n\n  x = 1\n  y",
        "%matplotlib inline\nx",
        "!ls",
        "x?",
        ">>> x\n... y",
        "%%bash\nls",
        "",
        "x\r\n%ls\r\n",
    ],
)
def test_the_python_is_what_ipython_makes_of_the_source(source):
    assert parse(source).python == TransformerManager().transform_cell(source)


@pytest.mark.parametrize(
    "source", ["x = 1\nx y", "\n\nx = 1\ny = (\n", "if 1:\nx", "  x = 1\n y = 2", "1\nreturn 1", "\r\n\r\nx\r\n1 = 2"]
)
def test_a_syntax_error_has_the_type_message_and_place_that_ipython_reports(source, shell, capsys):
    error, _, _ = run(shell, source, capsys)
    fault = parse(source).syntax_error
    assert (fault.type, fault.message) == (type(error).__name__, error.msg)
    assert fault.line == error.lineno + parse(source).line_offset
    assert fault.column == error.offset


def test_a_statement_that_cannot_be_compiled_leaves_a_tree_because_those_before_it_run(shell, capsys):
    source = "print('so far')\nreturn 1"
    assert run(shell, source, capsys)[1].startswith("so far")
    assert parse(source).tree is not None
    assert parse(source).syntax_error.line == 2


@pytest.mark.parametrize(
    "source",
    ["await x", "async with a as b:\n    pass", "x = 1\nfrom __future__ import annotations", "x = 1\nglobal x"],
)
def test_what_ipython_compiles_statement_by_statement_is_no_syntax_error(source):
    assert parse(source).syntax_error is None


def test_no_warning_of_the_cell_is_shown():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert parse("x = '\\d'\nx is 1\nassert (x, 'y')").syntax_error is None
    assert caught == []


def test_leading_blank_lines_are_an_offset_and_no_disagreement():
    code = parse("\n  \n\r\nx = 1\n")
    assert (code.line_offset, code.lines_agree) == (3, True)
    assert code.original_line(1) == 4


def test_a_magic_over_several_lines_makes_lines_disagree():
    code = parse("!ls \\\n  -l\nx = 1 1")
    assert not code.lines_agree
    assert code.original_line(2) is None
    assert code.syntax_error.line is None


@pytest.mark.parametrize(
    "source", ["%ls", "x = %ls", "!ls", "x = !ls", "x?", "?x", "if x:\n    %time y", "%%bash\nls", "%ls\nx y"]
)
def test_magics_are_seen(source):
    assert parse(source).has_magics
    assert parse(source).first_word == ""


@pytest.mark.parametrize("source", ["x % y", "x != y", "'%ls'", "# %ls\nx", "'get_ipython().system(1)'", "f(:"])
def test_python_is_not_taken_for_magic(source):
    assert not parse(source).has_magics


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("ls", "ls"),
        ("ls -l", "ls"),
        ("\n\nls", "ls"),
        (" cd ..", "cd"),
        ("ls\n\n", ""),
        ("ls\nx", ""),
        ("(x)", ""),
        ("", ""),
        ("2 + 2", ""),
    ],
)
def test_only_a_cell_of_one_line_has_a_first_word(source, word):
    assert parse(source).first_word == word


def test_ipython_expands_automagics_in_cells_of_one_line_only(shell, capsys):
    assert run(shell, "\npwd", capsys)[0] is None
    assert isinstance(run(shell, "pwd\n\n", capsys)[0], NameError)


@pytest.mark.parametrize("magic", ["time", "timeit", "capture"])
def test_the_body_of_a_magic_that_runs_python_maps_to_lines_of_the_cell(magic):
    code = parse(f"\n%%{magic}\n\n\nx = 1\nx y")
    assert code.cell_magic == magic
    assert code.body.original_line(1) == 5
    assert code.body.syntax_error.line == 6
    assert code.body.lines_agree


@pytest.mark.parametrize(
    ("source", "line", "column"),
    [
        ("%%time\nx\ny = a", 3, 4),
        ("\n\n%%time\n\n\nx\ny = a", 7, 4),
        ("%%capture\n\n%%time\nx; y = a", 4, 7),
        ("x = 1\nif x:\n    %time y = a", 3, 14),
        ("%%time\n%time y = a", 2, 10),
        ("%timeit -n1 -r1 y = a", 1, 20),
    ],
)
def test_what_a_magic_runs_is_followed_on_its_own_lines(source, line, column):
    code = followed(parse(source))
    tree = decode_tree(encode_tree(code.tree))
    assert any(type(each) is Running for each in ast.walk(tree))
    [read] = [each for each in ast.walk(tree) if isinstance(each, ast.Name) and each.id == "a"]
    assert (code.lines_agree, code.original_line(read.lineno), read.col_offset) == (True, line, column)


@pytest.mark.parametrize(
    "source",
    [
        "%%time x\ny",
        "%%time\nawait y",
        "%%time\nx = 1\nglobal x",
        "%%timeit x = 1\ny",
        "%time f(-x) if x else -1",
        "%time f('a  b')",
        "%%bash\nls",
        "get_ipython().run_cell_magic('time', '', 'x')",
        "def f():\n    %time x = 1",
    ],
)
def test_what_a_magic_may_run_in_another_way_is_not_followed(source):
    assert not any(type(each) is Running for each in ast.walk(followed(parse(source)).tree))


def test_to_follow_a_cell_leaves_its_tree_as_it_is():
    code = parse("%%time\nx = 1")
    before = ast.dump(code.tree)
    followed(code)
    assert ast.dump(code.tree) == before


def test_other_cell_magics_have_no_body():
    code = parse("%%bash\nls")
    assert (code.cell_magic, code.body) == ("bash", None)


def test_magics_within_magics_are_unwrapped():
    code = parse("%%capture out\n%%time\nx = a")
    assert code.body.body.original_line(1) == 3
    assert names_in(code).binds == {"out", "x"}
    assert names_in(code).reads == {"a"}


@pytest.mark.parametrize(
    "source",
    [
        "%%time\nx = 1",
        "%%timeit -n1 -r1\nx = 1\ny = [x for _ in (1,)]",
        "%%capture out --no-stderr\nx = 1",
        "%time x = 1",
        "%timeit -n1 -r1 x = 1",
        "if True:\n    %time x = 1",
        "x = !echo 1",
        "from os.path import join\nimport json as j",
    ],
)
def test_the_names_of_magics_are_what_ipython_binds(source, shell, capsys):
    error, _, bound = run(shell, source, capsys)
    assert error is None
    assert names_in(parse(source)).binds == bound


def test_what_a_timed_statement_reads_is_read_in_its_place():
    found = names_in(parse("x = 1\n%time y = f(x)\nprint(y)"))
    assert found.reads == {"f", "print"}
    assert names_in(parse("%timeit f(x)")).needs == {"f", "x"}
    assert names_in(parse("%timeit y = f(x)")).binds == set()


@pytest.mark.parametrize(
    "source",
    [
        "'\ud800'",
        "x\0",
        "(" * 300,
        "+".join(["a"] * 20_000),
        "%time " * 300 + "x",
        "%%time\n" * 300,
        "%",
        "%%",
        "!",
        "?",
        "\f",
        "\ufeffx",
        "\u2028x",
    ],
)
def test_no_text_is_too_strange(source):
    code = parse(source)
    names_in(code)
    assert code.tree is not None or code.syntax_error is not None


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab1 \n\r\t%!?=()[]:'\"\\#.,;/>@é\f\ud800")))
def test_no_made_up_text_makes_parsing_raise(source):
    code = parse(source)
    names_in(code)
    assert isinstance(code, Code)


def test_the_work_grows_with_the_number_of_lines():
    block = "def f{0}(a):\n    for x in a:\n        y = [z for z in a if z > x]\n    return y\nd{0} = f{0}(3)\n"

    def calls(blocks):
        source = "".join(block.format(number) for number in range(blocks))
        counted = cProfile.Profile()
        assert len(counted.runcall(lambda: names_in(parse(source))).binds) == 2 * blocks
        return sum(entry.callcount for entry in counted.getstats())

    calls(10)
    assert calls(400) < 5 * calls(100)


def test_ipython_is_imported_only_when_a_cell_is_parsed():
    program = "import sys, crane_agent.notebook.names; assert 'IPython' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
