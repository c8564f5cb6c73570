"""Every setting, with its default and its unit, and where each value may come from.

Flags win over the environment, the environment over a `crane.toml` in the notebook's folder, that over the
user's own `crane.toml`, that over the defaults. A notebook's folder often comes from somebody else, so its file
may set limits, make the privacy level stricter, switch rehearsals off, and nothing more: an endpoint, a key, a model
or an interpreter there is refused, never used.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args
from urllib.parse import urlsplit

from platformdirs import user_config_path
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict

from crane_agent.errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE_NAME = "crane.toml"
ENVIRONMENT_PREFIX = "CRANE_"
DEFAULT = "default"
OPENAI_URL = "https://api.openai.com/v1"
"""The endpoint where no other is set."""

_PRIVACY = "privacy"
_REHEARSE = "rehearse"

Privacy = Literal["names", "schema", "values"]
"""How much of the user's data may leave the kernel, the strictest level first."""

Rehearse = Literal["off", "ask", "on"]
"""Whether the target may run in a fenced copy of the kernel, the strictest first."""


Api = Literal["auto", "chat", "responses"]
"""How the model's endpoint is spoken to; auto: as it wants it."""

ToolCalling = Literal["auto", "native", "text"]
"""How the model calls tools: by the endpoint's own means, or in text; auto: in text where there is no other way."""

Facts = Literal["static", "fixed", "fixed-no-structure", "fixed-no-values", "fixed-no-types", "adaptive"]
"""Which runtime facts a policy gets: none; one summary of the names the target uses, whole or without one of its three
parts; or what it asks the probes for."""


