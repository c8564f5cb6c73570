"""pandas: what follows from the structure of a table alone.

pandas does what the cell does with stand-ins: mostly without rows, which is enough for labels and dtypes, and with all
of them where positions count. Of what it raises only that counts which it raises whatever the cells and the row labels
are: missing columns, lengths that do not fit, accessors of another dtype. All else is said to be possible.

A stand-in's row labels mean nothing; how many levels they have, and their names, are those of the value.

To add a method, put its name into the table that says what of the structure it keeps (`_KEEP_ALL`, ...).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

from ... import safe
from ...privacy import NAMES, SCHEMA
from ...readers import blocks
from ..questions import about_call
from ..sites import AttributeSite, CallSite, Finding, SubscriptSite, ValueSite
from ..values import DTYPE, LABELS, SHAPE, STRUCTURE, UNKNOWN, Defined, Elements, Hole, Known, Like, Made, Method, Value
from . import frame_stores as stores
from . import operands, running, tables
from .pandas_itself import LIBRARY, as_told, ask_content, own, without_imports

if TYPE_CHECKING:
    from ..state import State

MAX_CELLS = 5_000_000
_EVERYTHING = slice(None)

ALL = STRUCTURE
ROWS_UNKNOWN = frozenset([LABELS, DTYPE])
DTYPES_UNKNOWN = frozenset([LABELS, SHAPE])
LABELS_ALONE = frozenset([LABELS])

# What is known of what a method of a frame or a series returns. All of them keep rows, or say so.
_KEEP_ALL = frozenset(
    (
        *("abs", "add_prefix", "add_suffix", "astype", "bfill", "copy", "cummax", "cummin", "cumprod", "cumsum"),
        *("duplicated", "diff", "ffill", "isna", "isnull", "notna", "notnull", "rank", "rename", "rename_axis"),
        *("round", "set_index", "sort_index", "sort_values", "to_frame", "between", "isin", "shift", "pct_change"),
        *("select_dtypes", "reset_index", "swaplevel", "reorder_levels", "droplevel"),
    )
)
_KEEP_LABELS = frozenset(
    (
        *("clip", "convert_dtypes", "fillna", "infer_objects", "interpolate", "map", "mask", "replace", "where"),
        *("pad", "backfill"),
    )
)
_LOSE_ROWS = frozenset(["drop_duplicates", "dropna", "nlargest", "nsmallest", "explode", "truncate", "sample"])
_PLACED = frozenset(["head", "tail"])
_REDUCE = frozenset(
    (
        *("all", "any", "count", "kurt", "kurtosis", "max", "mean", "median", "min", "nunique", "prod", "product"),
        *("quantile", "sem", "skew", "std", "sum", "var"),
    )
)
# What names columns, and raises KeyError whatever the cells are if they are not there.
_NAME_COLUMNS = frozenset(
    (
        *("astype", "drop_duplicates", "dropna", "duplicated", "explode", "groupby", "melt", "merge", "nlargest"),
        *("nsmallest", "pivot", "pivot_table", "set_index", "sort_values", "value_counts", "rename", "join"),
    )
)
# Methods that take functions, which may be the user's.
_TAKE_FUNCTIONS = frozenset(
    (
        *("agg", "aggregate", "apply", "applymap", "assign", "combine", "filter", "groupby", "map", "mask", "pipe"),
        *("rename", "replace", "resample", "sort_index", "sort_values", "transform", "where", "rename_axis"),
    )
)


# -- the ways of asking --------------------------------------------------------------------------------------------


def ask(
    compute: Callable[[], object], state: State, raises: tuple[type, ...] = (), knows: frozenset[str] = ALL
) -> Value | Finding | None:
    """Do it with stand-ins: return a stand-in for what comes out, the crash that is certain, or None."""
    with without_imports() as gate:
        answer = running.structure(compute, LIBRARY, raises, knows=knows)
    if gate.asked:
        return None
    if isinstance(answer, Finding):
        return as_told(answer, SCHEMA)
    if type(answer) is not Like:
        return None
    found = own(answer.object, state)
    if tables.is_table(found) or tables.is_ours(found, state) or safe.is_exactly(found, "numpy", "ndarray"):
        return answer
    return UNKNOWN


def _or_unknown(answer: Value | Finding | None, node: Any, what: str, state: State) -> Value | Finding:
    """Return an answer, having said that it may be an exception; UNKNOWN if there is none."""
    if isinstance(answer, Finding):
        return answer
    state.may_raise(node, "{} may raise".format(what))
    return UNKNOWN if answer is None else answer


def _emptied(table: Any, state: State) -> Any:
    """Return a table without its rows; None if there is none."""
    if not (blocks.is_frame(table) or blocks.is_series(table)):
        return table
    made = tables.stand_in(table, 0)
    return None if made is None else tables.keep(made[0], state)


def _filled(answer: Value | Finding | None, count: int | None, state: State) -> Value | Finding | None:
    """Return a stand-in without rows as one with this many; without the shape if that is not known."""
    if type(answer) is not Like:
        return answer
    made = None if count is None or not _is_table(answer.object) else tables.stand_in(answer.object, count)
    if made is None or SHAPE not in answer.knows:
        return Like(answer.object, answer.knows - {SHAPE}, answer.path)
    return Like(tables.keep(made[0], state), answer.knows & (made[1] | {DTYPE}), answer.path)


def _is_table(found: object) -> bool:
    return blocks.is_frame(found) or blocks.is_series(found)


def _count(value: Value | None, found: Any, state: State) -> int | None:
    """Return the number of rows of a table, or None."""
    return tables.rows(found) if SHAPE in state.knows(value) and _is_table(found) else None


def _has_objects(table: Any) -> bool:
    """Whether cells of a table may be anything."""
    if not _is_table(table):
        return True
    manager: Any = (safe.instance_dict(table) or {})["_mgr"]
    return any(
        safe.is_exactly(block.values, "numpy", "ndarray") and block.values.dtype.kind == "O" for block in manager.blocks
    )


def _are_labels(key: Any) -> bool:
    return type(key) is list and all(tables.is_name(each) and type(each) is not bool for each in key)


# -- attributes ----------------------------------------------------------------------------------------------------


def attribute(site: AttributeSite, owner: Any, state: State) -> Value | Finding | None:
    """Read an attribute that is no method."""
    knows = state.knows(site.owner)
    if tables.is_index(owner):
        return (
            ask_content(lambda: getattr(owner, site.name), state) if site.name in ("name", "names", "ndim") else UNKNOWN
        )
    if not _is_table(owner):
        return _of_accessor(site, owner, knows, state)
    if site.name in _ATTRIBUTES:
        return _ATTRIBUTES[site.name](site, owner, knows, state)  # type: ignore[no-any-return]
    return _or_unknown(None, site.node, "." + site.name, state)


def _labels_of(site: AttributeSite, owner: Any, knows: frozenset[str], state: State) -> Value | Finding | None:
    if not blocks.is_frame(owner) or LABELS not in knows:
        return UNKNOWN
    answer = ask_content(lambda: owner.columns, state, NAMES)
    if isinstance(answer, Known):
        stores.remember_parent(answer, site.owner, state)
    return answer


def _dtypes_of(site: AttributeSite, owner: Any, knows: frozenset[str], state: State) -> Value | Finding | None:
    certain = DTYPE in knows and (LABELS in knows or not blocks.is_frame(owner))
    return ask_content(lambda: getattr(owner, site.name), state, NAMES) if certain else UNKNOWN


def _sizes_of(site: AttributeSite, owner: Any, knows: frozenset[str], state: State) -> Value | Finding | None:
    if site.name == "ndim" or (SHAPE in knows and (LABELS in knows or not blocks.is_frame(owner))):
        return ask_content(lambda: getattr(owner, site.name), state, NAMES)
    if site.name == "shape":
        if not blocks.is_frame(owner):
            return Known((Hole(UNKNOWN),))
        return Known((Hole(UNKNOWN), Hole(Known(owner.shape[1], level=SCHEMA)) if LABELS in knows else Hole(UNKNOWN)))
    return UNKNOWN


def _index_of(site: AttributeSite, owner: Any, knows: frozenset[str], state: State) -> Value | Finding | None:
    found = Like(own(owner.index, state), knows & {SHAPE})
    stores.remember_parent(found, site.owner, state)
    return found


def _values_of(site: AttributeSite, owner: Any, knows: frozenset[str], state: State) -> Value | Finding | None:
    if blocks.is_frame(owner) and LABELS not in knows:
        return UNKNOWN
    if tables.size(owner) > MAX_CELLS:
        owner, knows = _emptied(owner, state), knows - {SHAPE}
    return ask(lambda: getattr(owner, site.name), state, knows=knows) or UNKNOWN


def _accessor_of(site: AttributeSite, owner: Any, knows: frozenset[str], state: State) -> Value | Finding | None:
    empty = _emptied(owner, state)
    if empty is None or DTYPE not in knows:
        return None
    certain = site.name != "str" or not _has_objects(owner)
    answer = ask(lambda: getattr(empty, site.name), state, (AttributeError,) if certain else (), knows)
    if certain and answer is not None:
        return _of_rows(answer, _count(site.owner, owner, state), state)
    answer = _or_unknown(answer, site.node, "." + site.name, state)
    return _of_rows(answer, _count(site.owner, owner, state), state)


def _of_rows(answer: Value | Finding, count: int | None, state: State) -> Value | Finding:
    """Remember how many rows an accessor, or groups, have."""
    if type(answer) is Like:
        state.memo.setdefault("pandas.rows", {})[id(answer.object)] = count
    return answer


def _rows_of(found: object, state: State) -> int | None:
    count: int | None = state.memo.get("pandas.rows", {}).get(id(found))
    return count


def _indexer_of(site: AttributeSite, owner: Any, knows: frozenset[str], state: State) -> Value | Finding | None:
    answer = ask(lambda: getattr(owner, site.name), state, knows=knows)
    if type(answer) is Like:
        stores.remember_indexer(answer, site.owner, state)
    return answer


_ATTRIBUTES: dict[str, Any] = {
    "columns": _labels_of,
    "dtype": _dtypes_of,
    "dtypes": _dtypes_of,
    "shape": _sizes_of,
    "size": _sizes_of,
    "empty": _sizes_of,
    "ndim": _sizes_of,
    "index": _index_of,
    "values": _values_of,
    "str": _accessor_of,
    "dt": _accessor_of,
    "cat": _accessor_of,
    "loc": _indexer_of,
    "iloc": _indexer_of,
    "at": _indexer_of,
    "iat": _indexer_of,
}


def _of_accessor(site: AttributeSite, owner: Any, knows: frozenset[str], state: State) -> Value | Finding | None:
    """Read ``series.dt.year`` and its like: whether it is of whole numbers depends on what is missing."""
    answer = ask(lambda: getattr(owner, site.name), state, knows=knows - {DTYPE})
    if type(answer) is Like and _is_table(answer.object):
        return _filled(answer, _rows_of(owner, state), state)
    return _or_unknown(None, site.node, "." + site.name, state)


def label(site: AttributeSite, owner: Any, state: State) -> Value | Finding | None:
    """Read a column by its label as an attribute, or fail to."""
    knows = state.knows(site.owner)
    if blocks.is_series(owner) or tables.is_index(owner) or LABELS not in knows:
        return None
    if blocks.is_frame(owner) and not state.is_as_shipped(type(owner)):
        return None
    return ask(lambda: getattr(owner, site.name), state, (AttributeError,), knows)


# -- items ---------------------------------------------------------------------------------------------------------


def item(
    site: SubscriptSite, owner: operands.Operand, wanted: operands.Operand, state: State
) -> Value | Finding | None:
    """Read ``owner[key]``."""
    found = owner.object
    if blocks.is_frame(found):
        return _item_of_frame(site, found, wanted, state)
    if blocks.is_series(found):
        return _item_of_rows(site, found, wanted, state)
    name = safe.class_name(type(found))
    if name in ("_LocIndexer", "_iLocIndexer", "_AtIndexer", "_iAtIndexer"):
        table = stores.indexed(site.owner, state)
        return _item_of_indexer(site, name, table, wanted, state)
    if name in ("DataFrameGroupBy",) and wanted.real:
        raises = (KeyError,) if LABELS in state.knows(site.owner) else ()
        answer = ask(lambda: found[wanted.object], state, raises, state.knows(site.owner))
        return None if answer is None else _of_rows(answer, _rows_of(found, state), state)
    return _or_unknown(None, site.node, "an item", state)


def unknown_item(site: SubscriptSite, owner: operands.Operand | None, state: State) -> Value | Finding | None:
    """Read ``owner[key]`` of which one is not known."""
    return None


def _item_of_frame(site: SubscriptSite, frame: Any, wanted: operands.Operand, state: State) -> Value | Finding | None:
    knows, key = state.knows(site.owner), wanted.object
    if not wanted.real or _is_mask(key) or type(key) is slice:
        return _item_of_rows(site, frame, wanted, state)
    if tables.is_index(key):
        key = list(key)
    if LABELS not in knows or not (tables.is_name(key) or _are_labels(key)):
        return _or_unknown(None, site.node, "an item", state)
    if type(key) is not list:
        return _with_parent(ask(lambda: frame[key], state, (KeyError,), knows), site.owner, state)
    empty = _emptied(frame, state)
    return _filled(ask(lambda: empty[key], state, (KeyError,), knows), _count(site.owner, frame, state), state)


def _with_parent(answer: Value | Finding | None, frame: Value, state: State) -> Value | Finding | None:
    if type(answer) is Like:
        stores.remember_parent(answer, frame, state)
    return answer


def _is_mask(key: Any) -> bool:
    """Whether a key picks rows by truth, whatever it holds."""
    if type(key) is list:
        return bool(key) and all(type(each) is bool for each in key)
    if safe.is_exactly(key, "numpy", "ndarray"):
        return bool(key.dtype.kind == "b")
    if blocks.is_series(key):
        return str(blocks.dtype(key)) in ("bool", "boolean", "bool[pyarrow]")
    return False


def _item_of_rows(site: SubscriptSite, table: Any, wanted: operands.Operand, state: State) -> Value | Finding | None:
    """Read rows, by slices and masks."""
    knows, key = state.knows(site.owner), wanted.object
    if type(key) is slice and wanted.real and SHAPE in knows and _are_positions(key) and _is_range(table):
        return ask(lambda: table.iloc[key], state, knows=knows)
    masked = _is_mask(key) and (wanted.real or DTYPE in state.knows(site.key))
    if masked or (type(key) is slice and wanted.real):
        empty = _emptied(table, state)
        return _or_unknown(ask(empty.copy, state, knows=knows - {SHAPE}), site.node, "rows that are picked", state)
    if blocks.is_frame(key) and blocks.is_frame(table):
        return _or_unknown(
            ask(lambda: table.copy(deep=False), state, knows=knows - {DTYPE}), site.node, "a mask", state
        )
    return _or_unknown(None, site.node, "an item", state)


def _is_range(table: Any) -> bool:
    """Whether the rows of a table are numbered: then a slice of whole numbers is one of places."""
    return safe.class_name(type(blocks.axes(table)[-1])) == "RangeIndex"


def _item_of_indexer(
    site: SubscriptSite, name: str, table: Value, wanted: operands.Operand, state: State
) -> Value | Finding | None:
    operand = operands.resolve(table, state)
    if operand is None or not _is_table(operand.object):
        return None
    found, knows, key = operand.object, state.knows(table), wanted.object
    if name == "_iLocIndexer" and wanted.real and SHAPE in knows and LABELS in knows and _are_positions(key):
        answer = ask(lambda: found.iloc[key], state, (IndexError,), knows)
        return answer
    if blocks.is_series(found) or LABELS not in knows:
        return _or_unknown(None, site.node, "an item", state)
    rows, columns = key if type(key) is tuple and len(key) == 2 else (key, slice(None))
    empty = _emptied(found, state)
    if empty is None or _levels(found.index) != 1:
        return _or_unknown(None, site.node, "an item", state)
    if name == "_iLocIndexer":
        picked = ask(lambda: empty.iloc[:, columns], state, (IndexError,) if _are_positions(columns) else (), knows)
    elif tables.is_name(columns) or _are_labels(columns) or type(columns) is slice:
        picked = ask(lambda: empty.loc[:, columns], state, (KeyError,), knows)
    else:
        picked = None
    if picked is None or isinstance(picked, Finding):
        return picked if picked is not None else _or_unknown(None, site.node, "an item", state)
    if type(rows) is slice and rows == _EVERYTHING:
        return _filled(picked, _count(table, found, state), state)
    if type(rows) is slice or _is_mask(rows) or (type(rows) is list and rows):
        return _or_unknown(_filled(picked, None, state), site.node, "rows that are picked", state)
    return _or_unknown(None, site.node, "an item", state)


def _levels(index: Any) -> int:
    return int(index.nlevels)


def _are_positions(key: Any) -> bool:
    if type(key) is tuple:
        return all(_are_positions(each) and type(each) is not tuple for each in key)
    if type(key) is slice:
        return all(type(each) in (int, type(None)) for each in (key.start, key.stop, key.step)) and key.step != 0
    if type(key) is list:
        return all(type(each) is int for each in key)
    return type(key) is int


# -- methods -------------------------------------------------------------------------------------------------------


def method(
    method: Method, site: CallSite, owner: operands.Operand, found: operands.Operands, state: State
) -> Value | Finding | None:
    """Follow a method that changes nothing."""
    if not _is_table(owner.object):
        return _or_unknown(_of_group(method, owner.object, found, state), site.node, "." + method.name + "()", state)
    count = _count(method.owner, owner.object, state)
    answer, certain = _of_table(method, owner.object, count, found, state)
    if isinstance(answer, Finding) or (certain and answer is not None):
        return answer
    if method.name == "astype":
        about_call(site, None, state)
    return _or_unknown(answer, site.node, "." + method.name + "()", state)


def _of_table(
    method: Method, table: Any, count: int | None, found: operands.Operands, state: State
) -> tuple[Value | Finding | None, bool]:
    """Return the answer, and whether there is no other exception."""
    name, knows = method.name, state.knows(method.owner)
    frame = blocks.is_frame(table)
    empty = _emptied(table, state)
    if empty is None or (frame and LABELS not in knows):
        return None, False
    names_columns = name in _NAME_COLUMNS and frame and _names_only(found)
    raises: tuple[type, ...] = (KeyError,) if names_columns else ()

    def run(on: Any) -> Any:
        return getattr(on, name)(*_emptied_all(found.arguments, state), **_emptied_table(found.keywords, state))

    if name in _PLACED and found.real and count is not None:
        return ask(lambda: getattr(table, name)(*found.arguments, **found.keywords), state, (), knows), _few(found)
    if name == "groupby":
        answer = ask(lambda: run(empty), state, raises, knows)
        return (None if answer is None else _of_rows(answer, count, state)), found.real and names_columns
    if name == "drop" and _drops_rows(found):
        return ask(empty.copy, state, (), knows - {SHAPE}), False
    if name == "drop":
        return _filled(ask(lambda: run(empty), state, *_drops(found, knows)), count, state), _drops_columns(found)
    if name in _REDUCE and (found.arguments or "axis" in found.keywords):
        return None, False
    if name in _REDUCE:
        return _reduced(name, empty, knows, run, state)
    if name in ("merge", "join"):
        return _joined(name, empty, found, run, state), False
    if name == "melt":
        return ask(lambda: run(empty), state, raises, LABELS_ALONE), False
    if name == "to_numpy" and not found.arguments and not found.keywords and tables.size(table) <= MAX_CELLS:
        return ask(table.to_numpy, state, (), knows), True
    kept = _kept(name, found, frame)
    if kept is None:
        answer = ask(lambda: run(empty), state, raises) if raises else None
        return (answer if isinstance(answer, Finding) else None), False
    if name in ("reset_index", "set_index", "sort_values") and not found.real:
        return None, False
    if name == "select_dtypes" and DTYPE not in knows:
        return None, False
    answer = _filled(ask(lambda: run(empty), state, raises, knows & kept), count, state)
    return answer, name in _CERTAIN and found.real and not found.keywords and not found.arguments


_CERTAIN = frozenset(["copy", "isna", "isnull", "notna", "notnull", "head", "tail", "reset_index"])


def _kept(name: str, found: operands.Operands, frame: bool) -> frozenset[str] | None:
    """Return what is known of what a method returns; None if not even the labels."""
    axis = found.keywords.get("axis", 0)
    by_rows = axis in (0, "index")
    if not by_rows and name not in ("rename", "sort_values", "sort_index", "drop", "rename_axis"):
        return None
    if name in ("sort_values", "sort_index") and (
        axis not in (0, "index") or (found.arguments and name == "sort_index")
    ):
        return None
    if name == "fillna" and found.arguments and not tables.is_scalar(found.arguments[0]):
        return DTYPES_UNKNOWN
    if name == "set_index" and "append" in found.keywords:
        return ALL
    if name in ("explode", "sort_values", "sort_index") and "ignore_index" in found.keywords:
        return ROWS_UNKNOWN if name == "explode" else ALL
    if name == "explode":
        return LABELS_ALONE
    if name in _KEEP_ALL:
        return ALL
    if name in _KEEP_LABELS:
        return DTYPES_UNKNOWN
    return ROWS_UNKNOWN if name in _LOSE_ROWS else None


def _names_only(found: operands.Operands) -> bool:
    """Whether what a call is given are texts, numbers, and lists and tables of them: nothing that looks at rows."""
    return found.real and all(
        tables.is_scalar(each) or safe.one_of(type(each), (list, tuple, dict, type))
        for each in (*found.arguments, *found.keywords.values())
    )


def _few(found: operands.Operands) -> bool:
    return all(type(each) is int and abs(each) < 2**31 for each in (*found.arguments, *found.keywords.values()))


def _emptied_all(arguments: tuple[Any, ...], state: State) -> list[Any]:
    return [_emptied_inside(each, state) for each in arguments]


def _emptied_table(keywords: dict[str, Any], state: State) -> dict[str, Any]:
    return {name: _emptied_inside(each, state) for name, each in keywords.items()}


def _emptied_inside(value: Any, state: State) -> Any:
    if _is_table(value):
        return _emptied(value, state)
    if type(value) is list or type(value) is tuple:
        return type(value)([_emptied_inside(each, state) for each in value])
    if type(value) is dict:
        return {key: _emptied_inside(each, state) for key, each in value.items()}
    return value


def _drops(found: operands.Operands, knows: frozenset[str]) -> tuple[tuple[type, ...], frozenset[str]]:
    columns_only = _drops_columns(found)
    return ((KeyError,) if columns_only else ()), (knows if columns_only else knows - {SHAPE})


def _drops_rows(found: operands.Operands) -> bool:
    """Whether `DataFrame.drop` is called for rows alone."""
    if set(found.keywords) - {"index", "labels", "errors", "axis"}:
        return False
    axis = found.keywords.get("axis", found.arguments[1] if len(found.arguments) > 1 else 0)
    return type(axis) in (int, str) and axis in (0, "index")


def _drops_columns(found: operands.Operands) -> bool:
    """Whether `DataFrame.drop` is called for columns alone."""
    if not found.real or set(found.keywords) - {"columns", "axis", "labels", "errors"}:
        return False
    axis = found.keywords.get("axis", found.arguments[1] if len(found.arguments) > 1 else 0)
    return ("columns" in found.keywords and not found.arguments and "labels" not in found.keywords) or (
        "columns" not in found.keywords and type(axis) in (int, str) and axis in (1, "columns")
    )


def _reduced(
    name: str, empty: Any, knows: frozenset[str], run: Callable[[Any], Any], state: State
) -> tuple[Value | Finding | None, bool]:
    """Return what reducing gives: raised is what the dtypes alone decide."""
    if DTYPE not in knows or _has_objects(empty):
        return None, False
    answer = ask(lambda: run(empty), state, (TypeError,))
    certain = name != "quantile" and _is_of_numbers(empty)
    if isinstance(answer, Finding):
        return answer, True
    if answer is None:
        return None, False
    if type(answer) is Like and blocks.is_series(answer.object) and blocks.is_frame(empty):
        return Like(answer.object, frozenset([SHAPE])), certain
    return UNKNOWN, certain


def _joined(
    name: str, empty: Any, found: operands.Operands, run: Callable[[Any], Any], state: State
) -> Value | Finding | None:
    """Return what `merge` and `join` give: of the labels alone."""
    merge_error: Any = safe.loaded("pandas.errors", "MergeError")
    overlaps: list[Exception] = []

    def compute() -> Any:
        try:
            return run(empty)
        except ValueError as error:
            if str(error).startswith("columns overlap but no suffix"):
                overlaps.append(error)
            raise

    answer = ask(compute, state, (KeyError, merge_error), LABELS_ALONE)
    if answer is None and overlaps:
        return as_told(running.crash(overlaps[0], LIBRARY, SCHEMA, "", "{} itself says so for these labels"), SCHEMA)
    return answer


_GROUPED = frozenset(["count", "first", "last", "max", "min", "nunique", "size", "any", "all", "nth"])
_GROUPED_NUMBERS = frozenset(["mean", "sum", "std", "var", "median", "prod", "sem"])


def _of_group(method: Method, owner: Any, found: operands.Operands, state: State) -> Value | Finding | None:
    """Return what a method of groups, windows or an accessor gives."""
    name, knows = method.name, state.knows(method.owner)
    kind = safe.class_name(type(owner))
    if kind == "StringMethods" or kind.endswith("Properties"):
        answer = ask(lambda: getattr(owner, name)(*found.arguments, **found.keywords), state, (), knows - {DTYPE})
        if type(answer) is Like and blocks.is_series(answer.object):
            return _filled(answer, _rows_of(owner, state), state)
        return None
    if kind not in ("DataFrameGroupBy", "SeriesGroupBy") or LABELS not in knows or not found.real:
        return None
    table = (safe.instance_dict(owner) or {}).get("obj")
    numeric = not _has_objects(table)
    if name in ("agg", "aggregate") and _names_only(found):
        answer = ask(lambda: getattr(owner, name)(*found.arguments, **found.keywords), state, (KeyError,))
        return (
            answer
            if isinstance(answer, Finding) or (numeric and type(answer) is not Like)
            else (Like(answer.object, LABELS_ALONE) if type(answer) is Like and numeric else None)
        )
    if name in _GROUPED or (name in _GROUPED_NUMBERS and numeric):
        answer = ask(lambda: getattr(owner, name)(*found.arguments, **found.keywords), state, (), LABELS_ALONE)
        return answer
    return None


def unknown_method(
    method: Method, site: CallSite, owner: operands.Operand | None, state: State
) -> Value | Finding | None:
    """Follow a method with arguments that are not known."""
    if owner is None or not _is_table(owner.object) or not site.complete or method.name in _TAKE_FUNCTIONS:
        return None
    if any(type(each) is Defined for each in (*site.arguments, *site.keywords.values())):
        return None
    knows, name = state.knows(method.owner), method.name
    count = _count(method.owner, owner.object, state)
    plain = set(site.keywords) <= {"value", "n", "ascending", "decimals", "subset", "lower", "upper", "values"}
    if not plain or (blocks.is_frame(owner.object) and LABELS not in knows):
        return None
    empty = _emptied(owner.object, state)
    if name in ("fillna", "clip", "round"):
        answer = _filled(ask(empty.copy, state, knows=knows & DTYPES_UNKNOWN), count, state)
    elif name in ("head", "tail", "dropna", "drop_duplicates"):
        answer = ask(empty.copy, state, knows=knows - {SHAPE})
    else:
        return None
    return _or_unknown(answer, site.node, "." + name + "()", state)


def sample(
    site: CallSite, owner: operands.Operand | None, found: operands.Operands | None, state: State
) -> Value | Finding | None:
    """Follow ``table.sample()``: with random numbers of its own, or with others of which only the structure counts."""
    if owner is None or not _is_table(owner.object):
        return None
    knows = state.knows(site.callee.owner)  # type: ignore[attr-defined]
    if blocks.is_frame(owner.object) and LABELS not in knows:
        return None
    if found is None:
        if "axis" in site.keywords:
            return None
        empty = _emptied(owner.object, state)
        return _or_unknown(ask(empty.copy, state, knows=knows - {SHAPE}), site.node, ".sample()", state)
    seed = found.keywords.get("random_state")
    if len(found.arguments) > 3 or not found.real or type(seed) not in (int, type(None)):
        return None
    seeded = dict(found.keywords, random_state=seed if seed is not None else 0)
    if owner.real and owner.size <= MAX_CELLS // 5:
        answer = ask_content(lambda: owner.object.sample(*found.arguments, **seeded), state)
        if seed is None and type(answer) is Known:
            return Like(answer.object, knows)
        return answer
    if SHAPE not in knows or "weights" in found.keywords or "axis" in found.keywords:
        return None
    return ask(lambda: owner.object.sample(*found.arguments, **seeded), state, (ValueError,), knows)


# -- changes -------------------------------------------------------------------------------------------------------


def changing(
    method: Method,
    site: CallSite,
    owner: operands.Operand | None,
    found: operands.Operands | None,
    state: State,
) -> Value | Finding | None:
    """Follow a method that changes its table, where that is not known to the last cell."""
    state.may_raise(site.node, ".{}() may raise".format(method.name))
    inplace = state.live(site.keywords.get("inplace", Known(True)))
    if owner is None or found is None or type(inplace) is not bool or method.name in ("insert", "update", "pop"):
        stores.lose(method.owner, state)
        return UNKNOWN
    keywords = {name: each for name, each in found.keywords.items() if name != "inplace"}
    count = _count(method.owner, owner.object, state)
    answer, _ = _of_table(method, owner.object, count, found._replace(keywords=keywords), state)
    if isinstance(answer, Finding):
        return answer
    if not inplace:
        return answer or UNKNOWN
    if type(answer) is Like and type(answer.object) is type(owner.object):
        stores.tell(method.owner, answer, state)
    else:
        stores.lose(method.owner, state)
    return UNKNOWN


def in_place(
    site: Any, operate: Any, left: operands.Operand | None, right: operands.Operand | None, state: State
) -> Value | Finding | None:
    """Follow ``table op= other``."""
    answer = None
    if left is not None and right is not None:
        answer = operator(site, operate, left, right, state)
    if isinstance(answer, Finding):
        return answer
    state.may_raise(site.node, "an operator on tables may raise")
    if not tables.is_table(state.form(site.left)) or tables.is_index(state.form(site.left)):
        return UNKNOWN
    stores.forget_content(site.left, state)
    return site.left  # type: ignore[no-any-return]


def store_item(
    site: SubscriptSite,
    table: Value,
    indexer: str,
    key: operands.Operand | None,
    found: operands.Operand | None,
    known: frozenset[str],
    state: State,
) -> Value | Finding | None:
    """Follow ``table[key] = value`` where not all of it is known; `known` says what is of the value."""
    form, knows = state.form(table), state.knows(table)
    made = tables.stand_in(form) if _is_table(form) else None
    if made is None or key is None or (blocks.is_frame(form) and LABELS not in knows):
        state.may_raise(site.node, "an assignment to an item of a table")
        stores.lose(table, state)
        return Known(None)
    now = _stored(site, made[0], knows & made[1], indexer, key.object, found, known, state)
    if isinstance(now, Finding):
        return now
    stores.tell(table, now, state)
    return Known(None)


def _stored(
    site: SubscriptSite,
    table: Any,
    knows: frozenset[str],
    indexer: str,
    key: Any,
    found: operands.Operand | None,
    known: frozenset[str],
    state: State,
) -> Value | Finding:
    if blocks.is_series(table) or indexer in ("iloc", "iat"):
        state.may_raise(site.node, "an assignment to an item of a table")
        places = indexer in ("iloc", "iat")
        return Like(tables.keep(table, state), knows - {DTYPE} if places else knows - {DTYPE, SHAPE})
    if indexer:
        rows, columns = key if type(key) is tuple and len(key) == 2 else (key, None)
        labels = [] if columns is None else columns if _are_labels(columns) else [columns]
        keeps = (type(rows) is slice and rows == _EVERYTHING) or _is_mask(rows)
        state.may_raise(site.node, "an assignment to an item of a table")
        if not all(tables.is_name(each) for each in labels) and type(columns) is not slice:
            return UNKNOWN
        return _widened(
            table, [] if type(columns) is slice else labels, knows - ({DTYPE} if keeps else {DTYPE, SHAPE}), state
        )
    if type(key) is not list and tables.is_name(key):
        return _stored_column(site.node, table, knows, key, found, known, state)
    state.may_raise(site.node, "an assignment to an item of a table")
    if _are_labels(key):
        return _widened(table, key, knows - {DTYPE}, state)
    return Like(tables.keep(table, state), knows - {DTYPE})


def _widened(table: Any, labels: list[Any], knows: frozenset[str], state: State) -> Value:
    """Return a frame with these columns besides its own."""

    def compute() -> Any:
        copy = table.copy(deep=False)
        for each in labels:
            if each not in copy.columns:
                copy[each] = None
        return copy

    return ask(compute, state, knows=knows) or UNKNOWN  # type: ignore[return-value]


def _stored_column(
    node: Any,
    table: Any,
    knows: frozenset[str],
    key: Any,
    found: operands.Operand | None,
    known: frozenset[str],
    state: State,
) -> Value | Finding:
    why = "the values may not fit the frame"
    sized = found is not None and (safe.is_exactly(found.object, "numpy", "ndarray") or type(found.object) is list)
    scalar = found is not None and tables.is_scalar(found.object)
    certain = scalar or (sized and SHAPE in knows and SHAPE in known)
    aligned = found is not None and blocks.is_series(found.object)

    def compute() -> Any:
        copy = table.copy(deep=False)
        copy[key] = found.object  # type: ignore[union-attr]
        return copy

    if certain:
        answer = ask(compute, state, (ValueError,) if sized else (), knows if DTYPE in known else knows - {DTYPE})
        if answer is not None:
            return answer
    state.may_raise(node, why)
    if aligned and DTYPE in known and _keeps_dtype(found.object):  # type: ignore[union-attr]
        found = found._replace(object=_emptied(found.object, state))  # type: ignore[union-attr]
        answer = ask(compute, state, (), knows)
        if type(answer) is Like:
            return answer
    return _widened(table, [key], knows - {DTYPE}, state)


def _keeps_dtype(series: Any) -> bool:
    """Whether a series that lacks some of the rows still has its dtype once it is put beside others."""
    dtype = blocks.dtype_at(series.to_frame("a"), 0)
    return dtype is not None and getattr(dtype, "kind", "") in "fOmM"


def store_attribute(
    site: AttributeSite, found: operands.Operand | None, known: frozenset[str], column: bool, state: State
) -> Value | Finding | None:
    """Follow ``table.columns = labels`` and ``table.column = values``."""
    form, knows = state.form(site.owner), state.knows(site.owner)
    made = tables.stand_in(form) if _is_table(form) else None
    if made is None or (blocks.is_frame(form) and LABELS not in knows):
        state.may_raise(site.node, "an assignment to the attribute {!r}".format(site.name))
        stores.lose(site.owner, state)
        return Known(None)
    table, knows = made[0], knows & made[1]
    if column:
        now: Value | Finding = _stored_column(site.node, table, knows, site.name, found, known, state)
    elif found is None or not found.real or (site.name == "index" and SHAPE not in knows):
        state.may_raise(site.node, "an assignment to the attribute {!r}".format(site.name))
        now = UNKNOWN
    else:

        def compute() -> Any:
            copy = table.copy(deep=False)
            setattr(copy, site.name, found.object)
            return copy

        now = ask(compute, state, (ValueError,), knows) or UNKNOWN
        if now is UNKNOWN:
            state.may_raise(site.node, "an assignment to the attribute {!r}".format(site.name))
    if isinstance(now, Finding):
        return now
    stores.tell(site.owner, now, state)
    return Known(None)


def delete(site: SubscriptSite, key: operands.Operand, state: State) -> Value | Finding | None:
    """Follow ``del frame['label']``."""
    form, knows = state.form(site.owner), state.knows(site.owner)
    made = tables.stand_in(form)
    if made is None or LABELS not in knows:
        return None

    def compute() -> Any:
        copy = made[0].copy(deep=False)
        del copy[key.object]
        return copy

    now = ask(compute, state, (KeyError,), knows & made[1])
    if now is None or isinstance(now, Finding):
        return now
    stores.tell(site.owner, now, state)
    return UNKNOWN


# -- operators -----------------------------------------------------------------------------------------------------


def operator(
    site: Any, operate: Any, left: operands.Operand, right: operands.Operand, state: State
) -> Value | Finding | None:
    """Follow ``left op right``: with a scalar the rows stay, tables are put side by side by their row labels."""
    sides = [(site.left, left.object), (site.right, right.object)]
    if type(site.op).__name__ in ("In", "NotIn"):
        return _contains(site, operate, left, right, state)
    if not all(_is_table(found) or tables.is_scalar(found) for _, found in sides):
        return _or_unknown(None, site.node, "an operator on tables", state)
    whole = [(value, found) for value, found in sides if _is_table(found)]
    knows = frozenset.intersection(*(state.knows(value) for value, _ in whole))
    if any(blocks.is_frame(found) for _, found in whole) and LABELS not in knows:
        return _or_unknown(None, site.node, "an operator on tables", state)
    objects = any(_has_objects(found) for _, found in whole) or DTYPE not in knows
    empty = [_emptied(found, state) for _, found in sides]
    answer = ask(
        lambda: operate(*empty), state, () if objects else (TypeError,), knows - ({DTYPE} if objects else set())
    )
    if len(whole) == 1:
        answer = _filled(answer, _count(*whole[0], state), state)
    elif type(answer) is Like:
        answer = Like(answer.object, answer.knows - {SHAPE})
    numbers = all(_is_of_numbers(found) for _, found in sides)
    if len(whole) == 1 and not objects and numbers and answer is not None and type(site.op).__name__ in _NEVER_RAISE:
        return answer
    return _or_unknown(answer, site.node, "an operator on tables", state)


def _is_of_numbers(found: Any, kinds: str = "iuf") -> bool:
    """Whether it is a number, or a table of numbers of numpy's."""
    if not _is_table(found):
        return safe.one_of(type(found), (int, float)) and abs(found) < 2**31
    manager: Any = (safe.instance_dict(found) or {})["_mgr"]
    return all(
        safe.is_exactly(block.values, "numpy", "ndarray") and block.values.dtype.kind in kinds
        for block in manager.blocks
    )


