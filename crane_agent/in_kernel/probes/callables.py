"""Functions, methods and classes: what they take, what they are made of.

Python itself decides whether a call binds: a stub with the same parameters and an empty body is called.
Source: the Python language reference, "Calls"; the message is then the interpreter's own.
"""

from __future__ import annotations

import abc
import builtins
import inspect
import linecache
import opcode
import types
from typing import Any, Iterator

from .. import paths, safe
from ..likeness import close_to_each
from ..privacy import NAMES, SCHEMA, Field
from ..redaction import redacted

MAX_ARGUMENTS = 1000

CHARACTERS_PER_ITEM = 120
"""Length of a source for each item that the budget allows [characters]."""

IS_ABSTRACT = 1 << 20
"""A flag of classes. Source: CPython's `Include/object.h`, Py_TPFLAGSIS_ABSTRACT."""


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
        "required": len(required(function, skip=bound)),
    }
    if function.__code__.co_flags & inspect.CO_VARKEYWORDS:
        inner = wrapped(function)
        if inner is not None:
            answer["wraps"] = parameters(inner, skip=bound)
    if positional is not None or keywords is not None:
        error = binding_error(function, (positional or 0) + bound, keywords or [])
        answer["binds"] = error is None
        answer["error"] = error
    unexpected = not_taken(function, keywords or [], skip=bound)
    if unexpected:
        answer["unexpected"] = unexpected[: budget.items]
        taken = _keywords(function, skip=bound)
        answer["close"] = close_to_each(unexpected, taken, budget)
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
    if not safe.one_of(type(value), (type, abc.ABCMeta)) or safe.class_flags(value) & IS_ABSTRACT:
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


def required(function: types.FunctionType, skip: int = 0) -> list[str]:
    """Return the parameters that have no default."""
    return [each for each in parameters(function, skip) if each[0] not in "*/" and not each.endswith("=...")]


def _keywords(function: types.FunctionType, skip: int = 0) -> list[str]:
    """Return the parameters that can be given by name."""
    code = function.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return list(names[max(skip, code.co_posonlyargcount) :])


def not_taken(function: types.FunctionType, keywords: list[str], skip: int = 0) -> list[str]:
    """Return the keywords that a call would not accept."""
    if function.__code__.co_flags & inspect.CO_VARKEYWORDS:
        return []
    taken = _keywords(function, skip)
    return [name for name in keywords if name not in taken]


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


# -- Source -----------------------------------------------------------------------------------------------------------


def source(shell: Any, budget: safe.Budget, path: str) -> dict[str, Any]:
    """Give the source of the user's function, method or class at `path`, and what it reads from outside.

    Only of what a cell of this kernel defined, and only from memory: no file is opened.
    """
    value: Any = paths.resolve(path, shell.user_ns)
    functions = _functions(value)
    if not functions:
        raise safe.Refused(
            "could not look, because {} is a {}, not a Python function, method or class".format(
                path, safe.type_name(value)
            )
        )
    code = min((each.__code__ for each in functions), key=_place)
    number, lines = _cell(shell, code.co_filename)
    answer: dict[str, Any] = {
        "path": path,
        "type": safe.type_name(value),
        "defined_in": "cell" if number is not None else code.co_filename,
        "at_line": code.co_firstlineno,
        "number": number,
    }
    text = None if lines is None else redacted(_block(lines, value, code))
    room = budget.items * CHARACTERS_PER_ITEM
    answer["source"] = text if text is None else text[:room]
    answer["truncated"] = text is not None and len(text) > room
    return dict(answer, **_reads(functions, budget))


def _functions(value: Any) -> list[types.FunctionType]:
    """Return the Python functions that a function, a method or a class is made of."""
    if type(value) is types.MethodType:
        value = value.__func__
    if type(value) is types.FunctionType:
        return [wrapped(value) or value]
    if not safe.inherits(type(value), type):
        return []
    entries = [entry for _, entry in safe.entries(value)]
    inner = [entry.__func__ if safe.one_of(type(entry), (staticmethod, classmethod)) else entry for entry in entries]
    inner += [entry.fget for entry in entries if type(entry) is property]
    home = safe.class_module(value)
    return [each for each in inner if type(each) is types.FunctionType and _home(each) == home]


