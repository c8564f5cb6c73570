"""Secrets never survive, and nothing else is touched."""

import json
import random
import string
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crane_agent.in_kernel.redaction import MARK, redacted, redacted_value

CHECKOUT = Path(__file__).parents[2]

LETTERS_AND_DIGITS = string.ascii_letters + string.digits
BASE64_LINES = st.lists(st.text(LETTERS_AND_DIGITS + "+/", min_size=64, max_size=64), min_size=1, max_size=5)


def of(alphabet, length):
    return st.text(alphabet, min_size=length, max_size=length)


def form(prefix, alphabet, length):
    return of(alphabet, length).map(lambda rest: prefix + rest)


WORD = LETTERS_AND_DIGITS + "_-"
HEX = "0123456789abcdef"

# As their makers document them.
FORMS = {
    "aws key id": form("AKIA", string.ascii_uppercase + "234567", 16),
    "aws temporary key id": form("ASIA", string.ascii_uppercase + "234567", 16),
    "github": form("ghp_", LETTERS_AND_DIGITS, 36),
    "github oauth": form("gho_", LETTERS_AND_DIGITS, 36),
    "github fine-grained": form("github_pat_", LETTERS_AND_DIGITS + "_", 82),
    "gitlab": form("glpat-", WORD, 20),
    "openai": form("sk-", LETTERS_AND_DIGITS, 48),
    "openai project": form("sk-proj-", WORD, 120),
    "anthropic": form("sk-ant-api03-", WORD, 93),
    "slack bot": form("xoxb-1234567890-1234567890-", LETTERS_AND_DIGITS, 24),
    "slack app": form("xapp-1-A0B1C2-", HEX, 64),
    "google": form("AIza", WORD, 35),
    "google access": form("ya29.", WORD, 60),
    "google client": form("GOCSPX-", WORD, 28),
    "stripe": form("sk_live_", LETTERS_AND_DIGITS, 24),
    "stripe restricted": form("rk_live_", LETTERS_AND_DIGITS, 24),
    "hugging face": form("hf_", string.ascii_letters, 34),
    "npm": form("npm_", LETTERS_AND_DIGITS, 36),
    "pypi": form("pypi-AgEIcHlwaS5vcmc", WORD, 80),
    "sendgrid": st.tuples(of(WORD, 22), of(WORD, 43)).map(lambda pair: "SG.{}.{}".format(*pair)),
    "twilio": form("SK", HEX, 32),
    "databricks": form("dapi", HEX, 32),
    "telegram": form("123456789:AA", WORD, 33),
    "jwt": st.tuples(of(LETTERS_AND_DIGITS, 40), of(WORD, 60), of(WORD, 43)).map(lambda parts: "eyJ" + ".".join(parts)),
    "pem": BASE64_LINES.map(
        lambda lines: "\n".join(["-----BEGIN RSA PRIVATE KEY-----", *lines, "aB3=", "-----END RSA PRIVATE KEY-----"])
    ),
}
AROUND = st.text(
    st.characters(exclude_characters="-_.+/=", exclude_categories=["L", "N", "Cs"]), min_size=1, max_size=30
)


def rest_of(secret, text, least=8):
    """Return the parts of a secret that are still there."""
    return [secret[at : at + least] for at in range(len(secret) - least + 1) if secret[at : at + least] in text]


@pytest.mark.parametrize("name", FORMS)
@settings(max_examples=40)
@given(data=st.data())
def test_a_key_of_a_known_form_never_survives(name, data):
    secret = data.draw(FORMS[name])
    text = data.draw(AROUND) + secret + data.draw(AROUND)
    for each in (text, repr(text), json.dumps(text)):
        assert secret not in redacted(each)
        assert MARK in redacted(each)


@pytest.mark.parametrize("name", FORMS)
def test_the_head_of_a_key_in_a_text_that_is_cut_does_not_survive(name):
    generator = random.Random(name)
    for _ in range(20):
        secret = random_secret(name, generator)
        start = 40 if name == "pem" else next((at for at, each in enumerate(secret) if each.isdigit()), 0)
        for length in range(start + 24, len(secret), 7):
            assert len(rest_of(secret[:length][-16:], redacted("it = " + secret[:length]), 16)) == 0, secret[:length]


