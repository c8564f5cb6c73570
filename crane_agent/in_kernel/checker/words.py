"""Words that obey the privacy level: a text made of parts, each with the lowest level at which it may be told.

A constant or a name of the target may be told at every level: whoever asks has sent it. What comes from the kernel's
values may not: a part that is not declared counts as a value. What may not be told is `HIDDEN` in the answer.
"""

from __future__ import annotations

import builtins
import re
from typing import Any, NamedTuple

from ..privacy import LEVELS, NAMES, SCHEMA, VALUES

HIDDEN = "…"


class _Hidden:
    def __repr__(self) -> str:
        return HIDDEN


def highest(*levels: str) -> str:
    """Return the least private of these levels, at which all of them may be told; `NAMES` for none."""
    return max(levels, key=LEVELS.index, default=NAMES)


def lowest(*levels: str) -> str:
    """Return the most private of these levels."""
    return min(levels, key=LEVELS.index)


class Part(NamedTuple):
    """One part of a text.

    Attributes:
        value: An exact built-in value.
        level: The lowest level at which it may be told.
    """

    value: Any
    level: str


class Words(NamedTuple):
    """A text with parts.

    Attributes:
        template: As `str.format` takes it; what is written in it is no value.
        parts: What is filled in.
        quoted: The text is shown as Python's `repr` of it, as `KeyError` does.
    """

    template: str
    parts: tuple[Part, ...] = ()
    quoted: bool = False

    def at(self, level: str) -> str:
        """Return the text as it may be told at a level; at ``values`` it is whole."""
        place = LEVELS.index(level)
        shown = [part.value if LEVELS.index(part.level) <= place else _stand_in(part.value) for part in self.parts]
        text = self.template.format(*shown)
        return repr(text) if self.quoted else text


def without(text: Words, private: set[str]) -> Words:
    """Return a text in which these values, wherever they stand, may be told at level ``values`` only.

    Args:
        text: What a library said, told as one part or a few.
        private: Texts of values that took part.
    """
    if not private:
        return text
    several = sorted(private, key=len, reverse=True)[:MOST_PRIVATE]
    found = re.compile("|".join(map(_pattern, several)))
    pieces = _HOLE.split(text.template)
    holes = _HOLE.findall(text.template)
    template = pieces[0]
    parts: list[Part] = []
    for hole, part, literal in zip(holes, text.parts, pieces[1:]):
        shown = hole.format(part.value)
        if part.level == VALUES or found.search(shown) is None:
            template, parts = template + hole, [*parts, part]
        else:
            end = 0
            for match in found.finditer(shown):
                template += "{}{}"
                parts += [Part(shown[end : match.start()], part.level), Part(match[0], VALUES)]
                end = match.end()
            template, parts = template + "{}", [*parts, Part(shown[end:], part.level)]
        template += literal
    return Words(template, tuple(parts), text.quoted)


def _pattern(text: str) -> str:
    edge = r"\d" if text.lstrip("-").isdigit() else r"\w"
    return "(?<!{edge}){text}(?!{edge})".format(edge=edge, text=re.escape(text))


MOST_PRIVATE = 300
_HOLE = re.compile(r"\{(?:!r)?\}")


def words(template: str, *parts: object, quoted: bool = False) -> Words:
    """Return a text; a part that is no `Part` counts as a value."""
    return Words(template, tuple(part if type(part) is Part else Part(part, VALUES) for part in parts), quoted)


def named(value: object) -> Part:
    """Return a part that stands in the target's own text, or is the name of a variable, an attribute or a type."""
    return Part(value, NAMES)


def counted(value: object) -> Part:
    """Return a part that is a count, a shape, a label, a key or the name of a module."""
    return Part(value, SCHEMA)


def _stand_in(value: object) -> object:
    """Return what stands in for a value: a text keeps its quotes, whatever it holds."""
    return HIDDEN if type(value) is str else _Hidden()


# -- Python's own messages -------------------------------------------------------------------------------------------


def of_python(error: Exception, level: str, asked: str, counts: str = SCHEMA) -> Words:
    """Return the message of an exception that an operation on exact built-in values raised.

    Args:
        error: The exception.
        level: Level of the values that took part.
        asked: Level of what was asked for: the key of a KeyError, the element that is not in a list.
        counts: Level of the sizes and places in the message.

    Returns:
        The message; in one that `_MESSAGES` does not know everything is a value.
    """
    message = str(error)
    levels = {"v": level, "a": asked, "s": counts}
    if highest(*levels.values()) == NAMES:
        return words("{}", named(message))
    if type(error) is KeyError:
        key = error.args[0]
        return words("{!r}", Part(key, asked)) if type(key) is str else words("{}", Part(message, asked))
    if type(error) is TypeError:
        return _of_types(message, levels)
    for pattern in _MESSAGES:
        found = pattern.fullmatch(message)
        if found is not None:
            names = [name for name in found.groupdict() if found[name] is not None]
            return _with_holes(message, sorted((found.span(name), levels[name[0]]) for name in names))
    return words("{}", Part(message, level))


