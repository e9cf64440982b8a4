"""OpenAI responses in and out of the neutral form: what was said is said again, as OpenAI's own types take it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import omit
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from penstock.core.codec import decode, encode
from penstock.core.errors import MalformedChat
from penstock.model.chat import (
    Add,
    Answer,
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
    Event,
    Failure,
    Format,
    Function,
    Media,
    Native,
    NativeTool,
    Notes,
    Open,
    Reasoning,
    Refusal,
    Result,
    Sign,
    Stop,
    StopReason,
    Text,
    ToolChoice,
    Usage,
    Used,
)
from penstock.providers.dialects import DIALECTS

RESPONSES, CHAT = DIALECTS["openai_responses"], DIALECTS["openai_chat"]
assert RESPONSES.client and RESPONSES.provider and CHAT.client and CHAT.provider
CLIENT, PROVIDER = RESPONSES.client, RESPONSES.provider
EVENTS = TypeAdapter[Any](ResponseStreamEvent)

WEATHER = {
    "type": "function",
    "name": "weather",
    "description": "tells",
    "parameters": {"type": "object"},
    "strict": True,
}
REQUEST = {
    "model": "gpt-5",
    "instructions": "Be brief.",
    "input": [
        {"type": "message", "role": "developer", "content": "In verse."},
        {"type": "message", "role": "user", "content": [
            {"type": "input_text", "text": "What is this?"},
            {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"},
            {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "auto"},
            {"type": "input_file", "file_data": "data:application/pdf;base64,AAAA", "filename": "a.pdf"},
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}},
        ]},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "so"}],
         "encrypted_content": "secret"},
        {"type": "message", "role": "assistant", "id": "msg_1", "status": "completed", "content": [
            {"type": "output_text", "text": "Let me see.", "annotations": []},
        ]},
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "weather", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "call_2", "name": "free", "input": "anything"},
        {"type": "function_call_output", "call_id": "call_1", "output": "rain"},
        {"type": "custom_tool_call_output", "call_id": "call_2", "output": [
            {"type": "input_text", "text": "sun"},
            {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"},
        ]},
        {"type": "message", "role": "user", "content": "Thanks"},
    ],
    "tools": [
        WEATHER,
        {"type": "custom", "name": "free", "format": {"type": "text"}},
        {"type": "web_search", "search_context_size": "low"},
    ],
    "tool_choice": {"type": "function", "name": "weather"},
    "parallel_tool_calls": False,
    "text": {
        "format": {"type": "json_schema", "name": "x", "schema": {"type": "object"}, "strict": True},
        "verbosity": "low",
    },
    "reasoning": {"effort": "low", "summary": "auto"},
    "include": ["reasoning.encrypted_content", "message.output_text.logprobs"],
    "max_output_tokens": 100,
    "temperature": 0.5,
    "top_p": 1,
    "top_logprobs": 3,
    "user": "u",
    "safety_identifier": "s",
    "prompt_cache_key": "k",
    "metadata": {"a": "b"},
    "store": False,
    "truncation": "disabled",
    "service_tier": "flex",
    "stream": True,
    "stream_options": {"include_obfuscation": False},
}  # fmt: skip


def asked(**members: Any) -> ChatRequest:
    return CLIENT.read_request(encode({"model": "m", "input": "hi", **members}))


def test_a_request_is_read_whole():
    read = CLIENT.read_request(encode(REQUEST))
    assert [turn.role for turn in read.turns] == [
        "system", "developer", "user", "assistant", "assistant", "assistant", "assistant", "tool", "tool", "user",
    ]  # fmt: skip
    assert [part for turn in read.turns for part in turn.content] == [
        Text("Be brief."),
        Text("In verse."),
        Text("What is this?"),
        Media("image", "image/png", "AAAA", detail="low"),
        Media("image", url="https://example.com/a.png", detail="auto"),
        Media("document", "application/pdf", "AAAA", name="a.pdf"),
        Media("audio", "audio/mp3", "AAAA"),
        Reasoning("so", sealed="secret", origin="openai_responses", id="rs_1"),
        Text("Let me see."),
        Call("call_1", "weather", "{}", extra={"id": "fc_1"}),
        Call("call_2", "free", "anything", free=True),
        Result("call_1", [Text("rain")]),
        Result("call_2", [Text("sun"), Media("image", "image/png", "AAAA", detail="auto")], free=True),
        Text("Thanks"),
    ]
    assert read.tools == [
        Function("weather", "tells", {"type": "object"}, strict=True),
        Function("free", free=True, extra={"format": {"type": "text"}}),
        NativeTool("openai_responses", {"type": "web_search", "search_context_size": "low"}),
    ]
    assert read.tool_choice == ToolChoice("function", "weather")
    assert read.format == Format("schema", "x", "", {"type": "object"}, strict=True)
    assert read.effort == Effort("low", shown=True, extra={"summary": "auto"})
    assert (read.max_tokens, read.temperature, read.top_p, read.logprobs) == (100, 0.5, 1, 3)
    assert (read.user, read.service_tier, read.stream, read.parallel, read.bound) == ("u", "flex", True, False, "")
    assert read.extra == {"text": {"verbosity": "low"}, "safety_identifier": "s", "prompt_cache_key": "k"}


def test_a_request_is_the_same_after_the_neutral_form():
    notes = Notes()
    assert decode(PROVIDER.write_request(CLIENT.read_request(encode(REQUEST)), notes)) == REQUEST
    assert notes.members == []


WORDS = st.text(min_size=1, max_size=8)
JSON = st.sampled_from([1, "a", {"a": None, "b": [1]}, ["x"], True])
NEW = st.dictionaries(st.sampled_from(["x_new", "x_other", "status", "id"]), JSON, max_size=2)


def shape(required: dict[str, Any], optional: dict[str, Any] | None = None) -> Any:
    """Objects with those members, and some that nobody knows."""
    fixed = {
        name: value if isinstance(value, st.SearchStrategy) else st.just(value) for name, value in required.items()
    }
    return st.tuples(NEW, st.fixed_dictionaries(fixed, optional=optional or {})).map(lambda pair: pair[0] | pair[1])


CITED = shape({"type": "url_citation", "url": WORDS, "title": WORDS, "start_index": 0, "end_index": 1})
FILED = shape({"type": "file_citation", "file_id": WORDS, "filename": WORDS, "index": 0})
INPUT = st.one_of(
    shape({"type": "input_text", "text": WORDS, "x_kept": 1}),
    shape({"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"}),
    shape({"type": "input_image", "file_id": WORDS}),
    shape({"type": "input_file", "file_url": WORDS}, {"filename": WORDS, "prompt_cache_breakpoint": JSON}),
    shape({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}),
    shape({"type": "input_hologram", "x": JSON}),
)
OUTPUT = st.one_of(
    shape({"type": "output_text", "text": WORDS, "annotations": st.lists(CITED | FILED, max_size=2)}),
    shape({"type": "refusal", "refusal": WORDS}),
)
SUMMARY = st.lists(st.fixed_dictionaries({"type": st.just("summary_text"), "text": WORDS}), max_size=3)
THOUGHTS = st.lists(st.fixed_dictionaries({"type": st.just("reasoning_text"), "text": WORDS}), min_size=1, max_size=2)
RESULT = WORDS | st.lists(INPUT, min_size=1, max_size=2)
ITEMS = st.one_of(
    shape({"type": "message", "role": st.sampled_from(["user", "system", "developer"]), "content": RESULT}),
    shape({"type": "message", "role": "assistant", "content": st.lists(OUTPUT, min_size=1, max_size=2)}),
    shape({"type": "reasoning", "id": WORDS, "summary": SUMMARY}, {"encrypted_content": WORDS, "content": THOUGHTS}),
    shape({"type": "function_call", "call_id": WORDS, "name": WORDS, "arguments": st.text(max_size=4)}),
    shape({"type": "custom_tool_call", "call_id": WORDS, "name": WORDS, "input": st.text(max_size=4)}),
    shape({"type": "function_call_output", "call_id": WORDS, "output": RESULT}, {"name": WORDS}),
    shape({"type": "custom_tool_call_output", "call_id": WORDS, "output": RESULT}),
    shape({"type": "image_generation_call", "result": WORDS}),
    shape({"type": st.sampled_from(["web_search_call", "compaction", "item_reference"]), "x": JSON}),
)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "text": shape({}, {"verbosity": JSON, "format": st.one_of(
            shape({"type": "json_schema", "name": WORDS, "schema": JSON}, {"strict": st.booleans()}),
            st.sampled_from([{"type": "json_object"}, {"type": "text"}, {"type": "grammar", "x": 1}]),
        )}).filter(bool),
        "reasoning": shape({"effort": WORDS}, {"summary": WORDS}),
        "tool_choice": st.sampled_from([
            "none", "strange", {"type": "web_search"},
            {"type": "function", "name": "f"}, {"type": "mcp", "server_label": "a"},
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "mcp", "server_label": "a"}]},
        ]),
        "tools": st.lists(st.one_of(
            shape({"type": "function", "name": WORDS}, {"parameters": JSON, "strict": st.booleans()}),
            shape({"type": "custom", "name": "c", "format": JSON}),
            shape({"type": "web_search", "x": JSON}),
        ), min_size=1, max_size=2),
        "include": st.sampled_from([["reasoning.encrypted_content"], ["a", "message.output_text.logprobs"]]),
        "instructions": WORDS, "previous_response_id": WORDS, "conversation": JSON, "background": st.just(value=True),
        "truncation": st.sampled_from(["auto", "disabled"]), "store": st.booleans(), "metadata": JSON, "x_new": JSON,
    },
)  # fmt: skip


@given(st.lists(ITEMS, max_size=4), OPTIONS)
def test_any_request_is_the_same_after_the_neutral_form(items: list[Any], options: dict[str, Any]):
    told = {"model": "m", "input": items, **options}
    notes = Notes()
    assert decode(PROVIDER.write_request(CLIENT.read_request(encode(told)), notes)) == told
    assert notes.members == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"input": None}, "input: is missing"),
        ({"input": 3}, "input: must be a text or a list of items"),
        ({"input": [{"role": "judge", "content": "hi"}]}, "input[0].role"),
        ({"input": [{"role": "user", "content": 3}]}, "input[0].content"),
        ({"temperature": "warm"}, "temperature: must be a number"),
        ({"tools": [{"type": "function"}]}, "tools[0].name: is missing"),
        ({"tool_choice": {"type": "function"}}, "tool_choice.name: is missing"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_path(change: dict[str, Any], says: str):
    with pytest.raises(MalformedChat) as refused:
        CLIENT.read_request(encode(REQUEST | change))
    assert str(refused.value).startswith(says)


@pytest.mark.parametrize(
    ("change", "member"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id: the provider keeps no responses"),
        ({"conversation": "conv_1"}, "conversation: "),
        ({"prompt": {"id": "p"}, "input": None}, "prompt: "),
        ({"background": True}, "background: "),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[type=item_reference]: "),
        ({"input": [{"id": "msg_1"}]}, "input[type=item_reference]: "),
        ({"input": [{"type": "compaction", "encrypted_content": "x"}]}, "input[type=compaction]: "),
    ],
)
def test_what_only_its_own_provider_can_answer_says_so(change: dict[str, Any], member: str):
    assert CLIENT.read_request(encode(REQUEST | change)).bound.startswith(member)


def test_openai_chat_is_asked_for_the_same():
    assert CHAT.provider
    notes = Notes()
    written = decode(CHAT.provider.write_request(CLIENT.read_request(encode(REQUEST)), notes))
    function = {"name": "weather", "arguments": "{}"}
    assert [message["role"] for message in written["messages"]] == [
        "system", "developer", "user", "assistant", "tool", "tool", "user",
    ]  # fmt: skip
    assert written["messages"][3]["tool_calls"] == [
        {"id": "call_1", "type": "function", "function": function},
        {"id": "call_2", "type": "custom", "custom": {"name": "free", "input": "anything"}},
    ]
    assert written["response_format"]["json_schema"] == {"name": "x", "schema": {"type": "object"}, "strict": True}
    assert written["reasoning_effort"] == "low"
    assert (written["logprobs"], written["top_logprobs"], written["max_completion_tokens"]) == (True, 3, 100)
    assert "store" not in notes.members
    assert {"text", "safety_identifier", "prompt_cache_key", "tools[type=web_search]"} <= {*notes.members}


LOGPROB = {"token": "Hi", "logprob": -0.1, "bytes": None, "top_logprobs": []}
USAGE = Usage(10, 5, cache_read=4, cache_write=0, reasoning=3)
CONTENT = [
    Reasoning("so", "sig", origin="anthropic"),
    Text("Hi", [Citation("https://example.com", "Example", "quoted", 0, 2)]),
    Refusal("no"),
    Call("call_1", "weather", '{"a":1}', signature="thought"),
    Media("image", "image/png", "AAAA"),
]


def answered(content: list[Any], stop: str = StopReason.END, **members: Any) -> Any:
    answer = Answer("1", "m", [Candidate(content, stop, logprobs={"content": [LOGPROB]})], USAGE, 1790000000)
    told = decode(CLIENT.write_answer(answer, asked(**members)))
    Response.model_validate(told, strict=True)
    return told


def test_an_answer_is_a_whole_response_object():
    told = answered(CONTENT, StopReason.TOOLS, tools=[WEATHER], instructions="Be brief.", metadata={"a": "b"})
    assert [item["type"] for item in told["output"]] == [
        "reasoning", "message", "reasoning", "function_call", "image_generation_call",
    ]  # fmt: skip
    assert [item["id"].split("_")[0] for item in told["output"]] == ["rs", "msg", "rs", "fc", "ig"]
    assert told["output"][1]["content"] == [
        {
            "type": "output_text",
            "text": "Hi",
            "annotations": [
                {
                    "type": "url_citation",
                    "url": "https://example.com",
                    "title": "Example",
                    "start_index": 0,
                    "end_index": 2,
                }
            ],
            "logprobs": [LOGPROB | {"bytes": []}],
        },
        {"type": "refusal", "refusal": "no"},
    ]
    assert {name: told[name] for name in ("id", "object", "created_at", "status", "model", "instructions")} == {
        "id": "resp_1",
        "object": "response",
        "created_at": 1790000000,
        "status": "completed",
        "model": "m",
        "instructions": "Be brief.",
    }
    assert told["usage"] == {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 15,
    }
    assert (told["tools"], told["metadata"], told["error"]) == ([WEATHER], {"a": "b"}, None)


@pytest.mark.parametrize(
    ("stop", "content", "status", "reason", "item"),
    [
        (StopReason.END, [Text("Hi")], "completed", None, "completed"),
        (StopReason.SEQUENCE, [Text("Hi")], "completed", None, "completed"),
        (StopReason.LENGTH, [Text("Hi")], "incomplete", "max_output_tokens", "incomplete"),
        (StopReason.FILTER, [Text("Hi")], "incomplete", "content_filter", "incomplete"),
        (StopReason.REFUSAL, [Text("Hi")], "incomplete", "content_filter", "incomplete"),
        (StopReason.REFUSAL, [Refusal("no")], "completed", None, "completed"),
        (StopReason.ERROR, [Text("Hi")], "failed", None, "incomplete"),
    ],
)
def test_why_it_stopped(stop: str, content: list[Any], status: str, reason: str | None, item: str):
    told = answered(content, stop)
    assert told["status"] == status
    assert told["incomplete_details"] == (reason and {"reason": reason})
    assert told["output"][0]["status"] == item
    assert (told["error"] is None) == (status != "failed")


def test_what_another_dialect_signed_comes_back_with_the_items():
    content = [
        Reasoning("so", "sig", origin="anthropic"),
        Reasoning("", sealed="secret", origin="anthropic"),
        Text("Hi", signature="t"),
        Call("call_1", "weather", "{}", signature="c"),
    ]
    items = Response.model_validate(answered(content)).output
    sent = [item.model_dump(mode="json", exclude_unset=True) for item in items]
    again = asked(input=[*sent, {"type": "function_call_output", "call_id": "call_1", "output": "rain"}])
    parts = [part for turn in again.turns for part in turn.content if type(part) is not Result]
    for part in parts:
        assert not isinstance(part, Native)
        part.extra = None
        if isinstance(part, Reasoning):
            part.id = ""
    assert parts == content


def test_a_custom_tool_that_was_called_as_a_function_is_answered_as_one():
    told = answered([Call("call_1", "free", '{"input":"a\\nb"}')], tools=[{"type": "custom", "name": "free"}])
    assert [(item["type"], item["input"]) for item in told["output"]] == [("custom_tool_call", "a\nb")]


def streamed(events: list[Event], **members: Any) -> tuple[list[Any], Any]:
    """What a client gets, each event as OpenAI's own types take it, and the response that OpenAI's SDK makes of it."""
    request = asked(stream=True, **members)
    writer = CLIENT.writer(request)
    frames = b"".join([writer.event(event) for event in events]).split(b"\n\n")
    assert frames.pop() == b""
    state: Any = ResponseStreamState[Any](input_tools=[], text_format=omit)
    told: list[Any] = []
    for number, frame in enumerate(frames):
        head, data = frame.split(b"\n")
        event = decode(data.removeprefix(b"data: "))
        assert head.decode() == f"event: {event['type']}"
        assert event["sequence_number"] == number
        state.handle_event(EVENTS.validate_python(event, strict=True))
        told.append(event)
    return told, state


BEGIN, USED = Begin("1", "m", 1790000000), Used(USAGE)


def text(words: list[str], index: int = 0) -> list[Event]:
    return [Open(Text(""), index), *[Add(word, index) for word in words], Close(index)]


def test_a_stream_of_text():
    told, state = streamed([BEGIN, *text(["He", "llo"]), Stop(StopReason.END), USED, End()])
    assert [event["type"] for event in told] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert state._completed_response.output_text == "Hello"
    last = told[-1]["response"]
    assert last["output"] == [told[-2]["item"]]
    assert (last["id"], last["created_at"]) == ("resp_1", 1790000000)
    assert last["usage"]["total_tokens"] == 15


def test_a_stream_of_everything_is_the_answer_that_it_would_be_in_one_piece():
    told, _ = streamed(
        [
            BEGIN,
            Open(Reasoning("", origin="anthropic"), 0),
            Add("so", 0),
            Sign("sig", "", 0),
            Close(0),
            Open(Text(""), 1),
            Add("Hi", 1, logprobs={"content": [LOGPROB]}),
            Cite(Citation("https://example.com", "Example", "quoted", 0, 2), 1),
            Close(1),
            Open(Refusal(""), 2),
            Add("no", 2),
            Close(2),
            Open(Call("call_1", "weather", "", signature="thought"), 3),
            Add('{"a"', 3),
            Add(":1}", 3),
            Close(3),
            Open(Media("image", "image/png", "AAAA"), 4),
            Close(4),
            Stop(StopReason.TOOLS),
            USED,
            End(),
        ]
    )
    assert plain(told[-1]["response"]) == plain(answered(CONTENT, StopReason.TOOLS, stream=True))
    assert {event["type"] for event in told} >= {
        "response.reasoning_summary_part.added",
        "response.reasoning_summary_text.delta",
        "response.reasoning_summary_text.done",
        "response.reasoning_summary_part.done",
        "response.output_text.annotation.added",
        "response.refusal.delta",
        "response.refusal.done",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
    }


def plain(response: Any) -> Any:
    """Without what is new in each answer."""
    output = [{name: value for name, value in item.items() if name != "id"} for item in response["output"]]
    return {**response, "output": output, "completed_at": None}


def test_calls_that_grow_side_by_side_are_items_of_their_own():
    calls: list[Event] = [Open(Call("a", "f", ""), 1), Open(Call("b", "g", ""), 2), Add("{}", 2), Add('{"x":1}', 1)]
    told, state = streamed([BEGIN, *text(["Hi"]), *calls, Close(2), Close(1), Stop(StopReason.TOOLS), End()])
    assert [(item.type, getattr(item, "arguments", "")) for item in state._completed_response.output] == [
        ("message", ""),
        ("function_call", '{"x":1}'),
        ("function_call", "{}"),
    ]
    done = [event["output_index"] for event in told if event["type"] == "response.function_call_arguments.done"]
    assert done == [2, 1]


def test_a_stream_of_a_custom_tool():
    told, _ = streamed([BEGIN, Open(Call("a", "f", "", free=True), 0), Add("x", 0), Close(0), Stop("tools"), End()])
    assert [event["type"] for event in told][3:5] == [
        "response.custom_tool_call_input.delta",
        "response.custom_tool_call_input.done",
    ]
    assert told[-1]["response"]["output"][0]["input"] == "x"


def test_a_stream_of_a_custom_tool_that_was_called_as_a_function():
    events = [
        BEGIN,
        Open(Call("a", "free", ""), 0),
        Add('{"in', 0),
        Add('put":"x"}', 0),
        Close(0),
        Stop("tools"),
        End(),
    ]
    told, _ = streamed(events, tools=[{"type": "custom", "name": "free"}])
    assert [event["delta"] for event in told if event["type"] == "response.custom_tool_call_input.delta"] == ["x"]
    assert told[-1]["response"]["output"][0]["input"] == "x"


def test_parts_without_a_word_leave_no_item():
    empty: list[Event] = [Open(Reasoning(""), 0), Close(0), Open(Text(""), 1), Close(1)]
    told, _ = streamed([BEGIN, *empty, *text(["Hi"], 2), Stop(StopReason.END), End()])
    assert [item["type"] for item in told[-1]["response"]["output"]] == ["message"]


def test_a_stream_that_was_cut_short():
    told, _ = streamed([BEGIN, *text(["Hi"]), Stop(StopReason.LENGTH), End()])
    assert told[-1]["type"] == "response.incomplete"
    assert told[-1]["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
    assert told[-1]["response"]["output"][0]["status"] == "incomplete"


def test_a_stream_that_broke():
    told, _ = streamed([BEGIN, Open(Text(""), 0), Add("Hi", 0), Broken(Failure("overloaded", "overloaded_error"))])
    assert [event["type"] for event in told][-2:] == ["error", "response.failed"]
    assert told[-2]["message"] == told[-2]["error"]["message"] == "overloaded"
    assert told[-1]["response"]["error"] == {"code": "server_error", "message": "overloaded"}


def test_a_stream_that_broke_before_it_began():
    told, _ = CLIENT.writer(asked(stream=True)).event(Broken(Failure("no"))).split(b"\n\n")
    assert told.startswith(b"event: error\n")


def test_a_failure_is_told_as_openai_does():
    told = decode(CLIENT.write_failure(429, Failure("slow down")))
    assert told == {"error": {"message": "slow down", "type": "rate_limit_error", "param": None, "code": None}}


# ---- a provider that speaks it


def test_an_answer_is_the_same_after_the_neutral_form():
    told = answered(CONTENT, StopReason.TOOLS)
    answer = PROVIDER.read_answer(encode(told))
    assert (answer.id, answer.model, answer.created, answer.usage) == ("resp_1", "m", 1790000000, USAGE)
    assert answer.candidates[0].stop == StopReason.TOOLS
    assert answer.candidates[0].logprobs == {"content": [LOGPROB | {"bytes": []}], "refusal": None}
    assert plain(decode(CLIENT.write_answer(answer, asked()))) == plain(told)


@pytest.mark.parametrize(
    ("members", "stop"),
    [
        ({}, StopReason.END),
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, StopReason.LENGTH),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, StopReason.FILTER),
        ({"status": "failed", "error": {"code": "server_error", "message": "no"}}, StopReason.ERROR),
    ],
)
def test_why_a_provider_stopped(members: dict[str, Any], stop: str):
    assert PROVIDER.read_answer(encode(answered([Text("Hi")]) | members)).candidates[0].stop == stop


def test_what_is_no_answer_is_not_taken_for_an_empty_one():
    with pytest.raises(LookupError):
        PROVIDER.read_answer(b'{"message":"no such thing"}')


EVERYTHING: list[Event] = [
    BEGIN,
    Open(Reasoning("", origin="openai_responses", id="rs_1"), 0),
    Add("so", 0),
    Sign("", "secret", 0),
    Close(0),
    Open(Text(""), 1),
    Add("He", 1, logprobs={"content": [LOGPROB]}),
    Add("llo", 1),
    Cite(Citation("https://example.com", "Example", "", 0, 5), 1),
    Close(1),
    Open(Refusal(""), 2),
    Add("no", 2),
    Close(2),
    Open(Call("call_1", "weather", ""), 3),
    Open(Call("call_2", "free", "", free=True), 4),
    Add("{}", 3),
    Add("x", 4),
    Close(3),
    Close(4),
    Open(Media("image", "image/png", "AAAA"), 5),
    Close(5),
    USED,
    Stop(StopReason.TOOLS),
    End(),
]


def test_a_stream_is_the_same_after_the_neutral_form():
    told, _ = streamed(EVERYTHING)
    reader = PROVIDER.reader()
    read = [event for one in told for event in reader.data(encode(one))]
    again, _ = streamed(read)
    assert [event["type"] for event in again] == [event["type"] for event in told]
    assert plain(again[-1]["response"]) == plain(told[-1]["response"])
    assert read[0] == Begin("resp_1", "m", 1790000000, "default")
    assert read[1:5] == EVERYTHING[1:5]


def test_a_stream_that_is_cut_anywhere_is_not_whole():
    told, _ = streamed(EVERYTHING)
    reader = PROVIDER.reader()
    for one in told[:-1]:
        assert not [event for event in [*reader.data(encode(one)), *reader.end()] if isinstance(event, End | Stop)]
    assert isinstance(reader.data(encode(told[-1]))[-1], End)


def test_items_without_pieces_are_read_when_they_are_whole():
    told, _ = streamed(EVERYTHING)
    reader = PROVIDER.reader()
    kinds = ("response.created", "response.output_item.added", "response.output_item.done", "response.completed")
    read = [event for one in told if one["type"] in kinds for event in reader.data(encode(one))]
    again, _ = streamed(read)
    texts = [
        [item.get(name) for name in ("summary", "arguments", "input", "result")]
        for item in again[-1]["response"]["output"]
    ]
    assert texts == [
        [item.get(name) for name in ("summary", "arguments", "input", "result")]
        for item in told[-1]["response"]["output"]
    ]


@pytest.mark.parametrize(
    "event",
    [
        {"type": "error", "code": "c", "message": "no", "param": None, "sequence_number": 3},
        {"type": "error", "error": {"code": "c", "message": "no"}, "sequence_number": 3},
        {"type": "response.failed", "response": {"status": "failed", "error": {"code": "c", "message": "no"}}},
    ],
)
def test_a_stream_of_a_provider_that_broke(event: dict[str, Any]):
    (broken,) = PROVIDER.reader().data(encode(event))
    assert isinstance(broken, Broken)
    assert (broken.failure.message, broken.failure.code) == ("no", "c")


CHATTED = {
    "model": "gpt-5",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA"}},
        ]},
        {"role": "assistant", "content": "Let me see.", "reasoning_content": "so", "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}},
            {"id": "call_2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
        ]},
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
        {"role": "tool", "tool_call_id": "call_2", "content": "sun"},
        {"role": "assistant", "content": None},
        {"role": "system", "content": "In verse."},
        {"role": "user", "content": "Thanks"},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
    "tool_choice": {"type": "allowed_tools", "allowed_tools": {
        "mode": "required", "tools": [{"type": "function", "function": {"name": "f"}}],
    }},
    "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}},
    "reasoning_effort": "low",
    "max_completion_tokens": 4,
    "logprobs": True,
    "stop": ["a"],
    "seed": 7,
    "logit_bias": {"1": 2},
}  # fmt: skip


def test_a_request_in_openai_chat_is_asked_in_openai_responses():
    assert CHAT.client
    notes = Notes()
    written = decode(PROVIDER.write_request(CHAT.client.read_request(encode(CHATTED)), notes))
    assert written == {
        "model": "gpt-5",
        "instructions": "Be brief.",
        "input": [
            {"type": "message", "role": "user", "content": [
                {"type": "input_text", "text": "What is this?"},
                {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "auto"},
                {"type": "input_file", "file_data": "data:application/pdf;base64,AAAA", "filename": "document.pdf"},
            ]},
            {"type": "message", "role": "assistant", "content": [
                {"type": "output_text", "text": "Let me see.", "annotations": []},
            ]},
            {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"},
            {"type": "function_call", "call_id": "call_2", "name": "g", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "call_1", "output": "rain"},
            {"type": "function_call_output", "call_id": "call_2", "output": "sun"},
            {"type": "message", "role": "system", "content": "In verse."},
            {"type": "message", "role": "user", "content": "Thanks"},
        ],
        "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False}],
        "tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}]},
        "text": {"format": {"type": "json_schema", "name": "x", "schema": {"type": "object"}}},
        "reasoning": {"effort": "low"},
        "max_output_tokens": 16,
        "store": False,
        "include": ["reasoning.encrypted_content", "message.output_text.logprobs"],
    }  # fmt: skip
    assert notes.members == ["stop", "seed", "logit_bias", "max_tokens"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"n": 2}, "n: "),
        ({"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}]}, "a document that"),
    ],
)
def test_what_cannot_be_asked_is_refused(change: dict[str, Any], says: str):
    assert CHAT.client
    with pytest.raises(MalformedChat, match=f"^{says}"):
        PROVIDER.write_request(CHAT.client.read_request(encode(CHATTED | change)), Notes())


def test_sealed_thinking_survives_a_client_that_speaks_openai_chat():
    assert CHAT.client
    thought = Reasoning("so", sealed="secret", origin="openai_responses", id="rs_1")
    told = decode(CHAT.client.write_answer(Answer("1", "m", [Candidate([thought, Text("Hi")])]), asked()))
    messages = [*CHATTED["messages"], told["choices"][0]["message"]]
    request = CHAT.client.read_request(encode(CHATTED | {"messages": messages}))
    items = decode(PROVIDER.write_request(request, Notes()))["input"]
    assert items[-2] == {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "so"}],
        "encrypted_content": "secret",
    }
