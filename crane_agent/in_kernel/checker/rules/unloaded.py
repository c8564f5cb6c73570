"""Calls of functions and classes that the kernel has yet to load: their signatures are read in the installed source.

Nothing is imported. A name is followed through ``from .x import name`` and ``from .x import *`` to its one ``def`` or
``class``; a stub with the same parameters and nothing in it is then called, so the words are Python's own. What is
decorated is left alone, but for scikit-learn's own check of parameters. Source: the Python language reference, "Calls",
"The import statement".
"""

from __future__ import annotations

import ast
import copy
import inspect
import os
import re
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from ... import safe
from ...likeness import close_to
from ...privacy import NAMES, VALUES
from ...readers.module_places import _Look
from ..sites import AttributeSite, CallSite, Finding, is_starred
from ..values import Known, Made
from ..words import Part, named, words
from . import imports

if TYPE_CHECKING:
    from ..state import State

MAX_SOURCE = 300_000
"""Length of a module that is read [bytes]."""
MOST_FILES = 30
"""Modules that are read for one name."""
MAX_DEPTH = 8

_PATCHERS = frozenset("sklearnex daal4py cuml modin monkeypatch intelex".split())
"""Packages that put other functions in the place of those that are written in a library's files."""

# -- a module's text ---------------------------------------------------------------------------------------------


class Place(NamedTuple):
    """A module that is not loaded.

    Attributes:
        name: Its dotted name.
        origin: Its file.
        path: Folders of its submodules; None if it is no package.
    """

    name: str
    origin: str
    path: list[str] | None


class Text(NamedTuple):
    """What the statements of a module bind, as they are written.

    Attributes:
        bound: By name the statements that bind it, in order; None for one that may not run, or binds what it computes.
        stars: Modules of which all names are imported, each with its level and place among the statements.
        exported: The texts of ``__all__``; None if there is none.
        certain: Whether nothing but these statements binds names.
        computes: Whether it has a ``__getattr__``, or means to give a module attributes in some other way.
    """

    bound: dict[str, list[tuple[int, ast.stmt | None]]]
    stars: list[tuple[int, str, int]]
    exported: list[str] | None
    certain: bool
    computes: bool


class Found(NamedTuple):
    """Where a name comes from.

    Attributes:
        node: Its ``def`` or ``class``; None for a module.
        place: The module that it stands in, or is.
        text: The text of that module; None if it was not read.
    """

    node: ast.stmt | None
    place: Place
    text: Text | None


_TEXTS: dict[tuple[str, int, int], Text | None] = {}
_MOST_TEXTS = 40


def _text_of(origin: str) -> Text | None:
    """Return what a file binds; None if that cannot be read. Files that did not change are parsed once."""
    if not origin.endswith(".py"):
        return None
    try:
        status = os.stat(origin)
        key = (origin, status.st_mtime_ns, status.st_size)
        if key in _TEXTS:
            return _TEXTS[key]
        source = _source(origin)
        tree = None if source is None else _parsed(source)
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None
    if len(_TEXTS) >= _MOST_TEXTS:
        _TEXTS.clear()
    _TEXTS[key] = None if tree is None else _read(tree, source or b"")
    return _TEXTS[key]


_TOKENS = re.compile(
    b"|".join(
        [
            rb"#[^\n]*",
            rb'"""(?:\\.|[^\\])*?"""',
            rb"'''(?:\\.|[^\\])*?'''",
            rb'"(?:\\.|[^\\\n"])*"',
            rb"'(?:\\.|[^\\\n'])*'",
        ]
    ),
    re.DOTALL,
)


def _parsed(source: bytes) -> ast.Module:
    """Parse a module without its long texts, most of which are documentation; they are most of many modules."""
    short = _TOKENS.sub(lambda found: b'""' if found.group()[:3] in (b'"""', b"'''") else found.group(), source)
    try:
        return ast.parse(short)
    except SyntaxError:
        return ast.parse(source)


