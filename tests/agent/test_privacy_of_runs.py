"""What reaches a model, a file, a report or a log, at each privacy level: canaries in a real kernel, scripted models."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kernels import code_cells
from model_server import ModelServer, Scripted, calls, fault, spoken, verdict
from rich.console import Console
from targets import target_in

from crane_agent.agent.claims import offer_of
from crane_agent.agent.llm_policy import policy_of
from crane_agent.agent.policy import Fact, ProbeCall
from crane_agent.agent.prompts import fact_text
from crane_agent.audit import Audit
from crane_agent.config import Privacy, Settings
from crane_agent.errors import ConfigError
from crane_agent.in_kernel.redaction import MARK
from crane_agent.predict import predict
from crane_agent.session.launched import LaunchedSession, launch
from crane_agent.session.protocol import Reply
from crane_agent.tools.probes import PROBES
from crane_agent.verdict.models import Proof, ProposedFix, Verdict
from crane_agent.verdict.render import as_json, as_markdown, as_text

SECRET = "sk-proj-Zq8Xw3Lr5Tn1Vb7Kd9Mf2"
TEXT, ELEMENT, KEY, COLUMN, NUMBER = "canarytext", "canaryelement", "canarykey", "canarycolumn", 918273


def _hidden(text: str) -> str:
    """Return an expression for a text that does not show it: the cells' own text is sent to a model."""
    return f"bytes.fromhex({text.encode().hex()!r}).decode()"


SETUP = f"""
import datetime, json
import numpy as np, pandas as pd
from sklearn.preprocessing import LabelEncoder
text, number = {_hidden(TEXT)}, 0x{NUMBER:x}
elements = [{_hidden(ELEMENT)}, number, text]
key, column = {_hidden(KEY)}, {_hidden(COLUMN)}
cfg = {{key: text, 'rate': number, 'api': {_hidden(SECRET)}}}
df = pd.DataFrame({{'price': ['1.5', text], column: [number, 1]}})
arr = np.full((3, 4), number)
api_key = {SECRET!r}
def load(where, retries=number): return text
def parse(value): return float(value)
labels = LabelEncoder().fit(['a', text])
"""
TARGETS = [
    "int(text)",
    "cfg[text]",
    "df[text]",
    "elements[number]",
    "load(1)\ncfg[text]",
    "load(1)\nfor each in elements:\n    df[each]",
    "df['price'].astype(float)",
    "raise ValueError(f'{text} {cfg}')",
    "arr[number]",
    # What the libraries themselves say, run by the checker.
    "[parse(each) for each in df['price']]",
    "df['price'].map({text: 1}).astype(int)",
    "pd.to_datetime(df['price'])",
    "df.set_index('price').loc[text + 'x']",
    "df.astype({'price': text})",
    "np.array(elements, dtype=float)",
    "np.zeros(3)[number]",
    "elements.index(text + 'x')",
    "json.loads(text)",
    "datetime.datetime.strptime(text, '%Y')",
    "labels.transform([text + 'z'])",
    "labels.inverse_transform([number])",
    f"client = load({SECRET!r})\ncfg[text]",
]
ABOVE: dict[Privacy, list[str]] = {
    "names": [SECRET, TEXT, ELEMENT, str(NUMBER), KEY, COLUMN],
    "schema": [SECRET, TEXT, ELEMENT, str(NUMBER)],
    "values": [SECRET],
}


AMPLE = Settings(tokens=100_000_000, kernel_bytes=100_000_000, seconds=120, probe_bytes=65_536, rehearse="off")


@dataclass(frozen=True)
class Leveled:
    level: Privacy
    session: LaunchedSession


@pytest.fixture(scope="module", params=["names", "schema", "values"])
def kernel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Leveled]:
    folder = tmp_path_factory.mktemp("kernel")
    with launch(code_cells(SETUP), folder=folder, in_place=True, privacy=request.param) as session:
        yield Leveled(request.param, session)


def every_probe() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a call of each probe with its example's other arguments, on each of the values."""
    for name, spec in PROBES.items():
        taken = spec.arguments.model_fields
        if "path" not in taken:
            yield name, dict(spec.example)
            continue
        for path in ("text", "number", "elements", "cfg", "df", "df['price']", "arr", "load"):
            yield name, {"path": path}
            yield name, {**spec.example, "path": path}


