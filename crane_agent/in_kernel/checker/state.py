"""What the walk knows at one point of the cell: names, values, what was changed, and what is in doubt."""

from __future__ import annotations

import ast
import builtins
import opcode
import re
import sys
import types
from typing import Any, Callable, Dict, Optional

from .. import safe
from ..moment import moment
from ..privacy import LEVELS, NAMES, SCHEMA, VALUES
from ..probes import frames
from ..readers import blocks
from . import memory
from .sites import Doubt, Finding, Stop
from .values import (
    LABELS,
    MAYBE_UNBOUND,
    STRUCTURE,
    UNKNOWN,
    Defined,
    Elements,
    Foreign,
    Hole,
    Instance,
    Known,
    Like,
    Made,
    Value,
)
from .words import highest, lowest

# IPython binds these itself, some of them anew before each cell. Source: IPython's documentation, "Output caching
# system" and "Input caching system".
_REBOUND_BY_IPYTHON = re.compile(r"_+|_i+|_\d+|_i\d+|In|Out|_ih|_oh|_dh")
_BOUND_BY_IPYTHON = re.compile(r"_+|_i+|_\d+|_i\d+|__(?!file__)\w+__|get_ipython|display|exit|quit|open")
_CHANGED_BY_IPYTHON = ("In", "Out", "_ih", "_oh", "_dh")

_NEVER_CHANGED = (*safe.SCALARS, range, slice, types.BuiltinFunctionType)

MAX_STEPS = 20000
MAX_COPY = 100000
MOST_DOUBTS = 50
MOST_KEPT = 500

MAX_WORDS = 500
"""Length of a message or a reason [characters]."""

# Source: CPython, `Python/compile.c`, STACK_USE_GUIDELINE in maybe_optimize_method_call.
MAX_METHOD_ARGUMENTS = 30


def _is_unchanging(found: object) -> bool:
    kind = type(found)
    return safe.one_of(kind, (*_NEVER_CHANGED, types.ModuleType, types.FunctionType)) or safe.inherits(kind, type)


class Unbound(Exception):
    """A name is bound nowhere the walk can see, and nothing the cell ran could have bound it."""


class _ClassScope(Dict[str, Optional[Value]]):
    """The names of the body of a class: what is defined in it does not see them."""


