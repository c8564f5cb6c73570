"""Columns read value by value: what a conversion rejects, and in which rows a condition holds."""

from __future__ import annotations

import datetime
import re
from typing import Any, Callable, NamedTuple, Tuple

from .. import blocks, paths, safe
from ..privacy import NAMES, SCHEMA, VALUES, Field
from . import frames

MOST_CONVERTED = 50_000
"""Objects that are converted, from the first."""

MOST_NUMBERS = 5_000_000
"""Numbers that are looked at for one that no int can be."""

MOST_WORK = 10_000_000
"""Comparisons of two numbers that a condition may cost, over all rows and steps."""

MOST_TEXTS = 40_000
"""Texts that are looked at, over all steps of a condition."""

CONVERTED_AT_ONCE = 10_000
"""Objects that are converted between two looks at the clock."""

LONGEST = 10_000
"""Longest text that is converted [characters]: an int of many digits takes quadratic time."""

CHUNK = 1 << 16
"""Rows that are looked at between two looks at the clock."""


# -- Conversions ------------------------------------------------------------------------------------------------------

CONVERSIONS = ("astype(int)", "astype(float)", "int()", "float()", "to_numeric", "to_datetime")


class Rejected(NamedTuple):
    """The first value that a conversion rejects.

    Attributes:
        position: Of it, from 0.
        value: As it is.
        exception: Class of the exception, or None if that differs between versions.
        message: Of the exception, or None.
    """

    position: int
    value: object
    exception: str | None = None
    message: str | None = None


def cast(shell: Any, budget: safe.Budget, path: str, to: str, name: str | int | None = None) -> dict[str, Any]:
    """Say which value of a column a conversion rejects first, and at which position.

    `int()` and `float()` are about Python's own functions on each element; the path may lead to a list or tuple, too.
    """
    if to not in CONVERSIONS:
        raise safe.Refused("could not look, because {!r} is none of {}".format(to, ", ".join(CONVERSIONS)))
    value = paths.resolve(path, shell.user_ns)
    index = None
    if safe.one_of(type(value), (list, tuple)) and name is None and to in ("int()", "float()"):
        elements = safe.first(value, MOST_CONVERTED)
        length, looked_at = len(value), len(elements)  # type: ignore[arg-type]
        rejected = _first_rejected(elements, to, budget)
    else:
        found = frames.column_at(shell, path, name)
        length, index = found.cells.length, found.index
        looked_at, rejected = _rejected_of_column(found, to, budget)
    answer: dict[str, Any] = {"path": path, "to": to, "length": length, "looked_at": looked_at}
    if rejected is None:
        return dict(answer, rejects=False if looked_at == length else None)
    answer.update(rejects=True, rejected_at=rejected.position, element_type=safe.type_name(rejected.value))
    if index is not None:
        answer["label"] = blocks.label_at(index, rejected.position)
    if rejected.exception is not None:
        answer["exception"] = rejected.exception
    shown = _repr(rejected.value)
    budget.proof["value"] = shown
    # What Arrow's missing value is called on the way differs between versions.
    if rejected.message is not None and rejected.value is not safe.loaded("pandas", "NA"):
        budget.proof["message"] = rejected.message[:300]
    if budget.shows(VALUES):
        answer["rejected"] = shown
    return answer


def _repr(value: object) -> str:
    """Return an exact scalar as Python writes it, cut."""
    plain = value.item() if safe.inherits(type(value), safe.loaded("numpy", "generic")) else value  # type: ignore[attr-defined]
    if not safe.one_of(type(plain), safe.SCALARS):
        return safe.type_name(value)
    if safe.one_of(type(plain), (str, bytes)):
        return repr(plain[:200]).encode("utf-8", "backslashreplace").decode("utf-8")  # type: ignore[index]
    return safe.text(plain)


