"""OpenAI chat: what is read of it, what is asked of it, and what is hidden again."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.budget import Budget
from penstock.core.errors import ProviderBroke
from penstock.model.reply import UNREAD
from penstock.model.usage import Asked, Reported
from penstock.providers.dialects.openai_chat import HideUsage, OpenAIChat
from tests.kit.accounts import used

CHAT = OpenAIChat()
USAGE = (
    b'{"prompt_tokens": 100, "completion_tokens":20,"total_tokens":120,"prompt_tokens_details":{"cached_tokens":60,'
    b'"cache_write_tokens":10,"audio_tokens":5},"completion_tokens_details":{"reasoning_tokens":7,"audio_tokens":2}}'
)


def read(*events: bytes) -> Reported:
    reader = CHAT.reader()
    for event in events:
        reader.event(event)
    return reader.reported()


def chunk(**members: object) -> bytes:
    told = {"id": "c", "model": "gpt-4o-2024", "choices": [{"index": 0, "delta": {"content": "x"}}], **members}
    return b"data: " + json.dumps(told, separators=(",", ":")).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"
FINAL = b'data: {"model":"gpt-4o-2024","choices":[],"usage":' + USAGE + b"}\n\n"


def test_an_answer() -> None:
    reported = CHAT.reported(b'{"model":"gpt-4o-2024","choices":[],"service_tier":"flex","usage":' + USAGE + b"}")
    usage, kinds, notes = used(CHAT, reported)
    assert usage is not None
    assert (reported.model, reported.error, usage.terms) == ("gpt-4o-2024", False, ("service_tier=flex",))
    assert usage.raw == USAGE
    assert (usage.tokens_in, usage.tokens_out, notes) == (100, 20, [])
    assert kinds == {
        "input": 25,
        "cache_read": 60,
        "cache_write": 10,
        "input_audio": 5,
        "output": 11,
        "output_reasoning": 7,
        "output_audio": 2,
    }


def test_a_200_that_carries_an_error() -> None:
    assert CHAT.reported(b'{"error":{"message":"no","type":"server_error"}}') == Reported(error=True)
    assert not CHAT.reported(b'{"model":"m","error":null}').error


@pytest.mark.parametrize(
    "body",
    [
        *(
            b"",
            b"[]",
            b"null",
            b"{",
            b"\xff",
            b'{"usage":null}',
            b'{"usage":{}}',
            b'{"usage":"many"}',
            b'{"usage":[1]}',
        ),
        *(b'{"usage":{"prompt_tokens":-1}}', b'{"usage":{"prompt_tokens":1.5}}', b'{"usage":{"prompt_tokens":1e30}}'),
    ],
)
def test_what_cannot_be_read_is_not_learnt(body: bytes) -> None:
    assert used(CHAT, CHAT.reported(body))[0] is None


def test_a_stream_with_null_usage_on_every_chunk() -> None:
    reported = read(chunk(usage=None), chunk(usage=None), FINAL, DONE)
    assert reported.model == "gpt-4o-2024"
    assert reported.raw == USAGE


def test_a_stream_whose_last_frame_has_usage_and_text() -> None:
    reported = read(chunk(), chunk(usage={"prompt_tokens": 3, "completion_tokens": 1}), DONE)
    assert used(CHAT, reported)[1] == {"input": 3, "output": 1}


def test_a_stream_whose_usage_grows() -> None:
    reported = read(*(chunk(usage={"prompt_tokens": 3, "completion_tokens": n}) for n in range(5)), DONE)
    assert used(CHAT, reported)[1] == {"input": 3, "output": 4}


def test_a_stream_that_broke_halfway() -> None:
    assert read(chunk(usage=None), chunk(usage=None)) == Reported("gpt-4o-2024", complete=False)


@pytest.mark.parametrize(
    "end",
    [
        DONE,
        chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "length"}]),
        b'data: {"model":"m","choices":[{"index":0,"finish_reason" : "stop"}]}\r\n\r\n',
    ],
)
def test_a_stream_is_whole_with_its_own_end(end: bytes) -> None:
    running = {"index": 0, "delta": {"content": '"finish_reason":"stop" [DONE]'}, "finish_reason": None}
    halves = [chunk(choices=[running]), chunk(choices=[running | {"finish_reason": ""}])]
    assert not read(*halves).complete
    assert read(*halves, end).complete
    reader = CHAT.reader()
    reader.event(halves[0])
    assert not reader.dull(chunk() + end)


def choice(index: int, finish: str | None = None, **more: object) -> bytes:
    return chunk(choices=[{"index": index, "delta": {"content": "x"}, "finish_reason": finish, **more}])


@pytest.mark.parametrize(
    ("events", "whole"),
    [
        ([choice(1, "stop")], False),
        ([choice(1, "stop"), choice(0, "stop")], True),
        ([choice(0, "stop"), choice(1)], False),
        ([choice(0, "stop"), choice(1), choice(1, "length")], True),
        ([choice(1, "stop"), DONE], True),
        ([choice(0, sources=[{"finish_reason": "stop"}])], False),
    ],
)
def test_a_stream_is_whole_when_each_choice_is(events: list[bytes], whole: bool) -> None:
    started = [choice(0), choice(1)] if b'"index":1' in b"".join(events) else [choice(0)]
    assert read(*started, *events).complete is whole


FAILED = [
    {"choices": [{"index": 0, "message": {"content": "x"}, "finish_reason": "error"}]},
    {"choices": [{"index": 0, "finish_reason": "insufficient_system_resource"}]},
    {"choices": [{"index": 0, "finish_reason": "stop", "error": {"code": 502}}]},
    {"object": "error", "message": "no", "type": "x", "param": None, "code": "1000"},
    {"message": "no", "type": "x", "code": 3},
    {"detail": "no"},
    {"x_groq": {"id": "r", "error": "no"}, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    [{"error": {"code": 429}}],
]


@pytest.mark.parametrize("told", [*FAILED, {"choices": []}])
def test_an_answer_that_says_that_it_failed(told: object) -> None:
    assert CHAT.reported(json.dumps(told).encode()).error


@pytest.mark.parametrize("told", FAILED)
def test_a_stream_that_says_that_it_failed(told: object) -> None:
    assert read(chunk(), b"data: " + json.dumps(told, separators=(",", ":")).encode() + b"\n\n", DONE).error
    reader = CHAT.reader()
    reader.event(chunk())
    assert not reader.dull(chunk() + b"data: " + json.dumps(told, separators=(",", ":")).encode() + b"\n\n")


def test_an_answer_that_speaks_of_errors_did_not_fail() -> None:
    said = {"index": 0, "message": {"content": '"finish_reason":"error"', "x": {"error": 1}}, "finish_reason": "stop"}
    assert not CHAT.reported(json.dumps({"choices": [said], "error": None}).encode()).error


@pytest.mark.parametrize("later", [{"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, {}])
def test_a_later_usage_without_a_count_does_not_replace_the_earlier(later: dict[str, int]) -> None:
    reported = read(chunk(usage={"prompt_tokens": 3, "completion_tokens": 1}), chunk(choices=[], usage=later), DONE)
    assert used(CHAT, reported)[1] == {"input": 3, "output": 1}


def test_a_stream_that_speaks_of_usage() -> None:
    assert read(chunk(), chunk(choices=[{"delta": {"content": '"usage":{"prompt_tokens":1}'}}])).raw == b""


@pytest.mark.parametrize("event", [b'data: {"error":{"message":"x"}}\n\n', b'event: error\ndata: {"message":"x"}\n\n'])
def test_a_stream_with_an_error(event: bytes) -> None:
    assert read(chunk(), event).error
    assert read(event).error


def test_what_a_request_asks() -> None:
    assert CHAT.asked(b'{"model":"m","messages":[]}') == Asked("m")
    assert CHAT.asked(b'{"model":"m","stream":true}') == Asked("m", stream=True)
    asked = CHAT.asked(b'{"model":"m","stream":true,"stream_options":{"include_usage":true}}')
    assert asked == Asked("m", stream=True, wants_usage=True)
    assert CHAT.asked(b'{"model":5,"stream":"yes"}') == Asked()
    assert CHAT.asked(b"--multipart") == Asked()


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        (b' {"stream": true}', b' {"stream_options":{"include_usage":true},"stream": true}'),
        (b'{"stream":true,"stream_options":{}}', b'{"stream":true,"stream_options":{"include_usage":true}}'),
        (
            b'{"stream_options" : { "x":1.50 },"stream":true}',
            b'{"stream_options" : {"include_usage":true, "x":1.50 },"stream":true}',
        ),
        (
            b'{"stream":true,"stream_options":{"include_usage": false,"x":1}, "a":1.50}',
            b'{"stream":true,"stream_options":{"include_usage":true,"x":1}, "a":1.50}',
        ),
        (
            b'{"tools":[{"stream_options":{}}],"stream":true,"stream_options":{},"more":{"stream_options":{}}}',
            (
                b'{"tools":[{"stream_options":{}}],"stream":true,"stream_options":{"include_usage":true},'
                b'"more":{"stream_options":{}}}'
            ),
        ),
        (b'{"stream":true,"stream_options":{"include_usage":true}}', None),
        (b'{"stream":true,"stream_options":null}', b'{"stream":true,"stream_options":{"include_usage":true}}'),
        (b'{"stream":true,"stream_options":7}', None),
        (
            b'{"stream":true,"stream_options":{"include_usage":null}}',
            b'{"stream":true,"stream_options":{"include_usage":true}}',
        ),
        (b'{"stream":false}', None),
        (b'{"stream":1}', None),
        (b'{"model":"m"}', None),
        (b'[{"stream":true}]', None),
        (b'{"stream":true', None),
        (b"", None),
    ],
)
def test_asking_for_usage(body: bytes, sent: bytes | None) -> None:
    assert CHAT.ask_usage(body) == sent


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 40), 1 << 40) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=9) | st.just("stream_options"), inner, max_size=3)
    ),
    max_leaves=12,
)
OPTIONS = st.dictionaries(st.sampled_from(["a", "include_obfuscation"]), JSON, max_size=2)


@given(st.dictionaries(st.text(max_size=9), JSON, max_size=5), st.none() | OPTIONS, st.sampled_from([None, 0, 2]))
def test_asking_adds_one_member_and_nothing_else(
    members: dict[str, object], options: dict[str, object] | None, indent: int
) -> None:
    members.pop("stream_options", None)
    body = {**members, "stream": True} | ({} if options is None else {"stream_options": options})
    sent = CHAT.ask_usage(json.dumps(body, indent=indent).encode())
    assert sent is not None
    assert json.loads(sent) == {**body, "stream_options": {**(options or {}), "include_usage": True}}
    assert CHAT.asked(sent).wants_usage


def test_options_that_also_stand_in_a_text_are_found() -> None:
    sent = CHAT.ask_usage(b'{"a":["stream_options","{}"],"stream":true,"stream_options":{}}')
    assert sent == b'{"a":["stream_options","{}"],"stream":true,"stream_options":{"include_usage":true}}'


EVENTS = st.lists(
    st.sampled_from(
        [chunk(), chunk(usage=None), FINAL, DONE, chunk(usage={"prompt_tokens": 1}), b": ping\n\n", b"\n", b"\r\n\r\n"]
    ),
    max_size=8,
)


@given(EVENTS, st.booleans(), st.lists(st.integers(0, 3000), max_size=20))
def test_hiding_takes_out_the_usage_frame_and_nothing_else(events: list[bytes], crlf: bool, at: list[int]) -> None:
    if crlf:
        events = [event.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for event in events]
    final = FINAL.replace(b"\n", b"\r\n") if crlf else FINAL
    data = b"".join(events)
    edges = [0, *sorted(min(i, len(data)) for i in at), len(data)]
    stage = HideUsage(UNREAD, Budget(1 << 20))
    out = b"".join(stage.feed(data[a:b]) for a, b in pairwise(edges)) + stage.end()
    whole = HideUsage(UNREAD, Budget(1 << 20))
    assert out.split() == (whole.feed(data) + whole.end()).split()
    if b"\n" not in events and b"\r\n" not in events:  # else a lone line end belongs to the event after it
        assert out == b"".join(event for event in events if event != final)


def test_hiding_leaves_broken_and_foreign_frames_alone() -> None:
    for frame in (
        b'data: {"choices":[],"usage":{"a"',
        b'data: {"choices":[],"usage":null}\n\n',
        b'data: {"choices":[]}\n\n',
        b"x" * 99,
    ):
        stage = HideUsage(UNREAD, Budget(1 << 20))
        assert stage.feed(frame) + stage.end() == frame


def test_hiding_ends_after_more_usage_frames_than_were_asked_for() -> None:
    frame = b'data: {"choices":[],"usage":{"prompt_tokens":1}}\n\n'
    stage = HideUsage(UNREAD, Budget(1 << 20))
    assert stage.feed(frame * 10) == b""
    assert stage.feed(frame * 1000) == frame * 994
    assert stage.feed(frame[:9]) == frame[:9]


def test_hiding_waits_through_frames_with_choices_and_usage() -> None:
    frame = b'data: {"choices":[{}],"usage":{"prompt_tokens":1}}\n\n'
    stage = HideUsage(UNREAD, Budget(1 << 20))
    assert stage.feed(frame * 1000) == frame * 1000
    assert stage.feed(frame + FINAL) == frame


@pytest.mark.parametrize("pad", [b"", b"x" * (2 << 20)])
@pytest.mark.parametrize("options", [b"null", b"{}", b'{"include_usage":false}'])
@pytest.mark.parametrize(("before", "after"), [(0, 0), (3, 0), (0, 3), (3, 3)])
@pytest.mark.parametrize("at_the_end", [True, False])
def test_the_options_that_are_read_are_the_ones_that_are_written(
    pad: bytes, options: bytes, before: int, after: int, at_the_end: bool
) -> None:
    own, other = b'"stream":true,"stream_options":' + options + b',"model":"m"', b'{"stream_options":' + options + b"},"
    text = b'{"x":[' + other * before + b"1]," + (b"%b," % own if not at_the_end else b"") + b'"pad":"' + pad + b'",'
    text += (own + b"," if at_the_end else b"") + b'"y":[' + other * after + b"1]}"
    sent = CHAT.ask_usage(text)
    assert sent is not None
    wanted = json.loads(text)
    wanted["stream_options"] = {"include_usage": True}
    assert json.loads(sent) == wanted


def test_the_error_frame() -> None:
    frame = CHAT.error_frame(ProviderBroke("gone"))
    assert frame.startswith(b"data: ")
    assert frame.endswith(b"\n\n")
    told = {"message": "gone", "type": "server_error", "param": None, "code": "2005"}
    assert json.loads(frame[6:]) == {"error": told}
