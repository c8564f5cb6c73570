"""IPython's magics and ``!`` lines, which reach the kernel as calls: ``get_ipython().run_line_magic('time', ...)``.

A magic can do anything, and a user can replace each. So one is followed only if it is written as a magic, if the
shell and what is registered there under its name are IPython's own, and if IPython's documentation, "Built-in magic
commands", and source say that it leaves the names and values of the notebook alone. All others stay what any call of
the shell is: behind it nothing is known. Nothing is said of whether a magic succeeds: that it may raise is a doubt.

IPython evaluates ``{expression}`` and ``$name`` in what a magic is handed (`InteractiveShell.var_expand`), but for the
magics that are marked as `no_var_expand`.
"""

from __future__ import annotations

import ast
import os
import re
import types
from typing import Any

from .. import safe
from .effects import changed_by_operation
from .state import State, Unbound
from .surroundings import of_first_word, runs_code_at
from .values import MAYBE_UNBOUND, UNKNOWN, Foreign, Known, Value

_HOMES = ("IPython", "ipykernel")

# They show, look up, or set how the shell shows, and that is all.
_LEAVE_ALL = frozenset(
    (
        "autosave colors connect_info clear dhist dirs hist history logstate lsmagic magic pprint pwd quickref who "
        "who_ls xmode"
    ).split()
)
# They ask objects of the notebook for texts and attributes.
_SHOW_VALUES = frozenset("pinfo pinfo2 pdoc pdef psource whos".split())
# They run commands, change the working directory, or install packages.
_RUN_COMMANDS = frozenset("bookmark cd conda mamba micromamba notebook pip popd pushd rehashx sx system uv".split())
_ALIASES = frozenset("cat cp ldir lf lk ll ls lx mkdir mv rm rmdir".split())
# What is under them is text of another language, or for a file.
_OF_OTHER_LANGUAGES = frozenset("html javascript js latex markdown svg".split())
_RUN_SCRIPTS = frozenset("! bash perl pypy python python2 python3 ruby sh script sx system writefile file".split())

_OTHER_NAMES = {"hist": "history", "file": "writefile"}

_BACKENDS = frozenset(("", "inline", "notebook", "widget", "ipympl", "nbagg", "agg", "-l", "--list"))
# Extensions that register magics and what is shown, and leave names and other packages alone.
_EXTENSIONS = frozenset(
    (
        "autoreload storemagic IPython.extensions.autoreload IPython.extensions.storemagic tensorboard line_profiler "
        "memory_profiler watermark Cython cython sql"
    ).split()
)
_AUTORELOAD_MODES = frozenset("0 1 2 off explicit all".split())
# Settings of how things are shown or completed, to texts, numbers and containers of them.
_SETTING = re.compile(
    r"(?:InlineBackend\.\w+|(?:IP)?Completer\.\w+|(?:ZMQ)?InteractiveShell\.ast_node_interactivity)\s*=\s*"
    r"(?:'[^'\\]*'|\"[^\"\\]*\"|True|False|None|[][{}:, \d.])+"
)
_ENVIRONMENT = re.compile(r"\s*(?:(\w+)\s*(?:=.*|\s\S.*)?)?")
# Libraries read these for what they do later.
_READ_BY_LIBRARIES = re.compile(r"CUDA|NVIDIA|HIP|ROCR|PYTHON|TORCH|PYTORCH|TF_|KERAS|SKLEARN|JAX|XLA", re.IGNORECASE)
_EXPANDED = re.compile(r"\{(\w+)\}|\$(\w+)(?![\w.])")
_OUTPUT = re.compile(r"\s*(?:--no-(?:stderr|stdout|display)\s+)*([^\W\d]\w*)?\s*")


# -- calls ---------------------------------------------------------------------------------------------------------


