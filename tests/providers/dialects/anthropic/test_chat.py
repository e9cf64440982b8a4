"""Anthropic messages in and out of the neutral form: what was said is said again, and is fit for Claude."""

import pytest
from anthropic.types import Message, RawMessageStreamEvent
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from penstock.core.codec import decode, encode
from penstock.core.errors import MalformedChat
from penstock.model.chat import (
    Begin,
    Broken,
    Close,
    End,
    Failure,
    Native,
    Notes,
    Open,
    Reasoning,
    Sign,
    Stop,
    StopReason,
    Usage,
)
from penstock.providers.dialects import DIALECTS

ANTHROPIC, CHAT = DIALECTS["anthropic"], DIALECTS["openai_chat"]
assert ANTHROPIC.client and ANTHROPIC.provider and CHAT.client and CHAT.provider
CLIENT, PROVIDER, OPENAI, OPENAI_PROVIDER = ANTHROPIC.client, ANTHROPIC.provider, CHAT.client, CHAT.provider
EVENT = TypeAdapter(RawMessageStreamEvent)

CACHE = {"type": "ephemeral", "ttl": "1h"}
PDF = {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}
REQUEST = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 4096,
    "system": [{"type": "text", "text": "Be brief."}, {"type": "text", "text": "Be kind.", "cache_control": CACHE}],
    "messages": [
        {"role": "user", "content": [
            {"type": "text", "text": "What is this?", "cache_control": {"type": "ephemeral"}},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
            {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
            {"type": "image", "source": {"type": "file", "file_id": "file_1"}, "cache_control": CACHE},
            {"type": "document", "source": PDF, "title": "A", "context": "old", "citations": {"enabled": True}},
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}},
            {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}},
            {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "chunk"}]}},
            {"type": "search_result", "source": "https://example.com", "title": "S",
             "content": [{"type": "text", "text": "found"}]},
            {"type": "container_upload", "file_id": "file_2"},
        ]},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "so", "signature": "sig"},
            {"type": "redacted_thinking", "data": "secret"},
            {"type": "text", "text": "Let me see.", "citations": [
                {"type": "char_location", "cited_text": "w", "document_index": 0, "document_title": None,
                 "start_char_index": 0, "end_char_index": 1}]},
            {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}},
            {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
            {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Oslo"}},
            {"type": "tool_use", "id": "toolu_2", "name": "now", "input": {}, "cache_control": CACHE},
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": "rain", "is_error": True},
            {"type": "tool_result", "tool_use_id": "toolu_2", "cache_control": CACHE, "content": [
                {"type": "text", "text": "noon"},
                {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
                {"type": "document", "source": PDF},
            ]},
            {"type": "text", "text": "Well?"},
        ]},
        {"role": "system", "content": "Now in French."},
        {"role": "assistant", "content": "Il"},
    ],
    "tools": [
        {"name": "weather", "description": "tells", "input_schema": {"type": "object"}, "strict": True,
         "cache_control": CACHE, "input_examples": [{"city": "Rome"}]},
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 3},
    ],
    "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    "thinking": {"type": "enabled", "budget_tokens": 2048, "display": "omitted"},
    "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object"}}, "task": 1},
    "metadata": {"user_id": "u"},
    "temperature": 0.5,
    "top_p": 0.9,
    "top_k": 5,
    "stop_sequences": ["a", "b"],
    "service_tier": "standard_only",
    "stream": True,
    "container": "container_1",
}  # fmt: skip


def test_a_request_is_the_same_after_the_neutral_form():
    notes = Notes()
    again = PROVIDER.write_request(CLIENT.read_request(encode(REQUEST)), notes)
    assert decode(again) == REQUEST
    assert notes.members == []


@pytest.mark.parametrize(
    "change",
    [
        {"thinking": {"type": "adaptive"}},
        {"thinking": {"type": "disabled"}},
        {"thinking": {"type": "between_tools"}},
        {"tool_choice": {"type": "any"}},
        {"tool_choice": {"type": "tool", "name": "weather"}},
        {"tool_choice": {"type": "none"}},
        {"system": "Be brief."},
        {"service_tier": "auto"},
    ],
)
def test_each_form_of_a_member_is_the_same_after_the_neutral_form(change):
    again = PROVIDER.write_request(CLIENT.read_request(encode(REQUEST | change)), Notes())
    assert decode(again) == REQUEST | change


