"""The path language of the probes: ``cfg['train'].x[0]``, resolved without running the user's code.

A path is a name followed by any number of ``.attribute``, ``[integer]`` and ``['key']``. Columns of an exact pandas
DataFrame can be reached by ``['label']``.
"""

from __future__ import annotations

import re
from typing import Dict, List, NamedTuple, Tuple, Union

from . import safe

_NAME = re.compile(r"[^\W\d]\w*")
_STEP = re.compile(
    r"""\.(?P<attribute>[^\W\d]\w*)
      | \[\s*(?P<index>-?\d+)\s*\]
      | \[\s*'(?P<single>[^'\\]*)'\s*\]
      | \[\s*"(?P<double>[^"\\]*)"\s*\]""",
    re.VERBOSE,
)

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
    if safe.is_exactly(value, "pandas", "DataFrame") and safe.in_type(type(value), name) is safe.ABSENT:
        return item(value, name, walked)
    found = safe.attribute(value, name)
    if found is safe.ABSENT:
        raise safe.Refused(
            "could not look, because {} ({}) has no attribute {!r}".format(walked, safe.type_name(value), name)
        )
    return found


def item(value: object, key: object, walked: str) -> object:
    """Return ``value[key]`` of an exact list, tuple, dict or DataFrame; `key` is an exact str or int.

    Raises:
        Refused: `value` is of another type, or holds no such item.
    """
    kind = type(value)
    if safe.one_of(kind, (list, tuple)):
        if type(key) is int and -len(value) <= key < len(value):  # type: ignore[arg-type]
            return value[key]  # type: ignore[index]
        raise safe.Refused("could not look, because {} has {} items and no item {!r}".format(walked, len(value), key))  # type: ignore[arg-type]
    if safe.inherits(kind, dict) and safe.class_module(kind) in ("builtins", "collections"):
        if not safe.has_plain_keys(value):  # type: ignore[arg-type]
            raise safe.Refused("could not look, because the keys of {} are not all plain".format(walked))
        found = dict.get(value, key, safe.ABSENT)  # type: ignore[arg-type, call-overload]
        if found is safe.ABSENT:
            raise safe.Refused("could not look, because {} has no key {!r}".format(walked, key))
        return found  # type: ignore[no-any-return]
    if safe.is_exactly(value, "pandas", "DataFrame"):
        names = safe.labels(value.columns, 100000)  # type: ignore[attr-defined]
        if names is not None and names.count(key) == 1:
            return value.iloc[:, names.index(key)]  # type: ignore[attr-defined]
        raise safe.Refused("could not look, because {} has no single column {!r}".format(walked, key))
    raise safe.Refused(
        "could not look, because items of {} ({}) are computed by code".format(walked, safe.type_name(value))
    )
