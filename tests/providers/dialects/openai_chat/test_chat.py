"""OpenAI chat in and out of the neutral form: what was said is said again."""

from typing import Any

import pytest

from penstock.core.codec import decode, encode
from penstock.core.errors import MalformedChat
from penstock.model.chat import (
    Call,
    ChatRequest,
    End,
    Failure,
    Notes,
    Result,
    Stop,
    StopReason,
    Text,
    ToolChoice,
    Turn,
    Used,
)
from penstock.providers.dialects import DIALECTS

CHAT = DIALECTS["openai_chat"]
assert CHAT.client and CHAT.provider
CLIENT, PROVIDER = CHAT.client, CHAT.provider

CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}
TEXT = {"type": "text", "text": "sun"}
REQUEST = {
    "model": "gpt-5",
    "messages": [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "name": "ada", "content": [
            {"type": "text", "text": "What is this?", "cache_control": {"type": "ephemeral"}},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA", "filename": "a.pdf"}},
        ]},
        {"role": "assistant", "content": "Let me see.", "tool_calls": [CALL, {**CALL, "id": "call_2"}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
        {"role": "tool", "tool_call_id": "call_2", "content": [TEXT, TEXT]},
        {"role": "assistant", "reasoning_content": "so", "reasoning_details": [
            {"type": "reasoning.text", "text": "so", "signature": "sig", "format": "anthropic"},
            {"type": "reasoning.encrypted", "data": "secret"},
        ], "content": "Rain and sun."},
        {"role": "user", "content": "Thanks"},
    ],
    "tools": [
        {"type": "function", "function": {
            "name": "weather", "description": "tells", "parameters": {"type": "object"}, "strict": True,
        }},
        {"type": "custom", "custom": {"name": "free", "description": "text"}},
    ],
    "tool_choice": {"type": "function", "function": {"name": "weather"}},
    "parallel_tool_calls": False,
    "response_format": {
        "type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}, "strict": True},
    },
    "reasoning_effort": "low",
    "max_completion_tokens": 100,
    "temperature": 0.5,
    "top_p": 1,
    "stop": ["a", "b"],
    "seed": 7,
    "n": 2,
    "presence_penalty": 0.1,
    "frequency_penalty": 0.2,
    "logprobs": True,
    "top_logprobs": 3,
    "user": "u",
    "service_tier": "flex",
    "stream": True,
    "stream_options": {"include_usage": True, "include_obfuscation": False},
    "logit_bias": {"50256": -100},
    "metadata": {"a": "b"},
}  # fmt: skip


def test_a_request_is_the_same_after_the_neutral_form():
    notes = Notes()
    again = PROVIDER.write_request(CLIENT.read_request(encode(REQUEST)), notes)
    assert decode(again) == REQUEST
    assert notes.members == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"messages": []}, "messages:"),
        ({"messages": "hi"}, "messages: must be a list"),
        ({"messages": [{"role": "judge", "content": "hi"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
        ({"temperature": "warm"}, "temperature: must be a number"),
        ({"tools": [{"type": "function"}]}, "tools[0].function: is missing"),
        ({"stop": 3}, "stop:"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_path(change, says):
    with pytest.raises(MalformedChat, match="^" + says.replace("[", r"\[").replace("]", r"\]")):
        CLIENT.read_request(encode(REQUEST | change))


def test_a_provider_that_takes_less_is_asked_in_what_it_takes():
    request, notes = CLIENT.read_request(encode(REQUEST)), Notes()
    request.lacks = frozenset({"developer", "max_completion_tokens", "json_schema", "seed", "user", "top_k"})
    told = decode(PROVIDER.write_request(request, notes))
    assert told["max_tokens"] == 100
    assert {"max_completion_tokens", "seed", "user"}.isdisjoint(told)
    assert sorted(notes.members) == ["seed", "user"]
    assert told["response_format"] == {"type": "json_object"}
    assert [message["role"] for message in told["messages"][:2]] == ["system", "system"]
    assert '{"type":"object"}' in told["messages"][0]["content"]


ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1790000000,
    "model": "gpt-5",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hi", "refusal": None, "tool_calls": [CALL]},
            "logprobs": None,
            "finish_reason": "tool_calls",
        }
    ],
    "usage": {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 3, "audio_tokens": 0},
    },
}


def test_an_answer_is_the_same_after_the_neutral_form():
    asked = CLIENT.read_request(encode(REQUEST))
    assert decode(CLIENT.write_answer(PROVIDER.read_answer(encode(ANSWER)), asked)) == ANSWER


def chunk(delta, finish=None, **members):
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1790000000, "model": "gpt-5"}
    return {**head, "choices": [choice], **members}