_NEVER_RAISE = frozenset(["Add", "Sub", "Mult", "Div", "Eq", "NotEq", "Lt", "LtE", "Gt", "GtE"])


def _contains(
    site: Any, operate: Any, left: operands.Operand, right: operands.Operand, state: State
) -> Value | Finding | None:
    if (
        blocks.is_frame(right.object)
        and left.real
        and LABELS in state.knows(site.right)
        and tables.is_name(left.object)
    ):
        return ask_content(lambda: operate(left.object, right.object.columns), state, NAMES)
    return _or_unknown(None, site.node, "a search in a table", state)


def unknown_operator(site: Any, known: operands.Operand | None, state: State) -> Value | Finding | None:
    """Follow an operator on a table and a number that is not known."""
    other = site.right if operands.resolve(site.left, state) is not None else site.left
    table = site.left if other is site.right else site.right
    if known is None or not (type(other) is Made and other.kind == "number") or not _is_table(known.object):
        return None
    return operator(
        site,
        _operators()[type(site.op)],
        known if table is site.left else operands.Operand(1, False, 1),
        known if table is site.right else operands.Operand(1, False, 1),
        state,
    )


def _operators() -> dict[type, Callable[[Any, Any], Any]]:
    from .pandas_itself import OPERATORS

    return OPERATORS


