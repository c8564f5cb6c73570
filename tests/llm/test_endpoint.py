"""One question to a real endpoint on the loopback: in which API and protocol it is asked, and what is tried again."""

import gc
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage, ToolMessage
from model_server import ModelServer, Scripted, calls, completion, drop, fault, hang, spoken, text

from crane_agent.config import OPENAI_URL, Settings
from crane_agent.errors import ConfigError, ModelUnavailable
from crane_agent.llm.client import chat_models
from crane_agent.llm.endpoint import Endpoint, Question, open_endpoint
from crane_agent.llm.replies import MAX_CALLS, MAX_TEXT
from crane_agent.llm.usage import cached_tokens, counted

KEY = "sk-test-0123456789abcdef"
TOOL: dict[str, Any] = {
    "type": "function",
    "function": {"name": "echo", "description": "Says it.", "parameters": {"type": "object", "properties": {}}},
}
MESSAGES: tuple[AnyMessage, ...] = (SystemMessage("Be brief."), HumanMessage("Call echo."))
ECHO = calls(("echo", {}))


def endpoint_at(server: ModelServer, **settings: Any) -> Endpoint:
    return open_endpoint(Settings(model="m", base_url=server.base_url, api_key=KEY, **settings))


def question(*more: AnyMessage, max_tokens: int = 4000, choice: str = "", postscript: str = "") -> Question:
    return Question((*MESSAGES, *more), [TOOL], max_tokens=max_tokens, choice=choice, postscript=postscript)


def ask(endpoint: Endpoint, *more: AnyMessage, seconds: float = 10.0, **options: Any) -> AIMessage:
    return endpoint.ask(question(*more, **options), deadline=time.monotonic() + seconds)


def refused(message: str, status: int = 400) -> Scripted:
    return fault(status, body={"error": {"message": message, "type": "invalid_request_error"}})


@pytest.fixture(autouse=True)
def _no_connection_outlives_its_test() -> Iterator[None]:
    yield
    gc.collect()


# -- which API -------------------------------------------------------------------------------------------------------


def test_an_endpoint_of_ones_own_is_asked_in_chat_completions_and_openai_in_responses() -> None:
    with ModelServer([ECHO]) as server:
        ask(endpoint_at(server))
    assert server.paths == ["/v1/chat/completions"]
    for base_url in (None, "https://api.openai.com/v1"):
        settings = Settings(model="m", base_url=base_url, api_key=KEY)
        assert open_endpoint(settings).manner.api == "responses"
        assert open_endpoint(settings.model_copy(update={"seed": 1})).manner.api == "chat"


@pytest.mark.parametrize(
    "message",
    [
        "This model is only supported in v1/responses and not in v1/chat/completions.",
        "This is not a chat model and thus not supported in the v1/chat/completions endpoint.",
    ],
)
def test_a_model_that_knows_responses_only_is_asked_in_those_from_then_on(message: str) -> None:
    with ModelServer([refused(message, 404), ECHO, ECHO]) as server:
        endpoint = endpoint_at(server)
        for _ in range(2):
            assert ask(endpoint).tool_calls
    assert server.paths == ["/v1/chat/completions", "/v1/responses", "/v1/responses"]


def test_a_setting_of_the_api_is_obeyed() -> None:
    with ModelServer([refused("only supported in v1/responses", 404)]) as server, pytest.raises(ModelUnavailable):
        ask(endpoint_at(server, api="chat"))
    assert server.paths == ["/v1/chat/completions"]
    with ModelServer([ECHO], responses=False) as server, pytest.raises(ModelUnavailable, match="status 404"):
        ask(endpoint_at(server, api="responses"))
    assert server.requests == []


def test_the_settings_of_the_model_are_sent_under_the_names_of_each_api() -> None:
    options = {"reasoning_effort": "low", "temperature": 0.5}
    with ModelServer([ECHO, ECHO]) as server:
        ask(endpoint_at(server, api="chat", seed=7, **options))
        ask(endpoint_at(server, api="responses", **options))
    chat, responses = server.requests
    assert (chat["reasoning_effort"], chat["temperature"], chat["seed"], chat["max_tokens"]) == ("low", 0.5, 7, 4000)
    assert (responses["reasoning"], responses["temperature"]) == ({"effort": "low"}, 0.5)
    assert responses["max_output_tokens"] == 4000
    assert responses["store"] is False
    assert "store" not in chat


def test_what_is_not_set_is_not_sent() -> None:
    with ModelServer([ECHO]) as server:
        ask(endpoint_at(server))
    assert set(server.requests[0]) == {"model", "messages", "tools", "stream", "max_tokens"}


