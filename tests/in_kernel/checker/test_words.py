"""What the checker says at each privacy level: nothing of the kernel's values below `values`, all of it there."""

import json
from typing import Any

import pytest
from oracle import compare, replies

from crane_agent.in_kernel.checker.words import HIDDEN, named, of_python, words

TEXT, NUMBER, KEY, COLUMN, ELEMENT, PATH = (
    "canarytext",
    918273,
    "canarykey",
    "canarycolumn",
    "canaryelement",
    "canarypath",
)
SETUP = f"""
import types, pandas as pd, numpy as np, functools
text, number, ratio = {TEXT!r}, {NUMBER}, {NUMBER}.5
column, path = {COLUMN + "X"!r}, '/nowhere/{PATH}'
cfg = {{{KEY!r}: {TEXT!r}, 'deep': {{{KEY!r}: [1, 2]}}}}
elements = [{ELEMENT!r}, {NUMBER}, {TEXT!r}]
pair = ({ELEMENT!r}, {NUMBER})
unlucky = [{ELEMENT!r}, 'price']
raw = b'\\xfe{TEXT}'
df = pd.DataFrame({{'price': [1.0], {COLUMN!r}: [{NUMBER}]}})
arr = np.zeros((3, 4))
named_like_a_secret = types.ModuleType({TEXT!r})
keywords = {{{KEY!r}: 1}}
def plain(x): return x
@functools.wraps(plain)
def wrapped(*args, **kwargs): return plain(*args, **kwargs)
"""
CELLS = [
    "int(text)",
    "float(text)",
    "complex(text)",
    "int(text, 16)",
    "cfg[text]",
    "cfg[number]",
    "cfg[pair]",
    "cfg[text + 'y']",
    "cfg[f'{text}-{number}']",
    "cfg[text.upper().lower()]",
    "cfg['deep'][text]",
    "cfg['deep'][cfg['canarykey']]",
    "key = text\ncfg[key]",
    "keys = []\nkeys.append(text)\ncfg[keys[0]]",
    "table = {}\ntable['k'] = text\ncfg[table['k']]",
    "outer = [[]]\nouter[0].append(text)\ncfg[outer[0][0]]",
    "for key in elements:\n    cfg[key]",
    "for key in cfg:\n    df[key]",
    "for place, key in enumerate(elements):\n    cfg[key]",
    "for key, value in cfg.items():\n    df[value]",
    "[cfg[key] for key in elements]",
    "cfg[[each for each in elements][0]]",
    "elements[number]",
    "elements[-number]",
    "elements.index(text + 'y')",
    "elements.index('no')",
    "elements.remove(text + 'y')",
    "cfg.pop(text)",
    "text.index('no')",
    "text.encode('ascii')",
    "raw.decode()",
    "format(number, text)",
    "f'{number:{text}}'",
    "range(number)[number]",
    "arr[number]",
    "arr[0, number]",
    "arr[(0, 1, 2)]",
    "text + number",
    "text < number",
    "number / 0",
    "dict(elements)",
    "dict([text])",
    "a, b = elements",
    "a, b, c, d = elements",
    "text()",
    "text.nothing",
    "number.nothing",
    "cfg.nothing",
    "named_like_a_secret.nothing",
    "df[text]",
    "df[column]",
    "df[['price', text]]",
    "df[[text, column]]",
    "df[unlucky]",
    "df.drop(columns=[text])",
    "df.drop(text, axis=1)",
    "df.groupby(text)",
    "df.set_index(column)",
    "df['nothing']",
    "df.nothing",
    "open(path)",
    "pd.read_csv(path)",
    "plain(*elements)",
    "plain(**keywords)",
    "raise ValueError(text)",
    "raise KeyError(text, number)",
    "raise ValueError(f'bad: {text}')",
    "assert not text, text",
    "assert number == 1, f'{number} is not 1'",
    "if undefined_condition:\n    pass",
    "unknown(text)\ncfg[text]",
    "if df is arr or df.size:\n    cfg[text]",
    "wrapped(*elements)",
    "wrapped(**keywords)",
    "from types import canary",
    "from os.path import canary",
]
VALUES = [TEXT, str(NUMBER), ELEMENT, PATH, COLUMN + "X", TEXT.upper()]
"""What stands in the kernel's values, and in no cell."""

ABOVE = {"names": [*VALUES, KEY, COLUMN], "schema": VALUES}


def told(reply: dict[str, Any]) -> str:
    """Return all that a reply says but for the proof."""
    return json.dumps({name: value for name, value in reply.items() if name != "proof"}, ensure_ascii=False)


@pytest.mark.parametrize("privacy", ["names", "schema"])
def test_no_value_of_the_kernel_is_in_what_the_checker_says_below_its_level(privacy: str) -> None:
    found = replies(SETUP, CELLS, privacy=privacy)
    assert sum("proof" in reply for reply in found) > len(CELLS) // 2, "the test is worth nothing if little is hidden"
    for cell, reply in zip(CELLS, found, strict=True):
        assert reply["status"] == "ok", (cell, reply)
        shown = [each for each in ABOVE[privacy] if each in told(reply) and each not in cell]
        assert not shown, (cell, shown, reply)


