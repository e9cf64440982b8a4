"""A stream of OpenAI chat."""

import pytest

from penstock.model.usage import Reported
from penstock.providers.dialects import DIALECTS
from tests.kit.accounts import used
from tests.kit.dialects import chunk, read

CHAT = DIALECTS["openai_chat"]

USAGE = b'{"prompt_tokens":100,"completion_tokens":20,"total_tokens":120}'
DONE = b"data: [DONE]\n\n"
FINAL = b'data: {"model":"gpt-4o-2024","choices":[],"usage":' + USAGE + b"}\n\n"


def test_a_stream_with_null_usage_on_every_chunk() -> None:
    reported = read(CHAT, chunk(usage=None), chunk(usage=None), FINAL, DONE)
    assert reported.model == "gpt-4o-2024"
    assert reported.raw == USAGE


def test_a_stream_whose_last_frame_has_usage_and_text() -> None:
    reported = read(CHAT, chunk(), chunk(usage={"prompt_tokens": 3, "completion_tokens": 1}), DONE)
    assert used(CHAT, reported)[1] == {"input": 3, "output": 1}


def test_a_stream_whose_usage_grows() -> None:
    reported = read(CHAT, *(chunk(usage={"prompt_tokens": 3, "completion_tokens": n}) for n in range(5)), DONE)
    assert used(CHAT, reported)[1] == {"input": 3, "output": 4}


@pytest.mark.parametrize("later", [{"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, {}])
def test_a_later_usage_without_a_count_does_not_replace_the_earlier(later: dict[str, int]) -> None:
    reported = read(
        CHAT, chunk(usage={"prompt_tokens": 3, "completion_tokens": 1}), chunk(choices=[], usage=later), DONE
    )
    assert used(CHAT, reported)[1] == {"input": 3, "output": 1}


def test_groq_tells_usage_in_a_member_of_its_own() -> None:
    told = {"id": "req_1", "usage": {"queue_time": 0.03, "prompt_tokens": 18, "completion_tokens": 556}}
    reported = read(CHAT, chunk(x_groq={"id": "req_1"}), chunk(x_groq=told), DONE)
    assert used(CHAT, reported)[1] == {"input": 18, "output": 556}


def test_a_stream_that_speaks_of_usage() -> None:
    assert read(CHAT, chunk(), chunk(choices=[{"delta": {"content": '"usage":{"prompt_tokens":1}'}}])).raw == b""


def test_a_stream_that_broke_halfway() -> None:
    assert read(CHAT, chunk(usage=None), chunk(usage=None)) == Reported("gpt-4o-2024", complete=False)


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
    assert not read(CHAT, *halves).complete
    assert read(CHAT, *halves, end).complete
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
    assert read(CHAT, *started, *events).complete is whole
