"""What figures were made with: the command, the commit, the versions."""

import json
import os
import platform
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOST_PACKAGES = ("crane-agent", "langgraph", "langchain-core", "jupyter_client")
KERNEL_PACKAGES = ("ipykernel", "ipython", "numpy", "pandas", "scikit-learn", "torch", "tensorflow")
_ASK_KERNEL = """
import json, platform, sys
from importlib.metadata import PackageNotFoundError, version
found = {"python": platform.python_version()}
for name in sys.argv[1:]:
    try:
        found[name] = version(name)
    except PackageNotFoundError:
        pass
print(json.dumps(found))
"""


def commit() -> str:
    """Return the checkout's commit, marked if something is not committed; empty if it has none."""
    head = _git("rev-parse", "--short=12", "HEAD")
    return f"{head} (and changes not committed)" if head and _git("status", "--porcelain") else head


def provenance(command: str, python: str, *, truth: str, n: int, commits: Sequence[str]) -> dict[str, str]:
    """Say what the figures of `n` instances were made with.

    Args:
        command: The command, as `command_line` gives it.
        python: Interpreter of the kernels.
        truth: Where the truth is from.
        n: Instances.
        commits: The commits that the rows were made at.
    """
    host = {"python": platform.python_version(), **_host_versions()}
    return {
        "command": command,
        "truth": truth,
        "n": str(n),
        "commit": ", ".join(sorted(set(commits) - {""})) or "not known",
        "host": _listed(host),
        "kernel": _listed(kernel_versions(python)),
        "machine": f"{platform.system()}, {platform.machine()}, {os.cpu_count()} processors",
    }


def command_line(module: str, arguments: Sequence[str], named: Mapping[str, str]) -> str:
    """Return the command as anybody could give it.

    Args:
        module: The module run.
        arguments: Its arguments.
        named: Variable to show for an argument, e.g. ``{"/home/me/bench": "BENCH"}``: where somebody keeps things
            says nothing about the figures.
    """
    return " ".join(["python", "-m", module, *(_shown(part, named) for part in arguments)])


def _shown(argument: str, named: Mapping[str, str]) -> str:
    if argument in named:
        return f'"${named[argument]}"'
    option, equals, value = argument.partition("=")
    return f'{option}="${named[value]}"' if equals and value in named else shlex.quote(argument)


def kernel_versions(python: str) -> dict[str, str]:
    """Return the versions that matter in an interpreter: Python's own, and those of the libraries it has."""
    reply = subprocess.run(
        [python, "-c", _ASK_KERNEL, *KERNEL_PACKAGES], capture_output=True, text=True, check=True, timeout=60
    )
    found: dict[str, str] = json.loads(reply.stdout)
    return found


def _host_versions() -> dict[str, str]:
    found = {}
    for name in HOST_PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _listed(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in versions.items())


def _git(*arguments: str) -> str:
    try:
        reply = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    except FileNotFoundError:
        return ""
    return reply.stdout.strip() if reply.returncode == 0 else ""
