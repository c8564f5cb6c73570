"""The trace: what happened in a run, event by event, for a file that can be read and replayed, or for LangSmith.

An event is one JSON object with its kind as `event` and the time of the run as `seconds`:

    run        the versions, the settings without keys, what the kernel is, who decides
    target     the target and the cells around it, as a policy sees them
    question   a question to the kernel and its reply; each becomes a fact, or confirms that the facts still hold
    rehearsal  a run in a copy of the kernel, and its report
    request    what a model is sent: the messages, the names of its tools
    reply      what it answers, with its tokens; or a `failure`
    decision   what a policy's asking of its model came to, retries over
    node       a node of the graph, and what it added to the state
    verdict    the verdict; or an `error`

Nothing above the privacy level is in an event, and no secret: proofs are left out, texts are redacted.
"""

import json
import os
import platform
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import AbstractContextManager, contextmanager
from dataclasses import fields, is_dataclass, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage, message_to_dict
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.tracers.langchain import LangChainTracer
from langchain_core.tracers.schemas import Run
from langsmith import Client, tracing_context
from langsmith.utils import tracing_is_enabled
from pydantic import BaseModel, SecretStr
from typing_extensions import Self

from crane_agent.agent.policy import Decision, Policy, Proposal, Tried, View
from crane_agent.agent.state import Clock, State
from crane_agent.config import Settings
from crane_agent.errors import ConfigError, KernelError
from crane_agent.in_kernel.redaction import redacted_value
from crane_agent.llm.prompt_files import prompts_version
from crane_agent.notebook.cells import Cell
from crane_agent.notebook.history import Target
from crane_agent.session.protocol import Limits, PatchedCell, Rehearsal, Reply, Session
from crane_agent.session.wrapped import WrappedSession
from crane_agent.verdict.models import Claim, Verdict
from crane_agent.verdict.render import without_secrets

FORMAT = 1
"""Version of the trace's form; a change of meaning is a new one."""

PROOF = "proof"
"""The field of a reply that no trace has."""

Trace = Callable[[Mapping[str, Any]], None]
"""Gets each event as it happens."""

LANGSMITH_LIMIT_S = 5.0
"""Longest that a run waits at its end until LangSmith has it [seconds]."""

_PACKAGES = ("crane-agent", "langgraph", "langchain-core", "langchain-openai", "openai")


# -- values ----------------------------------------------------------------------------------------------------------


def as_event(value: object) -> Any:
    """Return what a run holds as JSON values, without proofs and secrets."""
    return redacted_value(_plain(value))


def _plain(value: object) -> Any:
    if isinstance(value, BaseMessage):
        return _plain(message_to_dict(value))
    if isinstance(value, Cell):
        value = replace(value, source=without_secrets(value.source))  # its lines stay as many
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value) if each.name != PROOF}
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, Set):
        return sorted(map(str, value))
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


# -- a file ----------------------------------------------------------------------------------------------------------


