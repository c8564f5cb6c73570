"""Columns of texts that are made numbers or dates, as a whole."""

import ast
import itertools
import re
from collections.abc import Iterator
from datetime import datetime

from crane_agent.agent.repairs.patch import Edit, Patch
from crane_agent.agent.repairs.site import Part, Site, called, keyword

_TO_NUMBER = r"could not convert string to float|invalid literal for int|Unable to parse string"
_QUOTED = r": '(.*)'$|string ['\"](.*?)['\"] at"
_SIGNS = re.compile(r"[,+$€£¥₹%\s_']")
_UNIT = re.compile(r"\s*[A-Za-z/²³]{2,}$")
_SCALES = {
    "mn",
    "bn",
    "million",
    "billion",
    "thousand",
    "lac",
    "lakh",
    "lakhs",
    "crore",
    "cr",
    "mio",
    "mrd",
    "kb",
    "mb",
}
"""Words behind a number that are part of it."""

_EMPTY = r"^(?:\W*|N/?A|n/?a|None|none|null|NULL|NaN|nan)$"
"""Texts for a missing value: no letter and no digit, and those that `read_csv` takes for one."""


class _Cast:
    """A conversion of a whole column: where the column stands, and its type in words."""

    def __init__(self, call: ast.Call, column: ast.expr, kind: str) -> None:
        self.call, self.column, self.kind = call, column, kind


def _casts(site: Site) -> Iterator[_Cast]:
    for call in site.calls:
        match call:
            case ast.Call(func=ast.Attribute(value=owner, attr="astype" | "apply" | "map"), args=[kind]):
                name = site.script.text(kind).strip("'\"").rpartition(".")[2]
                if re.fullmatch(r"u?[iI]nt\d*|float\d*", name):
                    yield _Cast(call, owner, "int" if "int" in name.lower() else "float")
            case ast.Call(func=ast.Attribute(attr="to_numeric"), args=[column, *_]):
                yield _Cast(call, column, "float")


def numbers_among_signs(site: Site) -> Iterator[Patch]:
    """Take out of texts what is no part of their numbers: separators, signs of currencies and per cent, a unit.

    Sources: Python's references of `float` and `int`; pandas' of `Series.str.replace` and `Series.replace`, the latter
    of which leaves values alone that are no texts. Which signs there are is seen in the text that the message quotes,
    and only of what is then a number.
    """
    found = re.search(_QUOTED, site.message) if site.says("ValueError", pattern=_TO_NUMBER) else None
    quoted = (found[1] or found[2] or "") if found is not None else ""
    for cast in _casts(site) if quoted.strip() else ():
        signs = "".join(dict.fromkeys(_SIGNS.findall(quoted.strip())))
        plain, unit = _SIGNS.sub("", quoted), _UNIT.search(quoted)
        if signs and _is_number(plain):
            kept = "".join(r"\s" if sign.isspace() else sign for sign in signs)
            words = " and ".join("blanks" if sign.isspace() else f'"{sign}"' for sign in signs)
            edits = _cleaned(site, cast, f"[{kept}]")
            yield from site.patch(f"Take {words} out of the texts first.", *edits)
        elif unit is not None and unit[0].strip().lower() not in _SCALES and _is_number(quoted[: unit.start()]):
            edits = _cleaned(site, cast, r"\s*[A-Za-z/²³]{2,}$")
            yield from site.patch("Take the unit out of the texts first.", *edits)


def _cleaned(site: Site, cast: _Cast, pattern: str) -> list[Edit | None]:
    part = site.part(cast.column)
    quoted = f'"{pattern}"' if "\\" not in pattern and '"' not in pattern else f'r"{pattern}"'
    quoted = quoted if quoted.startswith("r") else f"r{quoted}"
    how = ".str.replace(" if part.is_series and part.dtype in ("str", "string") else ".replace("
    return [site.script.followed(cast.column, f'{how}{quoted}, "", regex=True)')]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return not re.search(r"nan|inf", text, re.IGNORECASE)