def _home(function: types.FunctionType) -> object:
    """Return the name of the module that a function was defined in."""
    table = function.__globals__
    return table.get("__name__") if safe.keeps_texts(table) else None


def _place(code: types.CodeType) -> tuple[bool, int]:
    # What `dataclasses` and `namedtuple` make has a file of that name, and no place in the user's source.
    return code.co_filename.startswith("<string>"), code.co_firstlineno


def _cell(shell: Any, filename: str) -> tuple[int | None, list[str] | None]:
    """Return the number of the cell that IPython compiled under this name, and its lines, if it is one.

    Source: `IPython.core.compilerop`, CachingCompiler.cache.
    """
    numbers = (safe.instance_dict(getattr(shell, "compile", None)) or {}).get("_filename_map")
    number = numbers.get(filename) if type(numbers) is dict and safe.keeps_texts(numbers) else None
    cache: Any = linecache.cache
    entry = cache.get(filename) if type(cache) is dict and safe.keeps_texts(cache) else None
    lines = entry[2] if type(entry) is tuple and len(entry) == 4 else None
    if type(number) is not int or type(lines) is not list or not safe.only_texts(lines):
        return (number if type(number) is int else None), None
    return number, lines


def _block(lines: list[str], value: Any, code: types.CodeType) -> str:
    """Return the lines of a function, from its first decorator, or of a class, from the line that names it.

    Told by indentation: Python's own tokenizer may print a warning.
    """
    start = code.co_firstlineno - 1
    if safe.inherits(type(value), type):
        opening = "class " + safe.class_name(value)
        before = [at for at, line in enumerate(lines[: start + 1]) if line.lstrip().startswith(opening)]
        start = before[-1] if before else start
    if start >= len(lines):
        return ""
    base = _indent(lines[start])
    end = max(_last_line(code), start + 1)
    while end < len(lines) and _goes_on(lines[end], base):
        end += 1
    return "".join(lines[start:end]).rstrip() + "\n"


def _goes_on(line: str, base: int) -> bool:
    return not line.strip() or _indent(line) > base or line.lstrip()[0] in ")]}"


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _last_line(code: Any) -> int:
    """Return the last line that a code and the functions in it are from."""
    if hasattr(code, "co_positions"):
        lines: list[int] = [end for _, end, _, _ in code.co_positions() if end is not None]
    else:
        lines = [line for _, line in _starts(code)]
    inner = [_last_line(each) for each in code.co_consts if type(each) is types.CodeType]
    return max([int(code.co_firstlineno), *lines, *inner])


def _starts(code: Any) -> Iterator[tuple[int, int]]:
    """Return where lines start in a code. Source: CPython 3.8, `Objects/lnotab_notes.txt`; 3.10 still has it."""
    place, line = 0, code.co_firstlineno
    for step, lines in zip(code.co_lnotab[::2], code.co_lnotab[1::2]):
        place += step
        line += lines - 256 if lines > 127 else lines
        yield place, line


def _reads(functions: list[types.FunctionType], budget: safe.Budget) -> dict[str, Any]:
    """Return what functions read from outside: globals with their types now, free variables, attributes of self."""
    found: dict[str, str] = {}
    free: set[str] = set()
    of_self: set[str] = set()
    for function in functions:
        budget.check()
        names, attributes = _names_read(function.__code__)
        of_self |= attributes
        free.update(function.__code__.co_freevars)
        for name in names:
            found[name] = _kind_of_global(function, name)
    cut = sorted(found)[: budget.items]
    return {
        "globals": {name: found[name] for name in cut},
        "undefined": [name for name in cut if found[name] == "undefined"],
        "free": sorted(free)[: budget.items],
        "self_attributes": sorted(of_self)[: budget.items],
    }


def _kind_of_global(function: types.FunctionType, name: str) -> str:
    for table in (function.__globals__, builtins.__dict__):
        if not safe.keeps_texts(table):
            return "unknown"
        if name in table:
            return safe.type_name(table[name])
    return "undefined"


