"""The magic `%crane`: a cell is checked where it stands, and its verdict is the output.

Loading this costs nothing but the magic's name: whatever is heavy is imported when it is first asked for. Nothing is
put into the user's namespace; all that is remembered between cells is in one object, `Crane`, which the magic belongs
to.
"""

import random
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from IPython.core.magic import no_var_expand

from crane_agent.errors import ConfigError, CraneAgentError, NoSuchCell

if TYPE_CHECKING:
    from crane_agent.frontends.notebook.check import Checked
    from crane_agent.frontends.notebook.guard import Guard

NAME = "crane"
"""Name of the magic."""

HELP = """\
%%crane                      on top of a cell: check the cell instead of running it
%crane check 12              check a cell that ran, by its number in In [12], or one of the saved notebook, by its id
%crane next                  check the first cell of the saved notebook, below the last one that ran, that has not run
%crane explain               say why the last cell that crashed did, and what would fix it
%crane fix                   put the patched cell into a new cell; it is not run
%crane guard on | off        check every cell before it runs, and stop it if it is certain to crash
%crane settings              show what is set; name=value sets it: privacy, model, rehearse; name= forgets it
"""


class Crane:
    """What `%crane` does in one IPython; takes nothing from the user's namespace and puts nothing there.

    Attributes:
        last: What was checked last, for `%crane fix`; None at the start.
        guard: The guard, while it is on.
    """

    def __init__(self, shell: Any) -> None:
        self.last: Checked | None = None
        self.guard: Guard | None = None
        self._shell = shell

    @no_var_expand
    def crane(self, line: str, cell: str | None = None) -> None:
        """Say before a cell runs whether it will crash, why, and what would fix it; bare, list what there is."""
        word, _, rest = line.strip().partition(" ")
        try:
            with untouched():
                if cell is not None:
                    self._check_text(word, cell)
                elif word in _WORDS:
                    _WORDS[word](self, rest.strip())
                else:
                    raise ConfigError(f"there is no '%crane {word}'; '%crane' alone lists what there is")
        except CraneAgentError as error:
            say_error(error)

    def close(self) -> None:
        """Take away what is ours."""
        if self.guard is not None:
            self.guard.close()
            self.guard = None

    def _check_text(self, word: str, cell: str) -> None:
        from crane_agent.frontends.notebook.check import check_text

        if word:
            raise ConfigError(f"there is no '%%crane {word}'; '%%crane' stands alone, above the cell to check")
        if not cell.strip():
            raise NoSuchCell("there is nothing below '%%crane' to check")
        self.last = check_text(self._shell, cell)

    def _help(self, rest: str) -> None:
        sys.stdout.write(HELP)

    def _check(self, which: str) -> None:
        from crane_agent.frontends.notebook.check import check_named

        if not which or " " in which:
            raise ConfigError("name one cell: '%crane check 12' by its In [12], or by its id")
        self.last = check_named(self._shell, which)

    def _next(self, rest: str) -> None:
        from crane_agent.frontends.notebook.check import check_next

        _refuse(rest, "next")
        self.last = check_next(self._shell)

    def _explain(self, rest: str) -> None:
        from crane_agent.frontends.notebook.crash import explain

        _refuse(rest, "explain")
        self.last = explain(self._shell)

    def _fix(self, rest: str) -> None:
        from crane_agent.frontends.notebook.check import patch_of

        _refuse(rest, "fix")
        patch = patch_of(self.last)
        self._shell.set_next_input(patch.source)
        sys.stdout.write(f"{patch.words}\n")

    def _guard(self, rest: str) -> None:
        from crane_agent.frontends.notebook.guard import Guard

        if rest == "on" and self.guard is None:
            self.guard = Guard(self._shell, self)
        elif rest == "off":
            self.close()
        elif rest not in ("", "on"):
            raise ConfigError("'%crane guard on' or '%crane guard off'")
        state = self.guard.words() if self.guard is not None else "the guard is off: cells run unchecked"
        sys.stdout.write(f"{state}\n")

    def _settings(self, rest: str) -> None:
        from crane_agent.frontends.notebook.remembered import change, words

        for each in rest.split():
            change(each)
        sys.stdout.write(f"{words()}\n")


_WORDS: Mapping[str, Callable[[Crane, str], None]] = {
    "": Crane._help,
    "help": Crane._help,
    "check": Crane._check,
    "next": Crane._next,
    "explain": Crane._explain,
    "fix": Crane._fix,
    "guard": Crane._guard,
    "settings": Crane._settings,
}


def load(shell: Any) -> None:
    """Register the magic; touches the tables of magics only."""
    shell.register_magic_function(Crane(shell).crane, "line_cell", NAME)


def unload(shell: Any) -> None:
    """Take back `load`, and what was switched on since."""
    manager = shell.magics_manager
    magic = manager.magics["line"].get(NAME)
    crane = getattr(magic, "__self__", None)
    if isinstance(crane, Crane):
        crane.close()
        for kind in ("line", "cell"):
            manager.magics[kind].pop(NAME, None)
        vars(manager.user_magics).pop(NAME, None)


@contextmanager
def untouched() -> Iterator[None]:
    """Leave as it was, when this ends, what libraries of ours change in a process: the user's is the same process.

    LangGraph draws numbers from `random`, and imports add filters of warnings.
    """
    state = random.getstate()
    with warnings.catch_warnings():
        try:
            yield
        finally:
            random.setstate(state)


def say_error(error: CraneAgentError) -> None:
    """Say in one line what went wrong in the world."""
    from crane_agent.verdict.render import one_line

    sys.stderr.write(f"crane: {one_line(str(error))}\n")


def _refuse(rest: str, word: str) -> None:
    if rest:
        raise ConfigError(f"'%crane {word}' stands alone")