def called(node: ast.Call, state: State) -> Value | None:
    """Return what a call of the shell gives if it is a magic or ``!`` that is followed; None if it is not."""
    func = node.func
    if not isinstance(func, ast.Attribute) or not _is_get_ipython(func.value) or not _is_shells(func.attr, state):
        return None
    texts = [each.value for each in node.args if isinstance(each, ast.Constant) and type(each.value) is str]
    if node.keywords or len(texts) != len(node.args) or not _is_expanded(node, texts[:2], state):
        return None
    if func.attr in ("system", "getoutput") and len(texts) == 1:
        return _command(node, state) if _is_shells("system_piped", state) else None
    if func.attr == "run_line_magic" and len(texts) == 2:
        return _line_magic(node, texts[0], texts[1].strip(), state)
    if func.attr == "run_cell_magic" and len(texts) == 3:
        return _cell_magic(node, texts[0], texts[1], state)
    return None


def _is_get_ipython(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "get_ipython"
        and not node.args
        and not node.keywords
    )


def _is_shells(method: str, state: State) -> bool:
    """Whether ``get_ipython().method`` is IPython's own here."""
    try:
        found: Any = state.read("get_ipython")
    except Unbound:
        return False
    getter: Any = found.object if type(found) is Known else None
    if type(getter) is not types.MethodType or getter.__self__ is not state.shell or not _is_ipythons(getter.__func__):
        return False
    own = safe.instance_dict(state.shell)
    if own is None:
        return False
    return all(
        name not in own and _is_ipythons(safe.in_type(type(state.shell), name))
        for name in (method, "get_ipython", "var_expand")
    )


def _is_ipythons(function: object) -> bool:
    return any(safe.comes_from(function, home) for home in _HOMES)


def _is_expanded(node: ast.Call, texts: list[str], state: State) -> bool:
    """Whether it is known what runs when the texts that a magic is handed are expanded; it is followed then."""
    for text in texts:
        rest = _EXPANDED.sub("", text)
        if ("{" in rest or "$" in rest) and not _SETTING.fullmatch(text.strip()):
            return False
        for name in [braced or plain for braced, plain in _EXPANDED.findall(text)]:
            try:
                value = state.read(name)
            except Unbound:
                continue
            if state.plain(value) is safe.ABSENT:
                changed_by_operation(node, "{} becomes a text".format(name), state, value)
    return True


# -- which magic it is -----------------------------------------------------------------------------------------------


def _registered(kind: str, name: str, state: State) -> object:
    """Return what runs as a magic: IPython's own function or alias, or what loads it; `safe.ABSENT` for all else."""
    manager = state.shell.magics_manager
    found: Any = manager.magics.get(kind, {}).get(name, safe.ABSENT)
    if type(found) is types.MethodType:
        found = found.__func__
    if _is_ipythons(found):
        return found
    loader = safe.loaded("IPython.core.magic", "LazyMagic")
    if type(loader) is type and type(found) is loader:
        return _lazy((safe.instance_dict(found) or {}).get("spec"), found, name)
    if name in _ALIASES and safe.is_exactly(found, "IPython.core.alias", "Alias"):
        return found
    if name in _OTHER_NAMES and safe.is_exactly(found, "IPython.core.magic", "MagicAlias"):
        of = safe.instance_dict(found) or {}
        if (of.get("magic_name"), of.get("magic_params")) == (_OTHER_NAMES[name], None):
            return _registered(kind, _OTHER_NAMES[name], state)
    return safe.ABSENT


def _lazy(spec: object, found: object, name: str) -> object:
    """Return the function that a magic will be once it is loaded, or what loads it if its module is not there yet."""
    if type(spec) is not str or not spec.startswith("IPython.core.magics."):
        return safe.ABSENT
    module, _, cls = spec.partition(":")
    loaded = safe.loaded(module, cls)
    if loaded is None:
        return found
    function = safe.in_type(loaded, name) if safe.inherits(type(loaded), type) else safe.ABSENT
    return function if _is_ipythons(function) else safe.ABSENT


# -- what it does ----------------------------------------------------------------------------------------------------


