"""Secrets are cut out of every text before it leaves the kernel, at every privacy level, and before a model reads it.

Three kinds are known:

1. **by form**: keys whose makers gave them a prefix so that they can be found, JSON web tokens, PEM blocks. A text may
   have been cut, so the head of such a key counts, from eight characters behind its prefix on;
2. **by place**: passwords in addresses, in ``Authorization`` headers;
3. **by name**: what is assigned to a name such as ``password`` or ``api_key``, in Python, JSON, YAML, shell and
   connection strings, and what stands under such a key in an answer. Under names that are only now and then those of
   secrets (``key``, ``token``) a value counts if it looks random.

Text in, text out; this module is used on both sides. Whatever is in the text, the time it takes is linear: every
repetition is bounded or cannot overlap with what follows it.
"""

from __future__ import annotations

import operator
import re
from typing import Any, Callable

MARK = "[redacted]"

MAX_VALUE = 10000
"""Length of a value that is redacted as a whole because of its name [characters]."""


def redacted(text: str) -> str:
    """Return `text` with `MARK` in the place of every secret; what was redacted before stays as it is."""
    lower = text.lower()
    for hints, step in _STEPS:
        if any(hint in lower for hint in hints):
            text = step(text)
    return text


def redacted_value(value: Any) -> Any:
    """Return a JSON value with every text in it redacted: keys of objects, and what stands under a secret's name."""
    if type(value) is str:
        return redacted(value)
    if type(value) is list:
        return [redacted_value(each) for each in value]
    if type(value) is dict:
        return {redacted(key): _under(key, each) for key, each in value.items()}
    return value


def _under(key: str, value: Any) -> Any:
    """Return a redacted value that stands under `key` in an object."""
    if len(key) <= _MAX_NAME and _certainty(key) == _CERTAIN:
        if type(value) is list:
            return [_under(key, each) if type(each) is not dict else redacted_value(each) for each in value]
        if type(value) is str and not _is_no_secret(value) and not _TYPE.match(value):
            return MARK
        if type(value) in (int, float) and _is_password(key) and len(str(value)) >= _SHORTEST_PIN:
            return MARK
    return redacted_value(value)


# -- By form -----------------------------------------------------------------------------------------------------------

# Each with the page of its maker that gives the form.
_FORMS = (
    r"github_pat_\w{8,}",  # GitHub docs, "About authentication to GitHub", token formats
    r"gh[opusr]_[A-Za-z0-9]{8,}",
    r"gl(?:pat|oas|dt|rt|rtr|cbt|ptt|ft|imt|agent|wt|soat|ffct)-[\w.-]{8,}",  # GitLab docs, "Token overview", prefixes
    r"sk-(?:proj|svcacct|admin|ant|or|None|lf)-[\w-]{8,}",  # OpenAI and Anthropic API reference, "Authentication"
    r"xox[abceoprs](?:\.[a-z]+)?-[\w.-]{8,}|xapp-[\w-]{8,}",  # Slack docs, "Token types"
    r"hooks\.slack\.com/(?:services|workflows|triggers)/[\w/]{8,}",  # Slack docs, "Incoming webhooks"
    r"AIza[\w-]{8,}|GOCSPX-[\w-]{8,}",  # Google Cloud docs, "API keys"; "OAuth 2.0", client secrets
    r"ya29\.[\w.-]{8,}",  # Google Cloud docs, "Token types", access tokens
    r"[rs]k_(?:live|test|prod)_[A-Za-z0-9]{8,}|whsec_[A-Za-z0-9+/=]{8,}",  # Stripe docs, "API keys"; "Webhooks"
    r"pypi-AgE[\w-]{8,}",  # PyPI help, "API tokens": a serialised macaroon
    r"dop_v1_[a-f0-9]{8,}|shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{8,}",  # DigitalOcean API reference; Shopify docs
    r"PMAK-[a-f0-9]{8,}[a-f0-9-]*|lin_api_[A-Za-z0-9]{8,}|hvs\.[\w-]{8,}",  # Postman; Linear; HashiCorp Vault docs
    r"AKIA[A-Z0-9]{16,}|ASIA[A-Z0-9]{16,}",  # AWS IAM user guide, "IAM identifiers", unique ID prefixes
    r"SG\.[\w-]{22}\.[\w-]{8,}",  # SendGrid docs, "API keys"
    r"[0-9]{8,10}:AA[\w-]{8,}",  # Telegram Bot API, "Authorizing your bot"
)
_KEYS = re.compile("|".join(_FORMS))