def test_the_older_name_of_the_format_becomes_the_newer():
    form = {"type": "json_schema", "schema": {"type": "object"}}
    read = CLIENT.read_request(encode(REQUEST | {"output_config": None, "output_format": form}))
    assert decode(PROVIDER.write_request(read, Notes()))["output_config"] == {"format": form}


WORDS = st.text(min_size=1, max_size=5)
BLOCKS = [block for message in REQUEST["messages"][:3] for block in message["content"]]
USES = st.builds(
    lambda arguments: {"type": "tool_use", "id": "toolu_1", "name": "f", "input": arguments},
    st.dictionaries(WORDS, st.none() | st.integers(0, 9) | WORDS | st.lists(WORDS, max_size=2), max_size=3),
)
CONTENTS = WORDS | st.lists(st.sampled_from(BLOCKS) | USES, min_size=2, max_size=4)
MESSAGES = st.builds(
    lambda role, content: {"role": role, "content": content}, st.sampled_from(["user", "assistant"]), CONTENTS
)
OPTIONAL = st.sets(st.sampled_from(sorted(REQUEST.keys() - {"model", "messages"})))


@given(st.lists(MESSAGES, min_size=1, max_size=4), OPTIONAL)
def test_any_request_is_the_same_after_the_neutral_form(messages, names):
    told = {"model": "m", "messages": messages} | {name: REQUEST[name] for name in names}
    assert decode(PROVIDER.write_request(CLIENT.read_request(encode(told)), Notes())) == told


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"messages": []}, "messages:"),
        ({"messages": [{"role": "judge", "content": "hi"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "image"}]}]}, "messages[0].content[0].source"),
        ({"system": 3}, "system:"),
        ({"tools": [{"input_schema": {}}]}, "tools[0].name: is missing"),
        ({"tool_choice": {"type": "maybe"}}, "tool_choice.type"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"stop_sequences": [3]}, "stop_sequences:"),
        ({"output_config": {"format": {"type": "xml"}}}, "output_config.format.type"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_path(change, says):
    with pytest.raises(MalformedChat, match="^" + says.replace("[", r"\[").replace("]", r"\]")):
        CLIENT.read_request(encode(REQUEST | change))


# https://platform.claude.com/docs/en/api/messages/create and /docs/en/build-with-claude/citations
ANSWER = {
    "id": "msg_013Zva2CMHLNnjNjJJKqJ2EF",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5-20250929",
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "EqQBCgIYAhIM1gbcDa9GJwZA2b3h"},
        {"type": "redacted_thinking", "data": "EmwKAhgBEgy3va3pzix"},
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "Oslo"}},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [
            {"type": "web_search_result", "url": "https://example.com", "title": "Oslo", "encrypted_content": "Eq"}]},
        {"type": "text", "text": "It rains.", "citations": [
            {"type": "web_search_result_location", "url": "https://example.com", "title": "Oslo",
             "encrypted_index": "Eo8BCioIAhgB", "cited_text": "Rain"}]},
        {"type": "tool_use", "id": "toolu_01", "name": "weather", "input": {"city": "Oslo"}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 10,
        "cache_creation_input_tokens": 20,
        "cache_read_input_tokens": 30,
        "output_tokens": 5,
        "output_tokens_details": {"thinking_tokens": 3},
        "cache_creation": {"ephemeral_5m_input_tokens": 15, "ephemeral_1h_input_tokens": 5},
        "server_tool_use": {"web_search_requests": 1, "web_fetch_requests": 0},
        "service_tier": "standard",
    },
}  # fmt: skip


def asked(**change):
    return CLIENT.read_request(encode(REQUEST | change))


def test_an_answer_is_the_same_after_the_neutral_form():
    again = CLIENT.write_answer(PROVIDER.read_answer(encode(ANSWER)), asked())
    assert decode(again) == ANSWER
    Message.model_validate_json(again, strict=True)


def test_an_error_in_place_of_an_answer_is_none():
    with pytest.raises(MalformedChat):
        PROVIDER.read_answer(b'{"type":"error","error":{"type":"api_error","message":"no"}}')


