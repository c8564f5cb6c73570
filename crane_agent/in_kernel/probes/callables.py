"""Functions, methods and classes: what they take.

Python itself decides whether a call binds: a stub with the same parameters and an empty body is called.
Source: the Python language reference, "Calls"; the message is then the interpreter's own.
"""

from __future__ import annotations

import abc
import inspect
import types
from typing import Any

from .. import paths, safe
from ..privacy import NAMES, SCHEMA, Field

MAX_ARGUMENTS = 1000

_IS_ABSTRACT = 1 << 20
"""A flag of classes. Source: CPython's `Include/object.h`, Py_TPFLAGS_IS_ABSTRACT."""


def signature(
    shell: Any, budget: safe.Budget, path: str, positional: int | None = None, keywords: list[str] | None = None
) -> dict[str, Any]:
    """Describe the parameters of a callable; with a call's shape given, whether it binds and the TypeError if not.

    Args:
        shell: IPython's shell.
        budget: What the answer may cost.
        path: The callable.
        positional: Number of positional arguments of the call.
        keywords: Names of its keyword arguments.
    """
    if (positional or 0) > MAX_ARGUMENTS or len(keywords or ()) > MAX_ARGUMENTS:
        raise safe.Refused("could not look, because the call has more than {} arguments".format(MAX_ARGUMENTS))
    value = paths.resolve(path, shell.user_ns)
    function, bound = python_function(value)
    answer: dict[str, Any] = {
        "path": path,
        "type": safe.type_name(value),
        "parameters": parameters(function, skip=bound),
    }
    if function.__code__.co_flags & inspect.CO_VARKEYWORDS:
        inner = wrapped(function)
        if inner is not None:
            answer["wraps"] = parameters(inner, skip=bound)
    if positional is not None or keywords is not None:
        error = binding_error(function, (positional or 0) + bound, keywords or [])
        answer["binds"] = error is None
        answer["error"] = error
    return answer


def is_callable(value: object) -> bool:
    """Whether `value` is a function, method or class of an exact built-in kind."""
    return safe.one_of(
        type(value),
        (types.FunctionType, types.MethodType, safe.BuiltinFunctionType, safe.MethodDescriptorType, type, abc.ABCMeta),
    )


def python_function(value: object) -> tuple[types.FunctionType, int]:
    """Return the Python function that a call of `value` runs first, and how many arguments are already bound to it.

    Raises:
        Refused: It is none: C code, a class with its own ``__new__`` or metaclass, an object with ``__call__``.
    """
    found: object = value
    bound = 0
    if type(value) is types.MethodType:
        found, bound = value.__func__, 1
    elif _is_plain_class(value):
        found, bound = safe.in_type(value, "__init__"), 1  # type: ignore[arg-type]
    if type(found) is types.FunctionType and _has_plain_defaults(found):
        return found, bound
    raise safe.Refused(
        "could not look, because {} is no plain Python function, method or class".format(safe.type_name(value))
    )


def _is_plain_class(value: Any) -> bool:
    """Whether calling a class makes an object the way `object` does, then runs ``__init__``."""
    if not safe.one_of(type(value), (type, abc.ABCMeta)) or safe.class_flags(value) & _IS_ABSTRACT:
        return False
    return safe.in_type(value, "__new__") is object.__new__


def _has_plain_defaults(function: types.FunctionType) -> bool:
    kinds = (type(function.__defaults__), type(function.__kwdefaults__))
    return safe.one_of(kinds[0], (tuple, type(None))) and safe.one_of(kinds[1], (dict, type(None)))


def wrapped(function: types.FunctionType) -> types.FunctionType | None:
    """Return the function that `functools.wraps` says a wrapper stands for, the innermost; None if there is none."""
    found: object = function
    for _ in range(10):
        inner = (safe.instance_dict(found) or {}).get("__wrapped__")
        if type(inner) is not types.FunctionType:
            break
        found = inner
    return found if found is not function else None  # type: ignore[return-value]


def parameters(function: types.FunctionType, skip: int = 0) -> list[str]:
    """Return the parameters as written in a signature, without values of defaults: ``['x', '*', 'n=...']``."""
    code = function.__code__
    names = code.co_varnames
    defaults = len(function.__defaults__ or ())
    found = []
    for place in range(skip, code.co_argcount):
        optional = place >= code.co_argcount - defaults
        found.append(names[place] + ("=..." if optional else ""))
        if place + 1 == code.co_posonlyargcount:
            found.append("/")
    after = code.co_argcount + code.co_kwonlyargcount
    if code.co_flags & inspect.CO_VARARGS:
        found.append("*" + names[after])
    elif code.co_kwonlyargcount:
        found.append("*")
    keyword_defaults = function.__kwdefaults__ or {}
    for name in names[code.co_argcount : after]:
        found.append(name + ("=..." if name in keyword_defaults else ""))
    if code.co_flags & inspect.CO_VARKEYWORDS:
        found.append("**" + names[after + bool(code.co_flags & inspect.CO_VARARGS)])
    return found


def binding_error(function: types.FunctionType, positional: int, keywords: list[str]) -> str | None:
    """Return the message of the TypeError that a call of this shape raises, or None if it binds.

    Args:
        function: The function; it is not called.
        positional: Positional arguments, bound ones included.
        keywords: Names of the keyword arguments.
    """
    code = function.__code__
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    flags = inspect.CO_OPTIMIZED | inspect.CO_NEWLOCALS
    flags |= code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS)
    changes: dict[str, Any] = {
        "co_argcount": code.co_argcount,
        "co_posonlyargcount": code.co_posonlyargcount,
        "co_kwonlyargcount": code.co_kwonlyargcount,
        "co_nlocals": count,
        "co_varnames": code.co_varnames[:count],
        "co_flags": flags,
        "co_name": code.co_name,
    }
    if hasattr(code, "co_qualname"):
        changes["co_qualname"] = code.co_qualname
    stub = types.FunctionType(_EMPTY.replace(**changes), {})
    if function.__defaults__:
        stub.__defaults__ = (None,) * len(function.__defaults__)
    if function.__kwdefaults__:
        stub.__kwdefaults__ = dict.fromkeys(function.__kwdefaults__)
    stub.__qualname__ = function.__qualname__
    try:
        stub(*(None,) * positional, **dict.fromkeys(keywords))
    except TypeError as error:
        return str(error)
    return None


def _empty() -> None:
    pass


_EMPTY = _empty.__code__


FIELDS = {
    "parameters": Field(SCHEMA, "parameters of a function, an estimator or a layer, with numbers and shapes"),
    "wraps": Field(NAMES, "parameters of the function that a wrapper stands for"),
    "binds": Field(NAMES, "whether a call with these arguments binds"),
    "error": Field(NAMES, "the TypeError of a call that does not bind"),
}
PROBES = {"signature": signature}