class Prices(BaseModel):
    """What a model's tokens cost, per million; `currency` is a word that is shown, no more."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cached: float | None = Field(default=None, ge=0)
    currency: str = Field(default="USD", pattern=r"^\S{1,12}$")

    def cost(self, *, tokens_in: int, tokens_cached: int, tokens_out: int) -> float:
        """Return what these tokens cost, in the currency.

        Args:
            tokens_in: Tokens sent, cached ones included.
            tokens_cached: Those of them that the endpoint had in its cache.
            tokens_out: Tokens received.
        """
        cached = self.input if self.cached is None else self.cached
        uncached_in = tokens_in - tokens_cached
        return (uncached_in * self.input + tokens_cached * cached + tokens_out * self.output) / 1_000_000


class Settings(BaseSettings):
    """Every setting of a run.

    `Settings()` reads the environment and no file; `load_settings` reads the files too and says where each
    value came from.
    """

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX,
        env_file=None,  # a notebook's folder often holds a .env that is not ours
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
    )

    model: str | None = Field(default=None, description="Chat model to ask; none: the built-in rules decide.")
    base_url: str | None = Field(
        default=None,
        validation_alias="OPENAI_BASE_URL",
        description="OpenAI-compatible endpoint; none: the openai package's own.",
    )
    api_key: SecretStr | None = Field(
        default=None, validation_alias="OPENAI_API_KEY", description="Key for the endpoint; never printed."
    )
    api: Api = Field(default="auto", description="Chat Completions or Responses; auto: as the endpoint wants it.")
    tool_calling: ToolCalling = Field(
        default="auto", description="How the model calls probes: native, or text for models that cannot; auto: tries."
    )
    reasoning_effort: str | None = Field(
        default=None, pattern="^[a-z]{1,16}$", description="How long the model reasons, e.g. low; none: its default."
    )
    temperature: float | None = Field(default=None, ge=0, description="The model's temperature; none: its default.")
    seed: int | None = Field(default=None, description="Seed of the model's choices, in Chat Completions only.")
    prices: Prices | None = Field(
        default=None,
        description="Price of a million tokens: input, output, cached (none: as input), currency (USD); no flag.",
    )
    python: str | None = Field(
        default=None,
        description="Interpreter whose ipykernel replays the cells; none: the kernelspec's.",
    )
    in_place: bool = Field(default=False, description="Replay in the notebook's own folder, not in a copy.")
    check: bool = Field(default=True, description="Run the deterministic checker before a policy decides.")
    facts: Facts = Field(
        default="adaptive",
        description="Facts a policy gets: those it asks for (adaptive), a fixed summary, or none (static).",
    )
    privacy: Privacy = Field(default="schema", description="How much of your data may leave the kernel.")
    rehearse: Rehearse | None = Field(
        default=None,
        description="Run the cell in a fenced copy of the kernel; none: on in our own kernels, off in running ones.",
    )
    fix: bool = Field(default=True, description="Look for a patch of a crash, and try it where rehearsing is allowed.")

    cell_limit_s: float = Field(default=600.0, gt=0, description="Replay: time for one executed cell [s].")
    total_limit_s: float = Field(default=3600.0, gt=0, description="Replay: time for all executed cells [s].")
    start_limit_s: float = Field(default=60.0, gt=0, description="Time for the kernel to start [s].")
    copy_limit_mb: int = Field(default=2048, ge=0, description="Largest folder copied before a replay [MB].")

    idle_limit_s: float = Field(default=10.0, gt=0, description="Time to wait for a running kernel to be idle [s].")

    steps: int = Field(default=12, ge=1, description="Decisions that the policy may take.")
    tokens: int = Field(default=50_000, ge=0, description="Tokens sent to and got from a model [tokens].")
    seconds: float = Field(default=60.0, gt=0, description="Time for the agent's run, after the replay [s].")
    answer_seconds: float = Field(default=60.0, gt=0, description="Time that one try to ask the model may take [s].")
    answer_tokens: int = Field(default=8192, ge=256, description="Tokens of one answer, reasoning included [tokens].")
    retries: int = Field(default=2, ge=0, description="How often a question is asked again when the endpoint fails.")
    samples: int = Field(
        default=1, ge=1, le=99, description="How often the model is asked for its answer; most of them decide."
    )
    rehearse_seconds: float = Field(default=10.0, gt=0, description="Time the cell may run in a rehearsal [s].")
    probe_seconds: float = Field(default=2.0, gt=0, description="Time the kernel may spend on one probe [s].")
    probe_items: int = Field(default=50, ge=1, description="Columns, layers, names listed by one probe.")
    probe_bytes: int = Field(default=8192, ge=256, description="Size of one probe's answer [bytes].")
    kernel_bytes: int = Field(default=262_144, ge=0, description="Size of all answers of the kernel in a run [bytes].")

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)  # a bad address is a ValueError, too
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("this is no http or https address")
        return value


LIMITS = frozenset(
    {
        "cell_limit_s", "total_limit_s", "start_limit_s", "copy_limit_mb", "idle_limit_s",
        "steps", "tokens", "seconds", "answer_seconds", "answer_tokens", "retries",
        "rehearse_seconds", "probe_seconds", "probe_items", "probe_bytes", "kernel_bytes",
    }
)  # fmt: skip
"""What a `crane.toml` in the notebook's folder may set."""

_STRICTER: Mapping[str, tuple[object, ...]] = {_PRIVACY: get_args(Privacy), _REHEARSE: (*get_args(Rehearse), None)}
"""What it may make stricter, with the levels, the strictest first; of rehearsals only that there are none."""


class LoadedSettings(NamedTuple):
    """The settings in force, and for each its source in words: a flag, a variable, a file, or `default`."""

    settings: Settings
    origins: Mapping[str, str]


class _Layer(NamedTuple):
    """The values of one source by setting, and each one's place in words."""

    values: Mapping[str, Any]
    places: Mapping[str, str]


