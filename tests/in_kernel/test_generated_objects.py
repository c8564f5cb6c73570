"""No question leaves a trace or runs the user's code, about values that Hypothesis makes, see `generated`.

Most programs are asked about in this process, through `entry.answer`; some in a kernel with the observer. A program
that fails is printed: it belongs into the zoo then.
"""

import json
import sys
import warnings
from contextlib import ExitStack, suppress
from types import SimpleNamespace

import pytest
from fingerprint import Fingerprint
from generated import GROUND, programs
from hypothesis import HealthCheck, Phase, given, settings
from test_fingerprint import Kernel
from zoo import CLEAN, START, TRAPS

from crane_agent.in_kernel import entry, wire
from crane_agent.session.protocol import Limits
from evals.probes.questions import OF_THE_WORLD, all_questions

PROGRAMS = 120
PROGRAMS_IN_A_KERNEL = 15

QUESTIONS = [
    question for question in all_questions(("it", "it.a", "it[0]", "it['a']")) if question.probe not in OF_THE_WORLD
]

MANNER = settings(
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)


GROUND_CODE = compile(TRAPS + GROUND, "ground.py", "exec")


CARELESS = {
    "repr": "repr(it)",
    "getattr": "getattr(it, 'shape', None)",
    "isinstance": "isinstance(it, pd.DataFrame)",
    "truth": "bool(it)",
    "equality": "it == it",
}


@pytest.mark.parametrize("act", CARELESS)
@pytest.mark.filterwarnings("ignore")
def test_what_is_generated_notices_a_careless_look(act):
    noticed = []

    @given(program=programs())
    @settings(MANNER, max_examples=40)
    def look(program):
        space = bound_by(program)
        with suppress(Exception):
            exec(CARELESS[act], space)
        noticed.append(bool(space["ran"]))

    look()
    assert any(noticed)


def bound_by(program):
    """Run a program, and return its names; each has a `ran` of its own, since garbage of an earlier one may still run."""
    space = {"__name__": "__main__"}
    exec(GROUND_CODE, space)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(program, "program.py", "exec"), space)
    return space


@given(program=programs())
@settings(MANNER, max_examples=PROGRAMS)
def test_no_question_touches_what_is_generated_here(program):
    space = bound_by(program)
    shell = SimpleNamespace(user_ns=space, user_ns_hidden={}, execution_count=1)
    ran = space["ran"]
    before = Fingerprint(shell, None).take_names()
    asked = ask_all(shell, ran)
    assert Fingerprint(shell, None).take_names().differences(before) == []
    assert asked


def ask_all(shell, ran):
    """Ask every question twice; the second answer must be the same text."""
    for probe, arguments in QUESTIONS:
        request = wire.dumps({"ask": probe, "arguments": dict(arguments), "privacy": "values"})
        text = entry.answer(request, shell)
        assert not ran, f"{probe} {dict(arguments)} ran {ran}"
        reply = json.loads(text)
        assert reply["status"] in ("ok", "refused"), f"{probe} {dict(arguments)}: {reply}"
        assert len(text.encode()) <= Limits().bytes
        assert entry.answer(request, shell) == text, f"{probe} {dict(arguments)} answers differently"
    return len(QUESTIONS)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    with ExitStack() as cleanup:
        kernel = Kernel(tmp_path_factory.mktemp("generated"), cleanup, sys.executable)
        kernel.run(START + GROUND)
        kernel.channel.install()
        kernel.ask("names", {})
        yield kernel


@given(program=programs())
@settings(MANNER, max_examples=PROGRAMS_IN_A_KERNEL)
def test_no_question_touches_what_is_generated_in_a_kernel(kernel, program):
    names = [f"{kind}{number}" for kind in "CMx" for number in range(3)]
    kernel.run(f"{' = '.join(names)} = table = None\n{CLEAN}")
    kernel.bind(program)
    kernel.watch.start()
    kernel.ask_all(QUESTIONS)
    if found := kernel.traces():
        # What happens the first time only is the kernel's own, e.g. an abstract class that notes who is none of it.
        again = kernel.culprits(program, QUESTIONS)
        assert not again, "\n".join([*found[:10], *again])