class State:
    """Names and values at one point of the walk.

    Attributes:
        doubts: Why what comes next is not certain; empty as long as everything before is settled.
        conditional: Depth of branches and loops that may not run; `loops` of them are loops.
        iterated: Tells what iterating over a value yields; of what is not followed no element is known.
        either: Tells what is known of a value that is one of two.
        private: Texts of the kernel's plain values that libraries were handed.
        running: Whether a cell of the user's runs meanwhile.
        guarded: Depth of ``try`` blocks whose handlers may catch a finding.
        files_may_change: Whether code ran that is not followed: files may have come or gone.
        may_be_patched: Whether code ran that may have given classes of libraries other attributes.
        imported: Packages of which a module was imported that is not followed: more of them may be loaded since.
        suspects: Findings made under doubt, each with the line and the doubts it was made under.
        questions: What a probe could settle, in the order met.
    """

    def __init__(self, shell: Any, budget: safe.Budget) -> None:
        self.shell = shell
        self.budget = budget
        self.doubts: list[Doubt] = []
        self.conditional = 0
        self.loops = 0
        self.guarded = 0
        self.iterated: Callable[[ast.AST, Value], Elements] = lambda node, value: Elements([], complete=False)
        self.either: Callable[[Value, Value], Value] = lambda one, other: UNKNOWN
        self.running = moment(shell)["running"]
        self.private: set[str] = set()
        self.files_may_change = False
        self.may_be_patched = False
        self.imported: set[str] = set()
        self.suspects: list[dict[str, Any]] = []
        self.questions: list[dict[str, Any]] = []
        self._namespace: dict[str, object] = shell.user_ns
        self._scopes: list[dict[str, Value | None]] = [{}]
        # Of the function that the walk is in: where its own names are, and which of its names are the cell's.
        self._local = 0
        self._declared: frozenset[str] = frozenset()
        # Expressions of the target in which the walk is inside of a function or comprehension, outermost first.
        self._entered: list[ast.AST] = []
        self.depth = 0
        self._bindings = 0
        # By the id of an object: the copy that stands for it since the cell changed it; the stand-in, since the cell
        # changed it to something of which only the structure is known; the object itself, if nothing is known of it.
        self._shadows: dict[int, Any] = {}
        self._forms: dict[int, Like] = {}
        self._touched: dict[int, object] = {}
        self._notes: dict[int, dict[str, object]] = {}
        # Memory with numbers that the cell changed: what lies in it has kept its structure alone.
        self._stale = memory.Stale()
        # What the cell changed, in order, and whether its structure changed, too.
        self._changed: list[tuple[object, bool]] = []
        self._kept: list[object] = []
        # Objects that change with each cell, or with each name that the cell binds, under whatever name they are known.
        for value in [self._namespace, shell.user_module, *map(self._namespace.get, _CHANGED_BY_IPYTHON)]:
            self._touched[id(value)] = value
        self._names_unknown = False
        # Something of which nothing is known was changed: it may be any object that there was by then.
        self._changed_any = 0
        self._steps = 0
        self._doubted = 0
        # What the libraries keep for the walk, by their own keys: private copies of tables, for one.
        self.memo: dict[Any, Any] = {}

    # -- names ---------------------------------------------------------------------------------------------------

    def read(self, name: str) -> Value:
        """Return the value of a name; `MAYBE_UNBOUND` if it may be bound to nothing.

        Raises:
            Unbound: It is certainly, or under doubt probably, bound nowhere.
        """
        for scope in reversed(self._scopes):
            if name in scope and (scope is self._scopes[-1] or type(scope) is not _ClassScope):
                value = scope[name]
                if value is None:
                    break
                return value
        else:
            if self._names_unknown or _REBOUND_BY_IPYTHON.fullmatch(name):
                return MAYBE_UNBOUND
            if name in self._namespace:
                return self.in_kernel(name)
        if name in builtins.__dict__:
            return Known(builtins.__dict__[name])
        if self._names_unknown or _BOUND_BY_IPYTHON.fullmatch(name):
            return MAYBE_UNBOUND
        raise Unbound

    def peek(self, name: str) -> Value | None:
        """Return what the notebook's cells bound to a global name, or None; no doubt is noted."""
        value = self._scopes[0].get(name, UNKNOWN)
        if value is UNKNOWN and name not in self._scopes[0]:
            return None if name not in self._namespace or self._names_unknown else Known(self._namespace[name])
        return value

    def is_builtin(self, name: str) -> bool:
        """Whether a global name means what Python itself binds to it."""
        return name in builtins.__dict__ and not self._names_unknown and self.peek(name) is None

    def is_home(self, module: object) -> bool:
        """Whether this is the name of the notebook's own module."""
        return module == self._namespace.get("__name__", "__main__")

    def is_users(self, cls: type) -> bool:
        """Whether a class is one of the notebook's."""
        return self.is_home(safe.class_module(cls))

    def users_code(self, functions: bool) -> list[Value]:
        """Return the classes of the user's, and with `functions` all that may be called."""
        found: list[Value] = []
        for value in list(self._namespace.values()):
            if safe.inherits(type(value), type):
                if self.is_users(value):  # type: ignore[arg-type]
                    found.append(Known(value))
            elif functions and type(value) is types.FunctionType:
                found.append(Known(value))
            elif self.is_users(type(value)):
                found.append(Known(type(value)))
        defined = [value for scope in self._scopes for value in scope.values() if type(value) is Defined]
        return found + [each for each in defined if functions or isinstance(each.node, ast.ClassDef)]

    def place(self) -> str:
        """Return whether the walk is in the statements of a ``class``, a ``function`` or the ``cell``."""
        if type(self._scopes[-1]) is _ClassScope:
            return "class"
        return "function" if self._local else "cell"

    def is_own(self, name: str) -> bool:
        """Whether a name may be deleted here: in the body of a class only its own."""
        return len(self._scopes) - 1 == self._local or name in self._scopes[-1]

    def is_bound_by_cells(self, name: str) -> bool:
        """Whether a name is certain to be bound by a cell or by IPython, and is not only a built-in."""
        value = self._scopes[-1].get(name, UNKNOWN if name in self._namespace else None)
        return value is not None and value is not MAYBE_UNBOUND

    def in_kernel(self, name: str, value: object = safe.ABSENT) -> Known:
        """Return a value that a probe can reach by `name`, if the kernel binds `value` to it."""
        bound = self._namespace.get(name, safe.ABSENT)
        if value is safe.ABSENT:
            value = bound
        return Known(value, name if bound is value else None)

    def bind(self, name: str, value: Value | None) -> None:
        """Bind a name in the innermost scope; with None, delete it."""
        inner = len(self._scopes) - 1 > self._local
        place = len(self._scopes) - 1 if inner else self._place_of(name)
        self._scopes[place][name] = value
        self._bindings += place == 0

    def bindings(self) -> tuple[int, int]:
        """Return a mark that changes with each name that is bound at the cell, or may be, and with each scope."""
        return self._bindings, len(self._scopes)

    def bound_globals(self) -> list[object]:
        """Return what the names of the cell are bound to, and the code it defines."""
        defined = [value for scope in self._scopes[1:] for value in scope.values() if type(value) is Defined]
        return [self._names_unknown, *self._scopes[0], *self._scopes[0].values(), *defined]

    def _place_of(self, name: str) -> int:
        return 0 if name in self._declared else self._local

    def bind_at_cell(self, name: str, value: Value) -> None:
        """Bind a global name."""
        self._scopes[0][name] = value
        self._bindings += 1

    def bind_in_function(self, name: str, value: Value) -> None:
        """Bind a name in the function that the walk is in, or in the cell, as a walrus in a comprehension does."""
        self._scopes[self._place_of(name)][name] = value
        self._bindings += 1

    def unbind(self, name: str) -> None:
        """Delete a name."""
        self.bind(name, None)

    def forget_names(self) -> None:
        """From here on any name may be bound to anything, as behind ``from module import *`` of an unknown module."""
        self._names_unknown = True
        self._scopes = [type(scope)() for scope in self._scopes]

    def open_scope(self, node: ast.AST) -> None:
        """Enter a comprehension, or the body of a class."""
        self._scopes.append(_ClassScope() if isinstance(node, ast.ClassDef) else {})
        self._entered.append(node)

    def close_scope(self) -> dict[str, Value | None]:
        """Leave it, and return what it bound."""
        self._entered.pop()
        return self._scopes.pop()

    def open_function(
        self,
        node: ast.AST,
        closure: tuple[dict[str, Value | None], ...],
        names: dict[str, Value | None],
        declared: frozenset[str],
    ) -> tuple[Any, ...]:
        """Enter a function that is called.

        Args:
            node: The call.
            closure: Scopes of the functions around its definition.
            names: Its own names, bound to its arguments.
            declared: Names that it declares ``global``.

        Returns:
            What `close_function` needs.
        """
        before = self._scopes, self._local, self._declared, len(self._entered), self._names_unknown
        self._scopes = [self._scopes[0], *closure, names]
        self._local, self._declared = len(closure) + 1, declared
        self._entered.append(node)
        self.depth += 1
        return before

    def close_function(self, before: tuple[Any, ...]) -> None:
        """Leave it."""
        self._scopes, self._local, self._declared, entered, unknown = before
        del self._entered[entered:]
        self.depth -= 1
        if self._names_unknown and not unknown:
            self.forget_names()

    def first_argument(self) -> Value | None:
        """Return what the first parameter of the function that the walk is in is bound to."""
        return next(iter(self._scopes[self._local].values()), None) if self._local else None

    def closure(self) -> tuple[dict[str, Value | None], ...]:
        """Return the scopes that a function defined here sees besides the cell's."""
        return tuple(scope for scope in self._scopes[1:] if type(scope) is not _ClassScope)

    def snapshot(self) -> tuple[list[dict[str, Value | None]], int]:
        """Return what `merge` needs to leave a branch that may not have run."""
        return [dict(scope) for scope in self._scopes], len(self._changed)

    def merge(self, before: tuple[list[dict[str, Value | None]], int]) -> None:
        """Forget what a branch bound, deleted or changed: it may or may not have run."""
        scopes, changed = before
        self._bindings += 1
        for scope, old in zip(self._scopes, scopes):
            for name in set(scope) | set(old):
                if scope.get(name, name) is not old.get(name, name):
                    default = self._before_the_cell(name, scope)
                    now, then = scope.get(name, default), old.get(name, default)
                    bound = now not in (None, MAYBE_UNBOUND) and then not in (None, MAYBE_UNBOUND)
                    scope[name] = self.either(now, then) if bound else MAYBE_UNBOUND  # type: ignore[arg-type]
        for value, whole in self._changed[changed:]:
            if whole:
                self._touched[id(value)] = value

    def _before_the_cell(self, name: str, scope: dict[str, Value | None]) -> Value | None:
        """Return what a name that a scope does not hold is bound to by earlier cells."""
        if name not in self._namespace:
            return None
        return UNKNOWN if scope is not self._scopes[0] or self._names_unknown else self.in_kernel(name)

    # -- values --------------------------------------------------------------------------------------------------

    def live(self, value: Value | None) -> object:
        """Return the real object behind a value as it is at this point of the cell; `safe.ABSENT` if not known."""
        if type(value) is not Known or id(value.object) in self._touched or id(value.object) in self._forms:
            return safe.ABSENT
        if self._changed_any and not _is_unchanging(value.object):
            return safe.ABSENT
        found = self._shadows.get(id(value.object), value.object)
        return safe.ABSENT if self._stale and self._stale.holds(found) else found

    def form(self, value: Value | None, *needed: str) -> Any:
        """Return an object with the structure that a value has at this point; `safe.ABSENT` if that is not known.

        Args:
            value: The value.
            needed: What of `Like.knows` the object must be right in; of a real object all is.

        Returns:
            The real object, or a stand-in: what it holds may mean nothing. It is to be read, never changed.
        """
        if type(value) is not Known and type(value) is not Like:
            return safe.ABSENT
        place = id(value.object)
        if place in self._touched:
            return safe.ABSENT
        like = self._forms.get(place, value if type(value) is Like else None)
        if self._changed_any and not (_is_unchanging(value.object) or (like and like.born > self._changed_any)):
            return safe.ABSENT
        if like is None:
            return self._shadows.get(place, value.object)
        return like.object if like.knows.issuperset(needed) else safe.ABSENT

    def knows(self, value: Value | None) -> frozenset[str]:
        """Return in what `form` is right about a value; of a real object all three, of nothing known none."""
        if self.form(value) is safe.ABSENT:
            return frozenset()
        like = self._forms.get(id(value.object), value)  # type: ignore[union-attr]
        return like.knows if type(like) is Like else STRUCTURE

    def becomes(self, value: Value | None, now: Value) -> None:
        """The cell changed an object in place: from here on it is as `now` is, under each of its names.

        Args:
            value: The object, `Known` or `Like`.
            now: `Known` with a copy that only the walk holds, `Like`, or `UNKNOWN`.
        """
        if type(value) is not Known and type(value) is not Like:
            self.touch(value)
            return
        place = id(value.object)
        self._kept.append(value.object)
        self._shadows.pop(place, None)
        self._forms.pop(place, None)
        if type(now) is Known:
            if type(value) is Like:
                # Known only from here on: a stand-in has no content that could be replaced.
                self._forms[place] = Like(now.object)
            else:
                self._shadows[place] = now.object
        elif type(now) is Like:
            self._forms[place] = now
        else:
            self._touched[place] = value.object
        self._changed.append((value.object, True))

    def note(self, value: Value | None, name: str, fact: object) -> None:
        """Keep a fact about an object that the cell changed, for the library that made it: until something touches it.

        An attribute that the cell stored is noted as ``.name``, its fact a `Value`.
        """
        if type(value) is Known or type(value) is Like:
            self._kept.append(value.object)
            self._notes.setdefault(id(value.object), {})[name] = fact
            self._changed.append((value.object, True))

    def is_changed(self, found: object) -> bool:
        """Whether the cell stored attributes of an object, a class for one, or nothing is known of it any more."""
        return id(found) in self._notes or self.is_unknown(found)

    def noted(self, value: Value | None, name: str) -> object:
        """Return the fact that was noted last, or `safe.ABSENT`."""
        if self.form(value) is safe.ABSENT:
            return safe.ABSENT
        return self._notes.get(id(value.object), {}).get(name, safe.ABSENT)  # type: ignore[union-attr]

    def is_unknown(self, found: object) -> bool:
        """Whether nothing is known of an object, or of what the walk made, any more."""
        return id(found.object if type(found) is Like else found) in self._touched

    def content_changed(self, value: Value | None) -> None:
        """The cell changed numbers of an array, a tensor, a series or a frame in place; the structure stays.

        What may share its memory, also under other names, has kept its structure alone from here on.
        """
        found = self.form(value)
        if found is safe.ABSENT:
            self.touch(value)
            return
        self._stale.add(found)
        self._changed.append((found, False))

    def plain(self, value: Value | None, limit: int = 2000) -> Any:
        """Return the real object if every operation on it is Python's own; `safe.ABSENT` if not, or not known.

        It is an exact built-in scalar, or a container of at most `limit` such elements that the cell did not change.
        """
        found = self.live(value)
        if found is safe.ABSENT or not safe.is_plain(found, limit=limit):
            return safe.ABSENT
        return safe.ABSENT if self._holds_changed(found) else found

    def _holds_changed(self, found: object) -> bool:
        """Whether a container holds containers that the cell changed: it would have to hold what they became."""
        if not safe.one_of(type(found), safe.CONTAINERS):
            return False
        inner = found.values() if type(found) is dict else found
        return any(
            id(each) in self._shadows
            or id(each) in self._touched
            or id(each) in self._forms
            or self._holds_changed(each)
            for each in inner  # type: ignore[attr-defined]
            if safe.one_of(type(each), safe.CONTAINERS)
        )

    def writable(self, value: Value) -> Any:
        """Return a copy of an exact list, dict or set that stands for it from here on; `safe.ABSENT` if not known."""
        found = self.live(value)
        if not safe.one_of(type(found), (list, dict, set)) or len(found) > MAX_COPY:  # type: ignore[arg-type]
            self.touch(value)
            return safe.ABSENT
        if type(found) is dict and not safe.has_plain_keys(found):
            self.touch(value)
            return safe.ABSENT
        assert type(value) is Known
        if id(value.object) not in self._shadows:
            self._shadows[id(value.object)] = found.copy()  # type: ignore[attr-defined]
        self._changed.append((value.object, True))
        return self._shadows[id(value.object)]

    def anything_changed(self) -> None:
        """Something of which nothing is known was changed in place: it may be any object that can change."""
        self._changed_any = Like(None).born
        self._changed.append((self, False))

    def changes(self) -> int:
        """Return a mark for `changed_since`."""
        return len(self._changed)

    def changed_after(self, mark: int) -> list[object]:
        """Return what the cell changed after the mark was taken, in order."""
        return [each for each, _ in self._changed[mark:]]

    def changed_since(self, mark: int, value: Value) -> bool:
        """Whether the cell changed this value, or what it runs through, after the mark was taken."""
        changed = self._changed[mark:]
        if not changed:
            return False
        if type(value) is Made and value.kind in ("iterator", "view", "pairs", "progress bar"):
            over = value.facts.get("over") or (value.facts.get("owner"),)
            return any(each is None or self.changed_since(mark, each) for each in over)
        if type(value) is Made and value.kind == "generator":
            reads = value.facts.get("reads", ())
            return any(each is self or id(each) in reads for each, _ in changed)
        if type(value) is not Known and type(value) is not Like:
            return True
        found = value.object
        return any(each is found or each is self for each, _ in changed) or self._stale.holds(found)

    def touch(self, value: Value | None, depth: int = 2) -> None:
        """Something the walk cannot follow may have changed this value, and what it holds."""
        if type(value) is Like:
            self._touched[id(value.object)] = value.object
            self._changed.append((value.object, True))
            return
        if type(value) is Instance or (type(value) is Defined and isinstance(value.node, ast.ClassDef)):
            self._touched[id(value)] = value
            self._changed.append((value, True))
            return
        if type(value) is Foreign:
            for each in value.holds:
                self.touch(each, depth)
            return
        if type(value) is not Known:
            if type(value) is Made:
                value.facts.clear()
                value.kind = "unknown"
            return
        if safe.one_of(type(value.object), _NEVER_CHANGED):
            return
        found = self.live(value)
        self._touched[id(value.object)] = value.object
        self._changed.append((value.object, True))
        if depth and safe.one_of(type(found), (list, tuple)):
            for each in found[:100]:  # type: ignore[index]
                self.touch(each.value if type(each) is Hole else Known(each), depth - 1)
        elif depth and type(found) is dict:
            for each in list(found.values())[:100]:
                self.touch(each.value if type(each) is Hole else Known(each), depth - 1)

    def columns(self, value: Value | None) -> list[object] | None:
        """Return the column labels of a frame as they are at this point; None if they are not all known.

        Labels are exact built-in values, unique, of an Index that compares them by equality.
        """
        frame: Any = self.form(value, LABELS)
        if frame is safe.ABSENT or not frames.is_frame(frame) or not self.is_as_shipped(type(frame)):
            return None
        index = blocks.axes(frame)[0]
        if not safe.one_of(type(index), [safe.loaded("pandas", "Index"), safe.loaded("pandas", "RangeIndex")]):
            return None
        labels = frames.column_labels(frame)
        if labels is None or any(not safe.one_of(type(label), (str, int)) for label in labels):
            return None
        return labels if len({(type(label).__name__, label) for label in labels}) == len(labels) else None

    def is_as_shipped(self, frame_type: type) -> bool:
        """Whether nobody replaced what a DataFrame or Series does when it is read, written or measured."""
        return all(
            safe.comes_from(safe.in_type(frame_type, name), "pandas")
            for name in ("__getitem__", "__setitem__", "__delitem__", "__getattr__", "__setattr__", "__len__")
        )

    # -- what may be told ----------------------------------------------------------------------------------------

    def level(self, *values: Value | None) -> str:
        """Return the lowest privacy level at which the content of all these values may be told.

        What the target writes itself has ``names``; what comes from the kernel ``values``, and so has every container
        that the cell changed, since anything may have been put into it.
        """
        return highest(*(self._level(value) for value in values))

    def _level(self, value: Value | None) -> str:
        if type(value) is Made and value.kind == "iterator":
            return str(value.facts.get("level", VALUES))
        if type(value) is Made and value.kind == "view":
            level = self.level(value.facts.get("owner"))
            return lowest(level, SCHEMA) if value.facts.get("method") == "keys" else level
        if type(value) is not Known:
            return VALUES
        place = id(value.object)
        changed = place in self._shadows or place in self._touched or place in self._forms
        return VALUES if changed else value.level

    def keep_private(self, *values: Value | None) -> None:
        """Note the kernel's plain values that a library is handed: what it says of them is a value, too."""
        for value in values:
            found = self.live(value)
            if found is not safe.ABSENT and self.level(value) == VALUES:
                self._keep_private(found, 3)
        self.private.discard("")

    def _keep_private(self, found: Any, depth: int) -> None:
        if safe.one_of(type(found), (str, int, float)):
            if len(self.private) < MOST_KEPT:
                self.private.add(safe.text(found, MAX_WORDS))
        elif type(found) is Hole:
            self.keep_private(found.value)
        elif depth and safe.one_of(type(found), safe.CONTAINERS):
            inner = safe.first(found, 50)
            if type(found) is dict:
                inner += safe.first(found.values(), 50)
            for each in inner:
                self._keep_private(each, depth - 1)

    def tells(self, *levels: str) -> bool:
        """Whether what needs these levels may be in the answer."""
        return self.budget.shows(highest(*levels))

    # -- what is certain -----------------------------------------------------------------------------------------

    def doubt(self, node: ast.AST, kind: str, why: str) -> None:
        """From here on nothing is certain, for this reason."""
        self._doubted += 1
        if kind != "raises" and len(self.doubts) >= MOST_DOUBTS:
            self.doubts.pop()
        if len(self.doubts) < MOST_DOUBTS:
            self.doubts.append(Doubt(getattr(self._entered[0] if self._entered else node, "lineno", 0), kind, why))

    def doubted(self) -> int:
        """Return how many doubts there were so far."""
        return self._doubted

    def steps(self) -> int:
        """Return how many steps the walk has made."""
        return self._steps

    def may_raise(self, node: ast.AST, why: str) -> None:
        """This may raise; if it does not, all it did is followed."""
        self.doubt(node, "raises", why)

    def ask(self, node: ast.AST, probe: str, arguments: dict[str, Any], about: dict[str, Any]) -> None:
        """Note a question that a probe could settle; a second one with the same words is not noted."""
        question = {
            "line": getattr(node, "lineno", 0),
            "column": getattr(node, "col_offset", 0),
            "probe": probe,
            "arguments": arguments,
            "about": about,
            "conditional": self._condition(),
        }
        if len(self.questions) < 30 and not any(
            each["probe"] == probe and each["arguments"] == arguments and each["about"] == about
            for each in self.questions
        ):
            self.questions.append(question)

    def report(self, finding: Finding, node: ast.AST) -> Value:
        """Report a crash: certain if nothing before is in doubt, else a suspect.

        Returns:
            UNKNOWN, where the walk goes on because the branch may not run.

        Raises:
            Stop: The cell ends here, one way or the other.
        """
        node = finding.node or node
        for entered in self._entered:
            # It runs in a frame of its own, called where it begins; a comprehension since 3.12 not. Source: PEP 709.
            if isinstance(entered, (ast.Call, ast.ClassDef, ast.GeneratorExp)) or sys.version_info < (3, 12):
                node = entered
                break
        if self.guarded:
            raise Stop(finding, node)
        if not self.conditional and all(doubt.kind == "raises" for doubt in self.doubts):
            raise Stop(finding, node)
        self.suspect(finding, node)
        if self.conditional:
            self.doubt(node, "raises", "this line may raise {}".format(finding.type))
            return UNKNOWN
        raise Stop(None, node, "a crash is likely here")

    def suspect(self, finding: Finding, node: ast.AST) -> None:
        """Note a crash that is likely but not certain."""
        if len(self.suspects) < 10:
            self.suspects.append(
                dict(
                    finding_facts(finding, node, self.budget),
                    conditional=self._condition(),
                    doubts=[doubt._asdict() for doubt in self.doubts[:5]],
                )
            )

    def is_touched(self, value: Instance | Defined) -> bool:
        """Whether an object or a class that the walk made may have been changed by what is not followed."""
        return id(value) in self._touched

    def set_attribute(self, value: Instance | Defined, name: str, new: Value) -> None:
        """The cell stored an attribute of an object or a class that the walk made."""
        if type(value) is Instance:
            value.attributes[name] = new
        else:
            value.members[name] = new  # type: ignore[union-attr]
        self._changed.append((value, True))

    def _condition(self) -> str:
        if not self.conditional:
            return "no"
        return "loop" if self.conditional == self.loops else "branch"

    def step(self, cost: int = 1) -> None:
        """Count what was done.

        Raises:
            Stop: It is too much.
        """
        self._steps += cost
        if self._steps > MAX_STEPS:
            raise Stop(None, None, "more than {} steps".format(MAX_STEPS))
        if self._steps % 200 < cost:
            self.budget.check()


