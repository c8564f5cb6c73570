"""What code that is not followed may do to what the walk knows.

Code can change what it can reach: its arguments and what they hold, and, if it is the user's, the globals that it
names. A library's code reaches nothing of the notebook but what it is handed; if that holds functions or objects of the
user's own classes, these may be called, and then what they name counts, too. So a call that is not followed makes
unknown what it reaches, and nothing else. Where that cannot be told (`exec`, the shell, settings of a library that
others depend on), the doubt is one of `effects`.

What an object holds is asked of the garbage collector, which runs none of its code. Source: the Python library
reference, `gc.get_referents`.
"""

from __future__ import annotations

import ast
import builtins
import collections
import gc
import opcode
import operator
import types
from typing import Any, Iterable, Iterator

from .. import safe
from ..readers import blocks, tensors
from .sites import CallSite, Stop
from .state import State, globals_stored, scope_globals
from .values import MAYBE_UNBOUND, UNKNOWN, Bound, Defined, Foreign, Hole, Instance, Known, Like, Made, Method, Value

MOST_REACHED = 6_000
"""Objects that are looked at for one call."""

# Names whose use means that anything may change: code made of text, the namespaces themselves, the shell, threads, and
# settings of libraries that decide what other calls do.
_WILD = frozenset(
    (
        "exec eval globals locals vars get_ipython run_line_magic run_cell_magic run_cell setattr delattr "
        "__import__ set_option reset_option seterr set_printoptions filterwarnings simplefilter set_config "
        "set_default_dtype set_default_device set_default_tensor_type set_floatx set_image_data_format "
        "set_dtype_policy disable_v2_behavior run_functions_eagerly options __class__ __dict__ Thread "
        "ThreadPoolExecutor settrace setprofile set_grad_enabled enter_context __enter__"
    ).split()
)
# Packages that leave the classes of other packages as they are when they are imported or called.
_KEEP_TO_THEMSELVES = frozenset(
    (
        "numpy pandas scipy sklearn matplotlib mpl_toolkits seaborn torch torchvision torchaudio tensorflow keras "
        "tensorflow_datasets xgboost lightgbm catboost statsmodels PIL cv2 skimage imageio plotly bokeh altair "
        "networkx nltk spacy gensim transformers datasets tokenizers wordcloud missingno mlxtend imblearn optuna "
        "shap requests bs4 joblib yaml tabulate IPython ipywidgets h5py pyarrow openpyxl sqlalchemy sympy numba "
        "psutil pydantic rich"
    ).split()
)
# Their functions return what they were handed, or load what somebody saved: it may be of the user's classes.
_RETURN_ANYTHING = frozenset(("copy functools pickle dill cloudpickle joblib operator itertools contextlib").split())
# Their functions leave lists and dictionaries as they are.
_LEAVE_CONTAINERS = frozenset(
    ("pandas sklearn matplotlib seaborn scipy statsmodels plotly keras xgboost lightgbm").split()
)
_LEAVE_EVERYTHING = (
    "print",
    "len",
    "repr",
    "str",
    "isinstance",
    "issubclass",
    "type",
    "id",
    "callable",
    "hash",
    "format",
)


_MUTATORS = frozenset(
    (
        "append extend insert remove pop clear reverse sort setdefault update popitem add discard appendleft "
        "popleft extendleft rotate difference_update intersection_update symmetric_difference_update __setitem__ "
        "__delitem__ resize put fill itemset setflags partition shuffle"
    ).split()
)


