"""In which rows of a frame a condition holds, as pandas would say it; what it would refuse is refused here, too."""

from __future__ import annotations

import re
from typing import Any, Callable, NamedTuple

from .. import safe
from . import blocks, column_cells
from .conditions import Node, not_allowed

MOST_TEXTS = 40_000
"""Texts that are looked at, over all steps of a condition."""


class _Texts(NamedTuple):
    """Texts, some of them missing.

    Attributes:
        elements: One per row; what stands for a missing one is whatever pandas has there.
        missing: Array of bools.
        compares_missing: Whether pandas compares a missing one, as unequal to everything and less than nothing.
        is_ordered: Whether ``<`` is told where some are missing.
        is_categories: Whether they are categories.
    """

    elements: list[Any]
    missing: Any
    compares_missing: bool
    is_ordered: bool
    is_categories: bool = False


class Table:
    """The columns of a frame, and one chunk of them."""

    def __init__(self, frame: object, labels: list[Any], span: tuple[int, int] = (0, 0)) -> None:
        self._frame = frame
        self._labels = labels
        self._columns: dict[Any, tuple[Any, column_cells.Cells, str]] = {}
        self._span = span

    def chunk(self, start: int, stop: int) -> Table:
        """Return the table cut to some rows."""
        cut = Table(self._frame, self._labels, (start, stop))
        cut._columns = self._columns
        return cut

    @property
    def size(self) -> int:
        """Rows of the chunk."""
        return self._span[1] - self._span[0]

    def column(self, label: Any) -> tuple[Any, column_cells.Cells, str]:
        """Return values, cells and dtype of a column.

        Raises:
            Refused: There is none of this label, or several.
        """
        if label not in self._columns:
            if self._labels.count(label) != 1:
                reason = "no" if label not in self._labels else "no single"
                raise safe.Refused("could not look, because there is {} column {!r}".format(reason, label))
            values = blocks.values_at(self._frame, self._labels.index(label))
            self._columns[label] = (values, column_cells.cells(values), blocks.dtype_of(values))
        return self._columns[label]

    def read(self, label: Any) -> Any:
        """Return the chunk of a column: an array of numbers, bools or dates, or texts."""
        values, cells, dtype = self.column(label)
        start, stop = self._span
        if cells.kind in "biuf" and safe.is_exactly(values, "numpy", "ndarray"):
            return values[start:stop]
        if cells.kind in "biuf":
            chunk, mask = cells.read(start, stop)
            storage = safe.class_name(type(values))
            if storage != "SparseArray" and mask is not None and mask.any():
                raise safe.Refused(
                    "could not look, because {!r} has missing values that make no condition".format(label)
                )
            return chunk
        if cells.kind == "M" and not column_cells.has_zone(values):
            return cells.read(start, stop)[0].view(cells.dtype)
        if cells.kind == "O":
            chunk = cells.read(start, stop)[0]
            return _texts(chunk, dtype, label)
        if cells.kind == "C":
            return self._of_categories(values, cells, label)
        raise safe.Refused("could not look, because {!r} is of dtype {}".format(label, dtype))

    def _of_categories(self, values: Any, cells: column_cells.Cells, label: Any) -> _Texts:
        known = safe.labels(column_cells.categories_of(values), MOST_TEXTS)
        if known is None or not safe.only_texts(known):
            raise safe.Refused("could not look, because the categories of {!r} are no texts".format(label))
        codes, missing = cells.read(*self._span)
        elements = [None if code < 0 else known[code] for code in codes.tolist()]
        return _Texts(elements, missing, compares_missing=True, is_ordered=False, is_categories=True)

    def missing(self, label: Any) -> Any:
        """Return which cells of a column are missing."""
        _, cells, dtype = self.column(label)
        if cells.kind in "A?":
            raise safe.Refused("could not look, because {!r} is of dtype {}".format(label, dtype))
        chunk, mask = cells.read(*self._span)
        if cells.kind == "O":
            return column_cells.object_nulls(chunk)
        return mask if mask is not None else safe.loaded("numpy").zeros(self.size, dtype=bool)


def _texts(chunk: Any, dtype: str, label: Any) -> _Texts:
    elements = chunk.tolist()
    missing = column_cells.object_nulls(chunk)
    texts = sum(count for kind, count in column_cells.kinds_of(elements) if kind is str)
    if missing.sum() + texts != len(elements):
        raise safe.Refused("could not look, because {!r} holds objects that are no texts".format(label))
    return _Texts(elements, missing, compares_missing=dtype in ("object", "str"), is_ordered=dtype != "object")