def test_a_seed_does_not_go_with_responses() -> None:
    with pytest.raises(ConfigError, match="seed"):
        open_endpoint(Settings(model="m", api_key=KEY, api="responses", seed=1))


def test_a_conversation_in_responses_names_nothing_that_is_kept_at_the_endpoint() -> None:
    with ModelServer([ECHO, ECHO]) as server:
        endpoint = endpoint_at(server, api="responses")
        first = ask(endpoint)
        ask(endpoint, first, ToolMessage("said", tool_call_id=first.tool_calls[0]["id"]))
    sent = server.requests[1]["input"]
    assert [item.get("type", item.get("role")) for item in sent[2:]] == ["function_call", "function_call_output"]
    assert not any("id" in item for item in sent)


# -- how long an answer may be -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        "body.max_tokens: Extra inputs are not permitted",
    ],
)
def test_the_limit_of_an_answer_is_sent_under_the_other_name_where_one_is_refused(message: str) -> None:
    with ModelServer([refused(message), ECHO, ECHO]) as server:
        endpoint = endpoint_at(server)
        for _ in range(2):
            ask(endpoint)
    limits = [(each.get("max_tokens"), each.get("max_completion_tokens")) for each in server.requests]
    assert limits == [(4000, None), (None, 4000), (None, 4000)]


@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize(
    "message",
    [
        "max_tokens is too large: 4000. This model supports at most 2048 completion tokens",
        # llama-cpp-python 0.3.36, word by word
        "This model's maximum context length is 4096 tokens. However, you requested 4971 tokens (971 in the messages, "
        "4000 in the completion). Please reduce the length of the messages or completion.",
    ],
)
def test_a_model_that_is_too_small_for_a_long_answer_is_asked_for_a_short_one(api: str, message: str) -> None:
    with ModelServer([refused(message), ECHO]) as server:
        ask(endpoint_at(server, api=api))
    name = "max_tokens" if api == "chat" else "max_output_tokens"
    assert [each[name] for each in server.requests] == [4000, 1024]


def test_what_a_refusal_says_is_understood_wherever_in_its_body_it_stands() -> None:
    wrong = {"loc": ["body", "max_tokens"], "msg": "Extra inputs are not permitted", "input": {"tools": "text"}}
    for body in ({"detail": [wrong]}, {"detail": "no max_tokens"}, {"error": "no max_tokens"}, "no max_tokens"):
        with ModelServer([fault(422, body=body), ECHO]) as server:
            ask(endpoint_at(server))
        assert [each.get("max_completion_tokens") for each in server.requests] == [None, 4000]
        assert "tools" in server.requests[1]


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"detail": "Not Found"}, "'Not Found'"),  # FastAPI, for a path that it has not
        ({"detail": [{"loc": ["body", "n"], "msg": "too big", "input": "ours"}]}, "'body.n: too big'"),
        ("<html>Bad gateway</html>", "'Error code: 404'"),
        ({"error": {"error": {"error": None}}}, "'Error code: 404'"),
        ([1, {"loc": 2}], "'Error code: 404'"),
    ],
)
@pytest.mark.parametrize("api", ["chat", "responses"])
def test_a_refusal_is_shown_in_the_endpoints_words_without_what_it_repeats_of_ours(
    body: Any, shown: str, api: str
) -> None:
    with ModelServer([fault(404, body=body)]) as server, pytest.raises(ModelUnavailable) as caught:
        ask(endpoint_at(server, api=api))
    assert str(caught.value).endswith(f"refused the request (status 404): {shown}")


def test_two_refusals_that_contradict_each_other_end_the_question() -> None:
    with ModelServer([refused("max_tokens: not permitted")], repeats=True) as server, pytest.raises(ModelUnavailable):
        ask(endpoint_at(server))
    assert len(server.requests) == 2


# -- how tools are called --------------------------------------------------------------------------------------------