def finding_facts(finding: Finding, node: ast.AST, budget: safe.Budget) -> dict[str, Any]:
    """Return a finding as JSON values, with the line on which the traceback will show it.

    What the privacy level does not let out goes to `budget.proof`, under the id that the finding has as `proof`.
    """
    told, whole = _told(finding, budget.level), _told(finding, VALUES)
    proof = None
    if told != whole:
        proof = str(len(budget.proof) + 1)
        budget.proof[proof] = {name: whole[name] for name in whole if whole[name] != told[name]}
    return dict(
        told,
        rule=finding.rule,
        type=finding.type,
        crash_type=finding.crash_type,
        library=finding.library,
        probe=None if finding.probe is None else {"probe": finding.probe[0], "arguments": finding.probe[1]},
        line=raising_line(node),
        column=getattr(node, "col_offset", 0),
        proof=proof,
    )


def _told(finding: Finding, level: str) -> dict[str, Any]:
    """Return the words of a finding as they may be told at a level."""
    shown = LEVELS.index(finding.asked) <= LEVELS.index(level) and level != NAMES
    return {
        "message": finding.message.at(level)[:MAX_WORDS],
        "because": finding.because.at(level)[:MAX_WORDS],
        "close": list(finding.close) if shown else [],
    }


def raising_line(node: ast.AST) -> int:
    """Return the line that a traceback shows for an expression that raises.

    It is the first line of the expression, but for attributes and method calls spread over lines: since Python 3.10
    the line of the attribute's name. Source: CPython, `Python/compile.c`, update_start_location_to_match_attr (3.11
    and later) and maybe_optimize_method_call (3.10).
    """
    if sys.version_info >= (3, 10):
        place = node.func if isinstance(node, ast.Call) and _is_call_of_method(node) else node
        if isinstance(place, ast.Attribute) and place.end_lineno is not None:
            return place.end_lineno
    return getattr(node, "lineno", 0)