# Prefixes with which ordinary words begin, too: what follows must look random. They start a word, or stand behind an
# escape: ``\\n`` in a literal, a terminal's colour.
_START = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrtbf])|(?<=\\x[0-9a-f]{2})|(?<=\\u[0-9a-f]{4})|(?<=\\U[0-9a-f]{8})|(?<=[0-9]m))"
_KEYS_IF_RANDOM = re.compile(
    _START + r"(?:"
    r"(?:sk-|gsk_|r8_|pplx-|xai-|ntn_)[\w-]{8,}"  # OpenAI's first form; Groq, Replicate, Perplexity, xAI, Notion
    r"|hf_[A-Za-z0-9]{8,}"  # Hugging Face docs, "User access tokens"
    r"|npm_[A-Za-z0-9]{8,}"  # npm docs, "About access tokens"
    r"|A[KS]IA[A-Z0-9]{8,15}"
    r"|dapi[0-9a-f]{8,}"  # Databricks docs, "Personal access tokens"
    r"|SG\.[\w-]{8,}"
    r"|eyJ[\w-]{8,}(?:\.[\w-]*){0,4}"  # RFC 7519: a JSON object in base64 begins so
    r")"
)

_TWILIO = re.compile(r"SK[0-9a-f]{8,}")  # Twilio docs, "API keys"

# RFC 7468. A text that only names the first line holds no key: lines of base64 must follow, with whatever stands
# between them in a literal. The last line is short, and the text may be cut.
_PEM = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:[\s\"'\\,+()]{0,40}[A-Za-z-]{4,30}: [^\r\n\\]{0,200}(?=[\r\n\\])){0,6}"
    r"(?:[\s\"'\\,+()]{0,40}[A-Za-z0-9+/=]{16,})+"
    r"(?:[\s\"'\\,+()]{0,40}[A-Za-z0-9+/=]{1,64}(?=[\s\"'\\,+()nr]{0,40}(?:-----END|\Z)))?"
    r"(?:[\s\"'\\,+()nr]{0,40}-----END[A-Z0-9 ]{0,60}-----)?"
)

_RUN = re.compile(r"[A-Za-z0-9]{8,}")


def _if_random(found: re.Match[str]) -> str:
    return MARK if any(_looks_random(run) for run in _RUN.findall(found.group())) else found.group()


_LONG_RUN = 30
"""Letters and digits without a break that are no word [characters]."""


def _looks_random(run: str) -> bool:
    """Whether a run of letters and digits is no word: it goes to and fro between their kinds, or is very long."""
    kinds = ["d" if each.isdigit() else "u" if each.isupper() else "l" for each in run]
    changes = sum(map(operator.ne, kinds, kinds[1:]))
    return len(run) >= _LONG_RUN or changes >= 3


# -- By place ----------------------------------------------------------------------------------------------------------

# RFC 3986, 3.2.1: scheme://user:password@host. A text that is cut within the password has no @.
_IN_ADDRESS = re.compile(r"://([^\s/:@\"'<>\\]{0,200}):([^\s/\"'<>\\]{1,500})(@|(?:\.\.\.|\u2026)?\Z)")

