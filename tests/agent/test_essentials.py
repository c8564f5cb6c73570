"""What a model is told of a probe's answer: nothing that it knows already, and everything that is unusual."""

import pytest

from crane_agent.agent.essentials import essential
from crane_agent.agent.policy import ProbeCall
from crane_agent.tools.probes import PROBES

COLUMNS = [["a", "int64"], ["b", "int64"], ["c", "object"], ["d", "int64"]]


def told(probe, arguments, **answer):
    return essential(ProbeCall(probe, arguments), answer)


def test_what_the_call_said_is_not_said_again():
    assert told("cast", {"path": "s", "to": "float()"}, path="s", to="float()", rejects=True) == {"rejects": True}
    assert told("names", {"like": "x"}, name="x", defined=False, close_names=["y"], count=3) == {
        "defined": False,
        "close_names": ["y"],
    }
    assert told("column", {"path": "df", "name": "a"}, label="a", dtype="int64") == {"dtype": "int64"}
    assert told("cast", {"path": "df", "name": "a"}, label=3) == {"label": 3}


def test_columns_are_those_asked_for_neighbours_of_a_dtype_together():
    asked = {"path": "df", "names": ["d", "a", "x", "y"]}
    answer = told(
        "columns", asked, path="df", kind="frame", columns=COLUMNS, missing=["x", "y"], close={"x": ["a"], "y": []}
    )
    assert answer == {"columns": [["int64", ["a", "d"]]], "missing": ["x", "y"], "close": {"x": ["a"]}}
    assert told("columns", {"path": "df"}, columns=COLUMNS) == {
        "columns": [["int64", ["a", "b"]], ["object", ["c"]], ["int64", ["d"]]]
    }
    assert told("columns", {"path": "df"}, columns=None, shape=[3, 0]) == {"shape": [3, 0]}


def test_that_none_is_missing_is_said():
    assert told("columns", {"path": "df", "names": ["a"]}, columns=COLUMNS, missing=[], close={}) == {
        "columns": [["int64", ["a"]]],
        "missing": [],
    }


def test_of_an_array_only_what_is_unusual_is_told_beside_its_shape():
    usual = {
        **{"order": "C", "writable": True, "owns_data": True, "whole": True, "looked_at": 6, "truncated": False},
        **{"type": "numpy.ndarray", "kind": "array", "shape": [2, 3]},
    }
    answer = told("array", {"path": "x"}, **usual, dtype="float64", nan=0, infinite=0)
    assert answer == {"type": "numpy.ndarray", "shape": [2, 3], "dtype": "float64", "nan": 0, "infinite": 0}
    answer = told("array", {"path": "x"}, **usual, dtype="int64", nan=0, infinite=0)
    assert answer == {"type": "numpy.ndarray", "shape": [2, 3], "dtype": "int64"}
    answer = told("array", {"path": "x"}, **{**usual, "order": "F", "writable": False}, dtype="bool")
    assert (answer["order"], answer["writable"]) == ("F", False)
    assert told("array", {"path": "x"}, shape=[9], whole=False, looked_at=4)["looked_at"] == 4


def test_how_many_were_looked_at_is_said_where_it_is_not_all():
    assert told("column", {"path": "s"}, length=9, looked_at=9, distinct=2, distinct_among=5) == {
        "length": 9,
        "distinct": 2,
        "distinct_among": 5,
    }
    assert told("nulls", {"path": "df"}, shape=[9, 2], looked_at=9, unread=[]) == {"shape": [9, 2]}


def test_of_a_loader_the_sampler_is_told_where_it_is_not_known_whether_it_shuffles():
    plain = {"batch_size": 4, "last_batch_size": 4, "sampler": "S", "workers": 0, "collate": "default"}
    assert told("loader", {"path": "x"}, **plain, shuffles=True, n_batches=None) == {"batch_size": 4, "shuffles": True}
    assert told("loader", {"path": "x"}, **plain, shuffles=None) == {"batch_size": 4, "sampler": "S"}


def test_of_a_layer_what_the_one_before_it_tells_is_left_out():
    first = {
        **{"name": "conv", "type": "keras.src.layers.convolutional.conv2d.Conv2D", "built": True},
        **{"input_shapes": [[None, 8, 8, 3]], "input_spec": {"min_ndim": 4}, "output_shapes": [[None, 6, 6, 4]]},
        **{"parameters": {"kernel": [3, 3, 3, 4]}, "sizes": {"filters": 4, "groups": 1, "rank": 2, "use_bias": False}},
    }
    second = {
        **{"name": "pool", "type": "keras.src.layers.pooling.MaxPooling2D", "built": False, "parameters": {}},
        **{"input_shapes": [[None, 6, 6, 4]], "output_shapes": [[None, 3, 3, 4]]},
    }
    third = {**second, "built": True, "input_spec": {"ndim": 4}}
    found = told("layers", {"path": "net"}, built=True, style="functional", layers=[first, second, third])["layers"]
    assert found == [
        {
            **{"name": "conv", "type": "Conv2D", "input_shapes": [[None, 8, 8, 3]]},
            **{"output_shapes": [[None, 6, 6, 4]], "parameters": {"kernel": [3, 3, 3, 4]}},
            "sizes": {"filters": 4, "use_bias": False},
        },
        {"name": "pool", "type": "MaxPooling2D", "built": False, "output_shapes": [[None, 3, 3, 4]]},
        {
            **{"name": "pool", "type": "MaxPooling2D", "input_shapes": [[None, 6, 6, 4]]},
            "output_shapes": [[None, 3, 3, 4]],
        },
    ]


def test_a_name_that_was_only_bound_has_no_other_history():
    bound = [{"cell": 0, "ran": 1}]
    quiet = {"changed": [], "deleted": [], "would_bind": [], "may_bind_anything": [], "complete": True}
    last = {"cell": 0, "ran": 1, "did": ["bound"]}
    answer = told("history", {"name": "df"}, name="df", bound=bound, **quiet, last=last, truncated=False)
    assert answer == {"bound": bound}
    assert told("history", {"name": "df"}, bound=bound, **{**quiet, "deleted": bound}, last=last)["last"] == last
    assert told("history", {"name": "df"}, bound=bound, **{**quiet, "complete": False})["complete"] is False


@pytest.mark.parametrize("probe", PROBES)
def test_nothing_is_added_and_what_shows_a_crash_stays(probe):
    spec = PROBES[probe]
    answer = dict(spec.example_answer)
    found = essential(ProbeCall(probe, spec.example), answer)
    assert found.keys() <= answer.keys()
    for name in ("missing", "defined", "fitted", "fits", "rejects", "exception", "dtype", "shape", "error", "nan"):
        if answer.get(name) is not None:
            assert found.get(name, "left out") == answer[name] or (name == "nan" and "int" in answer["dtype"])