class Reach:
    """What some code can reach.

    Attributes:
        objects: Objects that it may change, whatever they are.
        names: Globals that it may bind or delete.
        code: Whether code of the user's may run.
        wild: Whether it may change anything.
    """

    def __init__(self, state: State) -> None:
        self.objects: list[object] = []
        self.names: set[str] = set()
        self.code = False
        self.wild = False
        self._state = state
        self._namespace: dict[str, object] = state.shell.user_ns
        self._seen: set[int] = set()
        self._nodes: set[int] = set()

    def add(self, *values: Value | None) -> Reach:
        """Add what these values are and hold."""
        for value in values:
            if type(value) is Known:
                self._add_object(value.object)
                now = self._state.live(value)
                if now is not value.object and now is not safe.ABSENT:
                    self._add_object(now)
            elif type(value) is Like or type(value) is Instance:
                self._add_derived(value)
            elif type(value) is Defined:
                self._add_defined(value)
            elif type(value) is Foreign:
                self.add(*value.holds)
            elif type(value) is Bound:
                self.add(value.function, value.owner)
            elif type(value) is Method:
                self.add(value.owner)
            elif type(value) is Made:
                self._add_facts(value.facts.values())
        return self

    def _add_facts(self, facts: Iterable[object]) -> None:
        """Add what is noted of something made: values, and containers and records of them."""
        for fact in facts:
            if safe.one_of(type(fact), (list, tuple, dict)) or safe.inherits(type(fact), Value):
                self._walk(fact)
            elif safe.inherits(type(fact), tuple):
                self._add_facts(tuple.__iter__(fact))  # type: ignore[arg-type]

    def add_users_code(self, functions: bool) -> None:
        """Add what the user's classes, and with `functions` all functions, of the notebook name and hold."""
        bound = self._state.bound_globals()
        before, found = self._state.memo.get(("users code", functions), ((), None))
        if found is None or len(before) != len(bound) or not all(map(operator.is_, before, bound)):
            found = Reach(self._state).add(*self._state.users_code(functions))
            self._state.memo["users code", functions] = (bound, found)
        self.objects += found.objects
        self.names |= found.names
        self.wild = self.wild or found.wild
        self.code = True

    def _add_object(self, found: object) -> None:
        """Add what an object of the kernel's holds; if that names nothing of the notebook, it is found out once."""
        kept = self._state.memo.setdefault("reach", {})
        if id(found) not in kept:
            alone = Reach(self._state)
            alone._walk(found)
            kept[id(found)] = (found, None if alone.code or alone.names else alone)
        alone = kept[id(found)][1]
        if alone is None:
            self._walk(found)
        else:
            self.objects += alone.objects
            self.wild = self.wild or alone.wild

    def _add_defined(self, value: Defined) -> None:
        if id(value) in self._nodes:
            return
        self._nodes.add(id(value))
        self.add_names(value.node)
        self.add(*value.defaults, *value.members.values())
        for scope in value.scopes:
            self.add(*scope.values())

    def _add_derived(self, value: Any) -> None:
        if id(value) in self._nodes:
            return
        self._nodes.add(id(value))
        if type(value) is Instance:
            self.code = True
            self.objects.append(value)
            self.add(value.cls, *value.attributes.values())
        else:
            self.objects.append(value)

    def add_names(self, node: ast.AST) -> None:
        """Add what a function or class of the target names."""
        if id(node) in self._nodes:
            return
        self._nodes.add(id(node))
        self.code = True
        self.names |= scope_globals(node)
        stores = any(isinstance(each, ast.Attribute) and not isinstance(each.ctx, ast.Load) for each in ast.walk(node))
        for each in ast.walk(node):
            if isinstance(each, ast.Name):
                self._named(each.id)
                if stores:
                    self._add_class(self._state.peek(each.id))
            elif isinstance(each, ast.Attribute) and each.attr in _WILD:
                self.wild = True

    def _add_class(self, value: Value | None) -> None:
        """Note that attributes of a class may be stored, if it is one of the user's."""
        if type(value) is Defined and isinstance(value.node, ast.ClassDef):
            self.objects.append(value)
        elif type(value) is Known and safe.inherits(type(value.object), type) and self._state.is_users(value.object):  # type: ignore[arg-type]
            self.objects.append(value.object)

    def _named(self, name: str) -> None:
        if name in _WILD:
            self.wild = True
        value = self._state.peek(name)
        if value is not None and not (type(value) is Known and value.object is builtins.__dict__.get(name)):
            self.add(value)

    def _walk(self, root: object) -> None:
        waiting: list[object] = [root]
        while waiting and not self.wild:
            found = waiting.pop()
            if id(found) in self._seen or id(type(found)) in _IDS_OF_UNCHANGING:
                continue
            self._seen.add(id(found))
            if len(self._seen) > MOST_REACHED or found is self._namespace:
                self.wild = True
                return
            if type(found) is Hole:
                self.add(found.value)
                continue
            if safe.inherits(type(found), Value):
                self.add(found)  # type: ignore[arg-type]
                continue
            waiting.extend(self._held(found))

    def _held(self, found: Any) -> Iterator[object]:
        """Yield what an object holds and may be changed through it; note the object itself if it can change."""
        kind = type(found)
        if kind is types.FunctionType:
            yield from self._of_function(found)
        elif kind is types.MethodType:
            yield from (found.__func__, found.__self__)
        elif safe.inherits(kind, type):
            if self._state.is_users(found):
                self.code = True
                yield from (entry for _, entry in safe.entries(found))
                yield from (base for base in safe.mro(found)[1:] if self._state.is_users(base))
                methods = [entry.__func__ for _, entry in safe.entries(found) if type(entry) is classmethod]
                if any(type(each) is types.FunctionType and _stores_attributes(each.__code__) for each in methods):
                    self.objects.append(found)
        elif blocks.is_frame(found) or blocks.is_series(found):
            self.objects.append(found)
        elif tensors.is_array(found):
            self.objects.append(found)
            if tensors.is_ndarray(found) and found.dtype.hasobject:
                if found.size > MOST_REACHED:
                    self.wild = True
                else:
                    yield from found.ravel().tolist()
        elif not safe.class_module(kind).startswith(("IPython.", "ipykernel.")):
            if not safe.one_of(kind, (tuple, frozenset)):
                self.objects.append(found)
            if self._state.is_users(kind):
                self.code = True
                yield kind
            if safe.one_of(kind, (types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType)):
                self.wild = self.wild or found.__class__ is not types.GeneratorType
                if kind is types.GeneratorType:
                    yield from self._of_code(found.gi_code, True)
            yield from self._held_by(found)

    def _held_by(self, found: Any) -> list[object]:
        """Return what any other object holds; of a long container nothing if that is numbers and texts alone."""
        if safe.one_of(type(found), (list, tuple, set, frozenset, dict)) and len(found) > MOST_REACHED:
            kept = self._state.memo.setdefault("holds only atoms", {})
            if id(found) not in kept:
                several = [*found, *found.values()] if type(found) is dict else found
                kept[id(found)] = set(map(id, map(type, several))) <= _IDS_OF_ATOMS
            self.wild = self.wild or not kept[id(found)]
            return []
        held = gc.get_referents(found)
        own = safe.instance_dict(found) if safe.class_module(type(found)).startswith("torch.") else None
        if own is not None:
            # A layer has a dozen dictionaries of hooks that are empty as a rule: they change only with the layer.
            held = [*(each for each in held if each is not own), *own.values()]
            return [each for each in held if not (safe.one_of(type(each), _HOOKS) and not len(each))]
        return held

    def _of_function(self, found: types.FunctionType) -> Iterator[object]:
        users = found.__globals__ is self._namespace
        self.code = self.code or users
        yield from self._of_code(found.__code__, users)
        yield from (cell for cell in found.__closure__ or ())
        given, named = found.__defaults__, found.__kwdefaults__
        # Either may be of a class of the user's.
        yield from given if type(given) is tuple else (given,)
        yield from named.values() if type(named) is dict else (named,)
        yield from (safe.instance_dict(found) or {}).values()

    def _of_code(self, code: types.CodeType, users: bool) -> Iterator[object]:
        if not users:
            return
        globals_stored(code, self.names)
        for inner in _codes(code):
            stores = _stores_attributes(inner)
            for name in inner.co_names:
                if name in _WILD:
                    self.wild = True
                value = self._state.peek(name)
                if stores:
                    self._add_class(value)
                if type(value) is Known:
                    if value.object is not builtins.__dict__.get(name):
                        yield value.object
                elif value is not None:
                    self.add(value)