NO_TOOLS = [
    (400, "registry.ollama.ai/library/small:latest does not support tools"),
    (400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'),
    (404, "No endpoints found that support tool use."),
    (422, "tools: Extra inputs are not permitted"),
    (500, "tools param requires --jinja flag"),
    (501, "Function calling is not implemented"),
]


@pytest.mark.parametrize(("status", "message"), NO_TOOLS)
def test_an_endpoint_without_tools_is_asked_in_text_from_then_on(status: int, message: str) -> None:
    with ModelServer([refused(message, status), spoken(("echo", {})), spoken(("echo", {}))]) as server:
        endpoint = endpoint_at(server)
        for _ in range(2):
            assert [call["name"] for call in ask(endpoint).tool_calls] == ["echo"]
    assert ["tools" in each for each in server.requests] == [True, False, False]
    assert '{"name": "echo", "description": "Says it."' in server.requests[1]["messages"][0]["content"]


def test_an_endpoint_that_shall_call_tools_itself_is_not_asked_in_text() -> None:
    with ModelServer([refused("m does not support tools")]) as server, pytest.raises(ModelUnavailable, match="tools"):
        ask(endpoint_at(server, tool_calling="native"))
    with ModelServer([spoken(("echo", {}))] * 2) as server:
        endpoint = endpoint_at(server, tool_calling="native")
        first = ask(endpoint)
        assert not ask(endpoint, first, HumanMessage("Call a tool.")).tool_calls


def test_a_model_that_writes_its_calls_twice_is_understood_and_answered_in_text() -> None:
    with ModelServer([spoken(("echo", {}))] * 2 + [text("done")]) as server:
        endpoint = endpoint_at(server)
        first = ask(endpoint)
        assert not first.tool_calls
        complaint = HumanMessage("Call a tool.")
        second = ask(endpoint, first, complaint)
        assert [call["name"] for call in second.tool_calls] == ["echo"]
        named = second.model_copy(update={"tool_calls": [{**second.tool_calls[0], "id": "call00001"}]})
        ask(endpoint, first, complaint, named, ToolMessage("F2 said", tool_call_id="call00001"))
    assert ["tools" in each for each in server.requests] == [True, True, False]
    roles = [message["role"] for message in server.requests[2]["messages"]]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user"]
    answers = json.loads(server.requests[2]["messages"][-1]["content"])["answers"]
    assert answers == [{"tool": "echo", "arguments": {}, "answer": "F2 said"}]


def test_a_model_that_talks_though_it_was_offered_tools_is_told_of_them_in_text() -> None:
    # llama-cpp-python takes `tools` and, with most chat formats, leaves them out of what the model reads.
    complaint = HumanMessage("Call a tool.")
    for talk, in_text in ((text("That is a crane."), True), (text("That", finish="length"), False), (text(""), False)):
        with ModelServer([talk, spoken(("echo", {}))]) as server:
            endpoint = endpoint_at(server)
            second = ask(endpoint, ask(endpoint), complaint)
        assert ["tools" in each for each in server.requests] == [True, not in_text]
        assert bool(second.tool_calls) == in_text
    for setting in ("native", "text"):
        with ModelServer([text("That is a crane.")] * 2) as server:
            endpoint = endpoint_at(server, tool_calling=setting)
            ask(endpoint, ask(endpoint), complaint)
        assert ["tools" in each for each in server.requests] == [setting == "native"] * 2


def test_a_call_in_text_counts_at_once_where_it_is_the_last_chance() -> None:
    with ModelServer([spoken(("echo", {}))]) as server:
        assert ask(endpoint_at(server), choice="echo").tool_calls


def test_the_postscript_stands_behind_the_data_in_every_protocol() -> None:
    said = AIMessage("", tool_calls=[{"name": "echo", "args": {}, "id": "call00001"}])
    answer = ToolMessage("said", tool_call_id="call00001")
    for options in ({"api": "chat"}, {"api": "responses"}, {"tool_calling": "text"}):
        with ModelServer([ECHO]) as server:
            ask(endpoint_at(server, **options), said, answer, postscript="Now answer.")
        last = (server.requests[0].get("messages") or server.requests[0]["input"])[-1]
        assert last.get("content", last.get("output")).endswith("\n\nNow answer.")


# -- what comes back ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_a_reply_has_one_form_whatever_the_api(api: str) -> None:
    script = [
        calls(("echo", {"a": 1}), ids=["call_1"]),
        text("<think>Hm.</think>\nHello"),
        text("Hel", finish="length"),
        text("x" * (MAX_TEXT + 5)),
        calls(*[("echo", {})] * (MAX_CALLS + 5)),
    ]
    with ModelServer(script) as server:
        endpoint = endpoint_at(server, api=api)
        replies = [ask(endpoint) for _ in script]
    called, said, cut_off, long, many = replies
    assert [(call["name"], call["args"], call["id"]) for call in called.tool_calls] == [("echo", {"a": 1}, "call_1")]
    assert (said.content, said.response_metadata) == ("Hello", {})
    assert cut_off.response_metadata == {"finish_reason": "length"}
    assert (len(long.content), len(many.tool_calls)) == (MAX_TEXT, MAX_CALLS)
    assert all(reply.id is None and reply.additional_kwargs == {} for reply in replies)


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_tokens_of_the_cache_are_told_where_the_endpoint_tells_them(api: str) -> None:
    with ModelServer([completion({"content": "x"}, cached=60), text("x"), text("x" * 400, tokens=None)]) as server:
        endpoint = endpoint_at(server, api=api)
        replies = [counted(ask(endpoint), asked=500) for _ in range(3)]
    assert [cached_tokens([reply]) for reply in replies] == [60, 0, 0]
    assert cached_tokens(replies) == 60
    usages = [reply.usage_metadata for reply in replies]
    assert all(usages)
    assert [usage["input_tokens"] for usage in usages if usage] == [100, 100, 500]
    assert usages[2] is not None
    assert 100 <= usages[2]["output_tokens"] <= 110


def test_more_cached_tokens_than_tokens_are_not_believed() -> None:
    with ModelServer([completion({"content": "x"}, cached=1_000_000)]) as server:
        assert cached_tokens([counted(ask(endpoint_at(server)), asked=500)]) == 100


# -- what is tried again -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [fault(500), fault(429), fault(408), fault(529), drop(), hang()])
@pytest.mark.parametrize("api", ["chat", "responses"])
def test_a_failure_that_may_pass_is_tried_again(failure: Scripted, api: str) -> None:
    with ModelServer([failure, ECHO]) as server:
        assert ask(endpoint_at(server, api=api, answer_seconds=0.5)).tool_calls
    assert len(server.requests) == 2


def test_the_number_of_retries_is_a_setting() -> None:
    for retries in (0, 1):
        with ModelServer([fault(500)], repeats=True) as server, pytest.raises(ModelUnavailable, match="status 500"):
            ask(endpoint_at(server, retries=retries))
        assert len(server.requests) == retries + 1


def _in_a_second() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)


