"""The path language of the probes: ``cfg['train'].x[0]``, resolved without running the user's code.

A path is a name followed by any number of ``.attribute`` and ``[key]``; a key is a number, a text, bytes, True, False,
None, or a tuple of them. What has items is what has them in C: lists, tuples, dicts, deques, texts, ranges, arrays,
subclasses that leave ``[]`` to these, the columns of an exact DataFrame, the parts of torch's containers.
"""

from __future__ import annotations

import collections
import re
from typing import Any, Callable, Dict, List, NamedTuple, Tuple

from . import safe
from .readers import blocks

MAX_LENGTH = 2000
"""Length of a path [characters]."""

MAX_NESTING = 5
"""Tuples within tuples in a key."""

_NAME = re.compile(r"[^\W\d]\w*")
_ATTRIBUTE = re.compile(r"\.([^\W\d]\w*)")
_BLANK = re.compile(r"\s*")
_WORD = re.compile(r"(?:True|False|None)(?!\w)")
_NUMBER = re.compile(
    r"[-+]?(?:(?P<whole>[0-9]{1,18}(?![.eE\w]))|(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?(?!\w))"
)
_TEXT = re.compile(r"""(?P<bytes>[bB]?)(?:'(?P<single>(?:[^'\\\n]|\\.)*)'|"(?P<double>(?:[^"\\\n]|\\.)*)")""")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U000[0-9a-fA-F]{5}|.)")
_ESCAPES = {"\\": "\\", "'": "'", '"': '"', "n": "\n", "t": "\t", "r": "\r"}
_WORDS = {"True": True, "False": False, "None": None}

Step = Tuple[str, Any]


class Path(NamedTuple):
    """A parsed path: the name it starts from and the steps behind it."""

    name: str
    steps: Tuple[Step, ...]


def parse(text: object) -> Path:
    """Parse a path.

    Raises:
        Refused: It is not one.
    """
    if type(text) is not str:
        raise safe.Refused("could not look, because a path is a text such as cfg['train'].x[0]")
    text = text.strip()
    start = _NAME.match(text)
    if start is None or len(text) > MAX_LENGTH:
        raise safe.Refused("could not look, because {!r} is no path such as cfg['train'].x[0]".format(text[:80]))
    steps: List[Step] = []
    place = start.end()
    while place < len(text):
        attribute = _ATTRIBUTE.match(text, place)
        if attribute is not None:
            steps.append(("attribute", attribute.group(1)))
            place = attribute.end()
            continue
        try:
            key, end = _subscript(text, place)
        except _NoKey:
            raise safe.Refused(
                "could not look, because of {!r}: a path has only .name, [0] and ['key']".format(text[place:][:40])
            ) from None
        steps.append(("item", key))
        place = end
    return Path(start.group(), tuple(steps))


class _NoKey(Exception):
    """What stands there is no key."""


def _subscript(text: str, place: int) -> Tuple[Any, int]:
    """Return the key in brackets that starts at `place`, and where it ends."""
    if not text.startswith("[", place):
        raise _NoKey
    parts, is_tuple, place = _elements(text, place + 1, "]", MAX_NESTING)
    if not parts:
        raise _NoKey
    return (tuple(parts) if is_tuple else parts[0]), place


def _elements(text: str, place: int, end: str, nesting: int) -> Tuple[List[Any], bool, int]:
    """Return what stands before the bracket `end`, whether a comma makes it a tuple, and the place behind it."""
    parts: List[Any] = []
    is_tuple = False
    while True:
        place = _skip(text, place)
        if text.startswith(end, place):
            return parts, is_tuple, place + 1
        if parts and not is_tuple:
            raise _NoKey
        part, place = _literal(text, place, nesting)
        parts.append(part)
        place = _skip(text, place)
        if text.startswith(",", place):
            is_tuple, place = True, place + 1
        elif not text.startswith(end, place):
            raise _NoKey


def _literal(text: str, place: int, nesting: int) -> Tuple[Any, int]:
    if text.startswith("(", place) and nesting:
        parts, is_tuple, place = _elements(text, place + 1, ")", nesting - 1)
        return (tuple(parts) if is_tuple or not parts else parts[0]), place
    word = _WORD.match(text, place)
    if word is not None:
        return _WORDS[word.group()], word.end()
    number = _NUMBER.match(text, place)
    if number is not None:
        return (int if number["whole"] else float)(number.group()), number.end()
    quoted = _TEXT.match(text, place)
    if quoted is None:
        raise _NoKey
    inner = quoted["single"] if quoted["single"] is not None else quoted["double"]
    plain = _ESCAPE.sub(_unescaped, inner)
    if not quoted["bytes"]:
        return plain, quoted.end()
    if not inner.isascii() or "\\u" in inner or "\\U" in inner:
        raise _NoKey
    return plain.encode("latin-1"), quoted.end()


def _unescaped(found: Any) -> str:
    code = found.group(1)
    if len(code) > 1:
        return chr(int(code[1:], 16))
    if code not in _ESCAPES:
        raise _NoKey
    return _ESCAPES[code]


def _skip(text: str, place: int) -> int:
    blank = _BLANK.match(text, place)
    return blank.end() if blank is not None else place