def _rejected_of_column(found: frames.Column, to: str, budget: safe.Budget) -> tuple[int, Rejected | None]:
    """Return how many cells were looked at, and the first that is rejected among them."""
    kind = found.cells.kind
    storage = safe.class_name(type(found.values))
    is_masked = storage in ("IntegerArray", "FloatingArray", "BooleanArray")
    if kind == "O" and storage != "ArrowExtensionArray":
        looked_at = min(found.cells.length, MOST_CONVERTED)
        elements = found.cells.read(0, looked_at)[0].tolist()
        budget.check()
        return looked_at, _first_rejected(_as_pandas_gives(elements, storage, found.dtype), to, budget, storage)
    if kind in "biuf" and storage == "ndarray":
        if to in ("astype(float)", "float()", "to_numeric") or (kind in "biu" and to != "to_datetime"):
            return found.cells.length, None
        if to in ("astype(int)", "int()"):
            return _first_not_finite(found.cells, to, budget)
    if is_masked and to in ("astype(float)", "to_numeric"):
        return found.cells.length, None
    if kind == "M" and to == "to_datetime":
        return found.cells.length, None
    raise safe.Refused("could not look, because {} of dtype {} is not told".format(to, found.dtype))


def _as_pandas_gives(elements: list[Any], storage: str, dtype: str) -> list[Any]:
    """Put pandas' missing value in the place of Arrow's."""
    if not storage.startswith("Arrow"):
        return elements
    missing = float("nan") if dtype == "str" else safe.loaded("pandas", "NA")
    return [missing if each is None else each for each in elements]


def _first_not_finite(cells: blocks.Cells, to: str, budget: safe.Budget) -> tuple[int, Rejected | None]:
    """Find the first NaN or infinity, which no int can be."""
    finite = safe.loaded("numpy").isfinite
    looked_at = min(cells.length, MOST_NUMBERS)
    for start, stop in blocks.spans(cells.length, looked_at, CHUNK):
        budget.check()
        chunk = cells.read(start, stop)[0]
        is_finite = finite(chunk)
        if not is_finite.all():
            place = int(is_finite.argmin())
            value = float(chunk[place])
            if to == "int()":
                error = _error(int, value)
                return looked_at, Rejected(start + place, value, type(error).__name__, str(error))
            # Before pandas 1.4 it was the ValueError that this class inherits from.
            known = safe.loaded("pandas.errors", "IntCastingNaNError") is not None
            exception = "pandas.errors.IntCastingNaNError" if known else "ValueError"
            return looked_at, Rejected(start + place, value, exception, "Cannot convert non-finite values (NA or inf)")
    return looked_at, None


def _error(convert: Callable[[Any], Any], value: object) -> Exception:
    """Return the exception that a conversion raises; a ValueError without words if it raises none."""
    try:
        convert(value)
    except (ValueError, TypeError, OverflowError) as error:
        return error
    return ValueError()


def _first_rejected(elements: list[Any], to: str, budget: safe.Budget, storage: str = "ndarray") -> Rejected | None:
    """Return the first element that is rejected; what comes behind it does not matter."""
    if to == "to_datetime":
        return _first_no_date(elements)
    for start in range(0, len(elements), CONVERTED_AT_ONCE):
        budget.check()
        part = elements[start : start + CONVERTED_AT_ONCE]
        _check_convertible(part)
        found = _first_no_number(part) if to == "to_numeric" else _first_unconverted(part, to, storage)
        if found is not None:
            return found._replace(position=start + found.position)
    return None