def _batches(listed: list[Any], size: int) -> list[list[Any]]:
    return [listed[start : start + size] for start in range(0, len(listed), size)]


def asked_about(
    kernel: Leveled, target: str, *replies: Scripted, audit: Audit | None = None, **how: Any
) -> tuple[Verdict, bytes]:
    """Return the verdict and all bytes that the model was sent."""
    with ModelServer(replies) as server:
        settings = Settings(model="scripted", base_url=server.base_url, api_key="none", **how)
        policy = policy_of(settings, audit=audit)
        found = predict(
            target_in(target, executed=(SETUP,)), kernel.session, settings=AMPLE.model_copy(update=how), policy=policy
        )
        return found, b"\n".join(server.bodies)


def on_screen(found: Verdict, source: str) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(as_text(found, source=source))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def everywhere_else(found: Verdict, source: str) -> str:
    """Return all forms of a verdict that may be kept or sent on."""
    dumps = [as_json(found), as_markdown(found, source=source), found.model_dump_json(), json.dumps(found.model_dump())]
    prints = [repr(found), str(found), str(dict(found)), str(vars(found)), json.dumps(Verdict.model_json_schema())]
    return "\n".join([*dumps, *prints])


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_above_the_level_is_in_a_verdict_that_can_be_kept(kernel: Leveled, target: str) -> None:
    found = predict(target_in(target, executed=(SETUP,)), kernel.session)
    kept = everywhere_else(found, target)
    assert not [each for each in ABOVE[kernel.level] if each in kept]


@pytest.mark.parametrize(
    "target",
    [
        "import asyncio; await asyncio.sleep(0)\nload(1)\nint(text)\ncfg[text]",
        "import asyncio; await asyncio.sleep(0)\ndf['price'].astype(float)",
    ],
)
@pytest.mark.parametrize(
    "how", [{"api": "chat"}, {"api": "responses"}, {"tool_calling": "text"}, {"facts": "fixed"}], ids=str
)
def test_nothing_above_the_level_is_in_any_byte_that_a_model_is_sent(
    kernel: Leveled, target: str, how: dict[str, str]
) -> None:
    say = spoken if "tool_calling" in how else calls
    asked = [say(*some) for some in _batches(list(every_probe()), 60)]
    claim = verdict(evidence=[{"fact": "F1", "words": "x"}])
    found, sent = asked_about(kernel, target, *asked[:8], claim, **how)
    assert sent
    assert not [each for each in ABOVE[kernel.level] if each in sent.decode()]
    assert not [each for each in ABOVE[kernel.level] if each in everywhere_else(found, target)]
    if kernel.level == "values":
        assert TEXT in sent.decode(), "the test is worth nothing if no value is ever sent"


def test_the_screen_of_the_user_shows_what_proves_the_crash(kernel: Leveled) -> None:
    for target, words in {
        "int(text)": f"invalid literal for int() with base 10: '{TEXT}'",
        "cfg[text]": f"KeyError: '{TEXT}'",
        "load(1)\ncfg[text]": f"KeyError: '{TEXT}'",
        "df[text]": f"none named '{TEXT}'",
    }.items():
        found = predict(target_in(target, executed=(SETUP,)), kernel.session)
        assert found.outcome == "crash"
        assert words in on_screen(found, target)
        assert ("Shown here only" in on_screen(found, target)) == (kernel.level != "values")
        assert SECRET not in on_screen(found, target)


def test_the_proof_of_a_fact_that_a_model_cites_is_shown_on_the_screen_only(kernel: Leveled) -> None:
    cited = [{"fact": "F1", "words": "the checker says so"}]
    crash = verdict(outcome="crash", exception={"type": "KeyError", "line": 3}, evidence=cited)
    found, sent = asked_about(kernel, "import asyncio; await asyncio.sleep(0)\nload(1)\ncfg[text]", crash)
    assert found.reached_by == "scripted"
    assert (TEXT in sent.decode()) == (kernel.level == "values")
    assert (TEXT in on_screen(found, "import asyncio; await asyncio.sleep(0)\nload(1)\ncfg[text]")) == (
        kernel.level != "values"
    )