def test_the_neutral_input_holds_what_a_cache_had_to_do_with():
    usage = PROVIDER.read_answer(encode(ANSWER)).usage
    assert usage
    usage.extra = None
    assert usage == Usage(60, 5, cache_read=30, cache_write=20, reasoning=3)


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("end_turn", StopReason.END),
        ("max_tokens", StopReason.LENGTH),
        ("stop_sequence", StopReason.SEQUENCE),
        ("tool_use", StopReason.TOOLS),
        ("pause_turn", StopReason.PAUSE),
        ("refusal", StopReason.REFUSAL),
        ("model_context_window_exceeded", StopReason.LENGTH),
    ],
)
def test_each_stop_reason_comes_back(word, reason):
    content = [{"type": "text", "text": "x"}]
    details = {"type": "refusal", "category": "bio", "explanation": None}
    told = ANSWER | {"content": content, "stop_reason": word, "stop_sequence": "b", "stop_details": details}
    answer = PROVIDER.read_answer(encode(told))
    assert answer.candidates[0].stop == reason
    assert answer.candidates[0].sequence == "b"
    assert decode(CLIENT.write_answer(answer, asked())) == told


# https://platform.claude.com/docs/en/build-with-claude/streaming
EVENTS = [
    {"type": "message_start", "message": {**ANSWER, "content": [], "stop_reason": None, "usage": {
        "input_tokens": 472, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 8, "output_tokens": 2}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "EqQBCg"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "redacted_thinking", "data": "Emw"}},
    {"type": "content_block_stop", "index": 1},
    {"type": "content_block_start", "index": 2, "content_block": {
        "type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}},
    {"type": "content_block_delta", "index": 2, "delta": {
        "type": "input_json_delta", "partial_json": '{"query":"Oslo"}'}},
    {"type": "content_block_stop", "index": 2},
    {"type": "content_block_start", "index": 3, "content_block": ANSWER["content"][3]},
    {"type": "content_block_stop", "index": 3},
    {"type": "content_block_start", "index": 4, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 4, "delta": {"type": "text_delta", "text": "Okay"}},
    {"type": "content_block_delta", "index": 4, "delta": {
        "type": "citations_delta", "citation": ANSWER["content"][4]["citations"][0]}},
    {"type": "content_block_delta", "index": 4, "delta": {"type": "text_delta", "text": ", let's"}},
    {"type": "content_block_stop", "index": 4},
    {"type": "content_block_start", "index": 5, "content_block": {
        "type": "tool_use", "id": "toolu_01", "name": "get_weather", "input": {}}},
    {"type": "content_block_delta", "index": 5, "delta": {"type": "input_json_delta", "partial_json": '{"location":'}},
    {"type": "content_block_delta", "index": 5, "delta": {"type": "input_json_delta", "partial_json": ' "Oslo"}'}},
    {"type": "content_block_stop", "index": 5},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": None}, "usage": {
        "input_tokens": 472, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 8, "output_tokens": 89}},
    {"type": "message_stop"},
]  # fmt: skip


def read_all(events, reader):
    return [event for one in events for event in reader.data(encode(one))]


def written_events(events, request):
    """What a client gets, each event as the SDK takes it."""
    writer = CLIENT.writer(request)
    frames = b"".join([writer.event(event) for event in events]).split(b"\n\n")
    assert frames.pop() == b""
    told = []
    for frame in frames:
        name, data = frame.split(b"\n")
        told.append(decode(data.removeprefix(b"data: ")))
        assert name == b"event: " + told[-1]["type"].encode()
        if told[-1]["type"] != "error":
            EVENT.validate_json(data.removeprefix(b"data: "), strict=True)
    return told


def test_a_stream_is_the_same_after_the_neutral_form():
    events = read_all([EVENTS[0], {"type": "ping"}, *EVENTS[1:]], PROVIDER.reader())
    assert written_events(events, asked()) == EVENTS
    assert [event for event in events if isinstance(event, Stop)] == [Stop(StopReason.TOOLS)]


def test_a_stream_that_is_cut_anywhere_is_not_whole():
    for most in range(len(EVENTS)):
        reader = PROVIDER.reader()
        assert not any(isinstance(event, End) for event in [*read_all(EVENTS[:most], reader), *reader.end()])


def test_an_error_within_a_stream_may_come_without_a_type():
    assert PROVIDER.reader().data(b'{"error":{"message":"no"}}') == [Broken(Failure("no"))]


def test_an_error_within_a_stream_is_told_as_it_came():
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": None}
    events = read_all([EVENTS[0], error], PROVIDER.reader())
    assert events[-1] == Broken(Failure("Overloaded", "overloaded_error"))
    assert written_events(events, asked()) == [error]