# RFC 7235, RFC 6750, and the headers of services that take a key.
_IN_HEADER = re.compile(
    r"((?:authorization|x-api-key|x-auth-token|api-key)\\?[\"']?\s{0,3}[:=,]\s{0,3}\\?[\"']?)"
    r"((?:bearer|basic|token|digest|bot|apikey|key)\s{1,3})?([^\s\"',;(){}\[\]<>$%\\]{6,2000})(?=([(\[{]?))",
    re.IGNORECASE,
)
_BEARER = re.compile(r"(\bbearer\s{1,3})([\w.~+/=-]{8,})", re.IGNORECASE)

# ``--password hunter2`` of a command.
_OPTION = re.compile(
    r"(--[\w-]{0,30}(?:password|passwd|secret|token|api-?key)[ \t]{1,3}[\"']?)"
    r"([^\s\"'`,;&(){}\[\]<>|\\-][^\s\"'`;&|]{0,500})",
    re.IGNORECASE,
)

# ``auth=("user", "password")`` of requests and httpx.
_PAIR = re.compile(
    r"(\bauth\s{0,3}=\s{0,3}\w{0,30}\(\s{0,9}[\"'][^\"'\n]{0,200}[\"']\s{0,3},\s{0,9}[\"'])([^\"'\n]{1,500})(?=[\"'])"
)


def _without_credentials(found: re.Match[str]) -> str:
    before, scheme, value, after = found.groups()
    in_quotes = before[-1:] in ("'", '"') and "," not in before
    if _is_no_secret(value) or _SCHEME.match(value) or not (scheme or in_quotes or (_is_mixed(value) and not after)):
        return found.group()
    return before + (scheme or "") + MARK


_SCHEME = re.compile(r"(?:bearer|basic|token|digest|apikey)\Z", re.IGNORECASE)


def _without_last_group(found: re.Match[str]) -> str:
    return found.group() if _is_no_secret(found.group(2)) else found.group(1) + MARK


def _without_argument(found: re.Match[str]) -> str:
    value = found.group(2)
    return found.group(1) + MARK if len(value) >= _SHORTEST_BARE and _is_mixed(value) else found.group()


def _without_password(found: re.Match[str]) -> str:
    user, password, end = found.groups()
    if _is_no_secret(password) or (end != "@" and (password.isdigit() or ":" in password)):
        return found.group()  # a port
    return "://{}:{}{}".format(user, MARK, end)


def _bearer(found: re.Match[str]) -> str:
    runs = _RUN.findall(found.group(2))
    return found.group(1) + MARK if any(map(_looks_random, runs)) else found.group()


# -- By name -----------------------------------------------------------------------------------------------------------

_MAX_NAME = 80
_CERTAIN, _PERHAPS, _NO = 2, 1, 0

