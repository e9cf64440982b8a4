"""Streams of Converse, as they are cut into events."""

import json

from penstock.mock.providers import eventstream
from penstock.model.usage import Reported
from penstock.providers.dialects import DIALECTS
from penstock.wire.event_stream import Messages
from penstock.wire.sse import split
from tests.kit.accounts import used
from tests.kit.dialects import read

CONVERSE = DIALECTS["bedrock_converse"]
USAGE = {"inputTokens": 7, "outputTokens": 4, "totalTokens": 11}


def event(kind: str, **payload: object) -> bytes:
    return eventstream.event(kind, json.dumps(payload).encode())


START = event("messageStart", role="assistant")
DELTA = event("contentBlockDelta", contentBlockIndex=0, delta={"text": '{"metadata":{"usage":1}}'})
STOP = event("messageStop", stopReason="end_turn")
METADATA = event("metadata", usage=USAGE, metrics={"latencyMs": 7}, serviceTier={"type": "priority"})


def told(*messages: bytes) -> Reported:
    events = [event for block in Messages().feed(b"".join(messages)) for event in split(block)]
    return read(CONVERSE, *events)


def test_a_stream_tells_its_usage_at_its_end() -> None:
    reported = told(START, DELTA, STOP, METADATA)
    assert (json.loads(reported.raw), reported.tier) == (USAGE, "priority")
    assert (reported.complete, reported.error) == (True, False)
    assert used(CONVERSE, reported)[1] == {"input": 7, "output": 4}


def test_a_stream_that_ended_early_is_not_whole() -> None:
    for messages in ((), (START, DELTA), (START, DELTA, STOP), (START, METADATA)):
        assert not told(*messages).complete


def test_an_exception_is_an_error_in_a_success() -> None:
    modelled = eventstream.exception("modelStreamErrorException", b'{"message":"m","originalStatusCode":424}')
    other = eventstream.message({":message-type": "error", ":error-code": "InternalError"}, b"")
    for exception in (modelled, other):
        reported = told(START, DELTA, exception)
        assert (reported.error, reported.complete) == (True, False)


def test_pieces_of_the_answer_are_not_looked_into() -> None:
    reader = CONVERSE.reader()
    (block,) = Messages().feed(DELTA * 3)
    assert reader.dull(block)
    (block,) = Messages().feed(DELTA + METADATA)
    assert not reader.dull(block)