def unary(site: Any, operate: Any, found: operands.Operand, state: State) -> Value | Finding | None:
    """Follow ``-table`` and ``~table``."""
    if not _is_table(found.object):
        return None
    knows = state.knows(site.operand)
    empty = _emptied(found.object, state)
    kinds = "iu" if type(site.op).__name__ == "Invert" else "iuf"
    certain = DTYPE in knows and _is_of_numbers(found.object, kinds)
    # Nothing without rows is inverted, whatever its dtype is.
    answer = _filled(ask(lambda: operate(empty), state, (), knows), _count(site.operand, found.object, state), state)
    return answer if certain and answer is not None else _or_unknown(answer, site.node, "an operator on a table", state)


def truth_of(name: str, found: operands.Operands, state: State) -> Value | Finding | None:
    """Follow ``bool(table)``; of what else a table is turned into, the content decides."""
    if name == "bool" and len(found.arguments) == 1 and tables.is_table(found.arguments[0]):
        return ask(lambda: bool(found.arguments[0]), state, (ValueError,))
    return None


def iterate(site: ValueSite, found: Any, state: State) -> Value | None:
    """Iterate over the labels of a frame."""
    if blocks.is_frame(found) and LABELS in state.knows(site.value):
        labels = list(found.columns)
        return Elements([Known(own(each, state), level=SCHEMA) for each in labels[:500]], len(labels) <= 500)
    return None


