"""What chats of other dialects become in Cohere's, and what its answers say in the neutral form."""

import pytest

from penstock.core.codec import decode, encode
from penstock.core.errors import MalformedChat
from penstock.model.chat import (
    Add,
    Begin,
    Broken,
    Call,
    Candidate,
    ChatRequest,
    Citation,
    Cite,
    Close,
    Effort,
    End,
    Failure,
    Format,
    Function,
    Media,
    Notes,
    Open,
    Reasoning,
    Result,
    Stop,
    StopReason,
    Text,
    ToolChoice,
    Turn,
    Usage,
    Used,
)
from penstock.providers.dialects import DIALECTS

COHERE, CHAT, ANTHROPIC = DIALECTS["cohere"], DIALECTS["openai_chat"], DIALECTS["anthropic"]
assert COHERE.provider and CHAT.client and ANTHROPIC.client
PROVIDER, OPENAI, CLAUDE = COHERE.provider, CHAT.client, ANTHROPIC.client

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CALLED = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}
WEATHER = Function("weather", "tells", SCHEMA)
TOOL = {"type": "function", "function": {"name": "weather", "description": "tells", "parameters": SCHEMA}}


def told(request, lost=()):
    notes = Notes()
    body = decode(PROVIDER.write_request(request, notes))
    assert notes.members == [*lost]
    return body


def asked(*turns, model="command-a-03-2025", **members):
    return ChatRequest("openai_chat", model, [*turns] or [Turn("user", [Text("Hi")])], **members)


def test_a_conversation_of_openai_becomes_one_of_cohere():
    strict = {**TOOL, "function": {**TOOL["function"], "strict": True}}
    request = OPENAI.read_request(encode({
        "model": "command-a-vision-07-2025",
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
                {"type": "file", "file": {"file_data": "data:text/plain;base64,d29yZHM=", "filename": "a.txt"}},
            ]},
            {"role": "assistant", "content": "Let me see.", "tool_calls": [CALLED, {**CALLED, "id": "call_2"}]},
            {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
            {"role": "tool", "tool_call_id": "call_2", "content": "sun"},
            {"role": "assistant", "content": "Both."},
            {"role": "user", "content": "And?"},
        ],
        "tools": [strict],
        "tool_choice": "required",
        "max_completion_tokens": 100,
        "temperature": 0.5,
        "top_p": 1,
        "top_k": 5,
        "stop": ["a"],
        "seed": 7,
        "presence_penalty": 0.1,
        "frequency_penalty": -0.2,
        "user": "ada",
        "logit_bias": {"1": 1},
        "stream": True,
        "stream_options": {"include_usage": True},
    }))  # fmt: skip
    assert told(request, lost=["user", "logit_bias", "frequency_penalty"]) == {
        "model": "command-a-vision-07-2025",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
            ]},
            {"role": "assistant", "tool_plan": "Let me see.", "tool_calls": [CALLED, {**CALLED, "id": "call_2"}]},
            {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
            {"role": "tool", "tool_call_id": "call_2", "content": "sun"},
            {"role": "assistant", "content": "Both."},
            {"role": "user", "content": "And?"},
        ],
        "documents": [{"data": {"title": "a.txt", "text": "words"}}],
        "tools": [TOOL],
        "strict_tools": True,
        "tool_choice": "REQUIRED",
        "max_tokens": 100,
        "temperature": 0.5,
        "p": 0.99,
        "k": 5,
        "stop_sequences": ["a"],
        "seed": 7,
        "presence_penalty": 0.1,
        "stream": True,
    }  # fmt: skip


