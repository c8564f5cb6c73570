"""Every word sent to a model comes from the Markdown files in `prompts/`.

The files are `string.Template`s: `$name` is a place to fill. Text is filled in once and never read as a template, so
a notebook's own `$` and braces stay as they are.
"""

import hashlib
from functools import cache
from importlib import resources
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable  # not before Python 3.11


def words(name: str, /, **values: object) -> str:
    """Return the prompt file `name` with its places filled.

    Raises:
        KeyError: A place of the file has no value.
    """
    return Template(_text(name)).substitute(values)


@cache
def prompts_version() -> str:
    """Return a mark of all the prompts' words, e.g. ``3f2a90c1d4e7``: other words, another mark."""
    texts = sorted((path.name, path.read_bytes()) for path in _folder().iterdir() if path.name.endswith(".md"))
    return hashlib.sha256(repr(texts).encode()).hexdigest()[:12]


def sendable(text: str) -> str:
    """Return `text` as it can be sent: lone surrogates, which UTF-8 cannot carry, become question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")


@cache
def _text(name: str) -> str:
    return _folder().joinpath(f"{name}.md").read_text(encoding="utf-8").strip()


def _folder() -> "Traversable":
    packaged = resources.files("crane_agent").joinpath("prompts")
    # An editable install: the folder lies beside the package, not in it.
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "prompts"