# -- functions -----------------------------------------------------------------------------------------------------


def function(callee: Any, name: str, found: operands.Operands, site: CallSite, state: State) -> Value | Finding | None:
    """Follow a function of pandas' on stand-ins."""
    what = "pd.{}()".format(name)
    first = found.arguments[0] if found.arguments else None
    value = site.arguments[0] if site.arguments else None
    if name in ("isna", "isnull", "notna", "notnull") and _is_table(first) and len(found.arguments) == 1:
        empty = _emptied(first, state)
        return _filled(ask(lambda: callee(empty), state, (), state.knows(value)), _count(value, first, state), state)
    if name in ("to_datetime", "to_numeric", "to_timedelta") and blocks.is_series(first):
        about_call(site, callee, state)
        empty = _emptied(first, state)
        answer = ask(empty.copy, state, (), state.knows(value) - {DTYPE})
        return _or_unknown(_filled(answer, _count(value, first, state), state), site.node, what, state)
    if name in ("cut", "qcut") and blocks.is_series(first):
        if "retbins" in found.keywords:
            return _or_unknown(None, site.node, what, state)
        empty = _emptied(first, state)
        answer = ask(empty.copy, state, (), state.knows(value) - {DTYPE})
        return _or_unknown(_filled(answer, _count(value, first, state), state), site.node, what, state)
    if name == "merge" and len(found.arguments) == 2 and all(map(blocks.is_frame, found.arguments)):
        known = all(LABELS in state.knows(each) for each in site.arguments)
        left, right = _emptied_all(found.arguments, state)
        keywords = _emptied_table(found.keywords, state)
        answer = (
            _joined("merge", left, found, lambda on: callee(on, right, **keywords), state)
            if known and _names_only(operands.Operands((), found.keywords, found.real or _plain(found.keywords), 0))
            else None
        )
        return _or_unknown(answer, site.node, what, state)
    if name == "concat":
        return _or_unknown(_concatenated(callee, found, site, state), site.node, what, state)
    if name == "melt" and blocks.is_frame(first) and LABELS in state.knows(value):
        empty = _emptied(first, state)
        return _or_unknown(
            ask(lambda: callee(empty, *found.arguments[1:], **found.keywords), state, (KeyError,), LABELS_ALONE),
            site.node,
            what,
            state,
        )
    if name == "DataFrame":
        return _or_certain(_framed(callee, found, site, state), site.node, what, state)
    return _or_unknown(None, site.node, what, state)