def test_turns_of_claude_become_messages_of_their_own():
    request = CLAUDE.read_request(encode({
        "model": "command-a-03-2025",
        "max_tokens": 50,
        "messages": [
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "so", "signature": "sig"},
                {"type": "text", "text": "Let me see."},
            ]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}}]},
            {"role": "user", "content": [
                {"type": "text", "text": "Here."},
                {"type": "tool_result", "tool_use_id": "toolu_1", "is_error": True, "content": [
                    {"type": "text", "text": "no"}, {"type": "text", "text": "idea"},
                ]},
            ]},
        ],
    }))  # fmt: skip
    body = told(request, lost=["messages[].reasoning", "messages[].content[].is_error"])
    call = {"id": "toolu_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    assert body["messages"] == [
        {"role": "assistant", "content": "Let me see.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "toolu_1", "content": "no\nidea"},
        {"role": "user", "content": "Here."},
    ]


def test_its_own_thinking_goes_back_and_a_conversation_of_system_prompts_is_the_users():
    body = told(asked(Turn("assistant", [Reasoning("so", origin="cohere"), Text("Hi")])))
    assert body["messages"][0]["content"] == [{"type": "thinking", "thinking": "so"}, {"type": "text", "text": "Hi"}]
    assert told(asked(Turn("system", [Text("Hi")])))["messages"] == [{"role": "user", "content": "Hi"}]


@pytest.mark.parametrize(
    ("choice", "made", "names"),
    [
        (ToolChoice("auto"), None, ["weather", "free"]),
        (ToolChoice("none"), "NONE", ["weather", "free"]),
        (ToolChoice("required"), "REQUIRED", ["weather", "free"]),
        (ToolChoice("function", "free"), "REQUIRED", ["free"]),
        (ToolChoice("auto", allowed=["weather"]), None, ["weather"]),
    ],
)
def test_a_choice_that_has_no_word_leaves_the_other_tools_out(choice, made, names):
    body = told(asked(tools=[WEATHER, Function("free", free=True)], tool_choice=choice))
    assert body.get("tool_choice") == made
    assert [tool["function"]["name"] for tool in body["tools"]] == names


@pytest.mark.parametrize(
    ("form", "tools", "made", "says", "lost"),
    [
        (Format("json"), None, {"type": "json_object"}, "one JSON object", []),
        (Format("schema", schema=SCHEMA), None, {"type": "json_object", "json_schema": SCHEMA}, "one JSON object", []),
        (Format("schema", schema=SCHEMA), [WEATHER], None, '{"city":', ["response_format"]),
        (Format("json"), [WEATHER], None, "one JSON object", ["response_format"]),
    ],
)
def test_a_form_is_asked_for_in_words_too_and_beside_tools_in_words_alone(form, tools, made, says, lost):
    turn = Turn("user", [Text("Hi"), Media("document", text="words", name="A")])
    body = told(asked(turn, format=form, tools=tools), lost)
    assert body.get("response_format") == made
    assert says in body["messages"][0]["content"]
    assert "documents" not in body, "they may not stand beside it"
    assert body["messages"][1]["content"][1]["text"] == "A\nwords"


@pytest.mark.parametrize(
    ("model", "effort", "made", "lost"),
    [
        ("command-a-reasoning-08-2025", Effort("none"), {"type": "disabled"}, []),
        ("command-a-reasoning-08-2025", Effort("low"), {"type": "enabled", "token_budget": 2048}, []),
        ("command-a-reasoning-08-2025", Effort(budget=500), {"type": "enabled", "token_budget": 500}, []),
        ("command-a-reasoning-08-2025", Effort(budget=-1), {"type": "enabled"}, []),
        ("command-a-03-2025", Effort("low"), None, ["reasoning_effort"]),
        ("command-a-03-2025", Effort("none"), None, []),
    ],
)
def test_only_models_that_reason_are_told_how_much(model, effort, made, lost):
    assert told(asked(model=model, effort=effort), lost).get("thinking") == made


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (asked(candidates=2), r"^n: "),
        (asked(stop=[*"abcdef"]), r"^stop: "),
        (asked(Turn("user", [Media("document", "application/pdf", "AAAA")])), r"application/pdf cannot be sent"),
        (asked(Turn("user", [Media("audio", "audio/wav", "AAAA")])), r"audio/wav cannot be sent"),
        (asked(Turn("user", [Media("document", url="https://example.com/a")])), r"document by URL"),
        (asked(Turn("user", [Media("image", file="file_1")])), r"another provider keeps"),
    ],
)
def test_what_cannot_be_said_is_refused_and_named(request_, says):
    with pytest.raises(MalformedChat, match=says):
        PROVIDER.write_request(request_, Notes())


def test_strict_tools_are_all_or_none():
    tools = [Function("a", schema=SCHEMA, strict=True), Function("b", schema=SCHEMA)]
    assert "strict_tools" not in told(asked(tools=tools), ["tools[].strict"])


def test_what_a_tool_returned_beside_text_is_lost():
    result = Result("c", [Text("a"), Media("image", "image/png", "AAAA")])
    body = told(asked(Turn("tool", [result])), ["messages[].content[].content"])
    assert body["messages"] == [{"role": "tool", "tool_call_id": "c", "content": "a"}]


# https://docs.cohere.com/v2/docs/tool-use-overview and rag-citations
SOURCE = {"type": "document", "id": "doc:0", "document": {"id": "doc:0", "title": "W", "url": "https://w.example"}}
CITATION = {"start": 3, "end": 7, "text": "rain", "sources": [SOURCE], "type": "TEXT_CONTENT"}
UNITS = {
    "billed_units": {"input_tokens": 5.0, "output_tokens": 4.0},
    "tokens": {"input_tokens": 71, "output_tokens": 9},
    "cached_tokens": 2,
}
ANSWER = {
    "id": "c14c",
    "message": {
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": "so"}, {"type": "text", "text": "It rains"}],
        "tool_plan": "I will look.",
        "tool_calls": [CALLED],
        "citations": [
            {**CITATION, "content_index": 1},
            {**CITATION, "sources": [{"type": "tool", "id": "call_1:0", "tool_output": {"a": "b"}}]},
            {**CITATION, "type": "PLAN"},
        ],
    },
    "finish_reason": "TOOL_CALL",
    "usage": UNITS,
}
CITED = [Citation("https://w.example", "W", "rain", 3, 7), Citation("", "call_1:0", "rain", 3, 7)]


