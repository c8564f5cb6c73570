"""The rehearsal: the target runs in a fenced, throw-away fork of the kernel.

- `quiet` says whether the kernel may be forked now; `clone` forks it and keeps the copy until its end.
- `fence` puts the copy behind the layers: `overlay`, `open_files`, `mappings`, `limits`, `capabilities`, `landlock`,
  `seccomp`; `system_calls` makes the calls.
- `performance` runs the target there, `pools` and `stand_ins` make do without threads and processes; `stuck` notices
  what waits in vain; `report` says how it ended. Then `scene` describes what the expression that failed was made of,
  `bound` what the target has bound or changed, both by `values`; `magics` knows what is under the line of a
  cell magic.
- `enclosure` puts another process behind the layers, a shadow kernel, which does the executed cells again; `witness`
  watches the target there, `training` shortens it.
- `trial` proves the layers in a process of its own, before the first use in an interpreter; `acts` are what it tries.

What cannot be decided is `unknown`, never a guess: a denied act, a limit, a signal, the deadline.
"""

from __future__ import annotations

import ast
from typing import Any, Dict, List, Optional

from .. import safe
from ..privacy import NAMES, SCHEMA, VALUES, Field
from . import clone
from .fence import NEEDED
from .witness import Witness


def rehearse(shell: Any, budget: safe.Budget, source: str, seconds: float, layers: List[str]) -> Dict[str, Any]:
    """Run the target in a fenced copy of the kernel.

    Args:
        shell: IPython's shell.
        budget: Gives the privacy level.
        source: The target as typed.
        seconds: Time that it has [seconds].
        layers: Layers of the fence that were proved in this interpreter.

    Returns:
        `FIELDS` says what each field is.

    Raises:
        Refused: It cannot be done safely here and now.
    """
    missing = [layer for layer in NEEDED if layer not in layers]
    if missing:
        raise safe.Refused("could not rehearse, because the fence lacks: " + ", ".join(missing))
    try:
        found = clone.rehearse(shell, source, seconds, layers)
    except clone.Refused as refused:
        raise safe.Refused("could not rehearse, because {}".format(refused)) from None
    _hold_back(found["exception"], budget, source)
    return found


_WITNESS = Witness()


def watch(shell: Any, budget: safe.Budget, seconds: float) -> Dict[str, Any]:
    """Watch the next cell of this shadow kernel, which is the target and has so much time. Answers nothing."""
    _WITNESS.watch(shell, seconds)
    return {}


def progress(shell: Any, budget: safe.Budget) -> Dict[str, Any]:
    """Say how far the target is that runs in this shadow kernel: `line`, `loop`, `changed`."""
    return _WITNESS.progress()


def ending(shell: Any, budget: safe.Budget, source: str) -> Dict[str, Any]:
    """Say how the target ended that ran in this shadow kernel: `outcome`, `exception`, `why`, `denied`, `changed`."""
    found = _WITNESS.ending(shell)
    _hold_back(found["exception"], budget, source)
    return found


def description(shell: Any, budget: safe.Budget, patched: str = "") -> Dict[str, Any]:
    """Describe what is there after the target's end in this shadow kernel: `scene`, `bound`.

    `patched` is the executed cell that had another text here than the first time; its names are among those of `bound`.
    It runs code of the user's, so it is asked last: what that does says nothing of the target.
    """
    return _WITNESS.description(shell, patched)


def _hold_back(exception: Optional[Dict[str, Any]], budget: safe.Budget, source: str) -> None:
    """Let a message that may hold more than the level shows travel as proof, apart."""
    if exception is not None and not budget.shows(VALUES) and not _is_written_in(exception["message"], source):
        budget.proof["rehearsal"] = {"message": exception["message"]}
        exception["message"] = ""


def _is_written_in(message: str, source: str) -> bool:
    """Whether a message is nothing but a constant that the target itself holds, as that of ``KeyError('x')``."""
    try:
        return bool(message) and ast.literal_eval(message) in _constants(source)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return False


def _constants(source: str) -> List[Any]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]


FIELDS = {
    "outcome": Field(NAMES, "crash, finished or unknown"),
    "why": Field(NAMES, "why it is unknown, in words"),
    "exception": Field(NAMES, "the exception that left the cell", records=True),
    "type": Field(NAMES, "class of the exception, or of a value; empty where it was not looked at"),
    "message": Field(NAMES, "its message; empty if it may hold more than the level shows"),
    "frames": Field(NAMES, "the user's own functions that it came through", records=True),
    "cell": Field(NAMES, "number of the cell, null for the target"),
    "file": Field(NAMES, "the user's file"),
    "function": Field(NAMES, "name of the function"),
    "text": Field(NAMES, "the line of code, or the source of an expression"),
    "line": Field(NAMES, "line of the target, or of the cell or file that the frame or expression is in"),
    "loop": Field(SCHEMA, "how far the loop is"),
    "library": Field(NAMES, "package that raises"),
    "denied": Field(NAMES, "acts that the fence denied"),
    "changed": Field(NAMES, "what was changed so that it could run in a copy"),
    "seconds": Field(NAMES, "time that the cell ran [s]"),
    "pause_ms": Field(NAMES, "time that the fork took the kernel's main thread [ms]"),
    "files": Field(NAMES, "whether writes were private or denied"),
    "scene": Field(NAMES, "the expression that failed, for a crash; null if it is not known", records=True),
    "end_line": Field(NAMES, "its last line"),
    "column": Field(NAMES, "column of its first character, from 0"),
    "end_column": Field(NAMES, "column behind its last character, from 0"),
    "node": Field(NAMES, "what it is: Call, Subscript, BinOp ...; before Python 3.11 the statement"),
    "parts": Field(NAMES, "what it was made of", records=True),
    "role": Field(NAMES, "what a part is to it: function, argument 0, keyword x, left, right, value, key, owner ..."),
    "bound": Field(SCHEMA, "of names it has bound or changed: type, shape, dtype, columns, length; null if not known"),
    "name": Field(NAMES, "how a function or class is imported"),
    "parameters": Field(SCHEMA, "parameters of what was called"),
    "attributes": Field(SCHEMA, "attributes like the one that is missing"),
    "shape": Field(SCHEMA, "sizes of the axes"),
    "dtype": Field(SCHEMA, "dtype"),
    "length": Field(SCHEMA, "number of elements, characters or rows"),
    "columns": Field(SCHEMA, "column labels"),
    "dtypes": Field(SCHEMA, "dtypes by column"),
    "index": Field(SCHEMA, "class of an index"),
    "keys": Field(SCHEMA, "keys of a dict"),
    "elements": Field(SCHEMA, "types of the first elements"),
    "device": Field(SCHEMA, "device that a tensor or network is on"),
    "requires_grad": Field(SCHEMA, "whether a tensor takes part in autograd"),
    "sizes": Field(SCHEMA, "numbers among a layer's settings"),
    "input_shape": Field(SCHEMA, "shape of the input of a Keras model, null where it varies"),
    "output_shape": Field(SCHEMA, "shape of its output"),
    "loss": Field(SCHEMA, "name of its loss"),
    "fitted": Field(SCHEMA, "whether an estimator is fitted"),
    "n_features_in": Field(SCHEMA, "number of features it was fitted on"),
    "feature_names_in": Field(SCHEMA, "names of the features it was fitted on"),
    "value": Field(VALUES, "a number, a truth value or a short text"),
}