def _source(origin: str) -> bytes | None:
    try:
        with open(origin, "rb") as file:
            source = file.read(MAX_SOURCE + 1)
    except OSError:
        return None
    return source if len(source) <= MAX_SOURCE else None


def _read(tree: ast.Module, source: bytes) -> Text:
    bound: dict[str, list[tuple[int, ast.stmt | None]]] = {}
    stars: list[tuple[int, str, int]] = []
    exported: list[str] | None = None
    certain = True
    for place, node in enumerate(tree.body):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            bound.setdefault(node.name, []).append((place, _trimmed(node)))
        elif isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            stars.append((node.level, node.module or "", place))
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                bound.setdefault(alias.asname or alias.name.partition(".")[0], []).append((place, node))
        else:
            if _is_exports(node):
                exported = _texts(node.value)  # type: ignore[attr-defined]
                certain = certain and exported is not None and "__all__" not in bound
            for name in _bound_inside(node):
                bound.setdefault(name, []).append((place, None))
            certain = certain and "*" not in bound
    for names in re.findall(rb"^\s+global +([\w, ]+)", source, re.MULTILINE):
        for name in names.decode().replace(" ", "").split(","):
            bound.setdefault(name, []).append((len(tree.body), None))
    certain = certain and _COMPUTING.search(source) is None
    return Text(bound, stars, exported, certain, "__getattr__" in bound or _STORING.search(source) is not None)


# As words: also in comments and strings, which costs answers, but makes none wrong.
_COMPUTING = re.compile(
    rb"\bglobals\(\)(?!\[[^\]\n]*\](?!\s*=[^=])|\.(?:items|get|keys|values)\()"
    rb"|(?<![.\w])exec\(|^ {0,4}(?:vars|locals)\(\)|\blazy_loader\b|_LazyModule",
    re.MULTILINE,
)
_STORING = re.compile(rb"\.modules\b|__dict__|import_module|setattr\(|__import__|\beval\(|\bvars\(|\blocals\(")


def _trimmed(node: Any) -> ast.stmt:
    """Return a definition without the bodies of its functions, which need not be kept."""
    if isinstance(node, ast.ClassDef):
        node.body = [_trimmed(each) if isinstance(each, _DEFINITIONS) else each for each in node.body]
    else:
        node.body = [ast.Pass()]
    return node  # type: ignore[no-any-return]


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _is_exports(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Assign)
        and len(node.targets) == 1
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == "__all__"
    )


def _texts(node: ast.expr) -> list[str] | None:
    if not isinstance(node, (ast.List, ast.Tuple)):
        return None
    found = [each.value for each in node.elts if isinstance(each, ast.Constant) and type(each.value) is str]
    return found if len(found) == len(node.elts) else None


def _bound_inside(node: ast.AST) -> set[str]:
    """Return every name that a statement may bind; '*' if it may bind any."""
    found = set()
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Load):
            found.add(each.id)
        elif isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(each.name)
        elif isinstance(each, (ast.Import, ast.ImportFrom)):
            found.update(alias.asname or alias.name.partition(".")[0] for alias in each.names)
        elif isinstance(each, ast.ExceptHandler) and each.name:
            found.add(each.name)
        elif type(each).__name__ in ("MatchAs", "MatchStar", "MatchMapping"):
            found.add("*")
    return found


# -- where a name comes from -------------------------------------------------------------------------------------


class Unclear(Exception):
    """Only running the code can tell."""


