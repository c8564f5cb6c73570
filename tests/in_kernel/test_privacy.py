"""What may leave the kernel at each level."""

import json
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crane_agent.in_kernel import checker, entry, privacy, probes, wire
from crane_agent.in_kernel.privacy import NAMES, SCHEMA, VALUES, Field, at_level, joined

TABLE = {
    "name": Field(NAMES, "a name"),
    "shape": Field(SCHEMA, "a shape"),
    "sample": Field(VALUES, "a value"),
    "parts": Field(NAMES, "parts", records=True),
}
RECORD = {"name": "x", "shape": [1], "sample": 3, "secret": 4}


def kept(answer, level):
    withheld = set()
    return at_level(answer, TABLE, level, withheld), withheld


@pytest.mark.parametrize(
    ("level", "names"),
    [
        (NAMES, {"name"}),
        (SCHEMA, {"name", "shape"}),
        (VALUES, {"name", "shape", "sample", "secret"}),
    ],
)
def test_a_field_leaves_from_its_level_on_and_an_undeclared_one_as_a_value(level, names):
    found, withheld = kept(RECORD, level)
    assert set(found) == names
    assert withheld == set(RECORD) - names


@pytest.mark.parametrize("parts", [[RECORD, RECORD], RECORD])
def test_records_in_a_record_are_filtered_alike(parts):
    found, withheld = kept({"parts": parts}, NAMES)
    inside = {"name": "x"}
    assert found == {"parts": [inside, inside] if isinstance(parts, list) else inside}
    assert withheld == {"shape", "sample", "secret"}


def test_what_is_no_record_among_records_does_not_leave():
    found, _ = kept({"parts": ["a text", [RECORD], RECORD, None]}, NAMES)
    assert found == {"parts": [{"name": "x"}]}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*TABLE, "secret"]), inner, max_size=3),
    max_leaves=15,
)


@given(st.dictionaries(st.sampled_from([*TABLE, "secret"]), JSON))
def test_a_stricter_level_shows_no_more_and_filtering_twice_changes_nothing(answer):
    strict, _ = kept(answer, NAMES)
    middle, _ = kept(answer, SCHEMA)
    assert set(strict) <= set(middle) <= set(kept(answer, VALUES)[0]) <= set(answer)
    assert kept(middle, SCHEMA) == (middle, set())
    assert kept(middle, NAMES)[0] == strict


def test_a_field_has_one_meaning_in_all_tables():
    assert joined({"a": Field(NAMES, "x")}, {"a": Field(NAMES, "x"), "b": Field(NAMES, "y")}).keys() == {"a", "b"}
    with pytest.raises(ValueError, match=r"'a' is declared twice: .*names.*schema"):
        joined({"a": Field(NAMES, "x")}, {"a": Field(SCHEMA, "x")})


def test_every_field_is_declared_with_a_level_and_a_meaning():
    for name, field in joined(probes.FIELDS, checker.FIELDS).items():
        assert field.level in privacy.LEVELS
        assert field.words, name
        assert not field.words.endswith(".") or field.words.endswith(" ...")


def test_a_level_that_is_none_is_refused():
    shell = SimpleNamespace(user_ns={"x": 1}, user_ns_hidden={}, execution_count=1)
    request = {"ask": "names", "arguments": {}, "privacy": "everything"}
    assert json.loads(entry.answer(wire.dumps(request), shell))["status"] == "refused"
