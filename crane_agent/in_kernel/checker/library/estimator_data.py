"""What an estimator is handed: the data itself, or something harmless of the same structure.

scikit-learn is only ever given objects of our own: frames and series past the caches of the kernel's (`tables`), arrays
that nothing here writes to, and, where the content is not known, zeros of the same shape. Zeros pass every check of
content; what is raised for them, is raised for any numbers of that shape.

Of rows drawn at random from a table that is known (`train_test_split`) the mildest choice is taken, the rows that
raise least: what is raised for these, is raised for any.
"""

from __future__ import annotations

import gc
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from ... import safe
from ...readers import blocks, tensors
from ..values import DTYPE, LABELS, SHAPE, Defined, Known, Like, Value
from . import tables
from .running import quiet as quiet

if TYPE_CHECKING:
    from ..state import State

MAX_CELLS = 200_000
MAX_SCANNED = 20_000_000
"""Cells that are looked at for holes."""
MAX_OBJECTS = 300_000
"""Objects that are looked at."""
MAX_ROWS = 5000
"""Rows of a stand-in; longer ones are shortened."""

_DRAWN = "sklearn.drawn"
"""Where the walk keeps which stand-ins are rows drawn at random."""

_NUMBERS = "biuf"


class Data(NamedTuple):
    """What an estimator may be handed in place of a value.

    Attributes:
        object: The thing itself.
        real: Whether what it holds is right.
        rows: How many rows the value has; None if that is not known.
        chosen: Whether it is the mildest choice of rows, of which only what it raises means anything.
        path: How a probe reaches the value.
    """

    object: Any
    real: bool
    rows: int | None
    chosen: bool = False
    path: str | None = None


class Drawn(NamedTuple):
    """Rows that were drawn at random.

    Attributes:
        source: The table or array that they are from; its content is known.
        rows: How many.
        mark: What the cell had changed by then, `State.changes`.
    """

    source: Any
    rows: int
    mark: int


NOTHING = Data(None, True, None)


def of(value: Value | None, state: State) -> Data | None:
    """Return what an estimator may be handed in place of a value; None if too little is known of it."""
    if value is None:
        return NOTHING
    found: Any = state.live(value)
    path = getattr(value, "path", None)
    if found is not safe.ABSENT:
        made = _real(found, value, state)
        if made is not None:
            return made._replace(path=path)
    drawn = drawn_of(value, state)
    if drawn is not None:
        kept: dict[int, tuple[Drawn, Data | None]] = state.memo.setdefault("sklearn.mildest", {})
        if id(drawn) not in kept:
            kept[id(drawn)] = (drawn, _mildest(drawn))
        made = kept[id(drawn)][1]
        if made is not None:
            return made._replace(path=path)
    made = _form(value, state)
    return None if made is None else made._replace(path=path)


def may_be_data(value: Value | None, state: State) -> bool:
    """Whether a value is nothing that would run code of the user's when it is turned into an array."""
    if value is None or type(value) is Defined:
        return value is None
    found: Any = state.live(value)
    if found is safe.ABSENT or found is None or tables.is_table(found) or safe.one_of(type(found), (list, tuple, dict)):
        return True
    if safe.one_of(type(found), (*safe.SCALARS, range, set, frozenset)) or is_sparse(found):
        return True
    return any(safe.is_from(type(found), each) for each in ("numpy", "pandas", "scipy", "torch"))


def draw(value: Value, source: Any, rows: int, state: State) -> None:
    """Remember that a stand-in is rows of `source`, drawn at random."""
    if type(value) is Like:
        state.memo.setdefault(_DRAWN, {})[id(value.object)] = (value.object, Drawn(source, rows, state.changes()))


def drawn_of(value: Value | None, state: State) -> Drawn | None:
    """Return what a value was drawn from; None if it was not, or if the cell has changed anything since."""
    if type(value) is not Like or state.form(value) is not value.object:
        return None
    drawn: Any = state.memo.get(_DRAWN, {}).get(id(value.object))
    return None if drawn is None or changed(drawn[1].mark, state) else drawn[1]


def changed(mark: int, state: State) -> bool:
    """Whether the cell changed anything but estimators."""
    base = safe.loaded("sklearn.base", "BaseEstimator")
    return any(not safe.inherits(type(each), base) for each in state.changed_after(mark))