class Reader:
    """Follows names through the files of a package that is not loaded."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._read = 0

    def find(self, module: str, name: str) -> Found | None:
        """Return where ``name``, dotted, of a module comes from; None if it is certain that nothing binds it.

        Raises:
            Unclear: That cannot be told.
        """
        place = self.place(module)
        parts = name.split(".") if name else []
        if not parts:
            return Found(None, place, None)
        for index, part in enumerate(parts):
            found = self._name(place, part, MAX_DEPTH)
            if found is None:
                return None
            if index == len(parts) - 1:
                return found
            if found.node is not None:
                raise Unclear
            place = found.place
        raise Unclear

    def place(self, module: str) -> Place:
        """Return where a module lies; it and the packages around it, where they are loaded, are those on the disk."""
        known = self._state.memo.setdefault("unloaded.places", {})
        if module not in known:
            known[module] = self._place(module)
        found: Place | None = known[module]
        if found is None:
            raise Unclear
        return found

    def _place(self, module: str) -> Place | None:
        parent, _, name = module.rpartition(".")
        if parent:
            around = self.place(parent)
            inner = None if around.path is None else self._submodule(around, name)
            return inner if inner is not None and inner.origin.endswith(".py") else None
        found = imports._place_of([module], self._state)
        if found is None or not _is_installed(module, found):
            return None
        return Place(module, found.origin, found.path)

    def _name(self, place: Place, name: str, depth: int, inside: bool = False) -> Found | None:
        text = self._text(place, depth)
        submodule = None if place.path is None else self._submodule(place, name)
        written = [each for each in text.bound.get(name, ()) if not self._says_nothing(place, each[1])]
        last = max((each[0] for each in written), default=-1)
        for level, module, index in reversed(text.stars):
            if index < last or not self._may_export(place, level, module, name):
                continue
            found = self._exported(self._relative(place, level, module), name, depth - 1)
            if found is None:
                continue
            if written or submodule is not None:
                raise Unclear
            return found
        if not written:
            if submodule is not None:
                return Found(None, submodule, None)
            if not text.certain or text.computes or name.startswith("__"):
                raise Unclear
            return None
        node = written[0][1]
        if len(written) != 1 or node is None or not text.certain or submodule is not None:
            raise Unclear
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            return Found(node, place, text)
        if not isinstance(node, ast.ImportFrom):
            raise Unclear
        alias = next(each for each in node.names if (each.asname or each.name) == name)
        source = self._relative(place, node.level, node.module or "")
        found = self._name(source, alias.name, depth - 1)
        if found is None:
            raise Unclear
        return found

    def _says_nothing(self, place: Place, node: ast.stmt | None) -> bool:
        """Whether a statement is ``from . import name``, which binds the submodule that is there, or an overload."""
        if isinstance(node, ast.FunctionDef):
            return any(isinstance(each, ast.Name) and each.id == "overload" for each in node.decorator_list)
        return (
            isinstance(node, ast.ImportFrom)
            and place.path is not None
            and node.level == 1
            and not node.module
            and all(each.asname in (None, each.name) for each in node.names)
        )

    def _may_export(self, place: Place, level: int, module: str, name: str) -> bool:
        """Whether a module of which everything is imported may have a name: only if its text has it, or does so too."""
        if name.startswith("_"):
            raise Unclear
        source = self._relative(place, level, module)
        found = _source(source.origin)
        if not source.origin.endswith(".py") or found is None:
            raise Unclear
        return name.encode() in found or b"import *" in found or b"globals()" in found

    def _exported(self, place: Place, name: str, depth: int) -> Found | None:
        text = self._text(place, depth)
        if not text.certain:
            raise Unclear
        if "__all__" in text.bound and text.exported is None:
            raise Unclear
        if text.exported is not None and name not in text.exported:
            return None
        return self._name(place, name, depth)

    def _text(self, place: Place, depth: int) -> Text:
        self._read += 1
        if depth <= 0 or self._read > MOST_FILES:
            raise Unclear
        self._state.budget.check()
        text = _text_of(place.origin)
        if text is None:
            raise Unclear
        return text

    def _relative(self, place: Place, level: int, module: str) -> Place:
        if level == 0:
            if module.partition(".")[0] != place.name.partition(".")[0]:
                raise Unclear
            return self.place(module)
        parts = place.name.split(".")
        up = level - 1 if place.path is not None else level
        if up >= len(parts):
            raise Unclear
        base = parts[: len(parts) - up]
        return self.place(".".join([*base, module] if module else base))

    def _submodule(self, place: Place, name: str) -> Place | None:
        looks = self._state.memo.setdefault("unloaded.looks", {})
        if place.name not in looks:
            looks[place.name] = _Look(place.path or [], self._state.budget)
        look = looks[place.name]
        found = look.find(name, top=False)
        if look.doubts:
            raise Unclear
        if found is None:
            return None
        return Place("{}.{}".format(place.name, name), found.origin, found.path)

    # -- stubs ---------------------------------------------------------------------------------------------------

    def stub(self, found: Found) -> tuple[Any, bool]:
        """Return a function or class that takes the same arguments and does nothing.

        Returns:
            It, and whether scikit-learn's decorator binds the arguments.

        Raises:
            Unclear: What it takes cannot be told.
        """
        node = found.node
        if isinstance(node, ast.FunctionDef):
            checked = bool(node.decorator_list) and self._are_checks(node.decorator_list, found)
            if node.decorator_list and not checked:
                raise Unclear
            return _compiled([_function(node)], {})[node.name], checked
        if isinstance(node, ast.ClassDef):
            return self._class(found, MAX_DEPTH), False
        raise Unclear

    def _are_checks(self, decorators: list[ast.expr], found: Found) -> bool:
        """Whether the only decorator is scikit-learn's ``validate_params``, known from 1.2 on."""
        call = decorators[0]
        if len(decorators) != 1 or not found.place.name.startswith("sklearn."):
            return False
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or found.text is None:
            return False
        bound = found.text.bound.get(call.func.id, [])
        node = bound[0][1] if len(bound) == 1 else None
        return (
            call.func.id == "validate_params"
            and isinstance(node, ast.ImportFrom)
            and (node.module or "").endswith("_param_validation")
        )

    def _class(self, found: Found, depth: int) -> type:
        node: Any = found.node
        if depth == 0 or node.decorator_list or not isinstance(node, ast.ClassDef):
            raise Unclear
        ours = found.place.name.startswith("sklearn.")
        for keyword in node.keywords:
            harmless = ours and keyword.arg == "auto_wrap_output_keys"
            if not harmless and (keyword.arg != "metaclass" or not self._is_abstract(keyword.value, found)):
                raise Unclear
        bases: list[type] = []
        for base in node.bases:
            if isinstance(base, ast.Name) and base.id == "object" and "object" not in (found.text or _EMPTY).bound:
                continue
            if self._is_abstract(base, found):
                continue
            if not isinstance(base, ast.Name):
                raise Unclear
            inner = self._name(found.place, base.id, depth)
            if inner is None or not isinstance(inner.node, ast.ClassDef):
                raise Unclear
            bases.append(self._class(inner, depth - 1))
        try:
            return self._compile_class(node, bases, _DECIDING - {"__init_subclass__"} if ours else _DECIDING)
        except TypeError:
            # The classes have no common order: something was not read as it is.
            raise Unclear from None

    def _compile_class(self, node: ast.ClassDef, bases: list[type], deciding: frozenset[str]) -> type:
        members: list[ast.stmt] = []
        begun = False
        for each in node.body:
            names = {each.name} if isinstance(each, _DEFINITIONS) else _bound_inside(each)
            if names & deciding:
                plain = isinstance(each, ast.FunctionDef) and each.name == "__init__"
                if not plain or begun:
                    raise Unclear
                begun = True
                members.append(_init(each))  # type: ignore[arg-type]
            else:
                abstract = isinstance(each, _DEFINITIONS) and any(
                    "abstract" in ast.dump(mark) for mark in each.decorator_list
                )
                shown = sorted(name for name in names if name.isidentifier() and not name.startswith("__"))
                members += [_marked(name, abstract) for name in shown]
        made = ast.ClassDef(
            name=node.name,
            bases=[_loaded("_base{}".format(place)) for place in range(len(bases))],
            keywords=[],
            body=members or [ast.Pass()],
            decorator_list=[],
        )
        made.type_params = []  # type: ignore[attr-defined]
        scope: dict[str, Any] = {"_base{}".format(place): base for place, base in enumerate(bases)}
        scope["__name__"] = "crane_agent.stub"
        cls: type = _compiled([made], scope)[node.name]
        return cls

    def _is_abstract(self, node: ast.expr, found: Found) -> bool:
        """Whether an expression is the standard library's ABC or ABCMeta."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name, owner = node.attr, node.value.id
        elif isinstance(node, ast.Name):
            name, owner = node.id, node.id
        else:
            return False
        bound = (found.text or _EMPTY).bound.get(owner, [])
        source = bound[0][1] if len(bound) == 1 else None
        if name not in ("ABC", "ABCMeta"):
            return False
        if isinstance(source, ast.Import):
            return any(alias.name == "abc" and alias.asname is None for alias in source.names) and owner == "abc"
        return isinstance(source, ast.ImportFrom) and source.module == "abc" and source.level == 0


_EMPTY = Text({}, [], None, True, False)
_DECIDING = frozenset(["__init__", "__new__", "__init_subclass__"])


def _loaded(name: str) -> ast.expr:
    return ast.Name(id=name, ctx=ast.Load())


def _marked(name: str, abstract: bool) -> ast.stmt:
    """Return ``name = whether it is abstract``, so that the stub shows which methods are left out."""
    value = ast.Constant(value=_ABSTRACT if abstract else 0)
    return ast.Assign(targets=[ast.Name(id=name, ctx=ast.Store())], value=value)


_ABSTRACT = "abstract"


def _init(node: ast.FunctionDef) -> ast.stmt:
    if not node.decorator_list:
        return _function(node)
    mark = node.decorator_list[0]
    name = mark.attr if isinstance(mark, ast.Attribute) else mark.id if isinstance(mark, ast.Name) else ""
    if name != "abstractmethod" or len(node.decorator_list) > 1:
        raise Unclear
    return _marked(node.name, True)


def _function(node: ast.FunctionDef) -> ast.stmt:
    """Return a function with the same parameters, no annotations, and defaults of None."""
    taken = copy.deepcopy(node.args)
    several = [*getattr(taken, "posonlyargs", ()), *taken.args, taken.vararg, *taken.kwonlyargs, taken.kwarg]
    for each in several:
        if each is not None:
            each.annotation = None
    taken.defaults = [ast.Constant(value=None) for _ in taken.defaults]
    taken.kw_defaults = [None if each is None else ast.Constant(value=None) for each in taken.kw_defaults]
    made: Any = ast.parse("def stub(): pass").body[0]
    made.name, made.args = node.name, taken
    return made  # type: ignore[no-any-return]


def _compiled(body: list[ast.stmt], scope: dict[str, Any]) -> dict[str, Any]:
    """Run definitions of our own making."""
    module = ast.Module(body=body, type_ignores=[])
    exec(compile(ast.fix_missing_locations(module), "<crane_agent>", "exec"), scope)
    return scope


def _is_installed(package: str, found: Any) -> bool:
    """Whether what is on the disk is what is, or would be, loaded."""
    if "site-packages" not in found.origin and "dist-packages" not in found.origin:
        return False
    own = safe.instance_dict(safe.loaded(package)) or {}
    if not own:
        return True
    path = own.get("__path__")
    return type(path) is list and len(path) == 1 and type(path[0]) is str and found.origin.startswith(path[0] + os.sep)


STORED = "unloaded.stored"
"""Where the walk keeps the packages of which the cell itself set attributes."""

# -- the rules ---------------------------------------------------------------------------------------------------


def origin_of(module: str, name: str, state: State) -> Found | None:
    """Return the ``def`` or ``class`` of what is not loaded; None if that is not certain."""
    key = "unloaded.{}:{}".format(module, name)
    if key not in state.memo:
        try:
            state.memo[key] = Reader(state).find(module, name)
        except Unclear:
            state.memo[key] = None
    found: Found | None = state.memo[key]
    return found


def _is_patched(state: State) -> bool:
    """Whether something may give the modules of a library other functions, or its folders other files."""
    if any(name in sys.modules or name in state.imported for name in _PATCHERS):
        return True
    lives = (sys.path, sys.modules, sys.meta_path, sys.path_hooks, sys.path_importer_cache)
    return any(state.live(Known(each)) is not each for each in lives)


def call_does_not_bind(site: CallSite, state: State) -> Finding | None:
    """Arguments that a function or class, as it is written in its file, does not take."""
    callee = site.callee
    if type(callee) is not Made or callee.kind != "unloaded" or not site.complete or _is_patched(state):
        return None
    module, name = callee.facts["module"], callee.facts["name"]
    if not name or module in sys.modules or callee.facts["package"] in state.memo.get(STORED, ()):
        return None
    try:
        found = origin_of(module, name, state)
        if found is None or found.node is None:
            return None
        stub, checked = Reader(state).stub(found)
    except Unclear:
        return None
    return _binding(site, stub, checked, found, state)


def _binding(site: CallSite, stub: Any, checked: bool, found: Found, state: State) -> Finding | None:
    if type(stub) is type and any(_is_left_abstract(stub, name) for base in stub.__mro__ for name in vars(base)):
        return None
    positional, keywords = [None] * len(site.arguments), dict.fromkeys(site.keywords)
    try:
        if checked:
            if state.memo.get("sklearn.settings"):
                return None
            inspect.signature(stub).bind(*positional, **keywords)
        else:
            stub(*positional, **keywords)
    except TypeError as error:
        message = str(error)
    else:
        return None
    names = _parameters(stub)
    wrong = [name for name in site.keywords if name not in names]
    level = VALUES if is_starred(site.node) else NAMES
    return Finding(
        rule="unloaded.does-not-bind",
        type="TypeError",
        message=words("{}", Part(message, level)),
        because=words("the signature is ({}), in the installed {}", named(", ".join(names)), named(found.place.name)),
        crash_type="invalid argument",
        library=found.place.name.partition(".")[0],
        close=tuple(close_to(wrong[0], [name for name in names if name not in site.keywords])) if wrong else (),
        asked=level,
    )


def _is_left_abstract(stub: type, name: str) -> bool:
    found = next(vars(base)[name] for base in stub.__mro__ if name in vars(base))
    return type(found) is str and found == _ABSTRACT


def _parameters(stub: Any) -> list[str]:
    function: Any = getattr(stub, "__init__") if type(stub) is type else stub  # noqa: B009
    if not hasattr(function, "__code__"):
        return []
    code = function.__code__
    names = list(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
    return names[1:] if type(stub) is type else names


def missing_attribute(site: AttributeSite, state: State) -> Finding | None:
    """``module.name`` of a module that is not loaded, and in whose text nothing binds the name.

    Source: the Python data model, "Modules"; submodules that the module's own code imports are names of it, too, so it
    must have no submodule of that name.
    """
    owner = site.owner
    if type(owner) is not Made or owner.kind != "unloaded" or not isinstance(site.node.ctx, ast.Load):
        return None
    module, name = owner.facts["module"], owner.facts["name"]
    if name or module in sys.modules or _is_patched(state) or state.may_be_patched:
        return None
    if owner.facts["package"] in state.memo.get(STORED, ()):
        return None
    try:
        reader = Reader(state)
        place = reader.place(module)
        if reader.find(module, site.name) is not None:
            return None
    except Unclear:
        return None
    text = _text_of(place.origin)
    close = close_to(site.name, [each for each in (text.bound if text else ()) if not each.startswith("_")])
    return Finding(
        rule="unloaded.no-attribute",
        type="AttributeError",
        message=words("module {!r} has no attribute {!r}", named(module), named(site.name)),
        because=words("nothing in the installed {} binds {!r}", named(module), named(site.name)),
        crash_type="attribute error",
        library=module.partition(".")[0],
        close=tuple(close),
        asked=NAMES,
    )


RULES = {CallSite: [call_does_not_bind], AttributeSite: [missing_attribute]}
