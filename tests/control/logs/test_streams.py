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


@pytest.mark.parametrize(
    ("chunks", "message"),
    [
        ([{"choices": [{"index": 0, "delta": {"content": text}}]} for text in ("Hel", "lo")], {"content": "Hello"}),
        ([{"type": "message_start", "message": {"id": "m"}}, {"type": "message_stop"}], {"id": "m", "content": []}),
        ([{"type": "response.completed", "response": {"id": "r"}}], {"id": "r"}),
    ],
    ids=["openai_chat", "anthropic", "openai_responses"],
)
def test_the_message_of_a_stream_whatever_its_dialect(chunks, message):
    assert as_json(events(*chunks, "[DONE]")) == {"streamed_data": chunks, "message": message}


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