# Sources: the Python library reference, `dis`; read here without it, since it fails on some code of Python 3.13.0.
_LOADS_GLOBAL = opcode.opmap["LOAD_GLOBAL"]
_LOADS_NAME = opcode.opmap["LOAD_NAME"]
_STORES_NAME = opcode.opmap["STORE_NAME"]
_LOADS_ATTRIBUTE = opcode.opmap["LOAD_ATTR"]
_LOADS_METHOD = opcode.opmap.get("LOAD_METHOD", -1)
_LOADS_ONE = [
    opcode.opmap[name] for name in ("LOAD_FAST", "LOAD_FAST_BORROW", "LOAD_FAST_CHECK") if name in opcode.opmap
]
_LOADS_TWO = [
    opcode.opmap[name]
    for name in ("LOAD_FAST_LOAD_FAST", "STORE_FAST_LOAD_FAST", "LOAD_FAST_BORROW_LOAD_FAST_BORROW")
    if name in opcode.opmap
]
# Since 3.11 and 3.12 the lowest bit of an argument says that something else is put on the stack, too.
_GLOBAL_SHIFT = 1 if hasattr(types.CodeType, "co_qualname") else 0
_ATTRIBUTE_SHIFT = 1 if "LOAD_FAST_CHECK" in opcode.opmap else 0


def _instructions(code: types.CodeType) -> Iterator[tuple[int, int]]:
    argument = 0
    for operation, low in zip(code.co_code[::2], code.co_code[1::2]):
        argument = argument << 8 | low
        if operation != opcode.EXTENDED_ARG:
            yield operation, argument
            argument = 0


def _names_read(code: types.CodeType) -> tuple[set[str], set[str]]:
    """Return the globals that a code and the functions in it read, and the attributes of its first parameter."""
    names: set[str] = set()
    attributes: set[str] = set()
    # The body of a class in a function: what it does not bind itself is a global.
    in_class, bound = set(), set()
    on_self = False
    has_self = code.co_argcount > 0 and code.co_varnames[:1] == ("self",)
    for operation, argument in _instructions(code):
        if operation == _LOADS_GLOBAL:
            names.add(code.co_names[argument >> _GLOBAL_SHIFT])
        elif operation == _LOADS_NAME:
            in_class.add(code.co_names[argument])
        elif operation == _STORES_NAME:
            bound.add(code.co_names[argument])
        elif on_self and operation == _LOADS_ATTRIBUTE:
            attributes.add(code.co_names[argument >> _ATTRIBUTE_SHIFT])
        elif on_self and operation == _LOADS_METHOD:
            attributes.add(code.co_names[argument])
        loaded = argument if operation in _LOADS_ONE else argument & 15 if operation in _LOADS_TWO else None
        on_self = has_self and loaded == 0
    names |= {name for name in in_class - bound if not name.startswith("__")}
    for constant in code.co_consts:
        if type(constant) is types.CodeType:
            inner, _ = _names_read(constant)
            names |= inner
    return names, attributes


FIELDS = {
    "required": Field(SCHEMA, "number of parameters without a default"),
    "unexpected": Field(NAMES, "keywords that a call would not accept"),
    "defined_in": Field(SCHEMA, "where it was defined: a cell, or a file"),
    "at_line": Field(NAMES, "line that it starts in, or that it has come to"),
    "globals": Field(NAMES, "global names that it reads, with the types they have now"),
    "undefined": Field(NAMES, "those that are not defined now"),
    "free": Field(NAMES, "names it reads from functions around it"),
    "self_attributes": Field(NAMES, "attributes of self that it reads"),
    "parameters": Field(SCHEMA, "parameters of a function, an estimator or a layer, with numbers and shapes"),
    "wraps": Field(NAMES, "parameters of the function that a wrapper stands for"),
    "binds": Field(NAMES, "whether a call with these arguments binds"),
    "error": Field(NAMES, "the TypeError of a call that does not bind"),
}
PROBES = {"signature": signature, "source": source}