def test_at_level_names_no_count_is_told_that_the_target_does_not_show() -> None:
    said = {
        "df['nothing']": "'nothing' df has … columns and none named 'nothing'",
        "cfg['nothing']": "'nothing' cfg is a dict of … keys without 'nothing'",
        "elements[5]": "list index out of range elements is a list of length …",
        "arr[9]": "index 9 is out of bounds for axis … with size … arr has shape …",
        "a, b = [1]": "not enough values to unpack (expected 2, got 1) there are 1 values for 2 names",
        "a, b, c, d = elements": "not enough values to unpack (expected 4, got …) there are … values for 4 names",
        "plain(*elements)": "… the signature is (x)",
    }
    for cell, reply in zip(said, replies(SETUP, list(said), privacy="names"), strict=True):
        finding = reply["answer"]["finding"]
        assert f"{finding['message']} {finding['because']}" == said[cell]


def test_what_is_kept_out_is_whole_in_the_proof() -> None:
    hidden = dict(zip(CELLS, replies(SETUP, CELLS, privacy="schema"), strict=True))
    whole = dict(zip(CELLS, replies(SETUP, CELLS, privacy="values"), strict=True))
    for cell in CELLS:
        below, above = hidden[cell]["answer"], whole[cell]["answer"]
        assert "proof" not in whole[cell], cell
        for one, other in zip(
            [below["finding"], *below["suspects"]], [above["finding"], *above["suspects"]], strict=True
        ):
            if one is None:
                continue
            said = {name: one[name] for name in ("message", "because", "close")}
            proof = {} if one["proof"] is None else hidden[cell]["proof"][one["proof"]]
            assert {**said, **proof} == {name: other[name] for name in said}, cell
            assert (one["type"], one["line"], one["rule"]) == (other["type"], other["line"], other["rule"])


@pytest.mark.parametrize(
    ("cell", "message", "because"),
    [
        ("int(text)", "invalid literal for int() with base 10: '…'", "Python itself says so for these values"),
        ("cfg[text]", "'…'", "cfg is a dict of 2 keys without '…'"),
        ("cfg[number]", "…", "cfg is a dict of 2 keys without …"),
        ("cfg['nothing']", "'nothing'", "cfg is a dict of 2 keys without 'nothing'"),
        ("keywords.pop('nothing')", "'nothing'", "Python itself says so for these values"),
        ("int('$1,200')", "invalid literal for int() with base 10: '$1,200'", "Python itself says so for these values"),
        ("df[['price', text]]", "'… not in index'", "df has 2 columns and none named …"),
        ("for c in ['price', 'cost']:\n    df[c]", "'cost'", "df has 2 columns and none named 'cost'"),
        ("for i, c in enumerate(['cost']):\n    df[c]", "'cost'", "df has 2 columns and none named 'cost'"),
        ("arr[number]", "index … is out of bounds for axis 0 with size 3", "arr has shape (3, 4)"),
        ("raise ValueError('no ' + 'way')", "no way", "the cell raises it itself"),
        ("raise ValueError(f'no {text}')", "…", "the cell raises it itself"),
        ("a, b = elements", None, "there are 3 values for 2 names"),
    ],
)
def test_the_words_at_level_schema_keep_what_the_target_says(cell: str, message: str | None, because: str) -> None:
    (reply,) = replies(SETUP, [cell], privacy="schema")
    finding = reply["answer"]["finding"]
    assert finding["because"] == because
    assert message is None or finding["message"] == message


def test_a_probe_whose_arguments_hold_a_value_is_not_named() -> None:
    # Within the branch a finding is no certain one, but a suspect.
    branch = "if np.random.rand() > 0.5:\n  "
    cells = [branch + cell for cell in ("df[text]", "pd.read_csv(path)", "df['nothing']")]
    probes = {
        privacy: [reply["answer"]["suspects"][0]["probe"] for reply in replies(SETUP, cells, privacy=privacy)]
        for privacy in ("schema", "values")
    }
    assert [each is None for each in probes["schema"]] == [True, True, False]
    assert [each["probe"] for each in probes["values"]] == ["columns", "file", "columns"]
    assert probes["values"][0]["arguments"] == {"path": "df", "names": [TEXT]}


def test_a_path_through_a_key_that_a_variable_holds_is_not_told() -> None:
    setup = f"key = {KEY!r}\ncfg = {{{KEY!r}: {{'a': 1}}}}"
    (below,) = replies(setup, ["cfg[key]['b']"], privacy="schema")
    (above,) = replies(setup, ["cfg[key]['b']"], privacy="values")
    assert KEY not in told(below)
    assert above["answer"]["finding"]["because"] == f"cfg[{KEY!r}] is a dict of 1 keys without 'b'"


def test_a_message_that_is_not_known_is_hidden_as_a_whole() -> None:
    error = ValueError("a message of some later Python about canary")
    assert of_python(error, "values", "values").at("schema") == HIDDEN
    assert of_python(error, "names", "names", "names").at("names") == str(error)


def test_a_part_that_is_not_declared_is_a_value() -> None:
    said = words("{} has {!r} and {!r}", named("df"), "secret", 5)
    assert said.at("schema") == "df has '…' and …"
    assert said.at("values") == "df has 'secret' and 5"


@pytest.mark.parametrize(
    "cell",
    ["int('x{y}')", "int('x\\'y\"z')", "{'{}': 1}['{0}']", "[1].index('{}')", "float('\\n')", "b'\\xff'.decode()"],
)
def test_braces_and_quotes_in_a_message_stay_as_they_are(cell: str) -> None:
    row = compare("", cell)
    assert row.finding is not None
    assert row.crash is not None
    assert row.finding["message"] == row.crash.message
