"""Hiding the usage frame of a chat from a client that did not ask for it."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from penstock.core.budget import Budget
from penstock.model.reply import UNREAD
from penstock.providers.dialects.openai_chat.hide_usage import HideUsage
from tests.kit.dialects import chunk

DONE = b"data: [DONE]\n\n"
FINAL = b'data: {"model":"gpt-4o-2024","choices":[],"usage":{"prompt_tokens": 100}}\n\n'
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
