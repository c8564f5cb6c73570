"""Packages that ship notebooks: the one table of what `evals.checker.corpus` fetches and replays."""

import gzip
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, NamedTuple

from crane_agent.errors import NotebookError
from crane_agent.notebook.cells import Notebook, read_notebook

DOWNLOAD_LIMIT_S = 600.0
MAX_DATA_BYTES = 1_000_000
"""Size up to which a file beside a notebook is taken for its data [bytes]."""

DATA_SUFFIXES = frozenset({".csv", ".dat", ".json", ".npy", ".npz", ".pickle", ".pkl", ".png", ".txt", ".xlsx"})


class Package(NamedTuple):
    """A package that ships notebooks.

    Attributes:
        name: Its name.
        version: The version pinned.
        kind: Which packager's: a Debian package, or a source distribution that pip gets.
        most: Notebooks taken from it, the first by name.
    """

    name: str
    version: str
    kind: Literal["debian", "pypi"]
    most: int


PACKAGES = (
    Package("python-sklearn-doc", "1.2.1+dfsg-1", "debian", 40),
    Package("python-statsmodels-doc", "0.13.5+dfsg-7", "debian", 30),
    Package("python-skimage-doc", "0.19.3-8", "debian", 15),
    Package("python-pandas-doc", "1.5.3+dfsg-2", "debian", 2),
    Package("python-lmfit-doc", "1.1.0-1", "debian", 10),
    Package("python-sympy-doc", "1.11.1-1", "debian", 5),
    Package("corner", "2.3.0", "pypi", 4),
    Package("emcee", "3.1.6", "pypi", 6),
    Package("gpytorch", "1.15.2", "pypi", 15),
    Package("imbalanced-learn", "0.14.2", "pypi", 15),
    Package("seaborn", "0.13.2", "pypi", 30),
)

# What a notebook says that downloads, installs, asks its user, or starts other kernels.
_NOT_ALONE = re.compile(
    r"(\(\s*|= )[rbf]?['\"](https?|ftp)://|\bfetch_\w+|\bload_dataset\b|\bget_rdataset\b|\burl(open|retrieve)\b"
    r"|\bopen_dataset\b|\bpooch\b|\bwget\b|\bdownload|\bpip install|\bconda install|\binput\(|\bipyparallel\b"
    r"|\bDataReader\b"
)


def fetch(package: Package, folder: Path) -> list[Path]:
    """Put a package's notebooks, those that can be replayed without a network, into folders of their own.

    Args:
        package: The package.
        folder: Gets `PACKAGE/NAME/notebook.ipynb`, and beside it the small data files that lay beside it.

    Returns:
        The notebooks' folders.

    Raises:
        subprocess.CalledProcessError: It cannot be had, in this version, here.
    """
    with TemporaryDirectory(prefix="package_") as place:
        unpacked = _unpacked(package, Path(place))
        taken: dict[str, Path] = {}
        for path in sorted(_notebooks_in(unpacked), key=lambda path: (_name(path), str(path))):
            if len(taken) < package.most and _name(path) not in taken and _is_alone(path):
                taken[_name(path)] = _put(path, folder / package.name / _name(path))
        return list(taken.values())


def notebooks_in(folder: Path) -> Iterator[tuple[Package, str, Notebook]]:
    """Yield the notebooks that were fetched, by package and name."""
    for package in PACKAGES:
        for path in sorted((folder / package.name).glob("*/notebook.ipynb")):
            yield package, path.parent.name, read_notebook(path)


def _unpacked(package: Package, place: Path) -> Path:
    into = place / "unpacked"
    if package.kind == "debian":
        _command("apt-get", "download", f"{package.name}={package.version}", folder=place)
        (archive,) = place.glob("*.deb")
        _command("dpkg-deb", "--extract", str(archive), str(into), folder=place)
        return into
    wanted = f"{package.name}=={package.version}"
    arguments = ("download", "--quiet", "--no-deps", "--no-binary", package.name, wanted)
    _command(sys.executable, "-m", "pip", *arguments, folder=place)
    (archive,) = place.glob("*.tar.gz")
    shutil.unpack_archive(archive, into, filter="data")
    return into


def _command(*arguments: str, folder: Path) -> None:
    subprocess.run(arguments, cwd=folder, check=True, timeout=DOWNLOAD_LIMIT_S, stdout=subprocess.DEVNULL)


def _notebooks_in(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*.ipynb*"):
        if path.is_file() and path.name.endswith((".ipynb", ".ipynb.gz", ".ipynb.txt")) and not path.is_symlink():
            yield path


def _name(path: Path) -> str:
    return path.name.partition(".ipynb")[0]


def _text(path: Path) -> str:
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8")


def _is_alone(path: Path) -> bool:
    """Whether the notebook has Python cells and nothing in them reaches for a network, a user or other kernels."""
    with TemporaryDirectory(prefix="notebook_") as place:
        copy = Path(place) / "notebook.ipynb"
        copy.write_text(_text(path), encoding="utf-8")
        try:
            notebook = read_notebook(copy)
        except NotebookError:
            return False
    sources = code_cells(notebook)
    python = (notebook.language or "python") in ("python", "ipython", "ipython3", "python3")
    return python and bool(sources) and not any(_NOT_ALONE.search(source) for source in sources)


def code_cells(notebook: Notebook) -> tuple[str, ...]:
    """Return the sources of the code cells that hold anything."""
    return tuple(cell.source for cell in notebook.cells if cell.kind == "code" and cell.source.strip())


def _put(path: Path, home: Path) -> Path:
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    (home / "notebook.ipynb").write_text(_text(path), encoding="utf-8")
    for beside in path.parent.iterdir():
        if beside.is_file() and beside.suffix in DATA_SUFFIXES and beside.stat().st_size <= MAX_DATA_BYTES:
            shutil.copy(beside, home)
    return home