def _is_call_of_method(node: ast.Call) -> bool:
    """Whether it is compiled as the call of a method: few arguments, none of them starred."""
    starred = any(isinstance(each, ast.Starred) for each in node.args) or any(not each.arg for each in node.keywords)
    count = len(node.args) + len(node.keywords) + bool(node.keywords)
    starred = starred or (sys.version_info < (3, 11) and bool(node.keywords))
    return isinstance(node.func, ast.Attribute) and not starred and count < MAX_METHOD_ARGUMENTS


def scope_globals(node: ast.AST) -> set[str]:
    """Return the names that functions inside `node` declare ``global``."""
    return {name for each in ast.walk(node) if isinstance(each, ast.Global) for name in each.names}


# Source: the Python library reference, `dis`; read here without it, since it fails on some code of Python 3.13.0.
_SET_GLOBAL = (opcode.opmap["STORE_GLOBAL"], opcode.opmap["DELETE_GLOBAL"])
_EXTENDED_ARG = opcode.EXTENDED_ARG


def globals_stored(code: types.CodeType, found: set[str]) -> None:
    """Add the global names that a function's code binds or deletes."""
    argument = 0
    for operation, low in zip(code.co_code[::2], code.co_code[1::2]):
        argument = argument << 8 | low
        if operation in _SET_GLOBAL:
            found.add(code.co_names[argument])
        if operation != _EXTENDED_ARG:
            argument = 0
    for constant in code.co_consts:
        if type(constant) is types.CodeType:
            globals_stored(constant, found)
