"""The libraries themselves as oracle: cells really run in this process, and a crash gets the scene a kernel reports."""

import contextlib
import io
import json
import warnings
from types import SimpleNamespace

from IPython.core.compilerop import CachingCompiler
from targets import target_in

from crane_agent.agent.claims import Crash
from crane_agent.agent.labels import crash_type_of
from crane_agent.agent.repairs import candidates, candidates_elsewhere
from crane_agent.agent.repairs.honesty import hides
from crane_agent.in_kernel.rehearsal.report import of_error
from crane_agent.in_kernel.rehearsal.scene import scene_of
from crane_agent.notebook.code import parse

MOST_TRIED = 6


class Oracle:
    """A notebook whose executed cells have run in a namespace of their own."""

    def __init__(self, target, *executed):
        self.source = target
        self.target = target_in(target, executed=executed)
        self.executed = executed

    def run(self, source, executed=None):
        """Run executed cells and then a text as the target; return its exception and what is told of it."""
        # As IPython's shell: names of files and the sources behind them.
        shell = SimpleNamespace(compile=CachingCompiler(), transform_cell=lambda text: parse(text).python)
        no_magic = SimpleNamespace(run_line_magic=lambda name, line: None)
        namespace = {"__name__": "__main__", "get_ipython": lambda: no_magic}
        with contextlib.redirect_stdout(io.StringIO()):
            for number, cell in enumerate(self.executed if executed is None else executed, 1):
                exec(self._compiled(shell, cell, number), namespace)
            code = self._compiled(shell, source, 99)
            try:
                exec(code, namespace)
            except Exception as error:  # noqa: BLE001 - what the libraries raise is what is asked
                file = code.co_filename
                return of_error(error, shell, file), scene_of(error, shell, file, parse(source).tree)
        return None, None

    def _compiled(self, shell, source, number):
        python = parse(source).python
        name = shell.compile.cache(python, number)
        if number == 99:
            del shell.compile._filename_map[name]
        return compile(python, name, "exec", dont_inherit=True)

    def crash(self):
        """Return the crash of the target and its scene, which went over the wire."""
        error, scene = self.run(self.source)
        assert error is not None, "the original does not raise"
        crash = Crash(
            type=error["type"],
            message=error["message"],
            line=error["line"],
            column=None,
            because="it was run",
            crash_type=crash_type_of(error["type"], error["message"]),
            library=error["library"],
        )
        return crash, json.loads(json.dumps(scene)) or {}

    def first_that_runs(self, patches):
        """Return the first of the patches that are tried which comes to its end, None if none does."""
        for patch in patches[:MOST_TRIED]:
            if self.runs(patch):
                return patch
        return None

    def runs(self, patch):
        """Run the executed cells and the target, one of them patched; tell whether the target comes to its end."""
        old = self.source if patch.cell is None else self.executed[patch.cell]
        assert hides(old, patch.source) == "", (patch, hides(old, patch.source))
        if patch.cell is None:
            return self.run(patch.source)[0] is None
        executed = [*self.executed]
        executed[patch.cell] = patch.source
        return self.run(self.source, executed)[0] is None


def found_for(oracle):
    """Return the first patch that runs, of the target, then of executed cells, and a text for a failing test."""
    with warnings.catch_warnings():
        # Libraries warn of what they will change; what they raise is asked here.
        warnings.simplefilter("ignore")
        crash, scene = oracle.crash()
        patches = [list(each(crash, scene, oracle.target)) for each in (candidates, candidates_elsewhere)]
        found = next((each for each in map(oracle.first_that_runs, patches) if each is not None), None)
    sources = "\n~~~\n".join(f"{patch.cell}\n{patch.source}" for each in patches for patch in each)
    return found, f"{crash.type}: {crash.message}\n{sources}\n{scene}"