def test_an_answer_is_read():
    answer = PROVIDER.read_answer(encode(ANSWER))
    content = [
        Text("I will look."),
        Reasoning("so", origin="cohere"),
        Text("It rains", CITED),
        Call("call_1", "weather", '{"city":"Oslo"}'),
    ]
    assert answer.candidates == [Candidate(content, StopReason.TOOLS)]
    assert answer.id == "c14c"
    assert answer.usage == Usage(5, 4, cache_read=2)
    only_tokens = PROVIDER.read_answer(encode(ANSWER | {"usage": {"tokens": UNITS["tokens"]}}))
    assert only_tokens.usage == Usage(71, 9)


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("COMPLETE", StopReason.END),
        ("STOP_SEQUENCE", StopReason.SEQUENCE),
        ("MAX_TOKENS", StopReason.LENGTH),
        ("TOOL_CALL", StopReason.TOOLS),
        ("ERROR", StopReason.ERROR),
        ("TIMEOUT", StopReason.ERROR),
        ("WHAT_COMES_NEXT", StopReason.END),
    ],
)
def test_why_a_model_stopped(word, reason):
    assert PROVIDER.read_answer(encode(ANSWER | {"finish_reason": word})).candidates[0].stop == reason
    ended = PROVIDER.reader().data(encode({"type": "message-end", "delta": {"finish_reason": word}}))
    broken = [Broken(Failure("The provider could not go on."))]
    assert ended == (broken if reason == StopReason.ERROR else [Stop(reason), End()])


@pytest.mark.parametrize("body", [b'{"message":"no"}', b'{"id":"x"}', b"[]", b"no"])
def test_what_is_no_answer_is_none(body):
    with pytest.raises(MalformedChat):
        PROVIDER.read_answer(body)


def event(kind, index=None, **message):
    at = {} if index is None else {"index": index}
    return {"type": kind, **at, **({"delta": {"message": message}} if message else {})}


def call(name):
    return {"id": name, "type": "function", "function": {"name": "f", "arguments": ""}}


# https://docs.cohere.com/v2/docs/streaming and tool-use-streaming
STREAM = [
    {"type": "message-start", "id": "m", "delta": {"message": {"role": "assistant", "content": []}}},
    event("content-start", 0, content={"type": "thinking", "thinking": ""}),
    event("content-delta", 0, content={"thinking": "so"}),
    event("content-end", 0),
    event("content-start", 1, content={"type": "text", "text": ""}),
    event("content-delta", 1, content={"text": "It "}),
    event("content-delta", 1, content={"text": "rains"}),
    event("content-end", 1),
    event("citation-start", 0, citations=CITATION),
    event("citation-end", 0),
    event("tool-plan-delta", tool_plan="I will "),
    event("tool-plan-delta", tool_plan="look."),
    event("tool-call-start", 0, tool_calls=call("t1")),
    event("tool-call-delta", 0, tool_calls={"function": {"arguments": '{"a"'}}),
    event("tool-call-delta", 0, tool_calls={"function": {"arguments": ":1}"}}),
    event("tool-call-end", 0),
    event("tool-call-start", 1, tool_calls=call("t2")),
    event("tool-call-end", 1),
    {"type": "message-end", "id": "m", "delta": {"finish_reason": "TOOL_CALL", "usage": UNITS}},
]


def test_a_stream_is_read():
    reader = PROVIDER.reader()
    assert [one for told in STREAM for one in reader.data(encode(told))] == [
        Begin("m", ""),
        *[Open(Reasoning("", origin="cohere"), 0), Add("so", 0), Close(0)],
        *[Open(Text(""), 1), Add("It ", 1), Add("rains", 1), Cite(CITED[0], 1), Close(1)],
        *[Open(Text(""), 2), Add("I will ", 2), Add("look.", 2), Close(2)],
        *[Open(Call("t1", "f", ""), 3), Add('{"a"', 3), Add(":1}", 3), Close(3)],
        *[Open(Call("t2", "f", ""), 4), Add("{}", 4), Close(4)],
        *[Stop(StopReason.TOOLS), Used(Usage(5, 4, cache_read=2)), End()],
    ]
    assert reader.data(b"[DONE]") == reader.end() == []


@pytest.mark.parametrize("cut", range(len(STREAM)))
def test_a_stream_that_is_cut_is_not_whole(cut):
    reader = PROVIDER.reader()
    events = [one for told in STREAM[:cut] for one in reader.data(encode(told))] + reader.data(b"[DONE]") + reader.end()
    assert not any(isinstance(one, End) for one in events)


@pytest.mark.parametrize(
    "told",
    [
        {"type": "error", "message": "gone"},
        {"message": "gone"},
        {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "error": "gone"}},
    ],
)
def test_an_error_breaks_a_stream(told):
    assert PROVIDER.reader().data(encode(told)) == [Broken(Failure("gone"))]


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        (b'{"id":"x","message":"invalid api token"}', Failure("invalid api token")),
        (b'{"data":5}', Failure('{"data":5}')),
        (b"<html>", Failure("<html>")),
        (b"", Failure("The provider gave no reason.")),
    ],
)
def test_failures_are_read(body, failure):
    assert PROVIDER.read_failure(body) == failure