_HOOKS = (dict, set, collections.OrderedDict)
_UNCHANGING = (
    *(*safe.SCALARS, range, slice, types.ModuleType, types.BuiltinFunctionType, types.CodeType, property),
    *(safe.MethodDescriptorType, safe.WrapperDescriptorType, safe.GetSetDescriptorType, safe.MemberDescriptorType),
)


# By identity: a class of the user's may have a hash of its own.
_IDS_OF_UNCHANGING = frozenset(map(id, _UNCHANGING))
_IDS_OF_ATOMS = frozenset(map(id, safe.SCALARS))


_STORES_ATTRIBUTE = (opcode.opmap["STORE_ATTR"], opcode.opmap["DELETE_ATTR"])


def _stores_attributes(code: types.CodeType) -> bool:
    return any(operation in _STORES_ATTRIBUTE for operation in code.co_code[::2])


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if type(constant) is types.CodeType:
            yield from _codes(constant)


# -- what runs -----------------------------------------------------------------------------------------------------


def package_of(value: Value | None, state: State) -> str:
    """Return the top-level package whose code runs when something is done with a value; '' if that is not known.

    `builtins` for Python's own; never a name for what may hold code of the user's.
    """
    if type(value) is Foreign:
        return value.package
    if type(value) is Like or type(value) is Known:
        return package_of_object(value.object, state)
    if type(value) is Method:
        return package_of(value.owner, state)
    if type(value) is Made:
        package = value.facts.get("package", "builtins" if value.kind in _OF_PYTHON else "")
        return package if type(package) is str else ""
    return ""


