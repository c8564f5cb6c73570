"""Which layers of the fence hold here for an interpreter: tried in a throw-away process of it, remembered per boot."""

import hashlib
import json
import os
import platform
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from crane_agent.session.inject import digest_of, package_sources

LIMIT_S = 45.0
"""Time that the proof may take; 0.5 s is usual, and what numpy and torch take to be imported [seconds]."""

DOUBT_S = 3600.0
"""Time for which it is believed that a layer does not hold: it may have been a moment of load [seconds]."""

MACHINES = ("x86_64", "aarch64")
"""Machines whose system calls the fence knows."""

_ELSEWHERE = "the kernel runs in another container or on another machine"
_NEEDED = ("fork", "landlock", "seccomp")
_WHOLE = "whole"
_NAMESPACES = ("mnt", "user", "pid")
_RIGHTS = ("Uid:", "CapEff:", "Seccomp:")

# As boot's `start` does it; what the package of the rehearsal itself imports is not needed.
_LOADER = """
import json, sys
given = json.load(sys.stdin)
boot = {'__builtins__': __builtins__, '__name__': 'crane_agent.in_kernel.boot'}
exec(compile(given['sources']['boot'], '<crane_agent>/in_kernel/boot.py', 'exec'), boot)
boot['Importer'](dict(given['sources'], rehearsal='')).load('rehearsal.trial').main(given['folder'])
"""


@dataclass(frozen=True)
class Trial:
    """How a layer was tried.

    Attributes:
        why: Why it does not hold; empty if it does.
        tried: The acts, in words.
    """

    why: str
    tried: tuple[str, ...]


@dataclass(frozen=True)
class Proof:
    """What is proved of the fence for an interpreter.

    Attributes:
        layers: Layers that hold, each alone and all together.
        missing: Why no fork can be fenced, in words; empty if it can.
        trials: How each layer was tried, and all together under the name `whole`.
    """

    layers: tuple[str, ...]
    missing: str = ""
    trials: Mapping[str, Trial] = field(default_factory=dict)


def proof_of(python: str, *, pid: int | None = None, anew: bool = False) -> Proof:
    """Return which layers of the fence hold for an interpreter.

    Args:
        python: Path of the interpreter.
        pid: The kernel that is to be fenced, which must be of this interpreter, here, and of the same user.
        anew: Whether to prove it again even if it was proved before.

    Touches: starts `python` once for at most `LIMIT_S` and keeps the result in the user's cache folder.
    """
    missing = _why_never() or (_why_not_here(python, pid) if pid is not None else "")
    if missing:
        return Proof((), missing)
    try:
        key = _key_of(python)
    except OSError as error:
        return Proof((), f"the kernel's interpreter cannot be found: {error}")
    if anew:
        _remembered.cache_clear()
        return _proved_anew(python, key)
    return _remembered(python, key)


def _why_never() -> str:
    if platform.system() != "Linux":
        return f"the fence is made for Linux, and this is {platform.system()}"
    if platform.machine() not in MACHINES:
        return f"the fence is made for {' and '.join(MACHINES)}, and this is {platform.machine()}"
    return ""


def _why_not_here(python: str, pid: int) -> str:
    """Return why a proof made here says nothing of a process; '' if it does."""
    try:
        if _namespaces("self") != _namespaces(str(pid)) or not os.path.samefile(f"/proc/{pid}/exe", python):
            return _ELSEWHERE
        if _rights("self") != _rights(str(pid)):
            return "the kernel has other rights than this process"
    except PermissionError:
        return "the kernel belongs to another user"
    except OSError:
        return _ELSEWHERE
    return ""


def _namespaces(process: str) -> tuple[str, ...]:
    return tuple(os.readlink(f"/proc/{process}/ns/{name}") for name in _NAMESPACES)


def _rights(process: str) -> tuple[str, ...]:
    lines = Path("/proc", process, "status").read_text().splitlines()
    return tuple(line for line in lines if line.startswith(_RIGHTS))