class TraceFile:
    """One run's trace: a new file with one event a line.

    An event is in the file before the call returns, so that a killed run loses nothing. May be used from several
    threads.
    """

    def __init__(self, path: Path) -> None:
        """Make the file, readable and writable by its owner alone.

        Raises:
            ConfigError: It exists already, since one file is one run; or it cannot be made.
        """
        self._path = path
        self._lock = threading.Lock()
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise ConfigError(f"{path}: there is such a file already, and a trace replaces none") from None
        except OSError as error:
            raise self._unwritable(error) from None
        self._file = os.fdopen(descriptor, "w", encoding="ascii")

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Add a line.

        Raises:
            ConfigError: It cannot be written.
        """
        with self._lock:
            try:
                self._file.write(json.dumps(event) + "\n")
                self._file.flush()
            except OSError as error:
                raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> ConfigError:
        return ConfigError(f"{self._path}: the trace cannot be written: {error.strerror}")

    def close(self) -> None:
        """Close the file; one without any line is removed. Closing twice is fine."""
        with self._lock:
            if self._file.closed:
                return
            is_empty = os.fstat(self._file.fileno()).st_size == 0
            self._file.close()
            if is_empty:
                self._path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


# -- events ----------------------------------------------------------------------------------------------------------


class Recorder:
    """Turns what happens in one run into events.

    Args:
        trace: Gets them.
        clock: The time of the run.
    """

    def __init__(self, trace: Trace, clock: Clock) -> None:
        self._trace = trace
        self._clock = clock
        self._lock = threading.Lock()
        self._is_over = False

    def __call__(self, kind: str, **values: object) -> None:
        """Add an event; one that comes when the run is over, as a late reply of a model may, belongs to no run."""
        event = {"event": kind, "seconds": round(self._clock.seconds, 6), **as_event(values)}
        with self._lock:
            if not self._is_over:
                self._trace(event)

    def begin(self, target: Target, session: Session, settings: Settings, *, policy: str, can_ask: bool) -> None:
        """Add what is known before the first node."""
        self(
            "run",
            format=FORMAT,
            versions=_versions(),
            settings=_without_keys(settings),
            kernel={"python_version": session.python_version, "owned": session.owned},
            policy=policy,
            can_ask=can_ask,
        )
        cells = {"executed": target.executed, "not_run": target.not_run, "later": target.later}
        every = [target.cell, *target.executed, *target.not_run, *target.later]
        self(
            "target",
            cell=target.cell,
            **cells,
            is_complete=target.is_complete,
            cells_with_secrets=sum(without_secrets(cell.source) != cell.source for cell in every),
        )

    def add_node(self, node: str, added: State | None) -> None:
        """Add what a node gave to the state."""
        self("node", node=node, added=added or {})

    def end(self, outcome: Verdict | BaseException) -> None:
        """Add how it ended; nothing comes after it."""
        if isinstance(outcome, Verdict):
            self("verdict", verdict=outcome)
        else:
            self("error", error=f"{type(outcome).__name__}: {outcome}")
        with self._lock:
            self._is_over = True


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "prompts": prompts_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def _without_keys(settings: Settings) -> dict[str, Any]:
    """Return the settings without what is secret; of an address, which may hold a password, only its host."""
    kept = {name: value for name, value in settings if not isinstance(value, SecretStr)}
    if settings.base_url is not None:
        address = urlsplit(settings.base_url)
        kept["base_url"] = f"{address.scheme}://{address.hostname}" + (f":{address.port}" if address.port else "")
    return kept


class TracedSession(WrappedSession):
    """A session whose questions and replies are recorded."""

    def __init__(self, session: Session, record: Recorder) -> None:
        super().__init__(session)
        self._record = record

    def ask(self, question: str, arguments: Mapping[str, Any], *, limits: Limits | None = None) -> Reply:
        """Put one question to the kernel; errors as for the session itself."""
        asked = {"question": question, "arguments": question_arguments(question, arguments)}
        try:
            reply = super().ask(question, arguments, limits=limits)
        except KernelError as error:
            self._record("question", **asked, **_failure(error))
            raise
        self._record("question", **asked, limits=limits, reply=reply, has_proof=bool(reply.proof))
        return reply

    def rehearse(self, source: str, *, seconds: float, patched: PatchedCell | None = None) -> Rehearsal:
        """Run a cell in a fenced copy of the kernel; errors as for the session itself."""
        asked = rehearsal_asked(source, patched)
        try:
            rehearsal = super().rehearse(source, seconds=seconds, patched=patched)
        except KernelError as error:
            self._record("rehearsal", asked=asked, **_failure(error))
            raise
        has_proof = bool(rehearsal.reply.proof)
        self._record("rehearsal", asked=asked, limit_s=seconds, rehearsal=rehearsal, has_proof=has_proof)
        return rehearsal


def question_arguments(question: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a question's arguments as a trace has them: the checker's are the target once more, as a syntax tree."""
    return {} if question == "check" else arguments


