"""`crane-agent kernels`: the kernels that run on this machine, to be named after `--kernel`."""

import json
from collections.abc import Sequence
from datetime import datetime, timezone

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from crane_agent.session.discovery import RunningKernel
from crane_agent.verdict.render import one_line


def show(kernels: Sequence[RunningKernel], console: Console) -> None:
    """Print the kernels as a table."""
    if not kernels:
        console.print("no kernel runs on this machine")
        return
    table = Table("id", "last used", "answers", Column("connection file", overflow="fold"), box=None, pad_edge=False)
    for kernel in kernels:
        answers = Text("yes", style="green") if kernel.answers else Text("no", style="yellow")
        used = f"{_last_used(kernel):%Y-%m-%d %H:%M:%S}"
        table.add_row(Text(one_line(kernel.id)), used, answers, Text(one_line(str(kernel.connection_file))))
    console.print(table)


def as_json(kernels: Sequence[RunningKernel]) -> str:
    """Return the kernels as one JSON document, a list in the order of the table."""
    entries = [
        {
            "id": kernel.id,
            "connection_file": str(kernel.connection_file),
            "last_used": _last_used(kernel).isoformat(timespec="seconds"),
            "answers": kernel.answers,
        }
        for kernel in kernels
    ]
    return json.dumps(entries, indent=2) + "\n"


def _last_used(kernel: RunningKernel) -> datetime:
    """Return when it was last used, in this machine's time zone."""
    return datetime.fromtimestamp(kernel.last_used, timezone.utc).astimezone()