def _first_unconverted(elements: list[Any], to: str, storage: str) -> Rejected | None:
    convert: Callable[[Any], Any] = float if to in ("float()", "astype(float)") else int
    most = _most_of_long() if to == "astype(int)" else None
    kept = elements
    if to == "astype(float)":
        # pandas turns None into NaN in an object column, and NA in a column of texts.
        blank = None if storage == "ndarray" else safe.loaded("pandas", "NA")
        kept = [float("nan") if each is blank else each for each in elements]
    try:
        converted = list(map(convert, kept))
    except (ValueError, TypeError, OverflowError):
        converted = None
    if converted is not None and (most is None or (max(converted) <= most and min(converted) >= ~most)):
        return None
    for position, element in enumerate(kept):
        try:
            made = convert(element)
        except (ValueError, TypeError, OverflowError) as error:
            return Rejected(position, elements[position], type(error).__name__, str(error))
        if most is not None and not ~most <= made <= most:
            message = "Python int too large to convert to C long"
            return Rejected(position, elements[position], "OverflowError", message)
    return None


def _most_of_long() -> int:
    """Return the greatest value of the int that pandas makes of Python's: 64 bits, 32 on Windows before numpy 2."""
    return int(2 ** (8 * safe.loaded("numpy", "dtype")(int).itemsize - 1) - 1)


def _check_convertible(elements: list[Any]) -> None:
    """Raise Refused unless Python and pandas convert every element without the user's code."""
    numpy = safe.loaded("numpy")
    missing = safe.loaded("pandas", "NA")
    for kind, _ in blocks.kinds_of(elements):
        if safe.one_of(kind, (str, int, float, bool, type(None))) or (missing is not None and kind is type(missing)):
            continue
        is_number = numpy is not None and safe.is_from(kind, "numpy") and not safe.inherits(kind, numpy.complexfloating)
        if not is_number or not (safe.inherits(kind, numpy.number) or kind is numpy.bool_):
            raise safe.Refused("could not look, because some elements are a {}".format(safe.qualified_name(kind)))
    texts = elements if safe.only_texts(elements) else [each for each in elements if type(each) is str]
    if max(map(len, texts), default=0) > LONGEST:
        raise safe.Refused("could not look, because a text is longer than {} characters".format(LONGEST))


_AT_POSITION = re.compile(r" at position (\d+)$")


def _first_no_number(elements: list[Any]) -> Rejected | None:
    """Let pandas' own parser read a copy of the elements; it has no state.

    Source: `pandas/core/tools/numeric.py`, to_numeric, which calls it with the same arguments.
    """
    parse = safe.loaded("pandas._libs.lib", "maybe_convert_numeric")
    if parse is None or safe.class_name(type(parse)) not in ("builtin_function_or_method", "cython_function_or_method"):
        raise safe.Refused("could not look, because pandas' parser of numbers is not there")
    missing = safe.loaded("pandas", "NA")
    kept = [place for place, each in enumerate(elements) if each is not None and each is not missing]
    numpy = safe.loaded("numpy")
    copied = numpy.empty(len(kept), dtype=object)
    copied[:] = [elements[place] for place in kept]
    try:
        parse(copied, set(), coerce_numeric=False)
    except (ValueError, TypeError, OverflowError) as error:
        found = _AT_POSITION.search(str(error))
        if type(error) is not ValueError or found is None or not str(error).startswith("Unable to parse string"):
            raise safe.Refused("could not look, because the numbers are too large, or of several kinds") from None
        place = kept[int(found.group(1))]
        return Rejected(place, elements[place], "ValueError", _AT_POSITION.sub("", str(error)))
    return None


_MONTHS = "jan feb mar apr may jun jul aug sep sept oct nov dec january february march april june july august september"
_MONTHS += " october november december"
_NOT_DATES = frozenset(["", "nat", "nan", "now", "today", "none", "null"])
_WORD = re.compile(r"[a-z]+")
_ISO = re.compile(r"((?:1[89]|20|21)\d\d-\d\d-\d\d)( ([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?)?", re.ASCII)