def test_a_call_without_arguments_has_an_empty_object():
    events = read_all([*EVENTS[:1], *EVENTS[17:18], *EVENTS[20:]], PROVIDER.reader())
    writer = OPENAI.writer(openai_asked())
    chunks = b"".join([writer.event(event) for event in events])
    assert b'"arguments":"{}"' in chunks


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        (
            b'{"type":"error","error":{"type":"not_found_error","message":"no"},"request_id":"r"}',
            Failure("no", "not_found_error"),
        ),
        (b'{"error":"no"}', Failure("no")),
        (b'{"message":"no"}', Failure("no")),
        (b"upstream connect error", Failure("upstream connect error")),
        (b"", Failure("The provider gave no reason.")),
    ],
)
def test_failures_are_read_however_they_are_told(body, failure):
    assert PROVIDER.read_failure(body) == failure


@pytest.mark.parametrize(
    ("status", "kind", "told"),
    [
        (400, "", "invalid_request_error"),
        (401, "invalid_api_key", "authentication_error"),
        (402, "", "billing_error"),
        (403, "", "permission_error"),
        (404, "", "not_found_error"),
        (413, "", "request_too_large"),
        (422, "", "invalid_request_error"),
        (429, "insufficient_quota", "rate_limit_error"),
        (500, "server_error", "api_error"),
        (502, "overloaded_error", "overloaded_error"),
        (504, "", "timeout_error"),
        (529, "", "overloaded_error"),
    ],
)
def test_a_failure_is_told_in_the_words_of_anthropic(status, kind, told):
    error = {"type": told, "message": "slow down"}
    body = decode(CLIENT.write_failure(status, Failure("slow down", kind)))
    assert body == {"type": "error", "error": error, "request_id": None}


# Translation from and to OpenAI chat

CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"properties": {"city": {}}}}}


def openai_asked(**members):
    hello = [{"role": "user", "content": "Hello"}]
    return OPENAI.read_request(encode({"model": "claude-sonnet-4-5", "messages": hello, **members}))


def sent(**members):
    """What Claude is sent for a request of OpenAI chat, and what was left out."""
    notes = Notes()
    return decode(PROVIDER.write_request(openai_asked(**members), notes)), notes.members


def test_a_conversation_becomes_turns_of_two_roles():
    told, lost = sent(
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [
                {"type": "text", "text": "What is this?", "cache_control": {"type": "ephemeral"}},
                {"type": "image_url", "image_url": {"url": "data:image/jpg;base64,AAAA", "detail": "auto"}},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
                {"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA", "filename": "a.pdf"}},
                {"type": "file", "file": {"file_data": "data:text/csv;base64,YSxi"}},
            ]},
            {"role": "assistant", "content": None, "tool_calls": [CALL, {**CALL, "id": "call.2"}]},
            {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
            {"role": "tool", "tool_call_id": "call.2", "content": [{"type": "text", "text": "sun"}]},
            {"role": "user", "content": "And?"},
            {"role": "developer", "content": "In French."},
            {"role": "assistant", "content": "", "reasoning_content": "hm"},
            {"role": "user", "content": "Well?"},
            {"role": "assistant", "content": "Il "},
            {"role": "assistant", "content": "pleut "},
        ],
        tools=[WEATHER],
    )  # fmt: skip
    use = {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Oslo"}}
    assert told["system"] == [{"type": "text", "text": "Be brief."}, {"type": "text", "text": "In French."}]
    assert told["messages"] == [
        {"role": "user", "content": [
            {"type": "text", "text": "What is this?", "cache_control": {"type": "ephemeral"}},
            {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "AAAA"}},
            {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
            {"type": "document", "source": PDF, "title": "a.pdf"},
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "a,b"}},
        ]},
        {"role": "assistant", "content": [use, {**use, "id": "call_2"}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "call_1", "content": "rain"},
            {"type": "tool_result", "tool_use_id": "call_2", "content": "sun"},
            {"type": "text", "text": "And?"},
            {"type": "text", "text": "Well?"},
        ]},
        {"role": "assistant", "content": [{"type": "text", "text": "Il "}, {"type": "text", "text": "pleut"}]},
    ]  # fmt: skip
    assert told["tools"] == [{"name": "weather", "input_schema": {"type": "object", "properties": {"city": {}}}}]
    assert lost == ["messages[].reasoning"]


def test_system_prompts_alone_become_a_message_of_the_user():
    told, _ = sent(messages=[{"role": "system", "content": "Tell a joke."}])
    assert told == {
        "model": "claude-sonnet-4-5",
        "max_tokens": 8192,
        "messages": [{"role": "user", "content": "Tell a joke."}],
    }


