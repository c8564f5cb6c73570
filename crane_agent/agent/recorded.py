"""A recorded run: its target, and a kernel, a model and a clock that answer from its trace."""

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from langchain_core.messages import AIMessage, messages_from_dict
from pydantic import TypeAdapter, ValidationError
from typing_extensions import Self

from crane_agent import errors
from crane_agent.agent.llm_policy import ModelPolicy
from crane_agent.agent.policy import Policy
from crane_agent.agent.rule_policy import RulePolicy
from crane_agent.agent.state import Clock
from crane_agent.agent.trace import FORMAT, as_event, question_arguments, rehearsal_asked
from crane_agent.config import Settings
from crane_agent.errors import ConfigError, KernelError, ModelUnavailable
from crane_agent.llm.endpoint import Endpoint, Question
from crane_agent.notebook.cells import Cell
from crane_agent.notebook.code import names_in, parse
from crane_agent.notebook.history import Target
from crane_agent.session.protocol import Limits, PatchedCell, Rehearsal, Reply

Event = Mapping[str, Any]

NO_REPLY = "could not look, because the trace has no reply to this"

_CELL: TypeAdapter[Cell] = TypeAdapter(Cell)
_CELLS: TypeAdapter[tuple[Cell, ...]] = TypeAdapter(tuple[Cell, ...])
_REPLY: TypeAdapter[Reply] = TypeAdapter(Reply)
_REHEARSAL: TypeAdapter[Rehearsal] = TypeAdapter(Rehearsal)


class RecordedClock(Clock):
    """Shows the time at which what was last taken from the trace happened."""

    def __init__(self) -> None:
        self._seconds = 0.0

    @property
    def seconds(self) -> float:
        """Time since the run began [seconds]."""
        return self._seconds

    def leave_out(self, seconds: float) -> None:
        """Count `seconds` that have passed as if they had not."""
        self._seconds -= seconds

    def show(self, event: Event) -> None:
        """Show the time of an event."""
        self._seconds = float(event["seconds"])