CHUNKS = [
    chunk({"role": "assistant", "content": "", "reasoning_content": "hm"}),
    chunk({"content": "He"}),
    chunk({"content": "llo"}),
    chunk({"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}]}),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"a"'}}]}),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]}),
    chunk({"tool_calls": [{"index": 1, "id": "c2", "type": "function", "function": {"name": "g", "arguments": ""}}]}),
    chunk({}, "tool_calls"),
    {**chunk({}), "choices": [], "usage": ANSWER["usage"]},
]


def test_a_stream_is_the_same_after_the_neutral_form():
    asked = CLIENT.read_request(encode(REQUEST))
    reader, writer = PROVIDER.reader(), CLIENT.writer(asked)
    events = [event for one in CHUNKS for event in reader.data(encode(one))] + reader.data(b"[DONE]")
    written = b"".join([writer.event(event) for event in events]).split(b"\n\n")
    assert written[-2:] == [b"data: [DONE]", b""]
    assert [decode(one.removeprefix(b"data: ")) for one in written[:-2]] == CHUNKS
    assert [event for event in events if isinstance(event, Stop)] == [Stop(StopReason.TOOLS)]


def test_a_stream_that_ends_without_its_last_event_is_whole_only_with_a_finish_reason():
    reader = PROVIDER.reader()
    reader.data(encode(CHUNKS[0]))
    assert reader.end() == []
    reader.data(encode(CHUNKS[7]))
    assert reader.end() == [End()]


def test_usage_is_told_only_to_a_client_that_asked():
    asked = CLIENT.read_request(encode(REQUEST | {"stream_options": None}))
    reader, writer = PROVIDER.reader(), CLIENT.writer(asked)
    events = [event for one in CHUNKS for event in reader.data(encode(one))]
    assert any(isinstance(event, Used) for event in events)
    assert b'"usage"' not in b"".join([writer.event(event) for event in events])


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        (b'{"error":{"message":"no","type":"t","code":"c","param":"p"}}', Failure("no", "t", "c", "p")),
        (b'{"error":"no"}', Failure("no")),
        (b'[{"error":{"code":400,"message":"no"}}]', Failure("no", code="400")),
        (b'{"success":false,"errors":[{"code":5006,"message":"no"}],"messages":[]}', Failure("no", code="5006")),
        (b"upstream connect error", Failure("upstream connect error")),
    ],
)
def test_failures_are_read_however_they_are_told(body, failure):
    assert PROVIDER.read_failure(body) == failure


def test_a_failure_is_told_as_openai_does():
    told = decode(CLIENT.write_failure(429, Failure("slow down")))
    assert told == {"error": {"message": "slow down", "type": "rate_limit_error", "param": None, "code": None}}


def test_turns_of_an_assistant_are_one_message_without_what_another_dialect_alone_has():
    extra: dict[str, Any] = {"status": "completed"}
    turns = [
        Turn("assistant", [Text("Let me see.", extra=extra)], extra=extra),
        Turn("assistant", [Call("call_1", "weather", "{}", extra=extra)], extra=extra),
        Turn("assistant", [Call("call_2", "weather", "{}")]),
        Turn("tool", [Result("call_1", [Text("rain", extra=extra)], extra=extra)]),
        Turn("tool", [Result("call_2", [Text("sun")])]),
    ]
    written = decode(PROVIDER.write_request(ChatRequest("another", "gpt-5", turns), Notes()))
    function = {"name": "weather", "arguments": "{}"}
    assert written["messages"] == [
        {"role": "assistant", "content": "Let me see.", "tool_calls": [
            {"id": "call_1", "type": "function", "function": function},
            {"id": "call_2", "type": "function", "function": function},
        ]},
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
        {"role": "tool", "tool_call_id": "call_2", "content": "sun"},
    ]  # fmt: skip


NAMED = {"type": "function", "function": {"name": "weather"}}


@pytest.mark.parametrize(
    ("choice", "read"),
    [
        ("required", ToolChoice("required")),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [NAMED]}},
            ToolChoice("required", allowed=["weather"]),
        ),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [NAMED, {"type": "mcp"}]}},
            ToolChoice("allowed_tools", extra={
                "allowed_tools": {"mode": "auto", "tools": [NAMED, {"type": "mcp"}]},
            }),
        ),
    ],
)  # fmt: skip
def test_which_tools_may_be_called_is_the_same_after_the_neutral_form(choice, read):
    asked = CLIENT.read_request(encode(REQUEST | {"tool_choice": choice}))
    assert asked.tool_choice == read
    assert decode(PROVIDER.write_request(asked, Notes()))["tool_choice"] == choice


def test_a_choice_that_another_dialect_alone_has_is_told():
    notes = Notes()
    asked = ChatRequest("another", "gpt-5", [], tool_choice=ToolChoice("hosted", extra={"a": 1}))
    assert "tool_choice" not in decode(PROVIDER.write_request(asked, notes))
    assert notes.members == ["tool_choice[type=hosted]"]
