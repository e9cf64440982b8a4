"""The envelope of the API around an answer, however its bytes come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.codec import decode, encode
from penstock.core.errors import ProviderBroke
from penstock.features.envelope import enveloped
from penstock.model.reply import Body, Reply
from penstock.providers.catalog import load
from penstock.providers.upstream import Upstream
from tests.kit.exchange import an_exchange

UPSTREAM = Upstream(load()["openai"])
JSON = (b"content-type", b"content-type", b"application/json; charset=utf-8")


def answered(*headers, status=200, path=b"chat/completions"):
    step = an_exchange().step
    step.wraps = step.answered = True
    step.target = UPSTREAM.target(path)
    reply = Reply(status, b"", [*headers], Body())
    reply.length = 7
    return enveloped(step, reply)


def through(reply, *frames):
    (stage,) = reply.stages
    return b"".join([*map(stage.feed, frames), stage.end()])


@given(st.recursive(st.none() | st.integers() | st.text(), st.lists) | st.dictionaries(st.text(), st.text()), st.data())
def test_an_answer_is_the_result_however_it_is_cut(answer, data):
    body = data.draw(st.sampled_from([b"", b" \r\n"])) + encode(answer)
    at = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=3)))
    frames = [body[begin:end] for begin, end in zip([0, *at], [*at, len(body)], strict=True)]
    told = decode(through(answered(JSON), *frames))
    result = told.pop("result")
    if isinstance(answer, dict):
        assert result == {"gatewayMetadata": {"keySource": "Request"}} | answer
    else:
        assert result == answer
    assert told == {"success": True, "errors": [], "messages": []}


def test_an_answer_without_a_body_is_none():
    assert decode(through(answered(JSON)))["result"] is None


def test_what_describes_the_bytes_before_is_not_told_of_those_after():
    reply = answered(JSON, (b"content-length", b"Content-Length", b"7"), (b"x-of-the-provider", b"x", b"1"))
    assert (reply.length, reply.changed) == (None, True)
    assert [name for name, _, _ in reply.headers] == [b"x-of-the-provider", b"content-type"]


def test_an_error_of_an_operation_without_a_chat_is_told_too():
    reply = answered((b"content-type", b"content-type", b"text/plain"), status=500, path=b"audio/speech")
    told = decode(through(reply, b"out of ", b"voices"))
    assert told["errors"][0] == {"code": 2005, "message": "out of voices"}


def test_an_encoded_answer_is_a_failure():
    with pytest.raises(ProviderBroke):
        answered(JSON, (b"content-encoding", b"content-encoding", b"gzip"))
