"""`crane-agent doctor`: can this machine replay notebooks, and which settings are in force.

To check one more thing, write a function that takes the settings and yields `Row`s, and name it in `CHECKS`.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPException
from importlib.metadata import version
from pathlib import Path
from typing import Literal
from urllib.error import HTTPError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from crane_agent.config import OPENAI_URL, LoadedSettings, Settings
from crane_agent.frontends.version import installed_version
from crane_agent.session.fence_proof import Proof, proof_of
from crane_agent.verdict.render import one_line

ENDPOINT_LIMIT_S = 5.0
INTERPRETER_LIMIT_S = 20.0
MAX_ANSWER_BYTES = 1_000_000

State = Literal["ok", "warning", "failed"]
_STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red"}

_ASK_IPYKERNEL = (
    "import sys; from importlib.metadata import version; print('%d.%d.%d' % sys.version_info[:3], version('ipykernel'))"
)


@dataclass(frozen=True)
class Row:
    """One line of the report; `failed` means that `crane-agent check` cannot work."""

    what: str
    state: State
    words: str


def examine(loaded: LoadedSettings) -> list[Row]:
    """Run every check.

    Touches: starts each kernelspec's interpreter, proves the fence of rehearsals in it, asks the endpoint for its
    models if one is set, and the model one tiny question if one is set.
    """
    return [row for check in CHECKS for row in check(loaded.settings)]


def is_usable(rows: list[Row]) -> bool:
    """Say whether `crane-agent check` can work."""
    return all(row.state != "failed" for row in rows)


def show(rows: list[Row], loaded: LoadedSettings, console: Console) -> None:
    """Print the checks and the settings in force, as two tables."""
    checks = Table("check", "state", Column("what was found", overflow="fold"), box=None, pad_edge=False)
    for row in rows:
        checks.add_row(Text(row.what), Text(row.state, style=_STYLES[row.state]), Text(one_line(row.words)))
    settings = Table("setting", "value", Column("from", overflow="fold"), box=None, pad_edge=False)
    for name, value in loaded.settings:
        settings.add_row(name, Text(_shown(name, value)), Text(one_line(loaded.origins[name])))
    console.print(checks)
    console.print()
    console.print(settings)
    console.print()
    console.print("usable" if is_usable(rows) else "not usable: see what failed above")


def _shown(name: str, value: object) -> str:
    if value is None:
        return "not set"
    if name == "api_key":
        return "set, not shown"
    return one_line(_without_password(value) if name == "base_url" and isinstance(value, str) else str(value))


def _without_password(url: str) -> str:
    """Return `url` without user, password, query and fragment, any of which can hold a key."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


# --- the checks ----------------------------------------------------------------------------------------------


def _own_versions(settings: Settings) -> Iterator[Row]:
    yield Row("crane_agent", "ok", installed_version())
    yield Row("Python", "ok", f"{platform.python_version()} at {sys.executable}")
    yield Row("jupyter_client", "ok", version("jupyter_client"))


def _kernels(settings: Settings) -> Iterator[Row]:
    from jupyter_client.kernelspec import KernelSpecManager

    if settings.python is not None:
        words = _ipykernel_in(settings.python)
        yield Row("interpreter set", "ok" if words.startswith("ipykernel") else "failed", words)
    rows = [_kernelspec(name, found["spec"]) for name, found in KernelSpecManager().get_all_specs().items()]
    yield from rows
    if settings.python is None and not any(row.state == "ok" for row in rows):
        yield Row("kernels", "failed", "no Python kernel can be started: pip install ipykernel, or use --python")


def _kernelspec(name: str, spec: dict[str, object]) -> Row:
    what = f"kernel {name}"
    language = str(spec.get("language", ""))
    if language.lower() != "python":
        return Row(what, "warning", f"language {language or 'not said'}: only Python cells can be checked")
    argv = spec.get("argv")
    if not isinstance(argv, list) or not argv:
        return Row(what, "warning", "its kernel.json names no command")
    interpreter = _interpreter_of(argv)
    if interpreter is None:
        return Row(what, "ok", f"Python, started through {argv[0]}, which was not run")
    words = _ipykernel_in(interpreter)
    return Row(what, "ok" if words.startswith("ipykernel") else "warning", words)


def _interpreter_of(argv: list[object]) -> str | None:
    """Return the interpreter that a kernelspec's command starts, if it starts one itself."""
    command = str(argv[0])
    if not Path(command).name.startswith(("python", "pypy")) or not any("ipykernel" in str(part) for part in argv):
        return None
    # jupyter_client, too, puts its own interpreter in the place of a bare `python`
    return sys.executable if os.sep not in command and command.startswith("python") else command