def random_secret(name, generator):
    prefixes = {
        "aws key id": ("AKIA", string.ascii_uppercase + "234567", 16),
        "aws temporary key id": ("ASIA", string.ascii_uppercase + "234567", 16),
        "github": ("ghp_", LETTERS_AND_DIGITS, 36),
        "github oauth": ("gho_", LETTERS_AND_DIGITS, 36),
        "github fine-grained": ("github_pat_", LETTERS_AND_DIGITS, 82),
        "gitlab": ("glpat-", WORD, 20),
        "openai": ("sk-", LETTERS_AND_DIGITS, 48),
        "openai project": ("sk-proj-", WORD, 120),
        "anthropic": ("sk-ant-api03-", WORD, 93),
        "slack bot": ("xoxb-1234567890-1234567890-", LETTERS_AND_DIGITS, 24),
        "slack app": ("xapp-1-A0B1C2-", HEX, 64),
        "google": ("AIza", WORD, 35),
        "google access": ("ya29.", WORD, 60),
        "google client": ("GOCSPX-", WORD, 28),
        "stripe": ("sk_live_", LETTERS_AND_DIGITS, 24),
        "stripe restricted": ("rk_live_", LETTERS_AND_DIGITS, 24),
        "hugging face": ("hf_", string.ascii_letters, 34),
        "npm": ("npm_", LETTERS_AND_DIGITS, 36),
        "pypi": ("pypi-AgEIcHlwaS5vcmc", WORD, 80),
        "sendgrid": ("SG.", LETTERS_AND_DIGITS, 22),
        "twilio": ("SK", HEX, 32),
        "databricks": ("dapi", HEX, 32),
        "telegram": ("123456789:AA", WORD, 33),
        "jwt": ("eyJ", LETTERS_AND_DIGITS, 40),
        "pem": ("-----BEGIN PRIVATE KEY-----\n", LETTERS_AND_DIGITS, 64),
    }
    prefix, alphabet, length = prefixes[name]
    return prefix + "".join(generator.choices(alphabet, k=length))


# -- By place and by name ----------------------------------------------------------------------------------------------

PASSWORD = st.tuples(
    st.sampled_from(string.ascii_letters), st.text(LETTERS_AND_DIGITS + "!#^~_-", min_size=6, max_size=30)
).map("".join)

# `{}` is the secret.
PLACES = [
    'password = "{}"',
    "db_password='{}'",
    "PASSWORD = '{}'",
    'password: str = "{}"',
    'password: Optional[str] = "{}"',
    'connect(host="h", password="{}", user="u")',
    "{{'password': '{}', 'user': 'me'}}",
    '{{"apiKey": "{}"}}',
    '{{\\"secret\\": \\"{}\\"}}',
    'os.environ["API_KEY"] = "{}"',
    "os.environ.setdefault('API_TOKEN', '{}')",
    "os.getenv('DB_PASSWORD', '{}')",
    'client_secret="{}"',
    'secret_key = b"{}"',
    "access_token = r'{}'",
    'passphrase = """{}"""',
    "openai.api_key = '{}'",
    "password2 = '{}'",
    "export API_KEY={}",
    "%env API_KEY={}",
    "!MY_SECRET={} run.sh",
    "Server=tcp:x;Uid=sa;Pwd={};Database=d",
    "AccountName=x;AccountKey={};EndpointSuffix=y",
    "https://example.com/x?api_key={}&y=1",
    "https://example.com/x?a=1&token={}",
    "postgresql://me:{}@localhost:5432/db",
    "mongodb+srv://me:{}@cluster.example.net/?retryWrites=true",
    "redis://:{}@localhost:6379/0",
    "could not connect to 'mysql://root:{}@db/x'",
    'headers = {{"Authorization": "Bearer {}"}}',
    "Authorization: Basic {}",
    "x-api-key: '{}'",
    'requests.get(url, auth=("me", "{}"))',
    'requests.get(url, auth=HTTPBasicAuth("me", "{}"))',
    "password = '{}",
    'print("x"); token_secret = "{}',
    "postgres://me:{}",
]


@pytest.mark.parametrize("place", PLACES)
@settings(max_examples=30)
@given(secret=PASSWORD, before=st.sampled_from(["", "x = 1\n", "# note\n    ", "{'a': 1}\n"]))
def test_a_secret_in_its_place_never_survives(place, secret, before):
    text = before + place.format(secret)
    kept = redacted(text)
    assert kept == before + place.format(secret).replace(secret, MARK, 1) or secret not in kept
    assert secret not in kept.replace(place.format(""), "")


@pytest.mark.parametrize(
    "text",
    [
        "password=hunter2",
        "host=localhost dbname=x user=me password=hunter2 port=5432",
        "password: hunter2",
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYhunter2",
        "mysql --user me --password hunter2",
        "mysql --password=hunter2",
        'password = "correct horse hunter2"',
        'password = "it\\"s hunter2"',
        "machine x login y password=hunter2, retry",
        'key = "a1B2c3D4e5F6g7H8i9J0hunter2"',
        "passwd = 20240101hunter2",
    ],
)
def test_more_places(text):
    assert "hunter2" not in redacted(text)
    assert "K7MDENG" not in redacted(text)


@pytest.mark.parametrize("text", ["PASSWORD = 12345678", "pin_password=4711"])
def test_a_password_may_be_a_number(text):
    assert redacted(text).endswith(MARK)


# -- What is no secret -------------------------------------------------------------------------------------------------