class RecordedSession:
    """A session that answers from a trace; what was asked more often than recorded gets the last reply again.

    Attributes:
        unanswered: What was asked and is not in the trace, in words.
    """

    def __init__(self, events: Iterable[Event], kernel: Mapping[str, Any], clock: RecordedClock) -> None:
        self.unanswered: list[str] = []
        self._kernel = kernel
        self._clock = clock
        self._replies: dict[str, deque[Event]] = {}
        for event in events:
            if event["event"] == "question":
                self._replies.setdefault(_key(event["question"], event["arguments"]), deque()).append(event)
            elif event["event"] == "rehearsal":
                self._replies.setdefault(_key("rehearsal", event["asked"]), deque()).append(event)

    @property
    def python_version(self) -> tuple[int, int]:
        """(major, minor) of the kernel's Python."""
        major, minor = self._kernel["python_version"]
        return major, minor

    @property
    def owned(self) -> bool:
        """Whether the kernel was started by us."""
        return bool(self._kernel["owned"])

    def ask(self, question: str, arguments: Mapping[str, Any], *, limits: Limits | None = None) -> Reply:
        """Return the recorded reply, or raise the recorded error."""
        asked = as_event(question_arguments(question, arguments))
        event = self._next(_key(question, asked), f"{question} {asked}")
        return Reply("refused", reason=NO_REPLY) if event is None else _REPLY.validate_python(event["reply"])

    def rehearse(self, source: str, *, seconds: float, patched: PatchedCell | None = None) -> Rehearsal:
        """Return the recorded rehearsal, or raise the recorded error."""
        event = self._next(_key("rehearsal", as_event(rehearsal_asked(source, patched))), "a rehearsal of another text")
        if event is None:
            return Rehearsal(Reply("refused", reason=NO_REPLY))
        return _REHEARSAL.validate_python(event["rehearsal"])

    def _next(self, key: str, words: str) -> Event | None:
        replies = self._replies.get(key)
        if replies is None:
            self.unanswered.append(words)
            return None
        event = replies.popleft() if len(replies) > 1 else replies[0]
        self._clock.show(event)
        if "failure" in event:
            raise _kernel_error(event)
        return event

    def close(self) -> None:
        """Nothing is open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


def _key(question: str, asked: object) -> str:
    return json.dumps([question, asked], sort_keys=True)


def _kernel_error(event: Event) -> KernelError:
    kind = getattr(errors, str(event["failure"]), KernelError)
    is_ours = isinstance(kind, type) and issubclass(kind, KernelError)
    error: KernelError = (kind if is_ours else KernelError)(event["words"])
    return error


class RecordedEndpoint(Endpoint):
    """An endpoint that gives the recorded replies in their order, whatever it is asked."""

    def __init__(self, events: Iterable[Event], clock: RecordedClock) -> None:
        self._clock = clock
        self._answers: deque[tuple[Event, AIMessage | str]] = deque()
        for event in events:
            if event["event"] == "decision":
                replies = messages_from_dict(event["replies"])
                self._answers.extend((event, reply) for reply in replies if isinstance(reply, AIMessage))
                if event["gave_up"] and not replies:
                    self._answers.append((event, event["gave_up"]))

    def ask(self, question: Question, *, deadline: float) -> AIMessage:
        """Return the next recorded reply.

        Raises:
            ModelUnavailable: There was none, for the reason recorded; or the trace has no more.
        """
        if not self._answers:
            raise ModelUnavailable("the trace has no further reply of the model")
        event, answer = self._answers.popleft()
        self._clock.show(event)
        if isinstance(answer, str):
            raise ModelUnavailable(answer)
        return answer


class Recording:
    """A run as its trace has it.

    Attributes:
        events: Every event, in order.
        target: The target, its secrets and those of the other cells redacted.
        settings: The settings, without keys.
        clock: Shows the run's time.
        session: Answers from the trace.
        policy: Decides as the recorded one did: the rules, or a model policy whose model answers from the trace.
        may_rehearse: Gives the answer that the user gave; None if nobody could be asked.
        nodes: The nodes of the graph, in the order they ran, with what each added.
        verdict: The verdict.
        missing: What a replay has not, since no trace has it, in words.
    """

    def __init__(self, events: Sequence[Event]) -> None:
        """Take the events of a trace.

        Raises:
            KeyError, TypeError, ValueError: They are not a whole run's.
        """
        by_kind = {event["event"]: event for event in events}
        run, target = by_kind["run"], by_kind["target"]
        self.events = events
        self.target = _target(target)
        known = {name: value for name, value in run["settings"].items() if name in Settings.model_fields}
        self.settings = Settings(**{**known, "base_url": None})
        self.clock = RecordedClock()
        self.session = RecordedSession(events, run["kernel"], self.clock)
        self.policy: Policy = RulePolicy()
        if run["policy"] != RulePolicy.name:
            endpoint = RecordedEndpoint(events, self.clock)
            self.policy = ModelPolicy(endpoint, run["policy"], answer_tokens=self.settings.answer_tokens)
        self.nodes = nodes_in(events)
        answers = [event["added"]["may_rehearse"] for event in self.nodes if "may_rehearse" in event["added"]]
        self.may_rehearse: Callable[[], bool] | None = (lambda: any(answers)) if run["can_ask"] else None
        self.verdict: Mapping[str, Any] = by_kind["verdict"]["verdict"]
        self.missing = tuple(_missing(events, target))


def read_trace(path: Path) -> Recording:
    """Return the run that a trace tells of.

    Raises:
        ConfigError: The file cannot be read, is no trace, or one of another form or of a run without a verdict.
    """
    try:
        events = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        kinds = {event["event"]: event for event in events}
        run = kinds["run"]
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ConfigError(f"{path}: this is not the trace of a run") from None
    if run.get("format") != FORMAT:
        raise ConfigError(f"{path}: the trace has another form than this version's ({FORMAT})")
    if "verdict" not in kinds:
        why = f": {kinds['error']['error']}" if "error" in kinds else ""
        raise ConfigError(f"{path}: the run did not come to a verdict{why}")
    try:
        return Recording(events)
    except ValidationError as error:
        place = ".".join(map(str, error.errors(include_url=False)[0]["loc"]))
        raise ConfigError(f"{path}: this is not the trace of a run: {place} cannot be used") from None
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ConfigError(f"{path}: this is not the trace of a run") from None


def nodes_in(events: Iterable[Event]) -> tuple[Event, ...]:
    """Return the events of nodes, in order."""
    return tuple(event for event in events if event["event"] == "node")


def _target(event: Event) -> Target:
    cell = _CELL.validate_python(event["cell"])
    code = parse(cell.source)
    lists = {name: _CELLS.validate_python(event[name]) for name in ("executed", "not_run", "later")}
    return Target(cell=cell, code=code, names=names_in(code), **lists, is_complete=event["is_complete"])


def _missing(events: Iterable[Event], target: Event) -> Iterable[str]:
    cells = target["cells_with_secrets"]
    if cells:
        yield f"the secrets in {cells} cell{'' if cells == 1 else 's'}"
    proofs = sum(bool(event.get("has_proof")) for event in events)
    if proofs:
        yield f"what proved {proofs} repl{'y' if proofs == 1 else 'ies'} and is above the privacy level"