def load_settings(flags: Mapping[str, object] | None = None, *, notebook_folder: Path | None = None) -> LoadedSettings:
    """Return the settings in force and where each came from.

    Args:
        flags: Values from the command line by setting; None means not given.
        notebook_folder: Where a `crane.toml` for limits is looked for; None: nowhere.

    Raises:
        ConfigError: A file cannot be read, or a key or value cannot be used; names source and key.
    """
    user_file = user_config_file()
    of_user = _layer_of_file(user_file, allowed=frozenset(Settings.model_fields))
    of_folder = _Layer({}, {})
    if notebook_folder is not None:
        folder_file = notebook_folder.absolute() / FILE_NAME
        if not _is_same(folder_file, user_file):
            of_folder = _layer_of_file(folder_file, allowed=LIMITS | _STRICTER.keys())
            if of_folder.values.get(_REHEARSE, "off") != "off":
                raise _only_limits(folder_file, _REHEARSE)

    values: dict[str, Any] = {_PRIVACY: Settings.model_fields[_PRIVACY].default}
    origins = dict.fromkeys(Settings.model_fields, DEFAULT)
    for layer in (of_user, _without_levels(of_folder), _layer_of_environment(), _layer_of_flags(flags or {})):
        values |= layer.values
        origins |= layer.places
    for key, levels in _STRICTER.items():
        if _is_stricter(of_folder.values.get(key), values.get(key), levels):
            values[key] = of_folder.values[key]
            origins[key] = of_folder.places[key]
    try:
        return LoadedSettings(Settings(**values), origins)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        setting = _setting_of(str(first["loc"][0]))
        place = ".".join([setting, *map(str, first["loc"][1:])])
        raise ConfigError(
            f"{origins.get(setting, DEFAULT)}: {place}: {first['msg'].removeprefix('Value error, ')}"
        ) from None


def _without_levels(layer: _Layer) -> _Layer:
    return _Layer(*({key: value for key, value in part.items() if key not in _STRICTER} for part in layer))


def _is_stricter(level: object, than: object, levels: tuple[object, ...]) -> bool:
    """Whether a folder's level is in force: also if one of them is no level at all, which is then refused."""
    if level is None or than not in levels:
        return False
    return level not in levels or levels.index(level) < levels.index(than)


def user_config_file() -> Path:
    """Return where the user's own `crane.toml` is looked for; it need not exist."""
    return user_config_path("crane-agent", appauthor=False) / FILE_NAME


def variable_of(setting: str) -> str:
    """Return the environment variable that sets `setting`."""
    alias = Settings.model_fields[setting].validation_alias
    return alias if isinstance(alias, str) else f"{ENVIRONMENT_PREFIX}{setting.upper()}"


def _layer_of_flags(flags: Mapping[str, object]) -> _Layer:
    given = {setting: value for setting, value in flags.items() if value is not None}
    return _Layer(given, {setting: f"flag --{setting.replace('_', '-')}" for setting in given})


def _layer_of_environment() -> _Layer:
    found = {_setting_of(key): value for key, value in EnvSettingsSource(Settings)().items()}
    return _Layer(found, {setting: f"variable {variable_of(setting)}" for setting in found})


def _layer_of_file(path: Path, *, allowed: frozenset[str]) -> _Layer:
    try:
        if not path.is_file():
            return _Layer({}, {})
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # ValueError: bad TOML, or bytes that are no UTF-8
        raise ConfigError(f"{path}: cannot be read as TOML: {error}") from None
    for key, value in values.items():
        if key not in Settings.model_fields:
            raise ConfigError(f"{path}: {key}: there is no such setting")
        if key not in allowed:
            raise _only_limits(path, key)
        if isinstance(value, bool) != (Settings.model_fields[key].annotation is bool):
            raise ConfigError(f"{path}: {key}: Input should be a valid {_type_words(key)}")
    return _Layer(values, dict.fromkeys(values, str(path)))


def _only_limits(path: Path, key: str) -> ConfigError:
    return ConfigError(
        f"{path}: {key}: a file in the notebook's folder may set limits only, a stricter privacy, and rehearse to off; "
        f"use a flag, {variable_of(key)}, or {user_config_file()}"
    )


def _type_words(setting: str) -> str:
    annotation = Settings.model_fields[setting].annotation
    kinds = get_args(annotation) or (annotation,)
    return {bool: "boolean", int: "integer", float: "number", Prices: "table"}.get(kinds[0], "string")


def _setting_of(key: str) -> str:
    """Return the setting that pydantic calls `key`, which may be its variable."""
    for setting, field in Settings.model_fields.items():
        if key == field.validation_alias:
            return setting
    return key


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # one of them is not there, or cannot be reached
        return False
