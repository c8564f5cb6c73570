from pathlib import Path
from typing import get_args

import pytest

from crane_agent.config import LIMITS, Privacy, Settings, load_settings, user_config_file, variable_of
from crane_agent.errors import ConfigError
from crane_agent.in_kernel.privacy import LEVELS


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    for setting in Settings.model_fields:
        monkeypatch.delenv(variable_of(setting), raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def user_file():
    path = user_config_file()
    path.parent.mkdir(parents=True)
    return path


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "notebooks"
    path.mkdir()
    return path


def refusal(flags=None, folder: Path | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load_settings(flags, notebook_folder=folder)
    return str(caught.value)


def test_each_source_wins_over_the_ones_below_it(monkeypatch, user_file, folder):
    settings, origins = load_settings(notebook_folder=folder)
    assert (settings.steps, origins["steps"]) == (12, "default")

    user_file.write_text("steps = 2")
    settings, origins = load_settings(notebook_folder=folder)
    assert (settings.steps, origins["steps"]) == (2, str(user_file))

    (folder / "crane.toml").write_text("steps = 3")
    settings, origins = load_settings(notebook_folder=folder)
    assert (settings.steps, origins["steps"]) == (3, str(folder / "crane.toml"))

    monkeypatch.setenv("CRANE_STEPS", "4")
    settings, origins = load_settings(notebook_folder=folder)
    assert (settings.steps, origins["steps"]) == (4, "variable CRANE_STEPS")

    settings, origins = load_settings({"steps": 5}, notebook_folder=folder)
    assert (settings.steps, origins["steps"]) == (5, "flag --steps")


def test_a_flag_that_is_not_given_changes_nothing(monkeypatch):
    monkeypatch.setenv("CRANE_MODEL", "small")
    assert load_settings({"model": None}).settings.model == "small"


def test_endpoint_and_key_come_from_the_variables_everybody_uses(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    settings, origins = load_settings()
    assert settings.base_url == "http://127.0.0.1:1/v1"
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == "sk-secret"
    assert origins["api_key"] == "variable OPENAI_API_KEY"
    assert "sk-secret" not in repr(settings)


def test_an_empty_variable_counts_as_not_set(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "")
    assert load_settings().settings.base_url is None


def test_a_dot_env_file_is_not_read(monkeypatch, folder):
    (folder / ".env").write_text("CRANE_STEPS=99\nOPENAI_API_KEY=sk-planted\n")
    monkeypatch.chdir(folder)
    settings = load_settings(notebook_folder=folder).settings
    assert settings.steps == 12
    assert settings.api_key is None


@pytest.mark.parametrize("setting", sorted(set(Settings.model_fields) - LIMITS - {"privacy"}))
def test_a_file_in_the_notebooks_folder_may_set_limits_only(setting, folder, monkeypatch):
    monkeypatch.chdir(folder)  # the current folder makes no difference
    value = "true" if setting in ("in_place", "check") else '"http://evil"'
    (folder / "crane.toml").write_text(f"{setting} = {value}")
    words = refusal(folder=folder)
    assert words.startswith(f"{folder / 'crane.toml'}: {setting}: ")
    assert "limits only" in words
    assert "evil" not in words
    assert "\n" not in words


def test_every_limit_may_be_set_in_the_notebooks_folder(folder):
    (folder / "crane.toml").write_text("\n".join(f"{limit} = 777" for limit in sorted(LIMITS)))
    settings = load_settings(notebook_folder=folder).settings
    assert {getattr(settings, limit) for limit in LIMITS} == {777}


@pytest.mark.parametrize(
    ("of_user", "of_folder", "in_force"),
    [
        (None, "names", "names"),
        (None, "schema", "schema"),
        (None, "values", "schema"),
        ("values", "schema", "schema"),
        ("values", "values", "values"),
        ("names", "values", "names"),
        ("names", "schema", "names"),
        ("schema", "names", "names"),
    ],
)
@pytest.mark.parametrize("place", ["file", "variable", "flag"])
def test_a_notebooks_folder_makes_the_privacy_level_stricter_and_never_looser(
    of_user, of_folder, in_force, place, folder, user_file, monkeypatch
):
    path = folder / "crane.toml"
    path.write_text(f'privacy = "{of_folder}"')
    flags = {}
    if of_user is not None:
        if place == "file":
            user_file.write_text(f'privacy = "{of_user}"')
        elif place == "variable":
            monkeypatch.setenv("CRANE_PRIVACY", of_user)
        else:
            flags["privacy"] = of_user
    settings, origins = load_settings(flags, notebook_folder=folder)
    assert settings.privacy == in_force
    assert (origins["privacy"] == str(path)) == (in_force != (of_user or "schema"))


def test_a_privacy_level_that_does_not_exist_is_refused_wherever_it_stands(folder, monkeypatch):
    assert refusal({"privacy": "all"}).startswith("flag --privacy: privacy: Input should be 'names', 'schema' or ")
    (folder / "crane.toml").write_text('privacy = "nothing"')
    assert refusal(folder=folder).startswith(f"{folder / 'crane.toml'}: privacy: Input should be ")
    (folder / "crane.toml").write_text('privacy = ["names"]')
    assert refusal(folder=folder).startswith(f"{folder / 'crane.toml'}: privacy: Input should be ")
    (folder / "crane.toml").write_text('privacy = "names"')
    monkeypatch.setenv("CRANE_PRIVACY", "all")
    assert refusal(folder=folder).startswith("variable CRANE_PRIVACY: privacy: Input should be ")


@pytest.mark.parametrize("of_user", [None, "off", "ask", "on"])
@pytest.mark.parametrize("place", ["file", "variable", "flag"])
def test_a_notebooks_folder_switches_rehearsals_off_whatever_else_says(of_user, place, folder, user_file, monkeypatch):
    path = folder / "crane.toml"
    path.write_text('rehearse = "off"')
    flags = {}
    if of_user is not None and place == "file":
        user_file.write_text(f'rehearse = "{of_user}"')
    elif of_user is not None and place == "variable":
        monkeypatch.setenv("CRANE_REHEARSE", of_user)
    elif of_user is not None:
        flags["rehearse"] = of_user
    settings, origins = load_settings(flags, notebook_folder=folder)
    assert settings.rehearse == "off"
    assert (origins["rehearse"] == str(path)) == (of_user != "off")


@pytest.mark.parametrize("wanted", ['"on"', '"ask"', '"maybe"', '["off"]'])
def test_a_notebooks_folder_cannot_ask_for_a_rehearsal(wanted, folder):
    (folder / "crane.toml").write_text(f"rehearse = {wanted}")
    words = refusal(folder=folder)
    assert words.startswith(f"{folder / 'crane.toml'}: rehearse: ")
    assert "rehearse to off" in words


def test_a_rehearsal_is_on_off_or_asked_for(user_file):
    assert refusal({"rehearse": "maybe"}).startswith("flag --rehearse: rehearse: Input should be 'off', 'ask' or 'on'")
    user_file.write_text("rehearse = true")
    assert refusal().startswith(f"{user_file}: rehearse: Input should be a valid string")
    user_file.write_text('rehearse = "on"')
    assert load_settings().settings.rehearse == "on"


def test_the_levels_are_those_that_the_kernel_enforces_the_strictest_first():
    assert [LEVELS.index(level) for level in get_args(Privacy)] == sorted(range(len(LEVELS)))


def test_the_current_folder_is_not_read(monkeypatch, tmp_path, folder):
    (tmp_path / "crane.toml").write_text("steps = 3")
    monkeypatch.chdir(tmp_path)
    assert load_settings(notebook_folder=folder).settings.steps == 12


def test_the_users_file_stays_the_users_when_the_notebook_lies_beside_it(user_file):
    user_file.write_text('model = "mine"')
    settings, origins = load_settings(notebook_folder=user_file.parent)
    assert (settings.model, origins["model"]) == ("mine", str(user_file))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("stepz = 3", "stepz: there is no such setting"),
        ("[limits]\nsteps = 3", "limits: there is no such setting"),
        ('steps = "many"', "steps: Input should be a valid integer"),
        ("steps = true", "steps: Input should be a valid integer"),
        ("steps = 1.5", "steps: Input should be a valid integer"),
        ("check = 1", "check: Input should be a valid boolean"),
        ("steps = 0", "steps: Input should be greater than or equal to 1"),
        ("seconds = inf", "seconds: Input should be a finite number"),
        ("model = 3", "model: Input should be a valid string"),
        ('api = "grpc"', "api: Input should be 'auto', 'chat' or 'responses'"),
        ('tool_calling = "none"', "tool_calling: Input should be 'auto', 'native' or 'text'"),
        ('reasoning_effort = "very high"', "reasoning_effort: String should match pattern"),
        ("temperature = -1", "temperature: Input should be greater than or equal to 0"),
        ("temperature = true", "temperature: Input should be a valid number"),
        ("seed = true", "seed: Input should be a valid integer"),
        ("prices = true", "prices: Input should be a valid table"),
        ("[prices]\ninput = 1", "prices.output: Field required"),
        ("[prices]\ninput = 1\noutput = -1", "prices.output: Input should be greater than or equal to 0"),
        ("[prices]\ninput = 1\noutput = 2\nin = 3", "prices.in: Extra inputs are not permitted"),
        ('base_url = "ftp://host"', "base_url: this is no http or https address"),
        ('base_url = "http://[1"', "base_url: "),
        ("steps = ", "cannot be read as TOML"),
    ],
)
def test_what_a_file_says_wrongly_is_one_line_naming_file_and_key(user_file, text, words):
    user_file.write_text(text)
    said = refusal()
    assert said.startswith(f"{user_file}: {words}")
    assert "\n" not in said


def test_a_file_that_is_no_text_is_refused(user_file):
    user_file.write_bytes(b"\xff\xfe\x00")
    assert refusal().startswith(f"{user_file}: cannot be read as TOML")


def test_a_wrong_variable_or_flag_is_named(monkeypatch):
    assert refusal({"steps": 0}).startswith("flag --steps: steps: ")
    monkeypatch.setenv("CRANE_CELL_LIMIT_S", "soon")
    assert refusal().startswith("variable CRANE_CELL_LIMIT_S: cell_limit_s: ")


def test_a_refused_value_is_not_repeated(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "sk-secret-in-the-wrong-place")
    assert "sk-secret" not in refusal()


def test_prices_are_a_table_in_the_users_file_or_an_object_in_a_variable(user_file, monkeypatch):
    user_file.write_text('[prices]\ninput = 2.5\noutput = 10\ncached = 0.25\ncurrency = "EUR"')
    prices = load_settings().settings.prices
    assert prices is not None
    assert prices.currency == "EUR"
    assert prices.cost(tokens_in=1_000_000, tokens_cached=400_000, tokens_out=100_000) == pytest.approx(1.5 + 0.1 + 1.0)
    monkeypatch.setenv("CRANE_PRICES", '{"input": 1, "output": 2}')
    settings, origins = load_settings()
    assert origins["prices"] == "variable CRANE_PRICES"
    assert settings.prices is not None
    assert settings.prices.currency == "USD"
    # What is cached costs what is not, where nothing else is said.
    assert settings.prices.cost(tokens_in=10, tokens_cached=10, tokens_out=10) == pytest.approx(30e-6)
    monkeypatch.setenv("CRANE_PRICES", "cheap")
    assert refusal().startswith("variable CRANE_PRICES: prices: Input should be a valid dictionary")


def test_every_setting_says_what_it_is():
    for setting, field in Settings.model_fields.items():
        assert field.description, setting
        if setting.endswith(("_s", "seconds")):
            assert "[s]" in field.description
        if setting.endswith("_mb"):
            assert "[MB]" in field.description
        if setting.endswith("_bytes"):
            assert "[bytes]" in field.description


def test_the_readme_lists_every_setting_with_its_default_and_variable():
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    for setting, field in Settings.model_fields.items():
        rows = [line for line in readme.splitlines() if line.startswith(f"| `{setting}` |")]
        assert len(rows) == 1, setting
        default = "none" if field.default is None else f"{field.default}".removesuffix(".0").lower()
        assert rows[0].split("|")[2].strip().replace(",", "") == default, setting
        assert f"`{variable_of(setting)}`" in rows[0], setting
