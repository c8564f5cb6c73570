"""The tables of rows that the checker is tried on.

A table is a module with CRASHES (setup, cell, the type raised, the line, or None where it depends on the version of
Python), WORKS (setup, cell) and DOUBTFUL (setup, cell: it crashes, and the checker must not promise that it runs). To
add one, give it a row in TABLES.
"""

import importlib
import importlib.util
from typing import Any

import pytest

TABLES: dict[str, tuple[str, ...]] = {
    "tables": ("pandas",),
    "tables_walk": ("pandas", "torch"),
    "tables_classes": ("pandas", "numpy"),
    "tables_magics": ("pandas",),
    "tables_functions": ("pandas",),
    "tables_progress": ("tqdm", "pandas"),
    "tables_files": ("pandas", "matplotlib", "seaborn", "sklearn"),
    "tables_standard": (),
    "tables_numpy": ("numpy",),
    "tables_pandas": ("pandas",),
    "tables_figures": ("matplotlib", "seaborn"),
    "tables_sklearn": ("sklearn",),
    "tables_torch": ("torch",),
}
"""The tables, and the libraries that their rows need."""


def lacks(name: str) -> list[str]:
    return [each for each in TABLES[name] if importlib.util.find_spec(each) is None]


def table(name: str) -> Any:
    missing = lacks(name)
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    return importlib.import_module(name)