def _plain(keywords: dict[str, Any]) -> bool:
    return all(safe.is_plain(each) for each in keywords.values())


def _or_certain(answer: Value | Finding | None, node: Any, what: str, state: State) -> Value | Finding:
    return answer if answer is not None else _or_unknown(None, node, what, state)


def _parts(site: CallSite, state: State) -> list[Value] | None:
    """Return the tables of the list that `concat` is handed."""
    several: Any = state.live(site.arguments[0] if site.arguments else site.keywords.get("objs"))
    if not safe.one_of(type(several), (list, tuple)):
        return None
    return [each.value if type(each) is Hole else Known(each) for each in several]


def _concatenated(callee: Any, found: operands.Operands, site: CallSite, state: State) -> Value | None:
    parts = _parts(site, state)
    axis = found.keywords.get("axis", 0)
    if (
        not parts
        or axis not in (0, 1, "index", "columns")
        or set(found.keywords) - {"axis", "ignore_index", "objs", "sort"}
    ):
        return None
    objects = found.arguments[0] if found.arguments else found.keywords["objs"]
    if not all(map(_is_table, objects)) or not all(
        LABELS in state.knows(each) or blocks.is_series(one) for each, one in zip(parts, objects)
    ):
        return None
    across = axis in (1, "columns")
    if not across and not all(map(blocks.is_frame, objects)):
        return None
    if across and not all(map(blocks.is_frame, objects)):
        return None
    counts = [_count(each, one, state) for each, one in zip(parts, objects)]
    total = sum(counts) if not across and None not in counts else None  # type: ignore[arg-type]
    empty = [_emptied(each, state) for each in objects]
    keywords = {name: each for name, each in found.keywords.items() if name != "objs"}
    answer = ask(lambda: callee(empty, **keywords), state, (), DTYPES_UNKNOWN if total is not None else LABELS_ALONE)
    return _filled(answer, total, state)  # type: ignore[return-value]