def test_results_of_tools_come_first():
    told, _ = sent(
        messages=[
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "user", "content": "Wait"},
            {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
        ]
    )
    assert [block["type"] for block in told["messages"][1]["content"]] == ["tool_result", "text"]


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"n": 2}, "n: "),
        (
            {"messages": [{"role": "user", "content": [
                {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}]}]},
            "messages: audio",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1"}}]}]},
            "messages: a file that another",
        ),
        (
            {"messages": [{"role": "user", "content": [
                {"type": "file", "file": {"file_data": "data:application/zip;base64,AAAA"}}]}]},
            "messages: a document of application/zip",
        ),
    ],
)  # fmt: skip
def test_what_claude_cannot_do_is_refused(members, says):
    with pytest.raises(MalformedChat, match="^" + says):
        sent(**members)


def test_members_without_a_place_are_left_out_and_named():
    left_out = {"seed": 7, "presence_penalty": 0.1, "frequency_penalty": 0.2, "logprobs": True, "top_logprobs": 3}
    told, lost = sent(**left_out, logit_bias={"1": 1}, service_tier="flex", n=1, user="ada", stop=["\n", "END"])
    assert told == {
        "model": "claude-sonnet-4-5",
        "max_tokens": 8192,
        "messages": [{"role": "user", "content": "Hello"}],
        "metadata": {"user_id": "ada"},
        "stop_sequences": ["END"],
    }
    assert {*lost} == {
        "seed", "presence_penalty", "frequency_penalty", "logprobs", "logit_bias", "service_tier", "stop",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("choice", "parallel", "told"),
    [
        ("auto", None, {"type": "auto"}),
        ("required", False, {"type": "any", "disable_parallel_tool_use": True}),
        ("none", False, {"type": "none"}),
        (CALL | {"function": {"name": "weather"}}, True, {"type": "tool", "name": "weather"}),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (None, True, None),
    ],
)
def test_the_choice_of_a_tool(choice, parallel, told):
    assert sent(tools=[WEATHER], tool_choice=choice, parallel_tool_calls=parallel)[0].get("tool_choice") == told
    assert "tool_choice" not in sent(tool_choice=choice, parallel_tool_calls=parallel)[0]


def test_tools_that_may_not_be_called_are_not_told():
    allowed = {"mode": "required", "tools": [{"type": "function", "function": {"name": "weather"}}]}
    other = {"type": "function", "function": {"name": "other"}}
    told, _ = sent(tools=[other, WEATHER], tool_choice={"type": "allowed_tools", "allowed_tools": allowed})
    assert [tool["name"] for tool in told["tools"]] == ["weather"]
    assert told["tool_choice"] == {"type": "any"}