_WORK = {"compare": 1, "missing": 1, "arithmetic": 1, "negative": 1, "text": 0, "length": 0, "logic": 0, "not": 0}


def cost(node: Node, table: Table) -> tuple[int, int]:
    """Return how many comparisons of numbers a condition costs a row, and how many texts it reads."""
    if node[0] == "column":
        return 0, 1 if table.column(node[1])[1].kind in "OC" else 0
    costs = [cost(part, table) for part in node if type(part) is tuple]
    if node[0] == "in":
        work = len(node[2][1]) if node[2][0] == "list" else 0
    elif node[0] == "arithmetic" and node[1] in "/%":
        work = 4 if node[1] == "/" else 40
    else:
        work = _WORK.get(node[0], 0)
    return work + sum(cost for cost, _ in costs), sum(texts for _, texts in costs)


def rows_of(condition: Node, table: Table, where: str) -> Any:
    """Return in which rows of the chunk a condition holds, as an array of bools.

    Args:
        condition: As an expression.
        table: Cut to the rows; numpy must not warn where something is divided by zero.
        where: The condition as it is written.

    Raises:
        Refused: It is no condition, or pandas' answer is not certain.
    """
    return _as_mask(_evaluate(condition, table), where)


def _as_mask(value: Any, what: str) -> Any:
    """Return a value as an array of bools.

    Raises:
        Refused: It is no condition.
    """
    if safe.is_exactly(value, "numpy", "ndarray") and value.dtype.kind == "b":
        return value
    raise safe.Refused("could not look, because {!r} is no condition on every row".format(what[:80]))


def _evaluate(node: Node, table: Table) -> Any:
    """Return an array, texts, a constant or a list of constants."""
    kind = node[0]
    if kind == "column":
        return table.read(node[1])
    if kind in ("constant", "list"):
        return node[1]
    if kind == "logic":
        left, right = (_as_mask(_evaluate(part, table), _written(part)) for part in node[2:])
        return left & right if node[1] == "and" else left | right
    if kind == "not":
        return ~_as_mask(_evaluate(node[1], table), _written(node[1]))
    if kind == "missing":
        if node[1][0] != "column":
            raise not_allowed("isna() of an expression")
        return table.missing(node[1][1])
    if kind == "compare":
        return _compared(node[1], _evaluate(node[2], table), _evaluate(node[3], table), table.size)
    if kind == "in":
        return _is_in(_evaluate(node[1], table), _evaluate(node[2], table), table.size)
    if kind == "length":
        return _lengths(_evaluate(node[1], table))
    if kind == "text":
        return _matches(node[1], _evaluate(node[2], table), node[3], absent=node[4])
    if kind == "negative":
        return -_as_number(_evaluate(node[1], table))
    return _calculated(node[1], _as_number(_evaluate(node[2], table)), _as_number(_evaluate(node[3], table)))


def _written(node: Node) -> str:
    """Return what a part of a condition is about, for a refusal."""
    return str(node[1]) if node[0] in ("column", "constant", "list") else node[0]


def _is_array(value: object, kinds: str) -> bool:
    return safe.is_exactly(value, "numpy", "ndarray") and value.dtype.kind in kinds  # type: ignore[attr-defined]


def _as_number(value: Any) -> Any:
    if _is_array(value, "iuf"):
        return value
    if safe.one_of(type(value), (int, float)) and abs(value) < 2**63:
        return value
    raise safe.Refused("could not look, because arithmetic is allowed between numbers only")


def _calculated(sign: str, left: Any, right: Any) -> Any:
    """Return left + right and the like.

    Raises:
        Refused: Where pandas and numpy differ: the rest of a division by zero.
    """
    if sign in ("/", "%"):
        has_zero = bool((right == 0).any()) if _is_array(right, "iuf") else right == 0
        constants = not _is_array(left, "iuf") and not _is_array(right, "iuf")
        if has_zero and (sign == "%" or constants):
            raise safe.Refused("could not look, because something is divided by zero")
    try:
        if sign == "+":
            return left + right
        if sign == "-":
            return left - right
        if sign == "*":
            return left * right
        return left / right if sign == "/" else left % right
    except OverflowError:
        raise safe.Refused("could not look, because a number is too large for the dtype") from None


_DATE = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d)?)?", re.ASCII)