_OF_PYTHON = ("text", "number", "bool", "iterator", "view", "file")


def package_of_object(found: Any, state: State) -> str:
    """Return the top-level package of a module, function, method, class, or of an object's class; '' for the user's."""
    kind = type(found)
    if safe.one_of(kind, (types.ModuleType,)):
        name = (safe.instance_dict(found) or {}).get("__name__")
    elif kind is types.MethodType:
        return package_of_object(found.__func__, state)
    elif kind is types.FunctionType:
        if found.__globals__ is state.shell.user_ns:
            return ""
        name = found.__globals__.get("__name__")
        inner = (safe.instance_dict(found) or {}).get("__wrapped__")
        if name == "contextlib" and type(inner) is types.FunctionType:
            # What `contextmanager` made of it.
            return package_of_object(inner, state)
    elif safe.inherits(kind, type):
        name = safe.class_module(found)
    elif kind is types.BuiltinFunctionType:
        owner = found.__self__
        if owner is None or type(owner) is types.ModuleType:
            name = found.__module__ or "builtins"
        else:
            return package_of_object(owner, state)
    else:
        name = safe.class_module(kind)
    package = name.partition(".")[0] if type(name) is str else ""
    return "" if state.is_home(package) else package


def may_patch(package: str) -> bool:
    """Whether importing or calling a package may change the classes of others."""
    return package not in _KEEP_TO_THEMSELVES and package != "builtins"


def either(one: Value, other: Value, state: State) -> Value:
    """Return what is known of a value that is one of two."""
    if one is other:
        return one
    if type(one) is Known and type(other) is Known and _same_atom(one.object, other.object):
        return one
    packages = {package_of(one, state), package_of(other, state)}
    special = packages - {"builtins"}
    if "" in packages or len(special) > 1:
        return UNKNOWN
    return Foreign(next(iter(special), "builtins"), (one, other))


def _same_atom(one: Any, other: Any) -> bool:
    return type(one) is type(other) and safe.one_of(type(one), (int, bool, str, type(None))) and bool(one == other)


# -- what it changes -----------------------------------------------------------------------------------------------


