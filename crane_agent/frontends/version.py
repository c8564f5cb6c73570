"""The version as the package's metadata has it."""

from importlib.metadata import PackageNotFoundError, version


def installed_version() -> str:
    """Return the installed version, or words that say that the package runs uninstalled."""
    try:
        return version("crane-agent")
    except PackageNotFoundError:
        return "not installed, run from its sources"
