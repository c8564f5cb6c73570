"""`crane-agent replay`: a recorded run once more, with its trace in the place of the kernel and of the model."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from crane_agent.verdict.models import Verdict
from crane_agent.verdict.render import one_line

Event = Mapping[str, Any]


class Difference(NamedTuple):
    """Where a replay and its recording part.

    Attributes:
        node: The node of the graph, or `verdict`.
        step: Which node of the run it is, counted from 1; 0 for the verdict.
        words: What is different.
    """

    node: str
    step: int
    words: str


class Replay(NamedTuple):
    """How a replay went.

    Attributes:
        verdict: What this version says.
        recorded: What the recorded run said.
        differences: Where they part; empty if the verdict and all nodes on the way to it are the same.
        unanswered: What was asked of the kernel that the trace has no reply to.
        missing: What no trace has, if that may be the reason for a difference.
    """

    verdict: Verdict
    recorded: Mapping[str, Any]
    differences: tuple[Difference, ...]
    unanswered: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def is_same(self) -> bool:
        """Whether the verdict is the same, but for the time that it took."""
        return all(difference.node != VERDICT for difference in self.differences)


VERDICT = "verdict"


def replay(path: Path) -> Replay:
    """Run a recorded run again, without a kernel, a model or a network.

    Raises:
        ConfigError: The file is no trace that can be replayed.
    """
    from crane_agent.agent.recorded import nodes_in, read_trace
    from crane_agent.agent.trace import offline
    from crane_agent.predict import predict

    recording = read_trace(path)
    events: list[Event] = []
    with offline():
        verdict = predict(
            recording.target,
            recording.session,
            settings=recording.settings,
            policy=recording.policy,
            may_rehearse=recording.may_rehearse,
            trace=events.append,
            clock=recording.clock,
        )
    differences = [*_of_nodes(recording.nodes, nodes_in(events)), *_of_verdicts(recording.verdict, events[-1][VERDICT])]
    return Replay(
        verdict=verdict,
        recorded=recording.verdict,
        differences=tuple(differences),
        unanswered=tuple(recording.session.unanswered),
        missing=recording.missing if differences else (),
    )


def as_lines(found: Replay) -> Iterator[str]:
    """Yield what a replay shows, a line each."""
    yield f"{'the same verdict' if found.is_same else 'another verdict'}: {_summary(found.verdict.model_dump())}"
    if not found.is_same:
        yield f"recorded: {_summary(found.recorded)}"
    for difference in found.differences:
        step = f" (step {difference.step})" if difference.step else ""
        yield one_line(f"{difference.node}{step}: {difference.words}")
    for asked in found.unanswered:
        yield one_line(f"not in the trace: {asked}")
    if found.missing:
        yield f"a trace has not, and this may be why: {'; '.join(found.missing)}"


def _summary(verdict: Mapping[str, Any]) -> str:
    exception = verdict["exception"] or {}
    where = f" ({exception['type']}, line {exception['line']})" if exception else ""
    return one_line(
        f"{verdict['outcome']}{where}, {verdict['certainty']}, {verdict['confidence']:.2f}, by {verdict['reached_by']}"
    )


def _of_nodes(recorded: Sequence[Event], replayed: Sequence[Event]) -> Iterator[Difference]:
    """Yield each node that added something else, up to where the run took another way through the graph."""
    for step, (old, new) in enumerate(zip_longest(recorded, replayed), start=1):
        if old is None or new is None or old["node"] != new["node"]:
            came, was = (_name(each) for each in (new, old))
            yield Difference(_name(old or new), step, f"the run goes on with {came}, where the recorded one has {was}")
            return
        changed = _changed(old["added"], new["added"])
        if changed:
            yield Difference(old["node"], step, f"adds other {', '.join(changed)}")


def _name(event: Event | None) -> str:
    return "its end" if event is None else str(event["node"])


def _of_verdicts(recorded: Event, replayed: Event) -> Iterator[Difference]:
    changed = _changed(recorded, replayed)
    if changed:
        yield Difference(VERDICT, 0, f"other {', '.join(changed)}")


def _changed(old: Event, new: Event) -> list[str]:
    names: Iterable[str] = dict.fromkeys((*old, *new))
    return [name for name in names if _timeless(old.get(name)) != _timeless(new.get(name)) and not _is_time(name)]


def _timeless(value: Any) -> Any:
    """Return a value without the times in it, which are never the same."""
    if isinstance(value, Mapping):
        return {name: _timeless(each) for name, each in value.items() if not _is_time(name)}
    return [_timeless(each) for each in value] if isinstance(value, list) else value


def _is_time(name: str) -> bool:
    return name == "milliseconds" or name.endswith("_ms")
