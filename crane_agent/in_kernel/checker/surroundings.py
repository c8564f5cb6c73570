"""What in the kernel could change the cell's world behind its back: then nothing is certain from the start."""

from __future__ import annotations

import ast
import builtins
import os
import sys
import threading
import types
import warnings
from typing import Any, Iterator

from .. import safe

_OURS = "crane_agent.frontends."
"""Where the guard is, which looks at each cell and changes nothing."""

# Callbacks of IPython's own and of the inline backend leave the user's names alone.
_HARMLESS = ("IPython.core.", "IPython.terminal.", "ipykernel.", "matplotlib.", "matplotlib_inline.", _OURS)


def reasons(shell: Any, statements: list[ast.stmt], first_word: str) -> Iterator[str]:
    """Yield why the target may not run as it reads; nothing if it will.

    Args:
        shell: IPython's shell.
        statements: The target's.
        first_word: The first word of a target that is a single line, else ''.
    """
    yield from of_first_word(shell, statements, first_word)
    # Not `shell.autocall`: reading a setting that was never set stores its default in the shell.
    if shell._trait_values.get("autocall"):
        yield "the line may run as a call"
    if _warnings_are_errors():
        yield "warnings are errors"
    if shell.user_ns is not safe.instance_dict(shell.user_module):
        yield "the names of the cells are not those of their module"
    if not any(shell.user_ns.get("__builtins__", builtins) is each for each in (builtins, builtins.__dict__)):
        yield "the built-ins are replaced"
    if not all(safe.class_module(type(each)).startswith(_OURS) for each in list(shell.ast_transformers)):
        yield "a transformer changes each cell before it runs"
    manager = shell.input_transformer_manager
    text_transforms = [*manager.cleanup_transforms, *manager.line_transforms]
    if shell.input_transformers_post or not all(_is_of_ipython(each) for each in text_transforms):
        yield "an input transformer changes each cell before it runs"
    if runs_code_at(shell, "pre_execute", "pre_run_cell"):
        yield "code is registered to run before each cell"
    if any(
        not safe.one_of(type(each), (safe.BuiltinFunctionType,))
        for each in (builtins.__import__, builtins.__build_class__)
    ):
        yield "what an import or a class statement calls is replaced"
    if _user_code_runs_in_a_thread(shell.user_ns):
        yield "a thread of the user's is running"


def of_first_word(shell: Any, statements: list[ast.stmt], first_word: str) -> Iterator[str]:
    """Yield why a text of a single line that begins with this word may not run as it reads; nothing for ''."""
    first = statements[0] if statements else None
    # Source: IPython, `prefilter.AssignmentChecker`: ``name = value`` is never a magic.
    assigns = isinstance(first, ast.Assign) and isinstance(first.targets[0], ast.Name)
    known = first_word and first_word in shell.magics_manager.magics["line"] and first_word not in shell.user_ns
    if known and not assigns:
        yield "the line may run as the magic %{}".format(first_word)
    bound: object = shell.user_ns.get(first_word) if first_word else None
    if safe.class_module(type(bound)).startswith("IPython."):
        yield "the line may run as the macro {}".format(first_word)


def runs_code_at(shell: Any, *events: str) -> bool:
    """Whether code is registered for these events of IPython that may change what the user's names are."""
    callbacks = [each for event in events for each in list(shell.events.callbacks.get(event, ()))]
    return not all(_home(each).startswith(_HARMLESS) or _reloads_nothing(each) for each in callbacks)


def _reloads_nothing(callback: Any) -> bool:
    """Whether this is ``%autoreload``, and no module's file is newer than the module.

    Source: IPython, `extensions/autoreload.py`, `ModuleReloader.check`.
    """
    if _home(callback) != "IPython.extensions.autoreload" or type(callback) is not types.MethodType:
        return False
    reloader = (safe.instance_dict(callback.__self__) or {}).get("_reloader")
    seen = (safe.instance_dict(reloader) or {}).get("modules_mtimes")
    return type(seen) is dict and not any(_is_newer(name, when) for name, when in list(seen.items()))


def _is_newer(name: str, when: float) -> bool:
    place = (safe.instance_dict(sys.modules.get(name)) or {}).get("__file__")
    try:
        return type(place) is str and os.stat(place).st_mtime > when
    except (OSError, ValueError):
        return False


def _warnings_are_errors() -> bool:
    """Whether some warning becomes an error, but those of IPython's own class that IPython itself turns into one."""
    for action, _, category, *_ in list(warnings.filters):
        if action == "error" and not (type(category) is type and safe.class_module(category).startswith("IPython.")):
            return True
    return False


def _is_of_ipython(transform: object) -> bool:
    return "IPython.core.inputtransformer2" in (_home(transform), safe.class_module(type(transform)))


def _home(callback: object) -> str:
    function = callback.__func__ if type(callback) is types.MethodType else callback
    if type(function) is not types.FunctionType:
        return ""
    home = function.__globals__.get("__name__")
    return home if type(home) is str else ""


def _user_code_runs_in_a_thread(namespace: dict[str, object]) -> bool:
    """Whether a thread other than the main one runs, or waits to run, a function of the notebook."""
    main = threading.main_thread().ident
    for ident, frame in sys._current_frames().items():
        walked: types.FrameType | None = frame
        while ident != main and walked is not None:
            if walked.f_globals is namespace:
                return True
            walked = walked.f_back
    for thread in threading.enumerate():
        own = safe.instance_dict(thread) or {}
        for waiting in (own.get("function"), own.get("_target")):
            function = waiting.__func__ if type(waiting) is types.MethodType else waiting
            if type(function) is types.FunctionType and function.__globals__ is namespace:
                return True
    return False