# -- remembered ------------------------------------------------------------------------------------------------------


def _key_of(python: str) -> str:
    """Return everything that a proof depends on, as text.

    Raises:
        OSError: There is no such interpreter.
    """
    path = os.path.abspath(python)
    parts = {
        "python": path,
        "changed": os.stat(path).st_mtime_ns,
        "linux": platform.release(),
        "boot": Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
        "namespaces": _namespaces("self"),
        "rights": _rights("self"),
        "sources": _own_digest(),
    }
    return json.dumps(parts, sort_keys=True)


@cache
def _own_digest() -> str:
    return digest_of(package_sources())


@cache
def _remembered(python: str, key: str) -> Proof:
    try:
        kept = json.loads(_place_of(python).read_text(encoding="utf-8"))
        proof = _proof_from(kept["trials"]) if kept["trials"] else Proof((), str(kept["missing"]))
        is_believed = kept["key"] == key and (_holds(proof) or 0 <= time.time() - kept["time"] < DOUBT_S)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        is_believed = False
    return proof if is_believed else _proved_anew(python, key)


def _proved_anew(python: str, key: str) -> Proof:
    proof = _proved(python)
    trials = {name: asdict(trial) for name, trial in proof.trials.items()}
    kept = {"key": key, "time": time.time(), "missing": proof.missing, "trials": trials}
    with suppress(OSError):  # Then it is proved again the next time.
        _write(_place_of(python), json.dumps(kept))
    return proof


def _place_of(python: str) -> Path:
    name = hashlib.sha256(os.fsencode(os.path.abspath(python))).hexdigest()[:16]
    return user_cache_path("crane-agent", appauthor=False) / "fence" / f"{name}.json"


def _write(place: Path, text: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    descriptor, part = tempfile.mkstemp(dir=place.parent)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(part, place)
    except OSError:
        os.unlink(part)
        raise


# -- proved ----------------------------------------------------------------------------------------------------------


def _proved(python: str) -> Proof:
    with tempfile.TemporaryDirectory(prefix="crane_agent_", ignore_cleanup_errors=True) as folder:
        try:
            output = _output_of(command_of(python), input_for(folder))
            return _proof_from(json.loads(output.rstrip().rpartition("\n")[2]))
        except subprocess.TimeoutExpired:
            missing = f"its trial did not end within {LIMIT_S:g} s"
        except OSError as error:
            missing = f"its trial could not be started: {error}"
        except (ValueError, KeyError, TypeError, AttributeError):
            missing = "its trial came to no result"
    return Proof((), missing)


def command_of(python: str) -> list[str]:
    """Return the command that tries the fence in an interpreter; it reads `input_for`, and prints a line of JSON."""
    return [python, "-I", "-c", _LOADER]


def input_for(folder: str) -> str:
    """Return what the trial reads: our sources, and an empty folder that it may use."""
    return json.dumps({"sources": dict(package_sources()), "folder": folder})


def _output_of(command: list[str], given: str) -> str:
    """Run the trial and return what it prints; nothing of it is left."""
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            return process.communicate(given, timeout=LIMIT_S)[0]
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def _proof_from(found: Mapping[str, Any]) -> Proof:
    """Return the proof that trials are.

    Raises:
        KeyError, TypeError, AttributeError: They are no trials.
    """
    trials = {name: Trial(str(trial["why"]), tuple(map(str, trial["tried"]))) for name, trial in found.items()}
    holding = tuple(name for name in ("fork", "overlay", "landlock", "seccomp") if not trials[name].why)
    lacking = [f"{name} ({trials[name].why})" for name in _NEEDED if name not in holding]
    if lacking:
        missing = "it lacks " + ", ".join(lacking)
    elif trials[_WHOLE].why:
        missing = f"its layers do not hold together: {trials[_WHOLE].why}"
    else:
        missing = ""
    return Proof(() if trials[_WHOLE].why else holding, missing, trials)


def _holds(proof: Proof) -> bool:
    return not proof.missing and not any(trial.why for trial in proof.trials.values())
