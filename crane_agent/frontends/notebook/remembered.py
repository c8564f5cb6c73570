"""What `%crane settings` sets, remembered in a file of its own beside the user's `crane.toml`.

They win over that file and over the environment, as flags do on the command line. A key is never among them.
"""

import json
from pathlib import Path

from crane_agent.config import LoadedSettings, load_settings, user_config_file
from crane_agent.errors import ConfigError

NAMES = ("privacy", "model", "rehearse")
"""What can be set."""

FILE_NAME = "notebook.json"


def settings(folder: Path | None = None) -> LoadedSettings:
    """Return the settings in force in a notebook.

    Args:
        folder: The notebook's, where a `crane.toml` may set limits; None: it is not known.

    Raises:
        ConfigError: A file, or what it sets, cannot be used.
    """
    return load_settings(_remembered(), notebook_folder=folder)


def change(assignment: str) -> None:
    """Set one setting, and remember it; without a value it is forgotten.

    Args:
        assignment: As typed: ``privacy=names``.

    Raises:
        ConfigError: There is no such setting or value, or the file cannot be written.

    Touches: `notebook.json` in the user's configuration folder.
    """
    name, equals, value = assignment.partition("=")
    if name not in NAMES or not equals:
        raise ConfigError(f"'%crane settings NAME=VALUE' sets one of {', '.join(NAMES)}")
    remembered = {key: kept for key, kept in _remembered().items() if key != name} | ({name: value} if value else {})
    load_settings(remembered)
    path = _file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(remembered, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from None


def words() -> str:
    """Return what is set, one setting a line, and where it comes from."""
    found, origins = settings()
    remembered = _remembered()
    lines = []
    for name in NAMES:
        value = getattr(found, name)
        origin = str(_file()) if name in remembered else origins[name]
        lines.append(f"{name:<9} {_NONE[name] if value is None else value}  ({origin})")
    return "\n".join(lines)


_NONE = {"model": "none: the built-in rules decide", "rehearse": "off"}


def _file() -> Path:
    return user_config_file().with_name(FILE_NAME)


def _remembered() -> dict[str, object]:
    path = _file()
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read as JSON: {error}") from None
    if not isinstance(found, dict) or not set(found) <= set(NAMES):
        raise ConfigError(f"{path}: it may set {', '.join(NAMES)} and nothing else")
    return found
