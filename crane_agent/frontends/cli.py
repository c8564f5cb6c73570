"""The command line: `crane-agent check NOTEBOOK`, `crane-agent doctor`.

Standard output carries the verdict and nothing else; progress and errors go to standard error. Heavy imports are
inside functions, so that `--help` and a mistyped flag answer at once.
"""

import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from crane_agent.errors import ConfigError, CraneAgentError

if TYPE_CHECKING:
    from rich.console import Console

    from crane_agent.agent.policy import Policy
    from crane_agent.config import Settings
    from crane_agent.notebook.history import Target
    from crane_agent.verdict.models import Verdict

EXIT_CODES = {"no_crash": 0, "crash": 1, "unknown": 2}
EXIT_ERROR = 3
PIPE_WIDTH = 120
"""Width of the verdict where standard output is no terminal [columns]."""

EXIT_WORDS = (
    "Exit codes: 0 no crash expected, 1 a crash is expected, 2 it could not be settled, "
    "3 an error, a wrong command line and Ctrl-C included."
)

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
    notebook: Annotated[Path, typer.Argument(metavar="NOTEBOOK", help="The .ipynb file; it is only read.")],
    cell: Annotated[
        str | None,
        typer.Option(
            metavar="WHICH",
            help="The cell asked about: its id, its index counted from 0, or a tag that it alone carries; "
            "default: the first cell with a stored error, else the last one not run.",
        ),
    ] = None,
    python: _Python = None,
    in_place: Annotated[
        bool | None,
        typer.Option("--in-place/--scratch-copy", help="Replay in the notebook's own folder; default: a copy."),
    ] = None,
    model: _Model = None,
    json: Annotated[bool, typer.Option("--json", help="Print the verdict as one JSON document.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the verdict as Markdown.")] = False,
    check: Annotated[
        bool | None,
        typer.Option("--check/--no-check", help="Run the deterministic checker first; default: yes."),
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
    steps: Annotated[
        int | None, typer.Option(metavar="N", help="Decisions that the policy may take; default 12.")
    ] = None,
    tokens: Annotated[
        int | None, typer.Option(metavar="N", help="Tokens sent to and got from a model; default 50000.")
    ] = None,
    seconds: Annotated[float | None, typer.Option(metavar="S", help="Time after the replay [s]; default 60.")] = None,
    probe_seconds: Annotated[float | None, typer.Option(metavar="S", help="Time for one probe [s]; default 2.")] = None,
    probe_items: Annotated[
        int | None, typer.Option(metavar="N", help="Columns, layers, names listed by one probe; default 50.")
    ] = None,
    probe_bytes: Annotated[
        int | None, typer.Option(metavar="N", help="Size of one probe's answer [bytes]; default 8192.")
    ] = None,
) -> None:
    """Say whether a cell of NOTEBOOK would crash if it ran now.

    The executed cells are run again, in their order, in a fresh kernel and in a scratch copy of the notebook's folder;
    then the cell is judged, not run. The notebook is never changed, its folder only with --in-place.
    """
    form = {(True, False): "json", (False, True): "markdown", (False, False): "text"}.get((json, markdown))
    with _errors_as_one_line():
        if form is None:
            raise ConfigError("--json and --markdown exclude each other")
        verdict, target, replay = _verdict_on(notebook, cell, flags=context.params)
        _print_verdict(verdict, target, form=form, replay=replay)
        raise Finished(EXIT_CODES[verdict.outcome])


@app.command("doctor")
def examine_machine(context: typer.Context, python: _Python = None, model: _Model = None) -> None:
    """Say whether this machine can replay notebooks, and which settings are in force.

    Asks the model's endpoint for its list of models, if one is set. Exit codes: 0 usable, 3 not.
    """
    with _errors_as_one_line():
        from crane_agent.config import load_settings
        from crane_agent.frontends.doctor import examine, is_usable, show

        loaded = load_settings(context.params)
        rows = examine(loaded)
        show(rows, loaded, _console())
        raise Finished(0 if is_usable(rows) else EXIT_ERROR)


def _verdict_on(notebook: Path, which: str | None, *, flags: Mapping[str, object]) -> "tuple[Verdict, Target, str]":
    """Replay the notebook and ask for the verdict; the kernel is gone when this returns or raises.

    Returns:
        The verdict, its target, and what was replayed where, in words.
    """
    from crane_agent.config import Settings, load_settings
    from crane_agent.notebook.cells import read_notebook
    from crane_agent.notebook.history import target_of

    flags = {name: value for name, value in flags.items() if name in Settings.model_fields}
    folder = Path(os.path.realpath(notebook)).parent
    settings = load_settings(flags, notebook_folder=folder).settings
    opened = read_notebook(notebook)
    target = target_of(opened, which)

    # from here on it takes seconds anyway
    from crane_agent.frontends.progress import replay_progress
    from crane_agent.predict import predict
    from crane_agent.session.launched import exit_on_sigterm, launch

    policy = _policy_of(settings)
    with (
        exit_on_sigterm(),
        replay_progress(len(target.executed), folder, in_place=settings.in_place) as progress,
        launch(
            target.executed,
            notebook=opened,
            python=settings.python,
            in_place=settings.in_place,
            cell_limit_s=settings.cell_limit_s,
            total_limit_s=settings.total_limit_s,
            start_limit_s=settings.start_limit_s,
            copy_limit_bytes=settings.copy_limit_mb * 1_000_000,
            on_cell=progress.on_cell,
        ) as session,
    ):
        verdict = predict(target, session, settings=settings, policy=policy, on_step=progress.on_step)
    count = len(target.executed)
    place = f"{folder.name} itself" if settings.in_place else f"a scratch copy of {folder.name}"
    return verdict, target, f"Replayed: {count} cell{'' if count == 1 else 's'} in {place}"


def _policy_of(settings: "Settings") -> "Policy":
    if settings.model is None:
        from crane_agent.agent.rule_policy import RulePolicy

        return RulePolicy()
    from crane_agent.agent.llm_policy import model_policy

    key = settings.api_key.get_secret_value() if settings.api_key is not None else None
    return model_policy(model=settings.model, base_url=settings.base_url, api_key=key, timeout_s=settings.seconds)


def _print_verdict(verdict: "Verdict", target: "Target", *, form: str, replay: str) -> None:
    from crane_agent.verdict.render import as_json, as_markdown, as_text, one_line

    if form == "text":
        _console().print(as_text(verdict, source=target.cell.source))
        _console().print(one_line(replay))
    else:
        words = as_json(verdict) if form == "json" else as_markdown(verdict, source=target.cell.source)
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