def rehearsal_asked(source: str, patched: PatchedCell | None) -> dict[str, Any]:
    """Return what is to be rehearsed as a trace has it."""
    changed = None if patched is None else {"place": patched.place, "source": without_secrets(patched.source)}
    return {"source": without_secrets(source), "patched": changed}


def _failure(error: KernelError) -> dict[str, str]:
    return {"failure": type(error).__name__, "words": str(error)}


class TracedPolicy:
    """A policy that asks a model; what each asking came to is recorded."""

    def __init__(self, policy: Policy, record: Recorder) -> None:
        self._policy = policy
        self._record = record

    @property
    def name(self) -> str:
        """The policy's name."""
        return self._policy.name

    def decide(self, view: View) -> Decision:
        """Return what the policy decides."""
        decision = self._policy.decide(view)
        replies = [message for message in decision.messages if isinstance(message, AIMessage)]
        self._record("decision", replies=replies, gave_up=decision.gave_up)
        return decision

    def mend(self, view: View, claim: Claim, tried: Sequence[Tried]) -> Proposal:
        """Return what the policy proposes."""
        proposal = self._policy.mend(view, claim, tried)
        self._record("decision", replies=list(proposal.messages), gave_up=proposal.gave_up)
        return proposal


class ModelCalls(BaseCallbackHandler):
    """Records each request to a model and each reply, retries included."""

    raise_error = True  # a trace that cannot be written ends the run, as an audit does

    def __init__(self, record: Recorder) -> None:
        self._record = record

    def on_chat_model_start(
        self, serialized: dict[str, Any], messages: list[list[BaseMessage]], *, run_id: UUID, **kwargs: Any
    ) -> None:
        """Record a request."""
        asked = kwargs.get("invocation_params") or {}
        self._record(
            "request",
            call=run_id,
            model=asked.get("model") or asked.get("model_name"),
            messages=messages[0],
            tools=[_tool_name(tool) for tool in asked.get("tools") or ()],
            tool_choice=asked.get("tool_choice"),
        )

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """Record a reply."""
        generation = response.generations[0][0]
        message = generation.message if isinstance(generation, ChatGeneration) else None
        self._record("reply", call=run_id, message=message, tokens=getattr(message, "usage_metadata", None))

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Record a failure: its kind and status, since its words may quote the key."""
        self._record("failure", call=run_id, error=type(error).__name__, status=getattr(error, "status_code", None))


def _tool_name(tool: Mapping[str, Any]) -> Any:
    """Return a tool's name, in the form of Chat Completions or of Responses."""
    return tool.get("name") or tool.get("function", {}).get("name")


# -- LangSmith -------------------------------------------------------------------------------------------------------


@contextmanager
def langsmith() -> Iterator[list[BaseCallbackHandler]]:
    """Give LangSmith's tracer if the user switched it on by its own variables, else none.

    What it sends is what a trace has: without proofs and secrets. LangChain would make a tracer of its own, which sends
    the state as it is. All is sent, or given up on, when this ends.
    """
    if tracing_is_enabled() is not True:
        yield []
        return
    client = _langsmith_client()
    try:
        yield [_Tracer(client=client)]
    finally:
        client.flush(timeout=LANGSMITH_LIMIT_S)


class _Tracer(LangChainTracer):
    """LangSmith's tracer, without the model's own settings: the address among them may hold a password."""

    def on_chat_model_start(
        self, serialized: dict[str, Any], messages: list[list[BaseMessage]], *, run_id: UUID, **kwargs: Any
    ) -> Run:
        """Begin the run of a model call."""
        return super().on_chat_model_start({"id": serialized.get("id")}, messages, run_id=run_id, **kwargs)


@cache
def _langsmith_client() -> Client:
    return Client(anonymizer=_without_proofs)


def _without_proofs(sent: Any) -> Any:
    return redacted_value(_pruned(sent))


def _pruned(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _pruned(each) for key, each in value.items() if key != PROOF}
    return [_pruned(each) for each in value] if isinstance(value, list) else value


def offline() -> AbstractContextManager[None]:
    """Switch LangSmith off inside, whatever its variables say."""
    return tracing_context(enabled=False)