def _with_holes(message: str, holes: list[tuple[tuple[int, int], str]]) -> Words:
    """Return a message with parts at these places; quotes around a part stay."""
    template, parts, end = "", [], 0
    for (start, stop), level in holes:
        if stop - start > 1 and message[start] == message[stop - 1] and message[start] in "'\"":
            start, stop = start + 1, stop - 1
        template += _literal(message[end:start]) + "{}"
        parts.append(Part(message[start:stop], level))
        end = stop
    return Words(template + _literal(message[end:]), tuple(parts))


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _of_types(message: str, levels: dict[str, str]) -> Words:
    """Return the message of a TypeError, which speaks of types and of operators: what else it quotes is hidden."""
    holes = []
    for found in _QUOTED_OR_NUMBER.finditer(message):
        if found["number"] is not None:
            holes.append((found.span(), levels["s"]))
        elif found["quoted"] not in _TYPES_AND_OPERATORS:
            holes.append((found.span("quoted"), levels["v"]))
    return _with_holes(message, holes)


_QUOTED_OR_NUMBER = re.compile(r"""(?<!\w)(?P<mark>['"])(?P<quoted>.*?)(?P=mark)(?!\w)|(?P<number>\d+)""", re.DOTALL)
_OPERATORS = "+ - * / // % ** @ & | ^ << >> < <= > >= == != += -= *= /= //= %= **= &= |= ^= <<= >>= or pow()"
_TYPES_AND_OPERATORS = frozenset(
    [name for name, value in vars(builtins).items() if type(value) is type]
    + ["NoneType", "builtin_function_or_method", "ellipsis", "function", "generator", "module"]
    + re.split(" ", _OPERATORS)
)

# Messages of CPython's own, 3.8 to 3.14, for operations on exact built-in values; of numpy's, for basic indexing. A
# group holds what comes from values: `v` from those that took part, `a` what was asked for, `s` a size or a place.
_MESSAGES = [
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"invalid literal for int\(\) with base \d+: (?P<v>.*)",
        r"int\(\) base must be >= 2 and <= 36, or 0",
        r"Exceeds the limit \(\d+(?: digits)?\) for integer string conversion"
        r"(?:: value has (?P<s>\d+) digits)?(?:; use sys\.set_int_max_str_digits\(\) to increase the limit)?",
        r"could not convert string to float: (?P<v>.*)",
        r"complex\(\) arg is a malformed string",
        r"cannot convert float (?P<v>\w+) to integer",
        r"int too large to convert to float",
        r"integer division result too large for a float",
        r"Python int too large to convert to C \w+",
        r"cannot fit 'int' into an index-sized integer",
        r"\(34, 'Numerical result out of range'\)|math range error",
        r"(?:integer |float |complex )?(?:division|modulo|division or modulo|floor division)(?: by zero)?",
        r"(?:float )?(?:divmod|floor division)(?:\(\)| by zero)",
        r"(?P<a>.+) is not in (?:list|tuple|range|deque)",
        r"\w+\.\w+\(x\): x not in \w+",
        r"(?P<a>.+) not in (?:list|tuple|range)",
        r"(?:substring|subsection) not found",
        r"empty separator",
        r"negative count",
        r"(?:max|min)\(\) (?:arg|iterable argument) is (?:an )?empty(?: sequence)?",
        r"range\(\) arg 3 must not be zero",
        r"slice step cannot be zero",
        r"chr\(\) arg not in range\(0x110000\)",
        r"bytes must be in range\(0, 256\)",
        r"dictionary update sequence element #(?P<s1>\d+) has length (?P<s2>\d+); 2 is required",
        r"(?:not enough|too many) values to unpack \(expected (?P<s1>\d+)(?:, got (?P<s2>\d+))?\)",
        r"attempt to assign sequence of size (?P<s1>\d+) to extended slice of size (?P<s2>\d+)",
        r"Unknown format code (?P<v>'.*') for object of type '\w+'",
        r"Invalid format specifier(?: (?P<v>'.*') for object of type '\w+')?",
        r"Format specifier missing precision",
        r"Cannot specify (?P<v1>'.*?') with (?P<v2>'.*?')\.",
        r"Cannot specify both (?P<v1>'.*?') and (?P<v2>'.*?')\.",
        r"(?:Precision|Sign|Space|Zero padding) not allowed in (?:integer|string|complex) format specifier",
        r"Sign not allowed with (?:integer|string) format specifier(?: 'c')?",
        r"'=' alignment not allowed in (?:string|complex) format specifier",
        r"Alternate form \(#\) not allowed (?:in|with) (?:integer|string|complex) format (?:specifier|spec)(?: 'c')?",
        r"Too many decimal digits in format string|precision too big",
        r"'[\w-]+' codec can't (?:de|en)code (?:bytes?|characters?) (?:(?P<v>.+) )?in position (?P<s>[\d-]+): "
        r"(?:invalid start byte|invalid continuation byte|unexpected end of data|surrogates not allowed)",
        r"(?:\w+ )?(?:object )?index out of range|pop from empty list|pop from an empty set",
        r"\w+ assignment index out of range|index \(\w+\) out of range",
        r"index (?P<v>-?\d+) is out of bounds for axis (?P<s1>\d+) with size (?P<s2>\d+)",
        r"too many indices for array(?:: array is (?P<s1>\d+)-dimensional, but (?P<s2>\d+) were indexed)?",
        r"an index can only have a single ellipsis \('\.\.\.'\)",
    )
]
