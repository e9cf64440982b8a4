import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.control.logs import streams
from penstock.core.codec import encode
from penstock.wire.sse import LINES


def as_json(body):
    return json.loads(encode(streams.as_json(body)))


def events(*chunks, end="\n\n"):
    return "".join(f"data: {c if isinstance(c, str) else json.dumps(c)}{end}" for c in chunks).encode()


def chat(delta, index=0):
    return {"object": "chat.completion.chunk", "choices": [{"index": index, "delta": delta}]}


def test_a_chat():
    chunks = [
        chat({"role": "assistant", "content": ""}),
        chat({"content": "Hel"}),
        chat({"content": "other"}, index=1),
        chat({"content": "lo", "refusal": None}),
        {"choices": [], "usage": {"total_tokens": 3}},
    ]
    shown = as_json(events(*chunks, "[DONE]"))
    assert shown["streamed_data"] == chunks
    assert shown["message"] == {"role": "assistant", "content": "Hello", "refusal": None}


def test_tool_calls_of_a_chat():
    first = {"index": 0, "id": "c1", "type": "function", "function": {"name": "weather", "arguments": ""}}
    chunks = [
        chat({"role": "assistant", "content": None, "tool_calls": [first]}),
        chat({"tool_calls": [{"index": 0, "function": {"arguments": '{"a"'}}]}),
        chat(
            {"tool_calls": [{"index": 1, "id": "c2", "type": "function", "function": {"name": "x", "arguments": "{}"}}]}
        ),
        chat({"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]}),
    ]
    assert as_json(events(*chunks))["message"] == {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"a":1}'}},
            {"id": "c2", "type": "function", "function": {"name": "x", "arguments": "{}"}},
        ],
    }


def test_a_message_of_anthropic():
    chunks = [
        {
            "type": "message_start",
            "message": {"id": "m", "role": "assistant", "content": [], "usage": {"input_tokens": 3}},
        },
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hel"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "lo"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "name": "w", "input": {}}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '{"a":'}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "1}"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    ]
    stream = b"".join(b"event: x\n" + events(chunk) for chunk in chunks)
    assert as_json(stream) == {
        "streamed_data": chunks,
        "message": {
            "id": "m",
            "role": "assistant",
            "content": [{"type": "text", "text": "Hello"}, {"type": "tool_use", "name": "w", "input": {"a": 1}}],
            "usage": {"input_tokens": 3},
            "stop_reason": "end_turn",
        },
    }


def test_a_response_of_openai():
    done = {"id": "r", "output": [{"type": "message"}]}
    chunks = [
        {"type": "response.created", "response": {"id": "r"}},
        {"type": "response.output_text.delta", "delta": "x"},
        {"type": "response.completed", "response": done},
    ]
    assert as_json(events(*chunks)) == {"streamed_data": chunks, "message": done}


def test_what_is_no_json_is_text_and_what_is_cut_off_is_there_too():
    assert as_json(b": comment\n\n" + events("plain", {"a": 1}, end="\r\n\r\n") + b'data: {"b"') == {
        "streamed_data": ["plain", {"a": 1}, '{"b"']
    }


@pytest.mark.parametrize("data", ['{"a":01}', "[1] 2", "1,2", "1],[2", "", "-", '{"a":tru}', '"\\x"', '"\x01"'])
def test_what_is_nearly_json_is_text(data):
    assert as_json(f"data:{data}\n\n".encode()).get("streamed_data") == ([data] if data else [])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["delta", "index", "text", "x"]), inner)
    ),
    max_leaves=6,
)
ODD = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(
            ["message_start", "content_block_start", "content_block_delta", "message_delta", "response.x"]
        ),
        "message": JSON,
        "index": JSON,
        "content_block": JSON,
        "delta": JSON | st.fixed_dictionaries({"partial_json": JSON}) | st.fixed_dictionaries({"tool_calls": JSON}),
        "choices": JSON
        | st.lists(st.fixed_dictionaries({"delta": st.dictionaries(st.sampled_from(["tool_calls", "a"]), JSON)})),
        "response": JSON,
    },
)


@given(st.lists(ODD | JSON, max_size=6))
def test_every_chunk_is_shown_whatever_it_is(chunks):
    shown = as_json(events(*map(json.dumps, chunks)))
    assert shown["streamed_data"] == chunks


@given(st.binary(max_size=60))
def test_any_bytes_can_be_shown(body):
    as_json(body)


def test_the_pieces_of_a_long_message_are_joined_once():
    start = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "a"}}
    delta = {"type": "content_block_delta", "index": 0, "delta": {"text": "b" * 50}}
    body = events({"type": "message_start", "message": {}}, start, *[delta] * 100_000)
    assert as_json(body)["message"] == {"content": [{"type": "text", "text": "a" + "b" * 5_000_000}]}
    assert as_json(events(*[chat({"content": "b" * 50})] * 100_000))["message"] == {"content": "b" * 5_000_000}


def test_an_event_that_is_not_what_it_seems_is_left_out_of_the_message():
    odd = {"choices": [{"delta": {"content": {"a": [[]] * 9}}}, 5]}
    assert as_json(events(chat({"content": "Hel"}), {"choices": 3}, chat({"content": "lo"})))["message"] == {
        "content": "Hello"
    }
    large = events(chat({"content": "Hel"}), {"x": [[]] * 50_000, **chat({"content": "lo"})}, odd)
    assert as_json(large)["message"] == {"content": {"a": [[]] * 9}}


def test_a_stream_of_too_many_events_cannot_be_shown():
    with pytest.raises(streams.TooMany):
        streams.as_json(b"\n\n" * (streams.EVENTS + 1))


@pytest.mark.parametrize("end", [b"\n", b"\r"])
@pytest.mark.parametrize("last", [b"", b"data: 1"])
def test_nor_can_one_of_an_event_of_too_many_lines(end, last):
    body = b"data: 1" + end * 2 + (b"data: 1" + end) * (LINES + 9) + last
    with pytest.raises(streams.TooMany):
        streams.as_json(body)


def test_one_of_a_large_event_can():
    data = b'{"a":"' + b"x" * 300_000 + b'"}'
    (shown,) = streams.as_json(b"data: " + data + b"\r\n\r\n")["streamed_data"]
    assert bytes(shown) == data