def test_the_audit_has_every_byte_of_every_request_retries_included(kernel: Leveled, tmp_path: Path) -> None:
    with Audit(tmp_path / "audit") as audit:
        _, sent = asked_about(
            kernel,
            "import asyncio; await asyncio.sleep(0)\nload(1)\ncfg[text]",
            fault(500),
            calls(("describe", {"path": "cfg"})),
            verdict(),
            audit=audit,
        )
    lines = [json.loads(line) for line in (tmp_path / "audit").read_text().splitlines()]
    assert [line["source"] for line in lines] == ["model request"] * 3
    assert "\n".join(line["text"] for line in lines).encode() == sent


def test_nothing_is_sent_that_the_audit_cannot_write(kernel: Leveled) -> None:
    def full(source: str, data: bytes) -> None:
        raise ConfigError("the disk is full")

    with ModelServer([verdict()]) as server:
        policy = server.policy(model="scripted", audit=full)
        with pytest.raises(ConfigError, match="the disk is full"):
            predict(
                target_in("import asyncio; await asyncio.sleep(0)\nload(1)", executed=(SETUP,)),
                kernel.session,
                policy=policy,
            )
    assert server.bodies == []


# -- facts -----------------------------------------------------------------------------------------------------------


def test_a_model_is_told_which_fields_are_withheld_and_nothing_of_the_proof() -> None:
    reply = Reply("ok", {"shape": [3]}, withheld=("max", "min"), proof={"min": TEXT})
    text = fact_text(Fact("F2", ProbeCall("scan", {}), reply))
    assert text == '{"shape": [3]} (withheld at this privacy level: max, min)'


def test_a_model_is_not_told_the_words_of_a_bug_of_ours() -> None:
    assert TEXT not in fact_text(Fact("F2", ProbeCall("scan", {}), Reply("failed", reason=f"KeyError: {TEXT}")))


def test_a_proof_has_no_representation_and_cannot_be_set_by_a_model() -> None:
    proof = Proof(message=TEXT, facts=(TEXT,))
    assert TEXT not in f"{proof} {proof!r}"
    with pytest.raises(ValueError, match="proof"):
        Verdict.model_validate({"outcome": "unknown", "proof": {"message": "x"}})


# -- fixes -----------------------------------------------------------------------------------------------------------

SOURCE = f"client = connect({SECRET!r})\nprices = df['Price']"
SEEN = SOURCE.replace(SECRET, MARK)


def test_a_patch_that_keeps_a_secret_is_whole_on_the_screen_and_nowhere_else() -> None:
    patched = SEEN.replace("Price", "price")
    offer = offer_of(ProposedFix(summary="Use price.", source=patched), SOURCE)
    assert offer.fix is not None
    assert offer.fix.source is None
    assert offer.patch == SOURCE.replace("Price", "price")
    assert "on your screen only" in offer.note


@pytest.mark.parametrize(
    ("source", "patched"),
    [
        (f"{SOURCE}\nother = {SECRET[:-4] + 'A1b2'!r}", f"x = {MARK!r}\nprices = df['price']"),
        (f"{SOURCE}\n# {MARK}", SEEN),
    ],
)
def test_a_patch_in_which_a_mark_may_stand_for_several_things_is_left_out(source: str, patched: str) -> None:
    offer = offer_of(ProposedFix(summary="Use price.", source=patched), source)
    assert offer.fix is not None
    assert (offer.fix.summary, offer.fix.source, offer.patch) == ("Use price.", None, "")
    assert "left out" in offer.note


def test_lines_with_different_secrets_are_made_whole_each_by_itself() -> None:
    other = SECRET[:-4] + "A1b2"
    source = f"a = connect({SECRET!r})\nb = connect({other!r})\nprices = df['Price']"
    seen = source.replace(SECRET, MARK).replace(other, MARK).replace("Price", "price")
    offer = offer_of(ProposedFix(summary="Use price.", source=seen), source)
    assert offer.patch == source.replace("Price", "price")


def test_a_patch_without_secrets_is_offered_as_it_is() -> None:
    offer = offer_of(ProposedFix(summary="s", source="x = 1"), SOURCE)
    assert offer.fix is not None
    assert (offer.fix.source, offer.patch, offer.note) == ("x = 1", "", "")