def _compared(sign: str, left: Any, right: Any, size: int) -> Any:
    numpy = safe.loaded("numpy")
    if type(left) is _Texts or type(right) is _Texts:
        return _compared_texts(sign, left, right)
    if _is_array(left, "M") or _is_array(right, "M"):
        left, right = _as_dates(left), _as_dates(right)
    elif not all(_is_array(each, "biuf") or safe.one_of(type(each), (int, float, bool)) for each in (left, right)):
        raise safe.Refused("could not look, because numbers and texts are compared")
    elif any(type(each) is int and abs(each) >= 2**63 for each in (left, right)):
        raise safe.Refused("could not look, because a number has more than 64 bits")
    if not safe.is_exactly(left, "numpy", "ndarray") and not safe.is_exactly(right, "numpy", "ndarray"):
        return numpy.full(size, bool(_SIGNS[sign](left, right)))
    return _SIGNS[sign](left, right)


def _as_dates(value: Any) -> Any:
    if _is_array(value, "M"):
        return value
    if type(value) is str and _DATE.fullmatch(value):
        try:
            return safe.loaded("numpy").datetime64(value)
        except ValueError:
            pass
    raise safe.Refused("could not look, because dates are compared with {!r}".format(str(value)[:40]))


_SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


def _compared_texts(sign: str, left: Any, right: Any) -> Any:
    """Compare texts with a text, or with texts row by row; a missing one is unequal to everything."""
    if type(left) is not _Texts:
        return _compared_texts(_MIRRORED.get(sign, sign), right, left)
    if type(right) is str:
        right = left._replace(elements=[right] * len(left.elements), missing=left.missing)
    if type(right) is not _Texts:
        raise safe.Refused("could not look, because texts are compared with a {}".format(safe.type_name(right)))
    if (left.is_ordered, left.compares_missing) != (right.is_ordered, right.compares_missing):
        raise safe.Refused("could not look, because texts of two dtypes are compared")
    missing = left.missing | right.missing
    has_missing, orders = bool(missing.any()), sign not in ("==", "!=")
    if has_missing and not left.compares_missing:
        raise safe.Refused("could not look, because some texts are missing, and make no condition")
    if orders and (left.is_categories or (has_missing and not left.is_ordered)):
        raise safe.Refused("could not look, because {} would raise".format(sign))
    numpy, compare = safe.loaded("numpy"), _SIGNS[sign]
    if not has_missing:
        return numpy.fromiter(map(compare, left.elements, right.elements), dtype=bool, count=len(missing))
    pairs = zip(left.elements, right.elements, missing.tolist())
    return numpy.array([sign == "!=" if gone else compare(a, b) for a, b, gone in pairs], dtype=bool)


def _is_in(left: Any, right: Any, size: int) -> Any:
    numpy = safe.loaded("numpy")
    if type(right) is not list:
        raise safe.Refused("could not look, because 'in' needs a list of constants")
    if type(left) is _Texts:
        if not safe.only_texts(right):
            raise safe.Refused("could not look, because texts are looked for in a list of other things")
        wanted = frozenset(right)
        return numpy.array([type(each) is str and each in wanted for each in left.elements], dtype=bool)
    if not _is_array(left, "iuf") or not all(safe.one_of(type(each), (int, float)) for each in right):
        raise safe.Refused("could not look, because only numbers are looked for in numbers, texts in texts")
    found = numpy.zeros(size, dtype=bool)
    for each in right:
        found |= _compared("==", left, each, size)
    return found


def _lengths(texts: Any) -> Any:
    if type(texts) is not _Texts:
        raise safe.Refused("could not look, because only texts have lengths here")
    if texts.missing.any() and not texts.compares_missing:
        raise safe.Refused("could not look, because some texts are missing, and make no condition")
    lengths = [len(each) if type(each) is str else float("nan") for each in texts.elements]
    return safe.loaded("numpy").array(lengths, dtype=float)


_PLAIN_PATTERN = re.compile(r"[^.^$*+?{}\[\]\\|()]*")


def _matches(method: str, texts: Any, part: str, *, absent: bool) -> Any:
    """Return in which texts another is found: within, at the start or at the end.

    Raises:
        Refused: The other is a pattern, or a text is missing, of which pandas says NaN.
    """
    if type(texts) is not _Texts:
        raise safe.Refused("could not look, because str methods are for texts")
    if method == "contains" and not _PLAIN_PATTERN.fullmatch(part):
        raise safe.Refused("could not look, because {!r} is a pattern to str.contains".format(part[:40]))
    says_no = texts.is_ordered and texts.compares_missing
    if texts.missing.any() and not absent and not says_no:
        raise safe.Refused("could not look, because some texts are missing: pandas says NaN of them, na=False helps")
    if method == "contains":
        found = [type(each) is str and part in each for each in texts.elements]
    elif method == "startswith":
        found = [type(each) is str and each.startswith(part) for each in texts.elements]
    else:
        found = [type(each) is str and each.endswith(part) for each in texts.elements]
    return safe.loaded("numpy").array(found, dtype=bool)