# A name that may be a secret's, and what assigns to it: ``=``, ``:``, ``: str =``, ``=>``, a closing quote before.
_NAMED = re.compile(
    r"(?:pass|pwd|secret|token|credential|key|auth|sig)[\w-]{0,40}"
    r"(?P<quote>\\{0,2}[\"'])?\]?(?P<blank>[ \t]{0,4})"
    r"(?P<sign>:[ \t]{0,2}[A-Za-z_][\w.]{0,30}(?:\[[\w., \[\]|]{0,40}\])?(?:[ \t]?\|[ \t]?None)?[ \t]{0,2}=(?!=)"
    r"|:=|=>|[:=](?![=:])|,)"
    r"[ \t]{0,4}",
    re.IGNORECASE,
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

_PASSWORDS = frozenset(["password", "passwd", "passwort", "passphrase", "passcode", "pwd", "pass", "pw"])
_SECRETS = frozenset(
    ["secret", "secrets", "credential", "credentials", "apikey", "authtoken", "accesstoken", "secretkey"]
)
_KINDS_OF_KEYS = re.compile(
    r"(?:api|access|private|account|encryption|signing|subscription|auth|master|service|license|ssh|"
    r"hmac|aes|app|application|consumer|storage|client|deploy|admin|write|server|openai|anthropic|"
    r"azure|kaggle|wandb|rapidapi|stripe|aws|secret|jwt)\Z"
)
_KINDS_OF_TOKENS = re.compile(
    r"(?:auth|access|api|bearer|refresh|session|bot|oauth|github|gh|gitlab|hf|hub|slack|personal|"
    r"security|deploy|app|user|csrf|xsrf|jwt|wandb|telegram|discord|mapbox|vault|npm|pypi|aws|"
    r"azure|gcp|client|huggingface|login|identity|kaggle|sas)\Z"
)
# A name that ends so is about a secret, not the secret.
_ABOUT = re.compile(
    r"(?:id|ids|name|names|file|path|dir|folder|url|uri|env|var|variable|field|fields|length|len|"
    r"size|count|type|types|kind|format|policy|prompt|label|hint|regex|pattern|error|errors|"
    r"message|required|valid|strength|column|columns|col|index|expiry|expires|manager|store|"
    r"provider|reset|changed|version|scope|scopes|help|input|usage|html|template|title)\Z"
)


def _certainty(name: str) -> int:
    """Return how certain it is that a name such as ``db_password`` or ``apiKey`` is that of a secret."""
    words = [each.lower() for each in _WORDS.findall(name)]
    while words and words[-1].isdigit():
        words.pop()
    if not words or _ABOUT.match(words[-1]):
        return _NO
    last = words[-1]
    if last == "pass" and len(words) > 1 and words[-2] in ("forward", "backward", "first", "second", "multi", "single"):
        return _NO
    if any(each in _PASSWORDS - {"pass", "pw"} or each in _SECRETS for each in words) or last in ("pass", "pw"):
        return _CERTAIN
    if last == "key" and any(map(_KINDS_OF_KEYS.match, words[:-1])):
        return _CERTAIN
    if last == "token" and any(map(_KINDS_OF_TOKENS.match, words[:-1])):
        return _CERTAIN
    return _PERHAPS if last in ("key", "token", "auth", "authorization", "sig", "signature") else _NO


def _is_password(name: str) -> bool:
    return any(each.lower() in _PASSWORDS for each in _WORDS.findall(name))


def _without_named(text: str) -> str:
    """Redact what is assigned to the names of secrets."""
    parts: list[str] = []
    copied = place = 0
    while True:
        found = _NAMED.search(text, place)
        if found is None:
            return "".join([*parts, text[copied:]])
        # What is looked at next is behind the first letters, not behind the match: names can follow each other.
        place = found.start() + 3
        name = text[_name_start(text, found.start()) : found.start()] + found.group().split(found.group("sign"), 1)[
            0
        ].rstrip("\\\"'] \t")
        certainty = _certainty(name)
        span = _value(text, found, name, certainty) if certainty else None
        if span is not None:
            parts.extend((text[copied : span[0]], MARK))
            copied = place = span[1]


def _name_start(text: str, place: int) -> int:
    """Return where a name starts whose end is at `place`."""
    start, first = place, max(0, place - _MAX_NAME)
    while start > first and (text[start - 1].isalnum() or text[start - 1] in "_.-"):
        start -= 1
    return start


# Text between quotes, which a cut text does not close.
_QUOTED = re.compile(
    r"(?P<prefix>[rbfuRBFU]{0,2})(?P<open>\"\"\"|'''|\\{0,2}[\"'])",
)
_BARE = re.compile(r"[^\s\"'`,;&(){}\[\]<>|\\]{1,256}")
_BARE_REST = re.compile(r"[^\s\"'`,;&(){}\[\]<>|\\]*")


def _value(text: str, found: re.Match[str], name: str, certainty: int) -> tuple[int, int] | None:
    """Return where the secret behind a name starts and ends; None if there is none."""
    sign = found.group("sign")
    start = found.end()
    quoted = _QUOTED.match(text, start)
    if quoted is not None:
        if sign == "," and not (found.group("quote") and _SETTERS.search(text[: found.start() + 1][-2 * _MAX_NAME :])):
            return None
        end = _end_of(text, quoted.end(), quoted.group("open"))
        value = text[quoted.end() : end]
        # ``input("Password: ")``: the quote closes the text that the name is in.
        closes = sign == ":" and not found.group("quote") and value[:1] in " \t\n),;]}+"
        template = "f" in quoted.group("prefix").lower() and "{" in value
        typed = found.group("quote") is not None and _TYPE.match(value) is not None
        if closes or template or typed or _is_no_secret(value):
            return None
        if certainty == _PERHAPS and not _is_random_value(value):
            return None
        return quoted.end(), end
    bare = _BARE.match(text, start) if sign in ("=", ":") else None
    if bare is None or not _is_bare_secret(text, found, bare, name, certainty):
        return None
    rest = _BARE_REST.match(text, bare.end())
    return bare.start(), rest.end() if rest else bare.end()


# Calls whose first argument is a name and whose second is its value, as far as the name's opening quote.
_SETTERS = re.compile(r"\b(?:getenv|get|setdefault|setenv|putenv|set|set_secret|set_key)\(\s{0,3}[\"'][\w.-]*\w\Z")


def _end_of(text: str, start: int, mark: str) -> int:
    """Return where the text that a quotation mark opened ends: before the closing one, at the line's or text's end."""
    if len(mark) == 3 and mark[0] != "\\":
        end = text.find(mark, start, start + MAX_VALUE)
        return end if end >= 0 else min(len(text), start + MAX_VALUE)
    place, stop = start, min(len(text), start + MAX_VALUE)
    while place < stop and text[place] != "\n":
        if text.startswith(mark, place):
            break
        place += 2 if text[place] == "\\" and len(mark) == 1 else 1
    return min(place, stop)


def _is_bare_secret(text: str, found: re.Match[str], bare: re.Match[str], name: str, certainty: int) -> bool:
    """Whether a word without quotes is a secret: code assigns names and calls, files and commands assign values."""
    value = bare.group().rstrip(".:")
    after = text[bare.end() : bare.end() + 1]
    if _is_no_secret(value) or _TYPE.match(value) or (after and after in "([{") or _DOTTED.match(value):
        return False
    tight = found.group("sign") == "=" and not found.group("blank") and found.end("sign") == bare.start()
    start = _name_start(text, found.start())
    before = text[max(0, start - _MAX_NAME) : start]
    if tight and before[-1:] in ("?", "&") and len(value) >= _SHORTEST_BARE:
        return True  # of an address
    if certainty == _PERHAPS:
        return _is_random_value(value) and (not value.isidentifier() or sum(map(str.isdigit, value)) >= 3)
    if value.isdigit():
        return _is_password(name) and len(value) >= _SHORTEST_PIN
    if tight and (before[-1:] == ";" or after == ";"):
        return True  # of a connection string
    if tight and name == name.upper() and (not before or _COMMAND.search(before)):
        return True
    return len(value) >= _SHORTEST_BARE and _is_mixed(value)


_COMMAND = re.compile(r"(?:\n|\A)[ \t]*(?:export |set |%env |%set_env |!|ENV |-e )?[ \t]*\Z")
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+\Z")
_SHORTEST_PIN = 4
_SHORTEST_BARE = 5


def _is_mixed(value: str) -> bool:
    """Whether a word has digits among its letters, or signs that no name has."""
    letters = any(each.isalpha() for each in value)
    return letters and (any(each.isdigit() for each in value) or re.search(r"[^\w.:/-]", value) is not None)


def _is_random_value(value: str) -> bool:
    """Whether a whole value looks like a random key: long, one word, letters and digits in no order."""
    if len(value) < 16 or not _ONE_WORD.match(value):
        return False
    return any(map(_looks_random, _RUN.findall(value))) and _is_mixed(value)


_ONE_WORD = re.compile(r"[\w.~+/=-]+\Z")

# Placeholders, templates, and names of environment variables that hold the secret.
_PLACEHOLDER = re.compile(
    r"(?:\s*|\{[^{}]{0,200}\}|<[^<>]{0,60}>|\[[A-Za-z ]{0,20}\]|\$\{[^{}]{0,99}\}|\$\(?[A-Z_][A-Z0-9_]*\)?"
    r"|%s|%\(\w{1,60}\)s|[*xX.\u2026-]+|(?i:none|null|true|false)"
    r"|[A-Z][A-Z0-9_]*_(?:KEY|TOKEN|SECRET|PASSWORD|PASS|PWD|CREDENTIALS))\Z"
)


def _is_no_secret(value: str) -> bool:
    return bool(_PLACEHOLDER.match(value))


# Names of types, which answers have under the names of variables: ``{"password": "str"}``.
_TYPE = re.compile(
    r"(?:(?:u?int|float|complex|bfloat|bool|datetime|timedelta)[0-9]{0,3}(?:\[[^\]]{0,20}\])?"
    r"|str|string|bytes|bytearray|object|category|list|tuple|dict|set|frozenset|range|function|method|module|type|property"
    r"|NoneType|None|[Oo]ptional|Any|Int64|Float64|Int32|boolean|generator|builtin_function_or_method"
    r"|(?:__main__|numpy|pandas|torch|tensorflow|keras|sklearn|datetime|decimal|fractions|pathlib|collections|types|re"
    r"|functools|pydantic|typing|transformers|getpass|io|_io)(?:\.\w{1,60}){1,8})\Z"
)


# -- All of it ---------------------------------------------------------------------------------------------------------

# What is in the text, in small letters, if the step finds anything: searching for words is far quicker.
_STEPS: tuple[tuple[tuple[str, ...], Callable[[str], str]], ...] = (
    (("-----begin",), lambda text: _PEM.sub(MARK, text)),
    (
        (
            *(
                "github_pat_",
                "gho_",
                "ghp_",
                "ghu_",
                "ghs_",
                "ghr_",
                "glpat",
                "gloas",
                "gldt",
                "glrt",
                "glcbt",
                "glptt",
                "glft",
            ),
            *(
                "glimt",
                "glagent",
                "glwt",
                "glsoat",
                "glffct",
                "sk-",
                "xox",
                "xapp-",
                "hooks.slack",
                "aiza",
                "gocspx",
                "ya29.",
            ),
            *(
                "k_live",
                "k_test",
                "k_prod",
                "whsec_",
                "pypi-",
                "dop_v1",
                "shpat",
                "shpca",
                "shppa",
                "shpss",
                "pmak-",
                "lin_api",
            ),
            *("hvs.", "akia", "asia", "sg.", ":aa"),
        ),
        lambda text: _KEYS.sub(MARK, text),
    ),
    (
        ("sk-", "gsk_", "r8_", "pplx-", "xai-", "ntn_", "hf_", "npm_", "akia", "asia", "dapi", "sg.", "eyj"),
        lambda text: _KEYS_IF_RANDOM.sub(_if_random, text),
    ),
    (("sk",), lambda text: _TWILIO.sub(_if_random, text)),
    (("://",), lambda text: _IN_ADDRESS.sub(_without_password, text)),
    (("authorization", "api-key", "auth-token"), lambda text: _IN_HEADER.sub(_without_credentials, text)),
    (("bearer",), lambda text: _BEARER.sub(_bearer, text)),
    (("auth",), lambda text: _PAIR.sub(_without_last_group, text)),
    (("--",), lambda text: _OPTION.sub(_without_argument, text)),
    (("pass", "pwd", "secret", "token", "credential", "key", "auth", "sig"), _without_named),
)