@pytest.mark.parametrize(
    ("header", "value", "least_s", "most_s"),
    [
        ("retry-after", "0.05", 0.05, 0.4),
        ("retry-after", "1", 1.0, 1.6),
        ("retry-after", None, 0.9, 2.6),
        ("retry-after-ms", "900", 0.9, 1.5),
        ("retry-after", "soon", 0.5, 1.0),
    ],
)
def test_the_endpoint_says_when_to_come_back(header: str, value: str | None, least_s: float, most_s: float) -> None:
    with ModelServer([fault(429, headers={header: value or _in_a_second()}), ECHO]) as server:
        endpoint = endpoint_at(server)
        began = time.monotonic()
        ask(endpoint)
    assert least_s <= time.monotonic() - began < most_s + 1.0


def test_a_wait_that_ends_after_the_deadline_is_not_begun() -> None:
    with ModelServer([fault(429, headers={"retry-after": "30"}), ECHO]) as server:
        endpoint = endpoint_at(server)
        began = time.monotonic()
        with pytest.raises(ModelUnavailable, match="asks to wait 30 s"):
            ask(endpoint, seconds=5)
    assert time.monotonic() - began < 2


def test_what_would_be_sent_to_another_host_is_not_sent() -> None:
    with ModelServer([ECHO]) as other:
        location = f"{other.base_url}/chat/completions"
        with ModelServer([fault(308, headers={"location": location})]) as server, pytest.raises(ModelUnavailable):
            ask(endpoint_at(server))
        assert other.requests == []


@pytest.mark.parametrize("key", ["ключ", "sk-\n-x"])
def test_a_key_that_cannot_be_sent_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ConfigError, match="cannot be sent") as caught:
        open_endpoint(Settings(model="m", api_key=key))
    assert key not in str(caught.value)


def test_variables_of_the_client_that_are_no_settings_of_ours_do_not_redirect_a_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ModelServer([ECHO]) as other:
        monkeypatch.setenv("OPENAI_API_BASE", other.base_url)
        with ModelServer([ECHO]) as server:
            ask(endpoint_at(server))
        assert open_endpoint(Settings(model="m", api_key=KEY, base_url=None)).manner.api == "responses"
        chat = chat_models(Settings(model="m", api_key=KEY, base_url=None), audit=None).by_api["chat"]
        assert getattr(chat, "openai_api_base", None) == OPENAI_URL
    assert (len(server.requests), len(other.requests)) == (1, 0)


def test_the_same_question_is_the_same_bytes_in_every_protocol() -> None:
    said = AIMessage("", tool_calls=[{"name": "echo", "args": {"b": 1, "a": 2}, "id": "call00001"}])
    answer = ToolMessage("said", tool_call_id="call00001")
    for options in ({"api": "chat"}, {"api": "responses"}, {"tool_calling": "text"}):
        with ModelServer([ECHO, ECHO]) as server:
            for _ in range(2):
                ask(endpoint_at(server, **options), said, answer)
        assert server.bodies[0] == server.bodies[1]