def resolve(text: object, namespace: Dict[str, object]) -> object:
    """Return the live value that a path leads to.

    Raises:
        Refused: A step would run code, or there is nothing of that name; the reason says at which step.
    """
    path = parse(text)
    if not safe.keeps_texts(namespace):
        raise safe.Refused("could not look, because some names in the kernel are no plain texts")
    value = namespace.get(path.name, safe.ABSENT)
    if value is safe.ABSENT:
        raise safe.Refused("could not look, because the name {!r} is not defined".format(path.name))
    walked = path.name
    for kind, step in path.steps:
        if kind == "attribute":
            value, walked = _attribute(value, step, walked), "{}.{}".format(walked, step)
        else:
            value, walked = item(value, step, walked), "{}[{!r}]".format(walked, step)
    return value


def _attribute(value: object, name: str, walked: str) -> object:
    if blocks.is_frame(value) and safe.in_type(type(value), name) is safe.ABSENT:
        return item(value, name, walked)
    try:
        found = safe.attribute(value, name)
    except safe.Refused as refused:
        raise safe.Refused("{} (at {}.{})".format(refused.reason, walked, name)) from None
    if found is safe.ABSENT:
        raise safe.Refused(
            "could not look, because {} ({}) has no attribute {!r}".format(walked, safe.type_name(value), name)
        )
    return found


def item(value: Any, key: object, walked: str) -> object:
    """Return ``value[key]``; `key` is a built-in scalar or a tuple of them.

    A subclass will do if it leaves ``[]`` to the built-in class, as a named tuple or a `defaultdict` does.

    Raises:
        Refused: `value` is of another type, or holds no such item.
    """
    getitem = safe.in_type(type(value), "__getitem__")
    for kind, own in _SEQUENCES:
        if getitem is own:
            return _element(kind, value, key, walked)
    if getitem is _DICT_GETITEM:
        return _entry(value, key, walked)
    if blocks.is_frame(value):
        names = safe.labels(blocks.axes(value)[0], blocks.MAX_COLUMNS)
        if names is not None and names.count(key) == 1:
            return blocks.column(value, names.index(key))
        raise safe.Refused("could not look, because {} has no single column {!r}".format(walked, key))
    if safe.is_exactly(value, "numpy", "ndarray"):
        return _part_of_array(value, key, walked)
    for name, parts in _TORCH_CONTAINERS.items():
        if safe.is_exactly(value, "torch.nn.modules.container", name):
            return parts(value, key, walked)
    raise safe.Refused(
        "could not look, because items of {} ({}) are computed by code".format(walked, safe.type_name(value))
    )


_DICT_GETITEM = dict.__dict__["__getitem__"]
_SEQUENCES = tuple((kind, vars(kind)["__getitem__"]) for kind in (list, tuple, str, bytes, range, collections.deque))


def _element(kind: Any, value: Any, key: Any, walked: str) -> object:
    count = kind.__len__(value)
    if _is_place(key) and -count <= key < count:
        try:
            return kind.__getitem__(value, key)
        except IndexError:
            raise safe.Refused("could not look, because {} is being changed".format(walked)) from None
    raise safe.Refused("could not look, because {} has {} items and no item {!r}".format(walked, count, key))


def _is_place(key: object) -> bool:
    return safe.one_of(type(key), (int, bool))


def _entry(table: Dict[Any, object], key: object, walked: str) -> object:
    if not safe.has_plain_keys(table):
        raise safe.Refused("could not look, because the keys of {} are not all plain, or too many".format(walked))
    found = dict.get(table, key, safe.ABSENT)
    if found is safe.ABSENT and safe.in_type(type(table), "__missing__") is not safe.ABSENT:
        raise safe.Refused("could not look, because {} has no key {!r} and would compute one".format(walked, key))
    if found is safe.ABSENT:
        raise safe.Refused("could not look, because {} has no key {!r}".format(walked, key))
    return found


_KINDS_OF_NUMBERS = "biufcmMSUO"
"""Kinds of numpy's own dtypes whose elements are read by C code alone; an object is returned as it is."""


def _part_of_array(value: Any, key: object, walked: str) -> object:
    """Return an element of an array, or a view of a part of it, by one or more whole numbers."""
    places: Tuple[Any, ...] = key if type(key) is tuple else (key,)
    shape = value.shape
    if value.dtype.kind not in _KINDS_OF_NUMBERS or not all(type(each) is int for each in places):
        raise safe.Refused("could not look, because {} is an array: only whole numbers lead into it".format(walked))
    if len(places) > len(shape) or not all(-size <= each < size for each, size in zip(places, shape)):
        raise safe.Refused("could not look, because {} of shape {} has no item {!r}".format(walked, shape, key))
    return value[places]


def _part_of_sequential(value: object, key: object, walked: str) -> object:
    parts = list(_parts(value, walked).values())
    return _element(list, parts, key, walked)


def _part_of_dict(value: object, key: object, walked: str) -> object:
    parts = _parts(value, walked)
    if type(key) is str and key in parts:
        return parts[key]
    raise safe.Refused("could not look, because {} has no key {!r}".format(walked, key))


def _parts(value: object, walked: str) -> Dict[str, object]:
    parts: Any = (safe.instance_dict(value) or {}).get("_modules")
    if not safe.one_of(type(parts), (dict, collections.OrderedDict)) or not safe.keeps_texts(parts):
        raise safe.Refused("could not look, because the parts of {} are not as torch keeps them".format(walked))
    return dict(dict.items(parts))


_TORCH_CONTAINERS: Dict[str, Callable[[object, object, str], object]] = {
    "Sequential": _part_of_sequential,
    "ModuleList": _part_of_sequential,
    "ModuleDict": _part_of_dict,
}