def missing_among_numbers(site: Site) -> Iterator[Patch]:
    """Take the texts that stand for a missing value as missing ones; of whole numbers make pandas' own, with gaps.

    Sources: pandas' user guide, "Working with missing data" and "Nullable integer data type"; its reference of
    `read_csv`, ``na_values``.
    """
    found = re.search(_QUOTED, site.message) if site.says("ValueError", pattern=_TO_NUMBER) else None
    if found is None or not re.match(_EMPTY, found[1] or found[2] or ""):
        return
    for cast in _casts(site):
        edits: list[Edit | None] = []
        if cast.kind == "int":
            span, end = site.script.span(cast.column), site.script.span(cast.call)
            tail = Edit(span.end, end.end, '.astype("float").astype("Int64")') if span and end else None
            text = site.script.operand(cast.column)
            start = Edit(span.start, end.end, f"{text}{tail.text}") if span and end and tail else None
            if (found[1] or found[2] or "").lower() == "nan":
                summary = "Read the texts as floats, then as whole numbers among which values may be missing, as here."
                yield from site.patch(summary, start)
                continue
            numpy, imported = site.module("numpy", "np")
            whole = f'{text}.replace(r"{_EMPTY}", {numpy}.nan, regex=True).astype("float").astype("Int64")'
            edits = [Edit(span.start, end.end, whole) if span and end else None, *imported]
        else:
            numpy, imported = site.module("numpy", "np")
            edits = [site.script.followed(cast.column, f'.replace(r"{_EMPTY}", {numpy}.nan, regex=True)'), *imported]
        yield from site.patch(
            "Take texts without a letter or digit, and the usual names of it, as missing values.", *edits
        )


def whole_numbers_as_floats(site: Site) -> Iterator[Patch]:
    """Read texts such as ``3.0`` as floats first.

    Source: Python's reference of `int`: a text must be a whole number's.
    """
    found = site.found(r"invalid literal for int\(\) with base 10: '(.*)'")
    if found is None or not _is_number(found[1]):
        return
    for cast in _casts(site):
        if called(cast.call) != "astype" and cast.kind == "int":
            edit = site.script.followed(cast.column, ".astype(float)")
            yield from site.patch("Read the texts as floats first: they are no whole numbers.", edit)


def missing_to_whole(site: Site) -> Iterator[Patch]:
    """Convert with gaps where a function makes whole numbers of values some of which are missing.

    Source: the message "cannot convert float NaN to integer"; pandas' user guide, "Nullable integer data type".
    """
    if not site.says("ValueError", pattern=r"cannot convert float NaN to integer"):
        return
    for cast in _casts(site):
        if called(cast.call) in ("apply", "map") and cast.kind == "int":
            text = f'{site.script.operand(cast.column)}.astype("Int64")'
            summary = 'Convert to "Int64", in which values may be missing, as they are here.'
            yield from site.patch(summary, site.script.replaced(cast.call, text))


# -- dates -----------------------------------------------------------------------------------------------------------

_DATES = ("%Y-%m-%d", "%d-%m-%Y", "%m-%d-%Y", "%d-%m-%y", "%m-%d-%y", "%y-%m-%d", "%Y-%m", "%Y%m%d")
_NAMED = ("%d-%b-%Y", "%d-%b-%y", "%b-%d-%Y", "%d-%B-%Y", "%B-%d-%Y", "%b %d, %Y", "%B %d, %Y", "%d %B, %Y", "%Y-%b-%d")
_TIMES = ("", "%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%H:%M:%S%z", "%H:%M:%S.%f%z", "%H:%M:%SZ")


def _formats() -> Iterator[str]:
    for date, time in itertools.product((*_DATES, *_NAMED), _TIMES):
        for sign in ("-", "/", ".", " "):
            for between in (" ", "T") if time else ("",):
                yield f"{date.replace('-', sign)}{between}{time}"


def format_of(text: str, *, like: str = "") -> str:
    """Return the format of a date's text, the one most like another format; '' if there is none.

    Source: Python's reference of `datetime`, "Format codes".
    """
    fitting = [each for each in dict.fromkeys(_formats()) if _fits(text, each)]
    order = re.sub(r"[^dmbByY]", "", like).lower().replace("b", "m")
    return next((each for each in fitting if order and _order(each) == order), next(iter(fitting), ""))


def _order(of: str) -> str:
    return re.sub(r"[^dmbByY]", "", of.partition("%H")[0].partition("%I")[0]).lower().replace("b", "m")


def _fits(text: str, as_format: str) -> bool:
    try:
        datetime.strptime(text, as_format)
    except ValueError:
        return False
    return True


_NO_DATE = (
    r"time data [\"'](.*?)[\"'] (?:doesn't|does not) match format [\"'](.*?)[\"']|unconverted data remains"
    r"|month must be in 1..12|day is out of range for month|Unknown (?:datetime )?string format|Mixed timezones"
)