def _real(found: Any, value: Value, state: State) -> Data | None:
    if found is None:
        return NOTHING
    if blocks.is_frame(found) or blocks.is_series(found) or (tensors.is_ndarray(found) and found.ndim):
        return _table(found, state)
    if tensors.is_ndarray(found):
        return Data(found, True, None) if holds_scalars(found) else None
    if safe.one_of(type(found), (list, tuple)):
        plain = state.plain(value, 20_000)
        if plain is not safe.ABSENT:
            return Data(plain, True, len(plain))
        return _list_of_rows(found, state)
    if is_sparse(found):
        return Data(found.copy(), True, int(found.shape[0])) if found.data.size <= MAX_CELLS else None
    return None


def _table(found: Any, state: State) -> Data | None:
    """Return a table or an array; of a long one some rows, those with holes first."""
    source = _private(found, state)
    if source is None:
        return None
    rows = _rows(source)
    cells = tables.size(source) if not tensors.is_ndarray(source) else int(source.size)
    if cells <= MAX_CELLS:
        return Data(source, True, rows) if holds_scalars(source) else None
    numpy: Any = safe.loaded("numpy")
    few = max(1, min(rows, MAX_ROWS, MAX_CELLS * rows // cells))
    if cells > MAX_SCANNED:
        return None
    order = numpy.unique(numpy.concatenate([_first_holes(source), numpy.arange(few)]), return_index=True)
    chosen = numpy.concatenate([_first_holes(source), numpy.arange(few)])[numpy.sort(order[1])][:few]
    part = _pick(source, chosen)
    return Data(part, True, rows, chosen=True) if holds_scalars(part) else None


def _private(found: Any, state: State) -> Any:
    """Return a table of our own over the same memory, or the array; None if it may not be asked about."""
    if tensors.is_ndarray(found):
        return found if found.dtype.kind in "biufcSUmMO" else None
    return tables.private(found, state)


def _rows(source: Any) -> int:
    return int(source.shape[0])


def _pick(source: Any, places: Any) -> Any:
    return source[places] if tensors.is_ndarray(source) else source.iloc[places]


def _arrays(source: Any) -> list[Any]:
    """Return what a table lies in, each array with its rows along the last axis."""
    if tensors.is_ndarray(source):
        return [source.T]
    return _block_values(source)


def _block_values(table: Any) -> list[Any]:
    """Return the arrays that the cells of a frame or series lie in, columns along the last axis."""
    own: Any = safe.instance_dict(table)
    return [each.values for each in own["_mgr"].blocks]


def _first_holes(source: Any) -> Any:
    """Return a few rows in which a number is missing or infinite."""
    numpy: Any = safe.loaded("numpy")
    found = [numpy.arange(0)]
    for values in _arrays(source):
        if tensors.is_ndarray(values) and values.dtype.kind == "f":
            bad = ~numpy.isfinite(values)
            found.append(numpy.flatnonzero(bad.any(axis=tuple(range(bad.ndim - 1))) if bad.ndim > 1 else bad)[:3])
    return numpy.concatenate(found)


def whole(value: Value, data: Data | None, state: State) -> Any:
    """Return a table or array with its content, from which rows can be drawn; None if it is not known."""
    found: Any = state.live(value)
    if data is None or not data.real or found is safe.ABSENT or safe.one_of(type(found), (list, tuple)):
        return None
    source = data.object if not data.chosen else _private(found, state)
    return None if source is None or is_sparse(source) or not holds_scalars(source) else source


def whole_of(value: Value | None, state: State) -> Data | None:
    """Return what `of` does, but all rows of what is long, for what only looks at a column."""
    found = of(value, state)
    if value is None or found is None or not found.real or not found.chosen or drawn_of(value, state) is not None:
        return found
    source = whole(value, found, state)
    return found if source is None else found._replace(object=source, chosen=False)


def _list_of_rows(found: Any, state: State) -> Data | None:
    """Return a list of numpy's own numbers, of arrays, or of lists of numbers and texts."""
    if len(found) > 2000:
        return None
    for each in found:
        if tensors.is_ndarray(each) and each.dtype.kind in _NUMBERS and each.size <= 1000:
            continue
        if safe.inherits(type(each), safe.loaded("numpy", "generic")) and safe.is_from(type(each), "numpy"):
            continue
        is_row = safe.one_of(type(each), (list, tuple)) and len(each) <= 1000 and state.live(Known(each)) is each
        if is_row and all(safe.one_of(type(cell), (int, float, str, bool)) for cell in each):
            continue
        if not safe.one_of(type(each), (int, float, str, bool)):
            return None
    return Data(found, True, len(found))


def is_sparse(value: Any) -> bool:
    """Whether `value` is one of scipy's own sparse matrices in rows or columns, of numbers."""
    if safe.class_name(type(value)) not in ("csr_matrix", "csc_matrix", "csr_array", "csc_array"):
        return False
    if not safe.class_module(type(value)).startswith("scipy.sparse"):
        return False
    own = safe.instance_dict(value) or {}
    parts = [own.get(name) for name in ("data", "indices", "indptr")]
    return all(tensors.is_ndarray(each) and each.dtype.kind in _NUMBERS for each in parts)  # type: ignore[attr-defined]


def holds_scalars(value: Any) -> bool:
    """Whether turning a table or an array into numbers runs no code of the user's."""
    if blocks.is_frame(value) or blocks.is_series(value):
        return all(
            holds_scalars(each) if tensors.is_ndarray(each) else safe.is_from(type(each), "pandas")
            for each in _block_values(value)
        )
    if value.dtype.kind != "O":
        return value.dtype.kind in "biufcmMSU"
    if value.size > MAX_OBJECTS:
        return False
    kinds = {id(type(each)): type(each) for each in value.ravel().tolist()}
    return all(map(tables.is_scalar_type, kinds.values()))


def _mildest(drawn: Drawn) -> Data | None:
    """Return the rows of a table, as many as were drawn, that raise least; of many some, with those that do raise."""
    numpy: Any = safe.loaded("numpy")
    source = drawn.source
    bad = numpy.zeros(_rows(source), dtype=bool)
    for values in _arrays(source):
        found = _bad_cells(values)
        if found is None:
            return None
        bad |= found
    order = numpy.argsort(bad, kind="stable")[: drawn.rows]
    width = source.shape[1] if len(source.shape) > 1 else 1
    few = max(2, min(MAX_ROWS, MAX_CELLS // max(1, 5 * width)))
    if drawn.rows > few:
        order = numpy.concatenate([order[-few // 2 :], order[: few // 2]])
    return Data(_pick(source, numpy.sort(order)), True, drawn.rows, chosen=True)


def _bad_cells(values: Any) -> Any:
    """Return which rows hold something that a check may reject, over the last axis; None if that is not known."""
    numpy: Any = safe.loaded("numpy")
    if not tensors.is_ndarray(values):
        if not safe.is_from(type(values), "pandas"):
            return None
        if len(values) > MAX_OBJECTS:
            return None
        values = numpy.asarray(values, dtype=object)
    if values.dtype.kind in "biu":
        bad = numpy.zeros(values.shape, dtype=bool)
    elif values.dtype.kind == "f":
        bad = ~numpy.isfinite(values) | (values != numpy.floor(values))
    elif values.dtype.kind in "OU":
        cells = values.ravel().tolist() if values.size <= MAX_OBJECTS else [object]
        if any(not safe.one_of(type(each), (str, int, float, bool, type(None))) for each in cells):
            return None
        known = {each: _is_bad(each) for each in dict.fromkeys(cells)}
        bad = numpy.array([known[each] for each in cells], dtype=bool).reshape(values.shape)
    else:
        return None
    while bad.ndim > 1:
        bad = bad.any(axis=0)
    return bad


def _is_bad(cell: Any) -> bool:
    try:
        number = float(cell)
    except (TypeError, ValueError, OverflowError):
        return True
    return number != number or number in (float("inf"), float("-inf")) or type(cell) is str


def _form(value: Value, state: State) -> Data | None:
    """Return zeros of the shape that a value has."""
    numpy: Any = safe.loaded("numpy")
    found: Any = state.form(value, SHAPE, DTYPE)
    if tensors.is_ndarray(found):
        if found.dtype.kind not in _NUMBERS:
            return None
        return zeros(tuple(map(int, found.shape)))
    if blocks.is_series(found):
        dtype = blocks.dtype(found)
        return zeros((tables.rows(found),)) if _is_number(dtype) else None
    found = state.form(value, SHAPE, DTYPE, LABELS)
    if blocks.is_frame(found):
        labels = blocks.axes(found)[0]
        if not all(map(_is_number, blocks.dtypes(found, len(labels)))):
            return None
        pandas: Any = safe.loaded("pandas")
        names = safe.labels(labels, 10_000)
        rows = tables.rows(found)
        if names is None:
            return None
        columns = numpy.empty(len(names), dtype=object)
        columns[:] = names
        cells = numpy.zeros((min(rows, MAX_ROWS), len(names)))
        if cells.size > MAX_CELLS * 5:
            return None
        return Data(pandas.DataFrame(cells, columns=pandas.Index(columns)), False, rows)
    return None


def zeros(shape: tuple[int, ...]) -> Data | None:
    """Return zeros of a shape; long ones are cut."""
    numpy: Any = safe.loaded("numpy")
    if not shape:
        return None
    short = (min(shape[0], MAX_ROWS), *shape[1:])
    size = 1
    for each in short:
        size *= each
    return None if size > MAX_CELLS * 5 else Data(numpy.zeros(short), False, shape[0])


def _is_number(dtype: str) -> bool:
    return dtype in ("bool",) or dtype.rstrip("0123456789") in ("int", "uint", "float")


def rows_of(value: Value | None, state: State) -> int | None:
    """Return how many rows a value has; None if that is not known."""
    drawn = drawn_of(value, state)
    if drawn is not None:
        return drawn.rows
    found: Any = state.form(value, SHAPE)
    if blocks.is_frame(found) or blocks.is_series(found):
        return tables.rows(found)
    if tensors.is_ndarray(found) or is_sparse(found):
        return int(found.shape[0]) if len(found.shape) else None
    found = state.live(value)
    return len(found) if safe.one_of(type(found), (list, tuple)) else None


def fitting(first: Data, second: Data) -> tuple[Data, Data] | None:
    """Return two data of as many rows as each other, if their values are; None if their lengths are cut apart.

    Of what is real the first rows are taken where the stand-in beside it is short: what they raise, all of them raise.
    """
    sizes = [_length(first), _length(second)]
    if None in (first.rows, second.rows) or first.rows == second.rows:
        rows = min(sizes)
        return _cut(first, rows), _cut(second, rows)
    return (first, second) if sizes == [first.rows, second.rows] else None


def _length(data: Data) -> int:
    return int(data.object.shape[0]) if hasattr(data.object, "shape") else len(data.object)


def _cut(data: Data, rows: int) -> Data:
    if _length(data) == rows:
        return data
    return data._replace(object=data.object[:rows], chosen=True)


# -- settings ------------------------------------------------------------------------------------------------------

CHANGED_SETTINGS = "sklearn.settings"
_IN_EFFECT = ("assume_finite", "skip_parameter_validation", "enable_metadata_routing", "array_api_dispatch")


def has_usual_settings(state: State) -> bool:
    """Whether scikit-learn checks what it is given as it does by default, and returns arrays.

    Its settings are kept for each thread; `gc.get_referents` shows those of all threads. Source: `sklearn/_config.py`.
    """
    if state.memo.get(CHANGED_SETTINGS):
        return False
    if "sklearn.usual" not in state.memo:
        state.memo["sklearn.usual"] = _has_usual_settings()
    return bool(state.memo["sklearn.usual"])


def _has_usual_settings() -> bool:
    defaults = safe.loaded("sklearn._config", "_global_config")
    local = safe.loaded("sklearn._config", "_threadlocal")
    if type(defaults) is not dict or type(local) is not threading.local:
        return False
    found = []
    for table in gc.get_referents(local):
        if type(table) is dict:
            found += [each.get("global_config") for each in list(table.values()) if type(each) is dict]
    for settings in [defaults, *found]:
        if type(settings) is not dict:
            continue
        if any(settings.get(name) for name in _IN_EFFECT) or settings.get("transform_output", "default") != "default":
            return False
    return True