@pytest.mark.parametrize(
    ("model", "members", "told", "lost"),
    [
        ("claude-3-haiku-20240307", {}, {"max_tokens": 4096}, []),
        ("claude-3-5-sonnet-20241022", {}, {"max_tokens": 8192}, []),
        ("claude-3-5-sonnet-20241022", {"reasoning_effort": "low"}, {"max_tokens": 8192}, ["reasoning_effort"]),
        (
            "claude-sonnet-4-20250514",
            {"reasoning_effort": "medium"},
            {"max_tokens": 16384, "thinking": {"type": "enabled", "budget_tokens": 8192}},
            [],
        ),
        (
            "claude-sonnet-4-5",
            {"reasoning_effort": "high", "max_completion_tokens": 4000},
            {"max_tokens": 4000, "thinking": {"type": "enabled", "budget_tokens": 2000}},
            [],
        ),
        (
            "claude-sonnet-4-5",
            {"reasoning_effort": "high", "max_tokens": 1000},
            {"max_tokens": 1000},
            ["reasoning_effort"],
        ),
        ("claude-sonnet-4-5", {"reasoning_effort": "none"}, {"max_tokens": 8192}, []),
        (
            "claude-opus-4-6",
            {"reasoning_effort": "xhigh", "max_tokens": 100},
            {"max_tokens": 100, "thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}},
            [],
        ),
        (
            "claude-opus-4.8",
            {"reasoning_effort": "minimal", "temperature": 0.3, "top_p": 0.9, "top_k": 4},
            {"max_tokens": 9216, "thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
            ["temperature", "top_p", "top_k"],
        ),
        (
            "claude-sonnet-5",
            {"reasoning_effort": "none"},
            {"max_tokens": 24576, "thinking": {"type": "disabled"}},
            [],
        ),
        (
            "claude-sonnet-5-5",
            {"reasoning_effort": "none"},
            {"max_tokens": 24576, "thinking": {"type": "between_tools"}},
            [],
        ),
        (
            "anthropic.claude-opus-5-5",
            {"reasoning_effort": "none"},
            {"max_tokens": 24576, "output_config": {"effort": "low"}},
            ["reasoning_effort"],
        ),
        ("claude-sonnet-4", {"temperature": 1.5, "top_p": 0.5}, {"max_tokens": 8192, "temperature": 1, "top_p": 0.5},
         ["temperature"]),
        ("claude-sonnet-4-5", {"temperature": 0, "top_p": 0.5}, {"max_tokens": 8192, "temperature": 0}, ["top_p"]),
        ("claude-opus-5", {"temperature": 1, "top_p": 1}, {"max_tokens": 24576}, []),
        (
            "claude-sonnet-4-5",
            {"reasoning_effort": "low", "temperature": 0.2, "top_p": 0.97},
            {"max_tokens": 10240, "thinking": {"type": "enabled", "budget_tokens": 2048}, "top_p": 0.97},
            ["temperature"],
        ),
    ],
)  # fmt: skip
def test_thinking_length_and_sampling_are_what_the_model_takes(model, members, told, lost):
    body, left_out = sent(model=model, **members)
    assert body == {"model": model, "messages": [{"role": "user", "content": "Hello"}], **told}
    assert left_out == lost


TOOLED = [
    {"role": "user", "content": "Weather?"},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
]
DETAIL = {"type": "reasoning.text", "text": "so", "signature": "sig", "format": "anthropic"}


def test_thinking_goes_on_after_a_tool_only_with_what_was_thought_before():
    told, lost = sent(messages=TOOLED, tools=[WEATHER], reasoning_effort="low")
    assert "thinking" not in told
    assert lost == ["reasoning_effort"]
    thought = [TOOLED[0], {**TOOLED[1], "reasoning_details": [DETAIL]}, TOOLED[2]]
    told, lost = sent(messages=thought, tools=[WEATHER], reasoning_effort="low")
    assert told["thinking"] == {"type": "enabled", "budget_tokens": 2048}
    assert told["messages"][1]["content"][0] == {"type": "thinking", "thinking": "so", "signature": "sig"}
    assert lost == []


def test_a_model_that_thinks_unasked_does_not_where_a_tool_is_forced():
    told, _ = sent(model="claude-opus-5", tools=[WEATHER], tool_choice="required")
    assert (told["tool_choice"], told["thinking"]) == ({"type": "any"}, {"type": "disabled"})
    assert "thinking" not in sent(model="claude-opus-5", tools=[WEATHER])[0]


def test_thinking_and_a_forced_tool_exclude_each_other():
    told, lost = sent(tools=[WEATHER], tool_choice="required", reasoning_effort="low")
    assert told["tool_choice"] == {"type": "any"}
    assert "thinking" not in told
    assert lost == ["reasoning_effort"]


@pytest.mark.parametrize("model", ["claude-opus-5-5", "claude-fable-5"])
def test_a_model_that_cannot_be_forced_is_asked(model):
    told, lost = sent(
        model=model,
        tools=[WEATHER],
        tool_choice={"type": "function", "function": {"name": "weather"}},
    )
    assert told["tool_choice"] == {"type": "auto"}
    assert "weather" in told["system"]
    assert lost == ["tool_choice"]


def test_signed_thinking_of_others_is_left_out():
    detail = DETAIL | {"format": "openai_responses"}
    told, lost = sent(messages=[*TOOLED[:1], {"role": "assistant", "content": "x", "reasoning_details": [detail]}])
    assert told["messages"][1] == {"role": "assistant", "content": "x"}
    assert lost == ["messages[].reasoning"]


SCHEMA = {
    "type": "object",
    "properties": {
        "age": {"type": "integer", "minimum": 1, "description": "years"},
        "names": {"type": "array", "items": {"oneOf": [{"type": "string", "maxLength": 3}]}, "minItems": 2},
        "minimum": {"type": "object", "properties": {}},
    },
}
FITTED = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "age": {"type": "integer", "description": 'years {"minimum":1}'},
        "names": {
            "type": "array",
            "items": {"anyOf": [{"type": "string", "description": '{"maxLength":3}'}]},
            "description": '{"minItems":2}',
        },
        "minimum": {"type": "object", "properties": {}, "additionalProperties": False},
    },
}