def _ipykernel_in(interpreter: str) -> str:
    """Return `ipykernel X on Python Y at PATH`, or why that interpreter cannot run a kernel."""
    path = shutil.which(interpreter)
    if path is None:
        return f"there is no interpreter at {interpreter}"
    try:
        # in the interpreter's own folder, since `-c` imports from the folder it runs in
        done = subprocess.run(
            [path, "-c", _ASK_IPYKERNEL],
            cwd=Path(path).absolute().parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=INTERPRETER_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{path} does not run: {error}"
    words = done.stdout.split()
    if done.returncode != 0 or len(words) != 2:
        return f"{path} has no ipykernel: {path} -m pip install ipykernel"
    return f"ipykernel {words[1]} on Python {words[0]} at {path}"


def _rehearsal(settings: Settings) -> Iterator[Row]:
    if settings.rehearse == "off":
        yield Row("rehearsal", "ok", "off: no cell is run before it is judged")
        return
    interpreters = sorted({path for path in map(shutil.which, _interpreters(settings)) if path is not None})
    for interpreter in interpreters:
        where = f" with {interpreter}" if len(interpreters) > 1 else ""
        proof = proof_of(interpreter, anew=True)
        yield Row(f"rehearsal{where}", "warning" if proof.missing else "ok", _conclusion(proof))
        for layer, (possible, impossible) in _LAYERS.items():
            trial = proof.trials.get(layer)
            if trial is not None:
                words = f"does not hold: {trial.why}; {impossible}" if trial.why else f"holds: {possible}"
                yield Row(f"  {layer}", "warning" if trial.why else "ok", words)


def _interpreters(settings: Settings) -> Iterator[str]:
    """Yield the interpreters that kernels are started with."""
    from jupyter_client.kernelspec import KernelSpecManager

    if settings.python is not None:
        yield settings.python
        return
    for found in KernelSpecManager().get_all_specs().values():
        spec = found["spec"]
        argv = spec.get("argv")
        if str(spec.get("language", "")).lower() == "python" and isinstance(argv, list) and argv:
            interpreter = _interpreter_of(argv)
            if interpreter is not None:
                yield interpreter


_NOTHING = "no cell is rehearsed"
_LAYERS = {
    "fork": ("a kernel's threads do not keep its copy from computing", "no kernel is forked"),
    "overlay": ("what a cell writes in a rehearsal is private", "a cell that writes is unknown"),
    "landlock": ("the rest of the files, and other processes, are out of reach", _NOTHING),
    "seccomp": ("network, processes and the machine are out of reach, and each try is heard of", _NOTHING),
    "whole": ("all of them together", _NOTHING),
}
"""Layers of the fence, with what follows where one holds, and where not."""


def _conclusion(proof: Proof) -> str:
    if proof.missing:
        return f"no fork can be fenced: {proof.missing}; verdicts go on without it"
    return "a cell can be run in a fenced fork of the kernel before it is judged"


class _NoRedirect(HTTPRedirectHandler):
    """Follows no redirect, since urllib would take the key along to another host."""

    def redirect_request(self, *_: object) -> None:
        return None


def _endpoint(settings: Settings) -> Iterator[Row]:
    if settings.model is None and settings.base_url is None:
        yield Row("model", "ok", "none set: the built-in rules decide, nothing leaves this machine")
        return
    url = (settings.base_url or OPENAI_URL).rstrip("/") + "/models"
    shown = _without_password(url)
    request = Request(url)
    if settings.api_key is not None:
        request.add_header("Authorization", f"Bearer {settings.api_key.get_secret_value().strip()}")
    try:
        with build_opener(_NoRedirect).open(request, timeout=ENDPOINT_LIMIT_S) as answer:
            body = answer.read(MAX_ANSWER_BYTES)
    except HTTPError as error:
        error.close()
        words = "refuses the key" if error.code in (401, 403) else f"answers {error.code}"
        yield Row("endpoint", "warning", f"{shown} {words}; without it the built-in rules decide")
    except (OSError, HTTPException) as error:
        yield Row("endpoint", "warning", f"{shown}: {error}; without it the built-in rules decide")
    except ValueError:  # its message would quote the key
        yield Row("endpoint", "warning", f"{shown}: OPENAI_API_KEY holds characters that cannot be sent")
    else:
        yield _model_row(settings.model, shown, body)


def _model_row(model: str | None, url: str, body: bytes) -> Row:
    try:
        names = {str(entry["id"]) for entry in json.loads(body)["data"]}
    except (ValueError, KeyError, TypeError):
        return Row("endpoint", "warning", f"{url} answers, but not with a list of models")
    if model is not None and model not in names:
        return Row("endpoint", "warning", f"{url} answers, but does not list the model {model}")
    return Row("endpoint", "ok", f"{url} answers with {len(names)} models" + (f", {model} among them" if model else ""))


def _model(settings: Settings) -> Iterator[Row]:
    if settings.model is None:
        return
    from crane_agent.llm.trial import trial_of

    for finding in trial_of(settings):
        yield Row(finding.what, "ok" if finding.good else "warning", finding.words)


CHECKS: tuple[Callable[[Settings], Iterator[Row]], ...] = (_own_versions, _kernels, _rehearsal, _endpoint, _model)
