"""The command line: `crane-agent check NOTEBOOK`, `crane-agent kernels`, `crane-agent doctor`, `crane-agent replay`.

Standard output carries the verdict and nothing else; progress and errors go to standard error. Heavy imports are
inside functions, so that `--help` and a mistyped flag answer at once.
"""

import os
import sys
import traceback
from collections.abc import Iterator, Mapping, Set
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple, NoReturn

import typer

from crane_agent.errors import ConfigError, CraneAgentError

if TYPE_CHECKING:
    from rich.console import Console

    from crane_agent.agent.policy import Policy
    from crane_agent.agent.trace import TraceFile
    from crane_agent.audit import Audit
    from crane_agent.config import Settings
    from crane_agent.frontends.progress import RunProgress
    from crane_agent.notebook.cells import Notebook
    from crane_agent.notebook.history import Target
    from crane_agent.session.protocol import Session
    from crane_agent.verdict.models import Verdict

EXIT_CODES = {"no_crash": 0, "crash": 1, "unknown": 2}
EXIT_ERROR = 3
PIPE_WIDTH = 120
"""Width of the verdict where standard output is no terminal [columns]."""

EXIT_WORDS = (
    "Exit codes: 0 no crash expected, 1 a crash is expected, 2 it could not be settled, "
    "3 an error, a wrong command line and Ctrl-C included."
)

REPLAY_FLAGS = ("python", "in_place", "cell_limit_s", "total_limit_s", "start_limit_s", "copy_limit_mb")
"""Flags about a kernel of our own, which mean nothing to a kernel that runs already."""

_REHEARSE_WORDS = "Run the cell now in a copy of the kernel that is cut off from your files and the network?"