def _first_no_date(elements: list[Any]) -> Rejected | None:
    """Find the first text that is certain to be no date, where every one before is certain to be one or missing.

    Source: the pandas reference, `to_datetime`; since pandas 2 the first text sets the form of all.
    """
    form: str | None = None
    for position, element in enumerate(elements):
        if element is None or element is safe.loaded("pandas", "NA") or (type(element) is float and element != element):
            continue
        if type(element) is not str:
            raise safe.Refused("could not look, because a {} is a date or not".format(safe.type_name(element)))
        if element in ("", "NaT", "nan", "NaN"):
            continue
        found = _form(element)
        if found is not None and form in (None, found):
            form = found
        elif _is_no_date(element):
            return Rejected(position, element)
        elif form is not None and _first_form_counts() and (found is not None or "/" in element):
            return Rejected(position, element, "ValueError")
        else:
            raise safe.Refused("could not look, because it is not certain how pandas reads element {}".format(position))
    return None


def _form(text: str) -> str | None:
    """Return in what form an ISO date is written, with a time or without; None if it is no such date."""
    found = _ISO.fullmatch(text)
    if found is None:
        return None
    try:
        datetime.date.fromisoformat(found.group(1))
    except ValueError:
        return None
    return "date" if found.group(2) is None else "minutes" if found.group(4) is None else "seconds"


def _is_no_date(text: str) -> bool:
    """Whether a text has neither a digit nor a month, nor is one of the words that stand for a time or for none."""
    plain = text.strip().lower()
    months = _MONTHS.split()
    return (
        plain not in _NOT_DATES
        and plain.isascii()
        and not any(each.isdigit() for each in plain)
        and not any(word in months for word in _WORD.findall(plain))
    )


def _first_form_counts() -> bool:
    version = safe.loaded("pandas", "__version__")
    return type(version) is str and version[:2] not in ("0.", "1.")


# -- Rows where a condition holds -------------------------------------------------------------------------------------


