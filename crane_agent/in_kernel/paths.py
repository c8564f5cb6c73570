"""The path language of the probes: ``cfg['train'].x[0]``, resolved without running the user's code.

A path is a name followed by any number of ``.attribute``, ``[integer]`` and ``['key']``. Columns of an exact pandas
DataFrame can be reached by ``['label']``.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, NamedTuple, Tuple, Union

from . import blocks, safe

_NAME = re.compile(r"[^\W\d]\w*")
_STEP = re.compile(
    r"""\.(?P<attribute>[^\W\d]\w*)
      | \[\s*(?P<index>-?[0-9]{1,18})\s*\]
      | \[\s*'(?P<single>[^'\\]*)'\s*\]
      | \[\s*"(?P<double>[^"\\]*)"\s*\]""",
    re.VERBOSE,
)

_LIST_GETITEM = list.__dict__["__getitem__"]
_TUPLE_GETITEM = tuple.__dict__["__getitem__"]
_DICT_GETITEM = dict.__dict__["__getitem__"]

Step = Tuple[str, Union[str, int]]


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
    if start is None:
        raise safe.Refused("could not look, because {!r} is no path such as cfg['train'].x[0]".format(text[:80]))
    steps: List[Step] = []
    place = start.end()
    while place < len(text):
        found = _STEP.match(text, place)
        if found is None:
            raise safe.Refused(
                "could not look, because of {!r}: a path has only .name, [0] and ['key']".format(text[place:][:40])
            )
        if found["attribute"] is not None:
            steps.append(("attribute", found["attribute"]))
        elif found["index"] is not None:
            steps.append(("item", int(found["index"])))
        else:
            steps.append(("item", found["single"] if found["single"] is not None else found["double"]))
        place = found.end()
    return Path(start.group(), tuple(steps))


def resolve(text: object, namespace: Dict[str, object]) -> object:
    """Return the live value that a path leads to.

    Raises:
        Refused: A step would run code, or there is nothing of that name.
    """
    path = parse(text)
    if not safe.only_texts(namespace):
        raise safe.Refused("could not look, because some names in the kernel are no plain texts")
    if path.name not in namespace:
        raise safe.Refused("could not look, because the name {!r} is not defined".format(path.name))
    value = namespace[path.name]
    walked = path.name
    for kind, step in path.steps:
        if kind == "attribute":
            value, walked = _attribute(value, str(step), walked), "{}.{}".format(walked, step)
        else:
            value, walked = item(value, step, walked), "{}[{!r}]".format(walked, step)
    return value


def _attribute(value: object, name: str, walked: str) -> object:
    if blocks.is_frame(value) and safe.in_type(type(value), name) is safe.ABSENT:
        return item(value, name, walked)
    found = safe.attribute(value, name)
    if found is safe.ABSENT:
        raise safe.Refused(
            "could not look, because {} ({}) has no attribute {!r}".format(walked, safe.type_name(value), name)
        )
    return found


def item(value: Any, key: object, walked: str) -> object:
    """Return ``value[key]`` of a list, tuple, dict or DataFrame; `key` is exactly a str or int.

    A subclass will do if it leaves ``[]`` to the built-in class, as a named tuple or a `defaultdict` does.

    Raises:
        Refused: `value` is of another type, or holds no such item.
    """
    getitem = safe.in_type(type(value), "__getitem__")
    if getitem is _LIST_GETITEM or getitem is _TUPLE_GETITEM:
        kind: Any = list if getitem is _LIST_GETITEM else tuple
        count = kind.__len__(value)
        if type(key) is int and -count <= key < count:
            return kind.__getitem__(value, key)
        raise safe.Refused("could not look, because {} has {} items and no item {!r}".format(walked, count, key))
    if getitem is _DICT_GETITEM:
        return _entry(value, key, walked)
    if blocks.is_frame(value):
        names = safe.labels(blocks.axes(value)[0], blocks.MAX_COLUMNS)
        if names is not None and names.count(key) == 1:
            return blocks.column(value, names.index(key))
        raise safe.Refused("could not look, because {} has no single column {!r}".format(walked, key))
    raise safe.Refused(
        "could not look, because items of {} ({}) are computed by code".format(walked, safe.type_name(value))
    )


def _entry(table: Dict[Any, object], key: object, walked: str) -> object:
    if not safe.has_plain_keys(table):
        raise safe.Refused("could not look, because the keys of {} are not all plain, or too many".format(walked))
    found = dict.get(table, key, safe.ABSENT)
    if found is safe.ABSENT and safe.in_type(type(table), "__missing__") is not safe.ABSENT:
        raise safe.Refused("could not look, because {} has no key {!r} and would compute one".format(walked, key))
    if found is safe.ABSENT:
        raise safe.Refused("could not look, because {} has no key {!r}".format(walked, key))
    return found