def dates_as_written(site: Site) -> Iterator[Patch]:
    """Read dates in the format that they have.

    Sources: pandas' message "You might want to try: passing `format` if your strings have a consistent format; passing
    `format='ISO8601'` if your strings are all ISO8601 but not necessarily in exactly the same format; passing
    `format='mixed'`, and the format will be inferred for each element individually. You might want to use `dayfirst`
    alongside this."; Python's reference of `datetime.strptime`. A date of the data is read here, and never shown.
    """
    found = site.found(_NO_DATE) if site.crash.type in ("ValueError", "DateParseError", "OutOfBoundsDatetime") else None
    for call in site.calls if found is not None else ():
        assert found is not None
        text, own = found[1] or "", found[2] or ""
        if called(call) == "strptime" and len(call.args) == 2:
            right = format_of(text.strip(), like=own)
            if right and right != own:
                edit = site.script.replaced(call.args[1], repr(right))
                yield from site.patch(f"Read the date as {right!r}, the format that it has.", edit)
        elif called(call) == "to_datetime":
            for setting, why in dict.fromkeys(_settings(text, own, site, call)):
                yield from site.patch(f"Read the dates with {setting}: {why}.", _set(site, call, setting))


def _settings(text: str, own: str, site: Site, call: ast.Call) -> Iterator[tuple[str, str]]:
    is_given = keyword(call, "format") is not None
    if re.match(r"\d{4}-\d\d-\d\d", text) or '"%Y-%m-%d' in site.message:
        yield 'format="ISO8601"', "they have parts of ISO 8601 that differ"
    is_day_first = re.match(r"(\d{1,2})\D\d", text) is not None and int(re.match(r"\d+", text)[0]) > 12  # type: ignore[index]
    if is_day_first and not is_given:
        yield "dayfirst=True", "the day comes first"
    right = format_of(text.strip(), like=own) if is_given else ""
    if right and right != own:
        yield f'format="{right}"', "that is the format that they have"
    yield 'format="mixed"' + (", dayfirst=True" if is_day_first else ""), "their formats differ"


def _set(site: Site, call: ast.Call, setting: str) -> Edit | None:
    node = keyword(call, setting.partition("=")[0])
    return site.script.with_argument(call, setting) if node is None else site.script.replaced(node, setting)


def same_zone(site: Site) -> Iterator[Patch]:
    """Compare and subtract dates without their time zones where only one of them has one.

    Sources: the messages "Cannot subtract tz-naive and tz-aware datetime-like objects" and "Cannot compare tz-naive and
    tz-aware"; pandas' user guide, "Time zone handling": ``tz_localize(None)`` keeps the local time.
    """
    pattern = r"tz-naive and tz-aware|offset-naive and offset-aware|Invalid comparison between dtype=datetime64\[ns, "
    if not site.says("TypeError", pattern=pattern):
        return
    for node in _compared(site):
        part = site.part(node)
        if part.is_series and "," in part.dtype:
            edit = site.script.followed(node, ".dt.tz_localize(None)")
            yield from site.patch("Leave the time zone out: only one of the two has one.", edit)
        elif part.kind == "DatetimeIndex" and "," in part.dtype:
            edit = site.script.followed(node, ".tz_localize(None)")
            yield from site.patch("Leave the time zone out: only one of the two has one.", edit)


def dates_of_one_class(site: Site) -> Iterator[Patch]:
    """Compare a column of times with a time, not with a date or text.

    Sources: the message "Invalid comparison between dtype=datetime64[ns] and date"; pandas' reference of `Timestamp`.
    """
    if not site.says(
        "TypeError", pattern=r"Invalid comparison between dtype=datetime64|datetime.datetime.* to datetime.date"
    ):
        return
    pandas, imported = site.module("pandas", "pd")
    for node in _compared(site):
        if site.part(node).kind in ("date", "str", "int") or (
            isinstance(node, ast.Call) and called(node) in ("date", "today")
        ):
            edit = site.script.wrapped(node, f"{pandas}.Timestamp(")
            yield from site.patch("Compare with a time: the column has times.", edit, *imported)


def _compared(site: Site) -> Iterator[ast.expr]:
    for node in site.nodes:
        match node:
            case ast.BinOp(left=left, right=right):
                yield from (left, right)
            case ast.Compare(left=left, comparators=others):
                yield from (left, *others)


# -- texts -----------------------------------------------------------------------------------------------------------


def plain_pattern(site: Site) -> Iterator[Patch]:
    """Look for a text as it is where it is no regular expression.

    Sources: pandas' references of `Series.str.contains` and `Series.str.replace`, ``regex``; Python's of `re.escape`.
    """
    pattern = (
        r"nothing to repeat|unterminated|unbalanced parenthesis|missing \)|multiple repeat|bad (?:escape|character)"
    )
    if not site.says("error", "PatternError", "ArrowInvalid", pattern=pattern):
        return
    for call in site.calls:
        match call.func:
            case ast.Attribute(value=ast.Attribute(attr="str"), attr="contains" | "replace" | "split"):
                edit = site.script.with_argument(call, "regex=False")
                given = keyword(call, "regex")
                if given is not None:
                    edit = site.script.replaced(given.value, "False")
                yield from site.patch("Look for the text as it is: it is no regular expression.", edit)
            case ast.Attribute(value=ast.Name(id="re" as name)) if call.args:
                edit = site.script.wrapped(call.args[0], f"{name}.escape(")
                yield from site.patch("Look for the text as it is: it is no regular expression.", edit)


