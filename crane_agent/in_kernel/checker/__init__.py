"""The checker: walks the target over the kernel's live values and reports a crash that it can prove.

- `walker` follows the statements, `expressions` the expressions, in the order Python runs them; `magics` those of
  IPython.
- Code of the user's is followed by its source (`definitions`): `functions` and classes, their `special` methods and
  `descriptors`, `data_classes`, `generators`; `callbacks` are functions that a library calls, `plain_functions` those
  that are worked out for a whole column.
- `library` asks the libraries themselves; `effects` is what code that is not followed may change, `memory` what shares
  it.
- `words` is how what they say obeys the privacy level;
- `values` is what is known of a value; `state` is what is known at one point: names, changes, doubts.
- `sites` are the places a rule is asked about; `rules` say what is certain to raise (the manual is there); `pure` says
  what is certain not to. Whatever neither knows becomes a doubt, and behind a doubt nothing is certain.
- `surroundings` looks for what could change the cell's world behind its back.

The checker takes no settings but its budget.
"""

from __future__ import annotations

from typing import Any

from .. import safe, wire
from ..privacy import NAMES, Field
from .library import tables
from .sites import Stop
from .state import State, finding_facts
from .surroundings import reasons
from .walker import Walker


def check(shell: Any, budget: safe.Budget, tree: Any, first_word: str = "") -> dict[str, Any]:
    """Walk the target.

    Args:
        shell: IPython's shell.
        budget: What the walk may cost.
        tree: The target's syntax tree as `wire.encode_tree` made it, after IPython's input transformation.
        first_word: The first word of a target that is a single line, else ''.

    Returns:
        `finding`, a crash that is certain, or None; if it is not `exact`, an earlier line may raise before it;
        `suspects`, crashes that are likely, with the doubts they were found under; `questions`, what probes could
        settle; `doubts`, why what comes behind them is not certain; `finished`, whether the walk reached the end;
        `settled`, whether the cell is certain to run without a crash; `stopped`, where and why it ended. Lines count
        from 1 in the tree, columns from 0.
    """
    module = wire.decode_tree(tree)
    state = State(shell, budget)
    for reason in reasons(shell, module.body, first_word):  # type: ignore[attr-defined]
        state.doubt(module, "effects", reason)
    finding, stopped = None, None
    try:
        Walker(state).run(module)  # type: ignore[arg-type]
    except Stop as stop:
        if stop.finding is not None and stop.node is not None:
            exact = not state.doubts
            finding = dict(finding_facts(stop.finding, stop.node, budget), exact=exact)
        stopped = {"line": getattr(stop.node, "lineno", None), "why": stop.why}
    finally:
        tables.give_back()
    most = budget.items
    return {
        "finding": finding,
        "suspects": state.suspects[:most],
        "questions": state.questions[:most],
        "doubts": [doubt._asdict() for doubt in state.doubts[:most]],
        "finished": stopped is None,
        "settled": stopped is None and not state.doubts,
        "stopped": stopped,
        "truncated": max(len(state.suspects), len(state.questions), len(state.doubts)) > most,
    }


FIELDS = {
    "finding": Field(NAMES, "a crash that is certain", records=True),
    "suspects": Field(NAMES, "crashes that are likely", records=True),
    "questions": Field(NAMES, "what probes could settle", records=True),
    "doubts": Field(NAMES, "why what comes behind them is not certain", records=True),
    "stopped": Field(NAMES, "where and why the walk ended", records=True),
    "exact": Field(NAMES, "whether nothing before it may raise: type and line are certain, too"),
    "finished": Field(NAMES, "whether the walk reached the end"),
    "settled": Field(NAMES, "whether the cell is certain to run"),
    "rule": Field(NAMES, "id of the rule that found it"),
    "crash_type": Field(NAMES, "JunoBench's label"),
    "library": Field(NAMES, "package that raises"),
    "line": Field(NAMES, "line of the target"),
    "column": Field(NAMES, "column of that line"),
    "why": Field(NAMES, "why something is in doubt"),
    "conditional": Field(NAMES, "whether it stands in a branch or a loop"),
    # Made of parts with levels of their own, see `words`: what is above the level is not in them.
    "message": Field(NAMES, "message of the exception"),
    "because": Field(NAMES, "the evidence in words"),
    "proof": Field(NAMES, "id of what was kept out of these words, for the user's own screen"),
    # Their arguments are names and constants of the target; a probe that needs more is not named.
    "probe": Field(NAMES, "the probe that shows the same, with its arguments"),
    "arguments": Field(NAMES, "arguments of that probe"),
    "about": Field(NAMES, "what else a question is about"),
}