def rows(shell: Any, budget: safe.Budget, path: str, where: str) -> dict[str, Any]:
    """Count the rows of a frame in which a condition on its columns holds, and give the first positions."""
    frame = paths.resolve(path, shell.user_ns)
    if not blocks.is_frame(frame):
        raise safe.Refused(
            "could not look, because {} is a {}, not exactly a pandas DataFrame".format(path, safe.type_name(frame))
        )
    labels = frames.column_labels(frame)
    if labels is None:
        raise safe.Refused("could not look, because some column labels of {} are no plain values".format(path))
    condition = _Parser(where, path).parse()
    table = _Table(frame, labels)
    length = len(blocks.axes(frame)[1])
    cost, texts = _cost(condition, table)
    cap = min(length, MOST_WORK // max(1, cost), MOST_TEXTS // texts if texts else length)
    count, positions = 0, []  # type: int, list[int]
    numpy = safe.loaded("numpy")
    # What is divided by zero is infinite, as in pandas; the setting is of this thread alone.
    with numpy.errstate(all="ignore"):
        for start, stop in blocks.spans(length, cap, CHUNK):
            budget.check()
            holds = _as_mask(_evaluate(condition, table.chunk(start, stop)), where)
            here = int(numpy.count_nonzero(holds))
            count += here
            if here and len(positions) < min(10, budget.items):
                positions.extend((holds.nonzero()[0] + start).tolist())
    if length == 0:
        _as_mask(_evaluate(condition, table.chunk(0, 0)), where)
    return {
        "path": path,
        "where": where,
        "length": length,
        "looked_at": cap,
        "count": count,
        "positions": positions[: min(10, budget.items)],
    }


def _not_allowed(part: object) -> safe.Refused:
    return safe.Refused(
        "could not look, because of {!r}: allowed are columns, constants, comparisons, in, and, or, not, + - * / %, "
        "isna(), notna(), isin(), str.len(), str.contains(), str.startswith(), str.endswith()".format(str(part)[:60])
    )


# An expression: its kind, and what it is made of.
_Node = Tuple[Any, ...]

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?)(?![\w.])
      | (?P<text>'[^'\\\n]*'|"[^"\\\n]*")
      | `(?P<quoted>[^`\n]+)`
      | (?P<name>[^\W\d]\w*)
      | (?P<sign>==|!=|<=|>=|[<>&|~+\-*/%()\[\],.=]))""",
    re.VERBOSE,
)
_COMPARISONS = ("==", "!=", "<=", ">=", "<", ">")
_KEYWORDS = ("and", "or", "not", "in", "True", "False")


class _Parser:
    """A parser of conditions, with Python's precedence. Python's own would raise an audit event, and may warn.

    Source: the Python language reference, "Operator precedence".
    """

    MOST_LEVELS = 40
    LONGEST = 1000

    def __init__(self, text: str, path: str) -> None:
        self._path = path
        self._tokens: list[tuple[str, str]] = []
        self._place = 0
        self._level = 0
        if len(text) > self.LONGEST:
            raise safe.Refused("could not look, because the condition is longer than {}".format(self.LONGEST))
        place = 0
        text = text.strip()
        while place < len(text):
            found = _TOKEN.match(text, place)
            if found is None:
                raise _not_allowed(text[place:])
            self._tokens.append((str(found.lastgroup), found.group(str(found.lastgroup))))
            place = found.end()

    def parse(self) -> _Node:
        """Return the whole condition."""
        node = self._or()
        if self._place < len(self._tokens):
            raise _not_allowed(self._rest())
        return node

    def _rest(self) -> str:
        return " ".join(text for _, text in self._tokens[self._place :]) or "the end"

    def _peek(self, ahead: int = 0) -> tuple[str, str]:
        place = self._place + ahead
        return self._tokens[place] if place < len(self._tokens) else ("end", "")

    def _takes(self, *texts: str) -> str | None:
        """Take the next token if it is one of these signs or words."""
        kind, text = self._peek()
        if kind in ("sign", "name") and text in texts:
            self._place += 1
            return text
        return None

    def _demand(self, text: str) -> None:
        if self._takes(text) is None:
            raise _not_allowed(self._rest())

    def _or(self) -> _Node:
        self._level += 1
        if self._level > self.MOST_LEVELS:
            raise safe.Refused("could not look, because the condition is nested too deeply")
        node = self._and()
        while self._takes("or"):
            node = ("logic", "or", node, self._and())
        self._level -= 1
        return node

    def _and(self) -> _Node:
        node = self._not()
        while self._takes("and"):
            node = ("logic", "and", node, self._not())
        return node

    def _not(self) -> _Node:
        count = 0
        while self._takes("not"):
            count += 1
        node = self._comparison()
        return ("not", node) if count % 2 else ("logic", "and", node, node) if count else node

    def _comparison(self) -> _Node:
        left = self._bits("|")
        node: _Node | None = None
        while True:
            sign = self._takes(*_COMPARISONS)
            if sign is not None:
                right = self._bits("|")
                found: _Node = ("compare", sign, left, right)
            elif self._takes("in"):
                right = self._bits("|")
                found = ("in", left, right)
            elif self._peek() == ("name", "not") and self._peek(1) == ("name", "in"):
                self._place += 2
                right = self._bits("|")
                found = ("not", ("in", left, right))
            else:
                return left if node is None else node
            node = found if node is None else ("logic", "and", node, found)
            left = right

    def _bits(self, sign: str) -> _Node:
        inner = self._sum if sign == "&" else lambda: self._bits("&")
        node = inner()
        while self._takes(sign):
            node = ("logic", "and" if sign == "&" else "or", node, inner())
        return node

    def _sum(self) -> _Node:
        node = self._term()
        while True:
            sign = self._takes("+", "-")
            if sign is None:
                return node
            node = ("arithmetic", sign, node, self._term())

    def _term(self) -> _Node:
        node = self._unary()
        while True:
            sign = self._takes("*", "/", "%")
            if sign is None:
                return node
            if self._peek() == ("sign", sign):
                raise _not_allowed(sign + sign)
            node = ("arithmetic", sign, node, self._unary())

    def _unary(self) -> _Node:
        signs = []
        while True:
            sign = self._takes("-", "+", "~")
            if sign is None:
                break
            signs.append(sign)
        node = self._postfix()
        for sign in reversed(signs):
            if sign == "~":
                node = ("not", node)
            elif node[0] == "constant" and safe.one_of(type(node[1]), (int, float)):
                node = ("constant", -node[1] if sign == "-" else node[1])
            else:
                node = ("arithmetic", sign, ("constant", 0), node) if sign == "+" else ("negative", node)
        return node

    def _postfix(self) -> _Node:
        node = self._primary()
        while self._takes("."):
            kind, method = self._peek()
            if kind != "name":
                raise _not_allowed(self._rest())
            self._place += 1
            if method == "str":
                self._demand(".")
                kind, method = self._peek()
                self._place += 1
                method = "str." + method
            node = self._call(node, method)
        return node

    def _call(self, node: _Node, method: str) -> _Node:
        if self._takes("(") is None:
            raise _not_allowed("." + method)
        if method in ("isna", "isnull", "notna", "notnull"):
            self._demand(")")
            missing: _Node = ("missing", node)
            return missing if method.startswith("is") else ("not", missing)
        if method == "isin":
            values = self._or()
            self._demand(")")
            return ("in", node, values)
        if method == "str.len":
            self._demand(")")
            return ("length", node)
        if method not in ("str.contains", "str.startswith", "str.endswith"):
            raise _not_allowed("." + method)
        kind, part = self._peek()
        if kind != "text":
            raise _not_allowed(self._rest())
        self._place += 1
        absent = False
        if self._takes(","):
            for word in ("na", "=", "False"):
                self._demand(word)
            absent = True
        self._demand(")")
        return ("text", method[4:], node, part[1:-1], absent)

    def _primary(self) -> _Node:
        kind, text = self._peek()
        self._place += 1
        if kind == "number":
            return ("constant", int(text) if text.isdigit() else float(text))
        if kind == "text":
            return ("constant", text[1:-1])
        if kind == "quoted":
            return ("column", text)
        if text == "(" and kind == "sign":
            node = self._or()
            self._demand(")")
            return node
        if text == "[" and kind == "sign":
            return self._constants()
        if kind != "name" or text in ("and", "or", "not", "in"):
            self._place -= 1
            raise _not_allowed(self._rest())
        if text in ("True", "False"):
            return ("constant", text == "True")
        return self._named(text)

    def _constants(self) -> _Node:
        values: list[Any] = []
        while self._takes("]") is None:
            if values:
                self._demand(",")
                if self._takes("]"):
                    break
            node = self._unary()
            if node[0] != "constant":
                raise _not_allowed(self._rest())
            values.append(node[1])
        return ("list", values)

    def _named(self, text: str) -> _Node:
        if text == "len" and self._takes("("):
            node = self._or()
            self._demand(")")
            return ("length", node)
        if text == self._path and self._peek() == ("sign", "["):
            self._place += 1
            kind, label = self._peek()
            self._place += 1
            if kind not in ("text", "number"):
                raise _not_allowed(label)
            self._demand("]")
            return ("column", label[1:-1] if kind == "text" else int(label) if label.isdigit() else label)
        if text == self._path and self._peek() == ("sign", "."):
            self._place += 1
            kind, text = self._peek()
            self._place += 1
        return ("column", text)


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


class _Table:
    """The columns of a frame, and one chunk of them."""

    def __init__(self, frame: object, labels: list[Any], span: tuple[int, int] = (0, 0)) -> None:
        self._frame = frame
        self._labels = labels
        self._columns: dict[Any, tuple[Any, blocks.Cells, str]] = {}
        self._span = span

    def chunk(self, start: int, stop: int) -> _Table:
        """Return the table cut to some rows."""
        cut = _Table(self._frame, self._labels, (start, stop))
        cut._columns = self._columns
        return cut

    @property
    def size(self) -> int:
        """Rows of the chunk."""
        return self._span[1] - self._span[0]

    def column(self, label: Any) -> tuple[Any, blocks.Cells, str]:
        """Return values, cells and dtype of a column.

        Raises:
            Refused: There is none of this label, or several.
        """
        if label not in self._columns:
            if self._labels.count(label) != 1:
                reason = "no" if label not in self._labels else "no single"
                raise safe.Refused("could not look, because there is {} column {!r}".format(reason, label))
            values = blocks.values_at(self._frame, self._labels.index(label))
            self._columns[label] = (values, blocks.cells(values), blocks.dtype_of(values))
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
        if cells.kind == "M" and not blocks.has_zone(values):
            return cells.read(start, stop)[0].view(cells.dtype)
        if cells.kind == "O":
            chunk = cells.read(start, stop)[0]
            return _texts(chunk, dtype, label)
        if cells.kind == "C":
            return self._of_categories(values, cells, label)
        raise safe.Refused("could not look, because {!r} is of dtype {}".format(label, dtype))

    def _of_categories(self, values: Any, cells: blocks.Cells, label: Any) -> _Texts:
        known = safe.labels(blocks.categories_of(values), MOST_TEXTS)
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
            return blocks.object_nulls(chunk)
        return mask if mask is not None else safe.loaded("numpy").zeros(self.size, dtype=bool)


def _texts(chunk: Any, dtype: str, label: Any) -> _Texts:
    elements = chunk.tolist()
    missing = blocks.object_nulls(chunk)
    texts = sum(count for kind, count in blocks.kinds_of(elements) if kind is str)
    if missing.sum() + texts != len(elements):
        raise safe.Refused("could not look, because {!r} holds objects that are no texts".format(label))
    return _Texts(elements, missing, compares_missing=dtype in ("object", "str"), is_ordered=dtype != "object")


_WORK = {"compare": 1, "missing": 1, "arithmetic": 1, "negative": 1, "text": 0, "length": 0, "logic": 0, "not": 0}


def _cost(node: _Node, table: _Table) -> tuple[int, int]:
    """Return how many comparisons of numbers a condition costs a row, and how many texts it reads."""
    if node[0] == "column":
        return 0, 1 if table.column(node[1])[1].kind in "OC" else 0
    costs = [_cost(part, table) for part in node if type(part) is tuple]
    if node[0] == "in":
        work = len(node[2][1]) if node[2][0] == "list" else 0
    elif node[0] == "arithmetic" and node[1] in "/%":
        work = 4 if node[1] == "/" else 40
    else:
        work = _WORK.get(node[0], 0)
    return work + sum(cost for cost, _ in costs), sum(texts for _, texts in costs)


def _as_mask(value: Any, what: str) -> Any:
    """Return a value as an array of bools.

    Raises:
        Refused: It is no condition.
    """
    if safe.is_exactly(value, "numpy", "ndarray") and value.dtype.kind == "b":
        return value
    raise safe.Refused("could not look, because {!r} is no condition on every row".format(what[:80]))


def _evaluate(node: _Node, table: _Table) -> Any:
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
            raise _not_allowed("isna() of an expression")
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


def _written(node: _Node) -> str:
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


FIELDS = {
    "to": Field(NAMES, "the conversion asked about"),
    "rejects": Field(
        SCHEMA, "whether it rejects a value; null if it rejects none of those looked at, and there are more"
    ),
    "rejected_at": Field(SCHEMA, "position of the value that is rejected, from 0"),
    "element_type": Field(SCHEMA, "type of the value that is rejected"),
    "rejected": Field(VALUES, "the value that is rejected"),
    "where": Field(NAMES, "the condition asked about"),
    "positions": Field(SCHEMA, "the first positions of what was found, from 0"),
}
PROBES = {"cast": cast, "rows": rows}