def texts_and_gaps(site: Site) -> Iterator[Patch]:
    """Treat each value as a text where a function of texts meets numbers or missing values.

    Sources: Python's reference of `re` and `sorted`: what is compared or searched must be of one class; pandas'
    reference of `Series.astype`.
    """
    if site.says(
        "TypeError", pattern=r"'[<>]=?' not supported between instances of '(?:str|float|int)' and '(?:str|float|int)'"
    ):
        for call in site.calls:
            if called(call) == "sorted" and len(call.args) == 1 and not call.keywords:
                yield from site.patch(
                    "Sort by text: texts are among numbers.", site.script.with_argument(call, "key=str")
                )
            elif called(call) in ("unique", "fit_transform", "fit") and len(call.args) == 1:
                part = site.part(call.args[0])
                if part.is_series and _is_text(part):
                    edit = site.script.followed(call.args[0], ".astype(str)")
                    yield from site.patch("Make each value a text: texts are among numbers.", edit)
    if site.says("TypeError", pattern=r"expected string or bytes-like object"):
        for call in site.calls:
            node = call.args[-1] if call.args else None
            if isinstance(node, ast.Name) and site.part(node).kind in ("float", "int", "float64", "int64", "NAType"):
                yield from site.patch("Make a text of the value first.", site.script.wrapped(node, "str("))


def _is_text(part: Part) -> bool:
    return part.dtype in ("object", "str", "string", "category")


def one_of_one(site: Site) -> Iterator[Patch]:
    """Give a list to what takes several values.

    Source: the message "only list-like objects are allowed to be passed to isin(), you passed a `str`".
    """
    if not site.says("TypeError", pattern=r"only list-like objects are allowed"):
        return
    for call in site.calls:
        if called(call) == "isin" and call.args:
            yield from site.patch("Give a list of the one value.", site.script.wrapped(call.args[0], "[", "]"))


def plain_accessor(site: Site) -> Iterator[Patch]:
    """Leave out ``.dt`` and ``.str`` of what is one date or text, or an index of dates.

    Source: pandas' user guide, "Essential basic functionality", ".dt accessor": a series has it, since it has other
    attributes of its own; `Timestamp` and `DatetimeIndex` have the parts of dates themselves.
    """
    kinds = "DatetimeIndex|Timestamp|Timedelta|TimedeltaIndex|PeriodIndex|datetime(?:\\.datetime)?|str"
    found = site.found(rf"'({kinds})' object has no attribute '(dt|str)'")
    for node in site.nodes if found is not None and site.crash.type == "AttributeError" else ():
        assert found is not None
        if isinstance(node, ast.Attribute) and node.attr == found[2]:
            edit = site.script.replaced(node, site.script.operand(node.value))
            yield from site.patch(f"Leave out .{found[2]}, which only a column has.", edit)


def days_of_differences(site: Site) -> Iterator[Patch]:
    """Use ``days`` of differences of dates.

    Source: pandas' reference of `Series.dt.days`; a `Timedelta` has ``days`` and ``seconds``, but no ``day``.
    """
    found = site.found(r"'Timedelta\w*' object has no attribute '(day|second|hour)'")
    for node in site.nodes if found is not None and site.crash.type == "AttributeError" else ():
        assert found is not None
        if isinstance(node, ast.Attribute) and node.attr == found[1] != "hour":
            edit = site.script.renamed(node, f"{found[1]}s")
            yield from site.patch(f"Use {found[1]}s, as differences have it.", edit)


def true_as_number(site: Site) -> Iterator[Patch]:
    """Subtract truths as the numbers 0 and 1.

    Source: the message "numpy boolean subtract, the `-` operator, is not supported".
    """
    if site.says("TypeError", pattern=r"numpy boolean subtract"):
        for node in site.operations:
            edit = site.script.followed(node.left, ".astype(int)")
            yield from site.patch("Subtract as numbers: truths have no difference.", edit)


STRATEGIES = (
    plain_accessor,
    days_of_differences,
    true_as_number,
    numbers_among_signs,
    missing_among_numbers,
    whole_numbers_as_floats,
    missing_to_whole,
    dates_as_written,
    same_zone,
    dates_of_one_class,
    plain_pattern,
    texts_and_gaps,
    one_of_one,
)