app = typer.Typer(
    name="crane-agent",
    help="Say before a Jupyter cell runs whether it will crash, why, and what would fix it.",
    epilog=EXIT_WORDS,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # its traceback would show local variables, keys among them
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Finished(SystemExit):
    """A command ended with an exit code of its own choice."""


def main() -> NoReturn:
    """Run the command line and exit; only a verdict or our own choice gives an exit code other than 0 or 3."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a narrow terminal must not cost the verdict
    try:
        app()
    except Finished:
        raise
    except SystemExit as stop:
        # typer ends a wrong command line with 2, which here means that the verdict is unknown
        raise SystemExit(EXIT_ERROR if stop.code else 0) from None
    except Exception:  # noqa: BLE001  (a bug of ours: shown whole, but not with 1, which means a crash)
        traceback.print_exc()
    raise SystemExit(EXIT_ERROR)


def _show_version(wanted: bool) -> None:
    if wanted:
        from crane_agent.frontends.version import installed_version

        typer.echo(f"crane-agent {installed_version()}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


_Python = Annotated[
    str | None,
    typer.Option(metavar="PATH", help="Interpreter whose ipykernel replays the cells, e.g. of your environment."),
]
_Model = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Chat model at OPENAI_BASE_URL to ask; without one the built-in rules decide."),
]


@app.command("check", epilog=EXIT_WORDS)
def check_notebook(
    context: typer.Context,
    notebook: Annotated[
        Path | None,
        typer.Argument(metavar="NOTEBOOK", help="The .ipynb file; it is only read. Not needed with --code."),
    ] = None,
    cell: Annotated[
        str | None,
        typer.Option(
            metavar="WHICH",
            help="The cell asked about: its id, its index counted from 0, or a tag that it alone carries; "
            "default: the first cell with a stored error, else the last one not run; with --kernel: the first one "
            "that the kernel has not run, below the one that it ran last.",
        ),
    ] = None,
    kernel: Annotated[
        str | None,
        typer.Option(
            metavar="WHERE",
            help="Judge the cell in the state of a running kernel: its id or the beginning of it, its connection "
            "file, or 'only' for the only one running. Nothing is replayed.",
        ),
    ] = None,
    code: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="With --kernel: the text asked about, instead of a cell of NOTEBOOK; - reads standard input.",
        ),
    ] = None,
    python: _Python = None,
    in_place: Annotated[
        bool | None,
        typer.Option("--in-place/--scratch-copy", help="Replay in the notebook's own folder; default: a copy."),
    ] = None,
    model: _Model = None,
    api: Annotated[
        str | None,
        typer.Option(metavar="WHICH", help="How the endpoint is spoken to: chat, responses or auto (default)."),
    ] = None,
    tool_calling: Annotated[
        str | None,
        typer.Option(metavar="HOW", help="How the model calls probes: native, text (for models that cannot) or auto."),
    ] = None,
    reasoning_effort: Annotated[
        str | None, typer.Option(metavar="WORD", help="How long the model reasons, e.g. low.")
    ] = None,
    temperature: Annotated[float | None, typer.Option(metavar="T", help="The model's temperature.")] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="Seed of the model's choices, in Chat Completions only.")
    ] = None,
    privacy: Annotated[
        str | None,
        typer.Option(
            metavar="LEVEL",
            help="What of your data may leave the kernel: names (and types), schema (shapes, columns, counts too; "
            "default) or values (samples too).",
        ),
    ] = None,
    audit: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write every byte that leaves the kernel or goes to a model to this new file, one JSON object a line.",
        ),
    ] = None,
    trace: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write what happens in the run to this new file, one JSON object a line, for 'crane-agent replay'.",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the verdict as one JSON document.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the verdict as Markdown.")] = False,
    check: Annotated[
        bool | None,
        typer.Option("--check/--no-check", help="Run the deterministic checker first; default: yes."),
    ] = None,
    facts: Annotated[
        str | None,
        typer.Option(
            metavar="WHICH",
            help="Runtime facts that a policy gets, beside checker and rehearsal: adaptive (what it asks for; "
            "default), fixed (one summary of the names the cell uses; also fixed-no-structure, fixed-no-values, "
            "fixed-no-types) or static (none).",
        ),
    ] = None,
    rehearse: Annotated[
        str | None,
        typer.Option(
            metavar="WHEN",
            help="Run the cell in a fenced copy of the kernel, where that can be proved safe: off, ask or on; default: "
            "on after a replay, off with --kernel.",
        ),
    ] = None,
    fix: Annotated[
        bool | None,
        typer.Option("--fix/--no-fix", help="Look for a patch of a crash, tried as --rehearse allows; default: yes."),
    ] = None,
    apply: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a copy of NOTEBOOK with the patch to FILE, which must not exist."),
    ] = None,
    cell_limit_s: Annotated[
        float | None, typer.Option(metavar="S", help="Replay: time for one cell [s]; default 600.")
    ] = None,
    total_limit_s: Annotated[
        float | None, typer.Option(metavar="S", help="Replay: time for all cells [s]; default 3600.")
    ] = None,
    start_limit_s: Annotated[
        float | None, typer.Option(metavar="S", help="Time for the kernel to start [s]; default 60.")
    ] = None,
    copy_limit_mb: Annotated[
        int | None, typer.Option(metavar="MB", help="Largest folder copied before a replay [MB]; default 2048.")
    ] = None,
    idle_limit_s: Annotated[
        float | None,
        typer.Option(metavar="S", help="--kernel: time to wait for a running cell to end [s]; default 10."),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(metavar="N", help="Decisions that the policy may take; default 12.")
    ] = None,
    answer_seconds: Annotated[
        float | None, typer.Option(metavar="S", help="Time that one try to ask the model may take [s]; default 60.")
    ] = None,
    answer_tokens: Annotated[
        int | None, typer.Option(metavar="N", help="Tokens of one answer, reasoning included; default 8192.")
    ] = None,
    retries: Annotated[
        int | None,
        typer.Option(metavar="N", help="How often a question is asked again when the endpoint fails; default 2."),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(metavar="N", help="How often the model is asked for its answer; most of them decide; default 1."),
    ] = None,
    tokens: Annotated[
        int | None, typer.Option(metavar="N", help="Tokens sent to and got from a model; default 50000.")
    ] = None,
    seconds: Annotated[float | None, typer.Option(metavar="S", help="Time after the replay [s]; default 60.")] = None,
    rehearse_seconds: Annotated[
        float | None, typer.Option(metavar="S", help="Time the cell may run in a rehearsal [s]; default 10.")
    ] = None,
    probe_seconds: Annotated[float | None, typer.Option(metavar="S", help="Time for one probe [s]; default 2.")] = None,
    probe_items: Annotated[
        int | None, typer.Option(metavar="N", help="Columns, layers, names listed by one probe; default 50.")
    ] = None,
    probe_bytes: Annotated[
        int | None, typer.Option(metavar="N", help="Size of one probe's answer [bytes]; default 8192.")
    ] = None,
    kernel_bytes: Annotated[
        int | None, typer.Option(metavar="N", help="Size of all answers of the kernel [bytes]; default 262144.")
    ] = None,
) -> None:
    """Say whether a cell of NOTEBOOK would crash if it ran now.

    The executed cells are run again, in their order, in a fresh kernel and in a scratch copy of the notebook's folder;
    then the cell is judged: it does not run there, but in a fenced copy of the kernel where that can be proved safe
    (--rehearse). The notebook is never changed, its folder only with --in-place. With --kernel nothing is run again:
    the running kernel is asked about its values, and left as it is.
    """
    form = {(True, False): "json", (False, True): "markdown", (False, False): "text"}.get((json, markdown))
    with _errors_as_one_line():
        if form is None:
            raise ConfigError("--json and --markdown exclude each other")
        _refuse_what_does_not_go_together(context.params)
        asked = _Asked(notebook, cell, kernel, _text_of(code), audit, trace)
        answer = _answer_to(asked, flags=context.params)
        _print_verdict(answer, form=form)
        if apply is not None and notebook is not None:
            _write_patch(answer, notebook, apply)
        raise Finished(EXIT_CODES[answer.verdict.outcome])


@app.command("kernels")
def list_kernels(
    json: Annotated[bool, typer.Option("--json", help="Print the kernels as one JSON document.")] = False,
) -> None:
    """List the kernels that run on this machine, to be named after --kernel.

    Each is asked for a sign of life, which leaves it as it is. Exit codes: 0, or 3 for an error.
    """
    with _errors_as_one_line():
        from crane_agent.frontends.kernels import as_json, show
        from crane_agent.session.discovery import running_kernels

        found = running_kernels()
        if json:
            sys.stdout.write(as_json(found))
        else:
            show(found, _console())
        sys.stdout.flush()
        raise Finished(0)


@app.command("doctor")
def examine_machine(context: typer.Context, python: _Python = None, model: _Model = None) -> None:
    """Say whether this machine can replay notebooks, and which settings are in force.

    Asks the model's endpoint for its list of models, if one is set, and the model, if one is set, a tiny question in
    which nothing of yours is. Exit codes: 0 usable, 3 not.
    """
    with _errors_as_one_line():
        from crane_agent.config import load_settings
        from crane_agent.frontends.doctor import examine, is_usable, show

        loaded = load_settings(context.params)
        rows = examine(loaded)
        show(rows, loaded, _console())
        raise Finished(0 if is_usable(rows) else EXIT_ERROR)


@app.command("replay")
def replay_trace(
    trace: Annotated[Path, typer.Argument(metavar="FILE", help="What `check --trace FILE` wrote.")],
) -> None:
    """Run a recorded run again, without its kernel and its model, and say whether the verdict is the same.

    Exit codes: 0 the same verdict, 1 another one, 3 an error.
    """
    with _errors_as_one_line():
        from crane_agent.frontends.replay import as_lines, replay

        found = replay(trace)
        sys.stdout.write("".join(f"{line}\n" for line in as_lines(found)))
        sys.stdout.flush()
        raise Finished(0 if found.is_same else 1)


@app.command("eval", add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def measure_arms(context: typer.Context) -> None:
    """Measure a grid of arms and policies on JunoBench, in a checkout of the repository; --help says how.

    Exit codes: 0, 1 if something was certain and wrong or a run failed, 3 an error.
    """
    with _errors_as_one_line():
        from crane_agent.frontends.evaluation import measure

        raise Finished(measure(context.args))


class _Asked(NamedTuple):
    """What the command line asks about: a cell of a notebook, or a text, and in which kernel."""

    notebook: Path | None
    which: str | None
    kernel: str | None
    code: str | None
    audit: Path | None
    trace: Path | None


class _Opened(NamedTuple):
    """A kernel to ask, the target, and in words which kernel that is."""

    session: "Session"
    target: "Target"
    source: str


class _Answer(NamedTuple):
    """The verdict, its target, and in words where the facts come from."""

    verdict: "Verdict"
    target: "Target"
    source: str


def _refuse_what_does_not_go_together(flags: Mapping[str, object]) -> None:
    given = {name for name, value in flags.items() if value is not None}
    if "apply" in given:
        _refuse_to_apply(flags, given)
    if "kernel" not in given:
        if "code" in given:
            raise ConfigError("--code needs --kernel")
        if "notebook" not in given:
            raise ConfigError("name the notebook to check, or a running kernel with --kernel")
        return
    for name in REPLAY_FLAGS:
        if name in given:
            raise ConfigError(f"--{name.replace('_', '-')} is about a replay, and --kernel replays nothing")
    if not given & {"notebook", "code"}:
        raise ConfigError("--kernel needs what to check: NOTEBOOK, or a text with --code")
    if "cell" in given and "code" in given:
        raise ConfigError("--cell and --code exclude each other")


def _refuse_to_apply(flags: Mapping[str, object], given: Set[str]) -> None:
    if "notebook" not in given or "code" in given:
        raise ConfigError("--apply needs the notebook whose cell is to be patched")
    if flags["fix"] is False:
        raise ConfigError("--apply and --no-fix exclude each other")
    if os.path.lexists(str(flags["apply"])):
        raise ConfigError(f"--apply: {flags['apply']}: there is such a file already, and a patch overwrites none")


def _write_patch(answer: _Answer, notebook: Path, copy: Path) -> None:
    from crane_agent.notebook.patched import write_patched

    fix, proof = answer.verdict.fix, answer.verdict.proof
    source = proof.patch or (fix.source if fix is not None else None)
    cell = answer.target.cell.place if fix is None or fix.cell is None else fix.cell
    if fix is None or source is None or cell is None or fix.verified == "no":
        sys.stderr.write(f"crane-agent: {copy}: not written, since there is no patch that helps\n")
        return
    write_patched(notebook, copy, index=cell, source=source)
    sys.stderr.write(f"crane-agent: {copy}: written, with the patch (verified: {fix.verified})\n")


def _text_of(code: str | None) -> str | None:
    try:
        text = sys.stdin.buffer.read().decode("utf-8") if code == "-" else code
        if text is not None:
            text.encode("utf-8")  # a command line may hold other bytes
    except UnicodeError:
        raise ConfigError("--code: this is not UTF-8 text") from None
    return text


def _answer_to(asked: _Asked, *, flags: Mapping[str, object]) -> _Answer:
    """Ask for the verdict; a kernel of ours is gone, and one of the user's as it was, when this returns or raises."""
    from crane_agent.config import Settings, load_settings
    from crane_agent.notebook.cells import read_notebook
    from crane_agent.notebook.history import target_of

    flags = {name: value for name, value in flags.items() if name in Settings.model_fields}
    folder = None if asked.notebook is None else Path(os.path.realpath(asked.notebook)).parent
    settings = load_settings(flags, notebook_folder=folder).settings
    notebook = None if asked.notebook is None else read_notebook(asked.notebook)
    replayed = target_of(notebook, asked.which) if notebook is not None and asked.kernel is None else None

    # from here on it takes seconds anyway
    from crane_agent.audit import Audit
    from crane_agent.frontends.progress import run_progress
    from crane_agent.predict import predict
    from crane_agent.session.launched import exit_on_sigterm

    with ExitStack() as stack:
        stack.enter_context(exit_on_sigterm())
        audit = None if asked.audit is None else stack.enter_context(Audit(asked.audit))
        trace = None if asked.trace is None else stack.enter_context(_trace_file(asked.trace))
        policy = _policy_of(settings, audit)
        progress = stack.enter_context(run_progress(cells=0 if replayed is None else len(replayed.executed)))
        if replayed is not None and notebook is not None:
            opened = stack.enter_context(_replay(replayed, notebook, settings, progress, audit))
        else:
            opened = stack.enter_context(_running_kernel(asked, notebook, settings, progress, audit))
        verdict = predict(
            opened.target,
            opened.session,
            settings=settings,
            policy=policy,
            on_step=progress.on_step,
            may_rehearse=partial(progress.ask, _REHEARSE_WORDS) if _can_be_asked() else None,
            trace=trace,
        )
    return _Answer(verdict, opened.target, opened.source)


def _trace_file(path: Path) -> "TraceFile":
    from crane_agent.agent.trace import TraceFile  # LangChain's messages: only for those who want a trace

    return TraceFile(path)


def _can_be_asked() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


@contextmanager
def _replay(
    target: "Target", notebook: "Notebook", settings: "Settings", progress: "RunProgress", audit: "Audit | None"
) -> "Iterator[_Opened]":
    """Replay the executed cells in a kernel of our own."""
    from crane_agent.session.launched import launch

    folder = Path(os.path.realpath(notebook.path)).parent.name
    place = f"{folder} itself" if settings.in_place else f"a scratch copy of {folder}"
    what = f"{_cells(len(target.executed))} in {place}"
    progress.say(f"replaying {what}")
    with launch(
        target.executed,
        notebook=notebook,
        python=settings.python,
        in_place=settings.in_place,
        cell_limit_s=settings.cell_limit_s,
        total_limit_s=settings.total_limit_s,
        start_limit_s=settings.start_limit_s,
        copy_limit_bytes=settings.copy_limit_mb * 1_000_000,
        on_cell=progress.on_cell,
        privacy=settings.privacy,
        audit=audit,
    ) as session:
        yield _Opened(session, target, f"Replayed: {what}")


@contextmanager
def _running_kernel(
    asked: _Asked,
    notebook: "Notebook | None",
    settings: "Settings",
    progress: "RunProgress",
    audit: "Audit | None",
) -> "Iterator[_Opened]":
    """Reach a kernel of the user's, which goes on running."""
    from crane_agent.notebook.history import target_in_kernel
    from crane_agent.session.attached import attach
    from crane_agent.session.discovery import find_kernel

    file = find_kernel(asked.kernel, audit=audit)
    with attach(str(file), privacy=settings.privacy, idle_limit_s=settings.idle_limit_s, audit=audit) as session:
        target = target_in_kernel(session.executed(), notebook=notebook, which=asked.which, code=asked.code)
        what = f"kernel {file.stem.removeprefix('kernel-')}, {_ran(target, notebook)}"
        progress.say(f"asking {what}")
        yield _Opened(session, target, f"Asked: {what}")


def _ran(target: "Target", notebook: "Notebook | None") -> str:
    outside = sum(cell.place is None for cell in target.executed)
    not_here = f", {outside} of them not in {notebook.path.name}" if notebook is not None and outside else ""
    return f"{_cells(len(target.executed))} run{not_here}"


def _cells(count: int) -> str:
    return f"{count} cell{'' if count == 1 else 's'}"


def _policy_of(settings: "Settings", audit: "Audit | None") -> "Policy":
    if settings.model is None:
        from crane_agent.agent.rule_policy import RulePolicy

        if settings.samples > 1:
            sys.stderr.write("crane-agent: samples: without a model there is one, since the rules do not vary\n")
        return RulePolicy()
    from crane_agent.agent.llm_policy import policy_of

    return policy_of(settings, audit=audit)


def _print_verdict(answer: _Answer, *, form: str) -> None:
    from crane_agent.verdict.models import Proof
    from crane_agent.verdict.render import as_json, as_markdown, as_text, one_line, without_secrets

    verdict, source = answer.verdict, answer.target.cell.source
    if form == "text":
        if not sys.stdout.isatty():  # a file or a log: what is for the user's own screen stays out of it
            verdict, source = verdict.proved_by(Proof()), without_secrets(source)
        _console().print(as_text(verdict, source=source))
        _console().print(one_line(answer.source))
    else:
        words = as_json(verdict) if form == "json" else as_markdown(verdict, source=source)
        sys.stdout.write(words.rstrip("\n") + "\n")
    sys.stdout.flush()


def _console() -> "Console":
    from rich.console import Console

    return Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)


@contextmanager
def _errors_as_one_line() -> Iterator[None]:
    """Turn what the world did wrong, and Ctrl-C, into one line on standard error and exit code 3."""
    try:
        yield
    except CraneAgentError as error:
        from crane_agent.verdict.render import one_line

        typer.echo(f"crane-agent: {one_line(str(error))}", err=True)
        raise Finished(EXIT_ERROR) from None
    except KeyboardInterrupt:
        typer.echo("crane-agent: interrupted", err=True)
        raise Finished(EXIT_ERROR) from None


if __name__ == "__main__":
    main()