def changed_by_call(site: CallSite, what: str, state: State) -> Value:
    """A call is not followed: forget what it may change, note the doubt, and return what it returns.

    Args:
        site: The call.
        what: Words for it.
        state: The walk's state.
    """
    if _ends_the_cell(site) and not state.conditional:
        raise Stop(None, site.node, "the cell ends itself here")
    callee = state.live(site.callee)
    package = package_of(site.callee, state)
    if not package and type(site.owner) is Foreign:
        package = site.owner.package
    unknown = not site.complete or any(each is UNKNOWN for each in [*site.arguments, *site.keywords.values()])
    if type(callee) is types.BuiltinFunctionType and callee.__name__ in _LEAVE_EVERYTHING and package == "builtins":
        reach = Reach(state).add(*site.arguments, *site.keywords.values())
        if unknown:
            reach.add_users_code(functions=False)
        return _ran(reach, site.node, what, state, package, set()) if reach.code else _quietly(site, what, state)
    owner = site.owner if _is_method_of_owner(site, callee) else None
    reach = Reach(state).add(*site.arguments, *site.keywords.values(), owner)
    if not package or not _is_code(callee):
        reach.add(site.callee)
    if unknown or (not package and callee is safe.ABSENT):
        # What is not known may be any function of the notebook's, which the call may call.
        reach.add_users_code(functions=True)
    if unknown and package not in _LEAVE_CONTAINERS:
        state.anything_changed()
    if site.method in _WILD or (type(callee) is types.BuiltinFunctionType and callee.__name__ in _WILD):
        reach.wild = True
    if _is_of_shell(site, callee, state):
        reach.wild = True
    if not site.complete:
        reach.wild = reach.wild or any(each is UNKNOWN for each in (site.callee,))
    if _changes_owner(site):
        touch_in_place(site.owner, state)
    copies = package == "copy" and len(site.arguments) == 1 and not site.keywords and site.complete
    if copies and not reach.code and not reach.wild and not unknown:
        # It only reads.
        state.doubt(site.node, "raises", "{} may raise".format(what))
        deep = callee is safe.loaded("copy", "deepcopy")
        return Foreign(package_of(site.arguments[0], state) or "builtins", () if deep else site.arguments)
    left = set() if reach.code else _left_alone(site, package, state)
    return _ran(reach, site.node, what, state, package, left)


def _is_method_of_owner(site: CallSite, callee: object) -> bool:
    """Whether what is called may get the owner: not if the owner only holds it, as a model holds its layers."""
    if type(site.owner) is Instance:
        return type(site.callee) is not Foreign and type(site.callee) is not Like
    kinds = (types.MethodType, types.FunctionType, types.BuiltinFunctionType, safe.MethodDescriptorType)
    return callee is safe.ABSENT or safe.one_of(type(callee), kinds)


def _is_of_shell(site: CallSite, callee: Any, state: State) -> bool:
    """Whether the shell is called, or asked for: of what it can do, only some magics are followed."""
    owner = site.owner.object if type(site.owner) is Known else None
    asked_for = type(callee) is types.FunctionType and callee.__name__ == "get_ipython"
    return owner is state.shell or asked_for or (type(callee) is types.MethodType and callee.__self__ is state.shell)


def _changes_owner(site: CallSite) -> bool:
    """Whether a call looks like one that changes what its method belongs to."""
    inplace = site.keywords.get("inplace")
    asked = inplace is not None and not (type(inplace) is Known and inplace.object is False)
    of_module = type(site.owner) is Known and safe.one_of(type(site.owner.object), (types.ModuleType, type))
    return not of_module and (asked or site.method in _MUTATORS or site.method.endswith("_"))


def _is_code(callee: object) -> bool:
    """Whether what is called is a function or class, and not an object that holds others."""
    return safe.one_of(type(callee), (types.FunctionType, types.BuiltinFunctionType)) or safe.inherits(
        type(callee), type
    )


def _quietly(site: CallSite, what: str, state: State) -> Value:
    state.doubt(site.node, "raises", "{} may raise".format(what))
    return Foreign("builtins")


def _left_alone(site: CallSite, package: str, state: State) -> set[int]:
    """Return the ids of what a library's function leaves as it is: frames, and containers it only reads."""
    left: set[int] = set()
    for value in [*site.arguments, *site.keywords.values()]:
        found = value.object if type(value) is Known else None
        if package in _LEAVE_CONTAINERS and safe.one_of(type(found), (list, dict, set)):
            left.add(id(found))
    if (
        site.owner is not None
        and type(site.owner) is Known
        and safe.one_of(type(site.owner.object), (types.ModuleType, type))
    ):
        left.add(id(site.owner.object))
    return left