def _line_magic(node: ast.Call, name: str, line: str, state: State) -> Value | None:
    if name == "autoreload" and line in _AUTORELOAD_MODES and "autoreload" in state.memo.get(_LOADED, ()):
        return _may_raise(node, name, state)
    if _registered("line", name, state) is safe.ABSENT:
        return None
    if name in _RUN_COMMANDS or name in _ALIASES:
        return _command(node, state)
    if name in _SHOW_VALUES:
        return changed_by_operation(node, "%{} shows values".format(name), state, UNKNOWN)
    if name == "matplotlib" and line in _BACKENDS:
        state.imported.update(("matplotlib", "mpl_toolkits", "numpy", "PIL", "ipympl"))
    elif name in ("load_ext", "reload_ext") and line in _EXTENSIONS:
        state.imported.add(line.partition(".")[0])
        state.memo.setdefault(_LOADED, set()).add(line.rpartition(".")[2])
    elif name in ("env", "set_env") and _ENVIRONMENT.fullmatch(line):
        if _READ_BY_LIBRARIES.search(line):
            return None
        _environment_changed(state)
    elif not (
        name in _LEAVE_ALL
        or (name == "config" and _SETTING.fullmatch(line))
        or (name == "autoreload" and line in _AUTORELOAD_MODES)
    ):
        return None
    return _may_raise(node, name, state)


_LOADED = "magics.extensions"


def _cell_magic(node: ast.Call, name: str, line: str, state: State) -> Value | None:
    if name not in _OF_OTHER_LANGUAGES and name not in _RUN_SCRIPTS:
        return None
    if _registered("cell", name, state) is safe.ABSENT or "--" in line:
        return None
    return _command(node, state) if name in _RUN_SCRIPTS else _may_raise(node, name, state)


def _command(node: ast.Call, state: State) -> Value:
    """Files may come and go in another process, and modules with them; the directory may be another."""
    state.files_may_change = True
    state.bind_at_cell("_exit_code", UNKNOWN if state.peek("_exit_code") is not None else MAYBE_UNBOUND)
    return _may_raise(node, "", state)


def _environment_changed(state: State) -> None:
    # Places of files are looked up there, too.
    state.files_may_change = True
    for each in (os.environ, (safe.instance_dict(os.environ) or {}).get("_data")):
        state.touch(Known(each))


def _may_raise(node: ast.Call, name: str, state: State) -> Value:
    state.may_raise(node, "%{} may fail".format(name) if name else "a command may fail")
    return Foreign("IPython")


# -- magics that run Python --------------------------------------------------------------------------------------------


def way_of_running(call: ast.Call, body: list[ast.stmt], first_word: str, state: State) -> str:
    """Return how a magic runs its Python in the user's namespace.

    Returns:
        ``plain``, as if the statements stood there; ``shown``, an exception is shown and the cell goes on;
        ``repeated``, any number of times, with names of its own; '' if that is not known.
    """
    func = call.func
    texts = [each.value for each in call.args if isinstance(each, ast.Constant) and type(each.value) is str]
    if not isinstance(func, ast.Attribute) or not _is_get_ipython(func.value) or not _is_shells(func.attr, state):
        return ""
    name, line = texts[:2]
    kind = "cell" if func.attr == "run_cell_magic" else "line"
    function = _registered(kind, name, state)
    if function is safe.ABSENT or any(True for _ in of_first_word(state.shell, body, first_word)):
        return ""
    if name == "capture":
        return _way_of_capture(line, state)
    if not _keeps_its_line(function) and not _is_expanded(call, [line], state):
        return ""
    if name == "timeit":
        return "repeated"
    return "plain" if name == "time" and _lets_exceptions_through(function) else "shown" if name == "time" else ""


def _keeps_its_line(function: object) -> bool:
    """Whether a magic's line is not expanded; so it is where magics are loaded late, IPython 9.18 and later."""
    if type(function) is not types.FunctionType:
        return True
    return (safe.instance_dict(function) or {}).get("_ipython_magic_no_var_expand") is True


def _lets_exceptions_through(function: object) -> bool:
    """Whether ``%time`` raises again what the code raises, and does not show it and go on.

    Read off its code: IPython 8 shows the exception; IPython 9 has an option for not raising it. Where magics are
    loaded late, IPython 9.18 and later, it may not be there to be read.
    """
    if type(function) is not types.FunctionType:
        return True
    names = function.__code__.co_names
    return "no_raise_error" in names and "showtraceback" not in names


def _way_of_capture(line: str, state: State) -> str:
    """``%%capture`` runs a cell of its own, with all that is registered to run behind one."""
    own = not runs_code_at(state.shell, "post_execute", "post_run_cell") and _is_shells("run_cell", state)
    return "shown" if own and _OUTPUT.fullmatch(line) else ""
