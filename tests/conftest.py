"""Its place puts this folder on the import path: tests import `kernels`, for example."""

import os
import signal

import pytest

# Tests fork this process, and a fork of one that has OpenMP's threads waits for them for ever (torch, scikit-learn).
os.environ["OMP_NUM_THREADS"] = "1"

# A test run that a script starts in the background ignores Ctrl-C, and what it starts would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what `tests/agent/test_bad_models.py` recorded: each misbehaviour, and what became of the run."""
    reports = terminalreporter.getreports("passed")
    rows = [value for report in reports for name, value in report.user_properties if name == "behaviour"]
    if rows:
        terminalreporter.section("behaviours of bad models and endpoints")
    for behaviour, how, cost, note in rows:
        terminalreporter.write_line(f"{behaviour:<56} {how:<40} {cost:<20} {note}")
