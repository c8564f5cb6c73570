"""How long the command line takes to start, beside a bare interpreter.

Run `make bench-startup`, or this file with the interpreter that crane_agent is installed in. Each command is a new
process; runs of the commands take turns, so that a busy moment of the machine hits all of them.
"""

import os
import statistics
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "coffee_orders.ipynb"

_CRANE = (sys.executable, "-c", "from crane_agent.frontends.cli import main; main()")
BARE = "python -c pass"
COMMANDS: dict[str, tuple[str, ...]] = {
    BARE: (sys.executable, "-c", "pass"),
    "crane-agent --help": (*_CRANE, "--help"),
    "crane-agent check missing.ipynb": (*_CRANE, "check", "missing.ipynb"),
    "crane-agent check coffee_orders.ipynb": (*_CRANE, "check", str(NOTEBOOK)),
}


def milliseconds_of(command: Sequence[str]) -> float:
    """Return how long one run of `command` takes [milliseconds]; its exit code does not matter."""
    start = time.perf_counter()
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return (time.perf_counter() - start) * 1000


def measure(runs: int) -> dict[str, list[float]]:
    """Return the times of each command over `runs` rounds [milliseconds]; a first round warms caches and is dropped."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for run in range(runs + 1):
        for name, command in COMMANDS.items():
            took = milliseconds_of(command)
            if run > 0:
                times[name].append(took)
    return times


def report(times: dict[str, list[float]]) -> str:
    """Return a table: percentiles [milliseconds], and the ratio of the medians to the bare interpreter's."""
    bare = statistics.median(times[BARE])
    lines = [f"{'command':40} {'p10 ms':>8} {'p50 ms':>8} {'p90 ms':>8} {'ratio':>7}"]
    for name, values in times.items():
        tenths = statistics.quantiles(values, n=10, method="inclusive")
        middle = statistics.median(values)
        lines.append(f"{name:40} {tenths[0]:8.0f} {middle:8.0f} {tenths[-1]:8.0f} {middle / bare:7.1f}")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = ArgumentParser(description="Time the start-up of the command line.")
    parser.add_argument("--runs", type=int, default=10, help="rounds, at least 2; default 10")
    runs = max(2, parser.parse_args().runs)
    print(f"{runs} runs each, Python {sys.version.split()[0]}, {os.cpu_count()} cores; ratio of medians to {BARE!r}")
    print(report(measure(runs)))


if __name__ == "__main__":
    main()
