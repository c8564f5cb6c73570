"""What Python's and pandas' converters reject, told by running them on plain values only."""

from __future__ import annotations

import datetime
import re
from typing import Any, Callable, NamedTuple

from .. import safe
from . import column_cells

CONVERSIONS = ("astype(int)", "astype(float)", "int()", "float()", "to_numeric", "to_datetime")

MOST_CONVERTED = 50_000
"""Objects that are converted, from the first."""

MOST_NUMBERS = 5_000_000
"""Numbers that are looked at for one that no int can be."""

CONVERTED_AT_ONCE = 10_000
"""Objects that are converted between two looks at the clock."""

LONGEST = 10_000
"""Longest text that is converted [characters]: an int of many digits takes quadratic time."""

CHUNK = 1 << 16
"""Numbers that are looked at between two looks at the clock."""


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


def first_of_column(
    values: Any, cells: column_cells.Cells, dtype: str, to: str, budget: safe.Budget
) -> tuple[int, Rejected | None]:
    """Return how many cells were looked at, and the first that is rejected among them.

    Args:
        values: Of the column, as they lie in memory.
        cells: How to read them.
        dtype: As text.
        to: One of `CONVERSIONS`.
        budget: What it may cost.

    Raises:
        Refused: Whether this conversion rejects a cell cannot be told without the user's code.
    """
    kind = cells.kind
    storage = safe.class_name(type(values))
    is_masked = storage in ("IntegerArray", "FloatingArray", "BooleanArray")
    if kind == "O" and storage != "ArrowExtensionArray":
        looked_at = min(cells.length, MOST_CONVERTED)
        elements = cells.read(0, looked_at)[0].tolist()
        budget.check()
        return looked_at, first_of_objects(_as_pandas_gives(elements, storage, dtype), to, budget, storage)
    if kind in "biuf" and storage == "ndarray":
        if to in ("astype(float)", "float()", "to_numeric") or (kind in "biu" and to != "to_datetime"):
            return cells.length, None
        if to in ("astype(int)", "int()"):
            return _first_not_finite(cells, to, budget)
    if is_masked and to in ("astype(float)", "to_numeric"):
        return cells.length, None
    if kind == "M" and to == "to_datetime":
        return cells.length, None
    raise safe.Refused("could not look, because {} of dtype {} is not told".format(to, dtype))


def _as_pandas_gives(elements: list[Any], storage: str, dtype: str) -> list[Any]:
    """Put pandas' missing value in the place of Arrow's."""
    if not storage.startswith("Arrow"):
        return elements
    missing = float("nan") if dtype == "str" else safe.loaded("pandas", "NA")
    return [missing if each is None else each for each in elements]


def _first_not_finite(cells: column_cells.Cells, to: str, budget: safe.Budget) -> tuple[int, Rejected | None]:
    """Find the first NaN or infinity, which no int can be."""
    finite = safe.loaded("numpy").isfinite
    looked_at = min(cells.length, MOST_NUMBERS)
    for start, stop in column_cells.spans(cells.length, looked_at, CHUNK):
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


def first_of_objects(elements: list[Any], to: str, budget: safe.Budget, storage: str = "ndarray") -> Rejected | None:
    """Return the first element that is rejected; what comes behind it does not matter.

    Args:
        elements: As Python or pandas gives them to the converter.
        to: One of `CONVERSIONS`.
        budget: What it may cost.
        storage: Class of the array that they are from.

    Raises:
        Refused: To convert one of them could run the user's code, or it differs between versions.
    """
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
    for kind, _ in column_cells.kinds_of(elements):
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