ORDINARY = [
    "token = tokenizer.next()",
    'pad_token = "[PAD]"',
    'tokenizer.add_special_tokens({"pad_token": "<pad>", "eos_token": "</s>"})',
    "max_tokens = 256",
    "password = getpass()",
    "password = input('Password: ')",
    'print("Password: ", "given")',
    "password=password",
    "def login(user: str, password: str = None, token: Optional[str] = None) -> bool:",
    "api_key = os.environ['OPENAI_API_KEY']",
    "api_key=settings.api_key",
    'secret_name = "prod/db"',
    'password_column = "pwd"',
    "if token == 'the':",
    'df["password"].isna()',
    'df[["password", "username"]]',
    'df.drop(columns=("password", "email"))',
    "sorted(rows, key=lambda row: row[0])",
    'df.merge(other, key="customer_identifier_2020")',
    "KeyError: 'secret'",
    "http://localhost:8888/lab",
    "https://example.com/a:b@c",
    "f'postgresql://{user}:{password}@{host}:{port}/{name}'",
    'f"Bearer {token}"',
    "sk-container-id-1 sk-toggleable__label-arrow sk-estimator-doc-link",
    "hf_tokenizer = hf_pipeline('x')",
    "npm_config = 1",
    "SG.my_function_name(x)",
    "risk-adjusted-returns-for-the-portfolio",
    "if '-----BEGIN PRIVATE KEY-----' in text:\n    parse(text)",
    "TypeError: login() missing 1 required positional argument: 'password'",
    "PASSWORD = '***'",
    "API_KEY=$MY_KEY python run.py",
    'forward_pass = "training"',
    "{'password': 'str', 'token': 'torch.Tensor'}",
    "0" * 64,
    "d41d8cd98f00b204e9800998ecf8427e",
    "import secrets; secrets.token_hex(16)",
    "pass",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_what_is_no_secret_comes_through(text):
    assert redacted(text) == text


def test_the_sources_and_prompts_of_this_project_come_through():
    paths = [*CHECKOUT.glob("crane_agent/**/*.py"), *CHECKOUT.glob("evals/**/*.py"), *CHECKOUT.glob("prompts/*.md")]
    changed = [path for path in paths if redacted(text := path.read_text(encoding="utf-8")) != text]
    assert len(paths) > 80
    assert [path.name for path in changed] == ["redaction.py"]


FRAGMENTS = st.sampled_from(
    [
        *(place.format("hunter2") for place in PLACES),
        *ORDINARY,
        MARK,
        "password",
        "=",
        ":",
        " ",
        "'",
        '"',
        "\n",
        "\\",
        "sk-",
    ]
)


@given(st.lists(FRAGMENTS, max_size=8).map("".join))
@example("Authorization: Bearer a1b2c3d4e5f6g7h8")
@example("password = 'a\npassword = \"b")
def test_redacting_twice_changes_nothing_more(text):
    assert redacted(redacted(text)) == redacted(text)


# -- Answers -----------------------------------------------------------------------------------------------------------


def test_what_stands_under_the_name_of_a_secret_is_redacted():
    answer = {
        "password": "hunter2",
        "nested": {"api_key": "abc", "max_tokens": 256, "keys": ["a", "password"]},
        "settings": [{"client_secret": "x y z"}, {"passwords": ["a", "b"]}],
        "pwd": 123456,
        "sk-" + "a1B2" * 10: 1,
    }
    assert redacted_value(answer) == {
        "password": MARK,
        "nested": {"api_key": MARK, "max_tokens": 256, "keys": ["a", "password"]},
        "settings": [{"client_secret": MARK}, {"passwords": ["a", "b"]}],
        "pwd": MARK,
        MARK: 1,
    }


def test_types_under_the_name_of_a_secret_stay():
    names = {"password": "str", "token": "torch.Tensor", "secret": "NoneType", "api_key": "list", "pwd": "int64"}
    assert redacted_value({"names": names}) == {"names": names}


@pytest.mark.parametrize("value", [None, True, 3, 2.5, [], {}, "text", {"a": [1, "b", None]}])
def test_other_values_are_as_they_were(value):
    assert redacted_value(value) == value


# -- Time --------------------------------------------------------------------------------------------------------------

ADVERSARIAL = [
    "a", "sk-", "sk-a", "://", "://a:", "a:b@", "key=", "keykey", "password", "password=", "password: ", "password:a=",
    "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\nAaaa: ", "-----BEGIN PRIVATE KEY-----\n" + "A" * 20,
    "authorization: a", "authorization:", "bearer ", "eyJ", "eyJaaaaaaaa.", "auth=(", "auth=('", "--token ", "--", "'", '"',
    "key='", 'key=\\"', 'key="""', "key[", "[redacted]", "AKIA", "hf_", " ", "\n", "\\", "password = {", "password = <",
]  # fmt: skip


@pytest.mark.parametrize("piece", ADVERSARIAL)
def test_a_long_text_takes_no_more_than_linear_time(piece):
    before = time.process_time()
    redacted(piece * (1_000_000 // len(piece)))
    # Were it quadratic, it would take hours.
    assert time.process_time() - before < 30


@pytest.mark.parametrize("piece", ADVERSARIAL)
@pytest.mark.parametrize("start", ["password = '", "-----BEGIN PRIVATE KEY-----\n", "authorization: "])
def test_neither_does_one_behind_the_start_of_a_secret(start, piece):
    before = time.process_time()
    redacted(start + piece * (50_000 // len(piece)))
    assert time.process_time() - before < 5
