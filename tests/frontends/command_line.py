"""The command line as a user starts it: a process of its own, with nothing of this machine's settings."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import nbformat

CHECKOUT = Path(__file__).parents[2]
DEMO = CHECKOUT / "notebooks" / "coffee_orders.ipynb"
LIMIT_S = 120

# Not by PYTHONPATH, which the kernel would inherit.
_START = f"import sys; sys.path.insert(0, {str(CHECKOUT)!r}); from crane_agent.frontends.cli import main; main()"
_FLAGS = ("-P",) if sys.version_info >= (3, 11) else ()
COMMAND = (sys.executable, *_FLAGS, "-c", _START)


def environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment without any setting of ours, with `home` as the user's folder."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CRANE_", "OPENAI_", "XDG_", "COLUMNS"))
    }
    return {**kept, "HOME": str(home), **(extra or {})}


def crane(*arguments: object, home: Path, cwd: Path | None = None, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run `crane-agent` with these arguments and extra environment variables."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd or home,
        env=environment(home, extra),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def write_notebook(path: Path, *executed: str, target: str) -> Path:
    """Write a notebook with these executed cells and a target that was not run."""
    cells = [nbformat.v4.new_code_cell(source, execution_count=place) for place, source in enumerate(executed, start=1)]
    cells.append(nbformat.v4.new_code_cell(target, id="target"))
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)
    return path


def read_all(descriptor: int) -> str:
    """Return all that comes out of the controlling end of a terminal, and close it."""
    parts = []
    while True:
        try:
            part = os.read(descriptor, 65536)
        except OSError:  # Linux's way to say that the other end is closed
            part = b""
        if not part:
            os.close(descriptor)
            return b"".join(parts).decode(errors="replace")
        parts.append(part)