def _framed(callee: Any, found: operands.Operands, site: CallSite, state: State) -> Value | Finding | None:
    """Return the frame that is made of an array of which the structure is known."""
    data: Any = found.arguments[0] if found.arguments else found.keywords.get("data")
    value = site.arguments[0] if site.arguments else site.keywords.get("data")
    if set(found.keywords) - {"data", "columns", "index"} or len(found.arguments) > 1:
        return None
    if not safe.is_exactly(data, "numpy", "ndarray"):
        return None
    others = [each for name, each in site.keywords.items() if name != "data"]
    knows = state.knows(value)
    plain = all(state.live(each) is not safe.ABSENT for each in others)
    if SHAPE not in knows or data.size > MAX_CELLS or not plain:
        return None
    return ask(lambda: callee(*found.arguments, **found.keywords), state, (ValueError,), knows | {LABELS})


def unknown_call(name: str, site: CallSite, state: State) -> Value | Finding | None:
    """Follow a function of pandas' with arguments that are not known."""
    if name != "DataFrame" or not site.complete:
        return None
    columns = operands.resolve(site.keywords.get("columns"), state)
    table: Any = state.live(site.arguments[0] if site.arguments else site.keywords.get("data"))
    if (
        columns is not None
        and columns.real
        and type(columns.object) is list
        and all(map(tables.is_name, columns.object))
    ):
        labels = columns.object
    elif type(table) is dict and safe.has_plain_keys(table) and "columns" not in site.keywords:
        labels = list(table)
    else:
        return None
    pandas: Any = safe.loaded("pandas")
    return _or_unknown(
        ask(lambda: pandas.DataFrame(columns=labels), state, (), LABELS_ALONE), site.node, "pd.DataFrame()", state
    )