def test_a_schema_of_the_answer_is_made_fit():
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA, "strict": True}}
    told, lost = sent(response_format=form)
    assert told["output_config"] == {"format": {"type": "json_schema", "schema": FITTED}}
    assert lost == []
    told, lost = sent(model="claude-3-5-haiku-20241022", response_format=form)
    assert "output_config" not in told
    assert '"minItems":2' in told["system"]
    assert lost == ["response_format"]


@pytest.mark.parametrize("schema", [{"type": "object"}, {"type": "object", "additionalProperties": {"type": "string"}}])
def test_a_schema_that_leaves_names_of_members_open_is_asked_for_in_the_system_prompt(schema):
    open_schema = {"type": "object", "properties": {"any": schema}}
    told, lost = sent(response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": open_schema}})
    assert "output_config" not in told
    assert encode(open_schema).decode() in told["system"]
    assert lost == ["response_format"]


def test_any_json_is_asked_for_in_the_system_prompt():
    told, lost = sent(response_format={"type": "json_object"})
    assert "JSON" in told["system"]
    assert lost == []


def test_strict_tools_have_a_fitting_schema():
    strict = {"type": "function", "function": {"name": "f", "parameters": SCHEMA, "strict": True}}
    assert sent(tools=[strict])[0]["tools"] == [{"name": "f", "input_schema": FITTED, "strict": True}]
    told, lost = sent(tools=[strict], model="claude-sonnet-4-0")
    assert told["tools"] == [{"name": "f", "input_schema": SCHEMA}]
    assert lost == ["tools[].strict"]


def test_an_answer_of_claude_for_a_client_of_openai():
    told = decode(OPENAI.write_answer(PROVIDER.read_answer(encode(ANSWER)), openai_asked()))
    (choice,) = told["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] == "It rains."
    assert choice["message"]["annotations"][0]["url_citation"]["url"] == "https://example.com"
    assert choice["message"]["reasoning_details"][0]["signature"] == "EqQBCgIYAhIM1gbcDa9GJwZA2b3h"
    assert choice["message"]["tool_calls"] == [{**CALL, "id": "toolu_01"}]
    assert told["usage"]["prompt_tokens"] == 60
    assert told["usage"]["prompt_tokens_details"]["cached_tokens"] == 30


def test_what_claude_thought_comes_back_through_a_client_of_openai():
    message = decode(OPENAI.write_answer(PROVIDER.read_answer(encode(ANSWER)), openai_asked()))["choices"][0]["message"]
    result = {"role": "tool", "tool_call_id": "toolu_01", "content": "rain"}
    told, _ = sent(messages=[TOOLED[0], message, result], tools=[WEATHER])
    assert told["messages"][1]["content"][:2] == ANSWER["content"][:2]
    assert told["messages"][1]["content"][-1] == ANSWER["content"][-1]


def test_an_answer_of_openai_for_a_client_of_anthropic():
    answer = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1790000000,
        "model": "gpt-5",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {
            "role": "assistant", "content": "Hi", "reasoning_content": "hm", "tool_calls": [CALL],
            "annotations": [{"type": "url_citation", "url_citation": {"url": "https://example.com", "title": "T"}}],
        }}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4}},
    }  # fmt: skip
    written = CLIENT.write_answer(OPENAI_PROVIDER.read_answer(encode(answer)), asked())
    Message.model_validate_json(written, strict=True)
    told = decode(written)
    assert [block["type"] for block in told["content"]] == ["thinking", "text", "tool_use"]
    assert told["content"][2] == {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Oslo"}}
    assert told["stop_reason"] == "tool_use"
    assert told["usage"] == {
        "input_tokens": 6,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 4,
        "output_tokens": 5,
    }
    again = decode(PROVIDER.write_request(asked(messages=[{"role": "assistant", "content": told["content"]}]), Notes()))
    assert "citations" not in again["messages"][0]["content"][1]


def test_a_refusal_of_openai_is_one_of_claude():
    message = {"role": "assistant", "content": None, "refusal": "No."}
    answer = {"id": "c", "model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    told = decode(CLIENT.write_answer(OPENAI_PROVIDER.read_answer(encode(answer)), asked()))
    assert told["content"] == [{"type": "text", "text": "No."}]
    assert told["stop_reason"] == "refusal"


def test_a_stream_of_openai_for_a_client_of_anthropic():
    def chunk(delta, finish=None, **members):
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return {"id": "chatcmpl-1", "created": 1, "model": "gpt-5", "choices": [choice], **members}

    def call(number, **members):
        return chunk({"tool_calls": [{"index": number, **members}]})

    reader = OPENAI_PROVIDER.reader()
    events = read_all(
        [
            chunk({"role": "assistant", "content": ""}),
            chunk({"reasoning_content": "hm"}),
            chunk({"content": "Hi"}),
            call(0, id="c1", type="function", function={"name": "f", "arguments": ""}),
            call(0, function={"arguments": '{"a":1}'}),
            call(1, id="c2", type="function", function={"name": "g", "arguments": "{}"}),
            chunk({}, "tool_calls"),
            {**chunk({}), "choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 5}},
        ],
        reader,
    )
    told = written_events([*events, *reader.data(b"[DONE]")], asked())
    kinds = [one["type"].removeprefix("content_block_") for one in told]
    assert kinds == ["message_start", *["start", "delta", "stop"] * 4, "message_delta", "message_stop"]
    assert [one["index"] for one in told[1:-2]] == [number for number in range(4) for _ in range(3)]
    assert told[8]["delta"] == {"type": "input_json_delta", "partial_json": '{"a":1}'}
    assert told[-2]["delta"] == {"stop_reason": "tool_use", "stop_sequence": None}
    assert told[-2]["usage"]["input_tokens"] == 10
    assert told[-2]["usage"]["output_tokens"] == 5


@pytest.mark.parametrize(
    "thought",
    [
        Reasoning("so", "sig", "", "gemini"),
        Reasoning("so", "", "secret", "openai_responses", "rs_1"),
        Reasoning("", "", "secret", "openai_responses", "rs_1"),
    ],
)
def test_what_others_thought_comes_back_through_a_client_of_anthropic(thought):
    answer = PROVIDER.read_answer(encode(ANSWER))
    answer.candidates[0].content = [thought]
    content = decode(CLIENT.write_answer(answer, asked()))["content"]
    assert asked(messages=[{"role": "assistant", "content": content}], system=None).turns[0].content == [thought]


def test_sealed_thinking_is_streamed_to_come_back():
    sealed = [Open(Reasoning("", origin="x", id="rs"), 0), Sign("", "secret", 0), Close(0)]
    told = written_events([Begin("i", "m"), *sealed, End()], asked())
    assert told[1]["content_block"] == {"type": "redacted_thinking", "data": "x:sealed:rs:secret"}


def test_a_conversation_of_claude_for_a_provider_of_openai():
    notes = Notes()
    messages = [
        {"role": "user", "content": [
            {"type": "text", "text": "What is this?"}, REQUEST["messages"][0]["content"][1],
            REQUEST["messages"][0]["content"][4], REQUEST["messages"][0]["content"][8],
        ]},
        {"role": "assistant", "content": [*ANSWER["content"][:2], *ANSWER["content"][-2:]]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "toolu_01", "content": "rain"}, {"type": "text", "text": "So?"}]},
    ]  # fmt: skip
    request = asked(messages=messages, tools=REQUEST["tools"][:1], thinking={"type": "enabled", "budget_tokens": 8192})
    told = decode(OPENAI_PROVIDER.write_request(request, notes))
    assert [message["role"] for message in told["messages"]] == ["system", "user", "assistant", "tool", "user"]
    assert told["messages"][1]["content"][1:] == [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA", "filename": "A"}},
        {"type": "text", "text": "found"},
    ]
    assert told["messages"][2]["content"] == "It rains."
    assert told["messages"][2]["tool_calls"] == [{**CALL, "id": "toolu_01"}]
    assert told["messages"][3] == {"role": "tool", "tool_call_id": "toolu_01", "content": "rain"}
    assert told["reasoning_effort"] == "low"
    assert told["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert (told["max_completion_tokens"], told["stop"], told["user"]) == (4096, ["a", "b"], "u")
    assert (told["service_tier"], told["parallel_tool_calls"]) == ("default", False)
    assert "container" in notes.members


def test_tools_that_the_provider_runs_reach_another_provider_only_by_their_names_in_the_notes():
    notes = Notes()
    told = decode(OPENAI_PROVIDER.write_request(asked(messages=[{"role": "user", "content": "Hi"}]), notes))
    assert [tool["function"]["name"] for tool in told["tools"]] == ["weather"]
    assert "tools[type=web_search_20250305]" in notes.members


def test_blocks_of_the_dialect_alone_come_whole():
    natives = [one.part for one in read_all(EVENTS, PROVIDER.reader()) if isinstance(one, Open)]
    assert [part.value["type"] for part in natives if isinstance(part, Native)] == [
        "server_tool_use",
        "web_search_tool_result",
    ]