def changed_by_operation(node: ast.AST, why: str, state: State, *values: Value | None) -> Value:
    """An access, an operator or an iteration is not followed: as `changed_by_call`, for what Python calls by itself."""
    packages = [package_of(value, state) for value in values]
    reach = Reach(state)
    for value, package in zip(values, packages):
        if not package:
            reach.add(value)
            if value is UNKNOWN or type(value) in (Defined, Instance):
                reach.add_users_code(functions=False)
        elif _may_hold_others(value):
            reach.add(value)
            if _may_hold_anything(value, state):
                reach.add_users_code(functions=True)
    if not reach.code and all(packages):
        # Libraries leave the operands of an operator as they are.
        state.doubt(node, "raises", why)
        held = tuple(each for each in values if each is not None)
        return Foreign(next((each for each in packages if each != "builtins"), "builtins"), held)
    return _ran(reach, node, why, state, "", set())


def element_of(value: Value, state: State) -> Value:
    """Return what is known of each element of a value that can be iterated over."""
    package = package_of(value, state)
    reach = Reach(state).add(value) if _may_hold_others(value) else Reach(state)
    unknown = not package or reach.code or reach.wild or _may_hold_anything(value, state)
    return UNKNOWN if unknown else Foreign(package, (value,))


def _may_hold_anything(value: Value | None, state: State) -> bool:
    """Whether code that is not followed may have put something into a container."""
    container = type(value) is Known and safe.one_of(type(value.object), (list, dict, set))
    return container and state.live(value) is safe.ABSENT


def _may_hold_others(value: Value | None) -> bool:
    """Whether what is got out of a value may be any object that was put into it."""
    if type(value) is not Known:
        return type(value) is Foreign or type(value) is Made
    found = value.object
    if blocks.is_frame(found) or blocks.is_series(found) or tensors.is_tensor(found):
        return False
    return not safe.one_of(type(found), _UNCHANGING) and not (tensors.is_ndarray(found) and found.dtype.kind != "O")  # type: ignore[attr-defined]


def _ran(reach: Reach, node: ast.AST, what: str, state: State, package: str, left: set[int]) -> Value:
    state.files_may_change = True
    state.may_be_patched = state.may_be_patched or not package or may_patch(package)
    if reach.wild:
        state.forget_names()
        state.doubt(node, "effects", "{} runs code that is not followed".format(what))
        return UNKNOWN
    state.doubt(node, "raises", "{} may raise".format(what) if what.endswith(")") else what)
    for found in reach.objects:
        if id(found) in left or state.is_unknown(found):
            continue
        if safe.inherits(type(found), Value):
            state.touch(found)  # type: ignore[arg-type]
        elif reach.code:
            state.touch(Known(found), depth=0)
        elif tensors.is_array(found):
            state.content_changed(Known(found))
        elif may_patch(package) or not (blocks.is_frame(found) or blocks.is_series(found)):
            state.touch(Known(found), depth=0)
    for name in reach.names:
        state.bind_at_cell(name, UNKNOWN if state.peek(name) is not None else MAYBE_UNBOUND)
    if not package or reach.code or package in _RETURN_ANYTHING:
        return UNKNOWN
    return Foreign(package, tuple(_as_value(each) for each in reach.objects[:200]))


def _as_value(found: Any) -> Value:
    # Not `isinstance`: that asks an object of the user's for its class.
    made: Value = found if safe.inherits(type(found), Value) else Known(found)
    return made


def touch_in_place(value: Value | None, state: State) -> None:
    """Something is stored in a value, in a way that is not followed."""
    if value is UNKNOWN or value is MAYBE_UNBOUND:
        state.anything_changed()
    elif type(value) is Foreign:
        if value.holds:
            state.touch(value)
    elif value is not None:
        state.touch(value)


def _ends_the_cell(site: CallSite) -> bool:
    func = site.node.func
    if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name):
        return (func.value.id, func.attr) in (("sys", "exit"), ("os", "_exit"))
    return isinstance(func, ast.Name) and func.id in ("exit", "quit")
