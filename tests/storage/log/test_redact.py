"""Records without the values that their gateway's owner does not want stored."""

import pytest

from penstock.core.codec import decode, encode
from penstock.storage.log.reader import LogReader
from penstock.storage.log.redact import NOT_KEPT, redact
from penstock.storage.log.table import LogTable
from tests.kit.logsink import a_record

PATHS = ("metadata.email", "request.messages[*].content", "request.user", "response.choices[*].message.content")
PROMPT = 'what does alice@example.com owe us, and is it "late"?\nplease say'
REQUEST = {"model": "m", "user": "user-7", "messages": [{"role": "user", "content": PROMPT}]}
ANSWER = {"choices": [{"message": {"role": "assistant", "content": "forty-two pounds"}}], "usage": {"n": 1}}


def redacted(paths=PATHS, **fields):
    record = a_record(redact=paths, **fields)
    redact(record)
    return record


def detailed(**members):
    return encode({"method": "POST", "timings": {"total": 1.5, "latency": 1.0}} | members)


def test_values_are_replaced_in_every_part(connection):
    record = a_record(
        redact=PATHS,
        metadata='{"email":"alice@example.com","team":"a"}',
        request=encode(REQUEST),
        response=encode(ANSWER),
    )
    LogTable(connection).write([record])
    reader = LogReader(connection)
    row = reader.get(1, record.id)
    assert row is not None
    assert row.metadata == '{"email":"[redacted]","team":"a"}'
    request, response = (decode(body or b"") for body in reader.bodies(1, record.id))
    assert request == {"model": "m", "user": "[redacted]", "messages": [{"role": "user", "content": "[redacted]"}]}
    assert response == {"choices": [{"message": {"role": "assistant", "content": "[redacted]"}}], "usage": {"n": 1}}


def test_sentences_quote_none_of_the_values():
    attempt = {"provider": "openai", "host": "h", "reason": "said forty-two pounds"}
    detail = detailed(
        error=f"openai answered 400: {PROMPT!r} is too much for user-7",
        warnings=[f"cut: {PROMPT[:40]}", "about us"],
        attempts=[attempt],
        decisions={
            "route": {"why": encode(PROMPT).decode(), "path": [{"element": "x", "why": "of alice@example.com"}]}
        },
        usage={"n": 1},
    )
    metadata = '{"email":"alice@example.com"}'
    record = redacted(detail=detail, metadata=metadata, request=encode(REQUEST), response=encode(ANSWER))
    assert decode(record.detail) == {
        "method": "POST",
        "timings": {"total": 1.5, "latency": 1.0},
        "error": "openai answered 400: '[redacted]' is too much for [redacted]",
        "warnings": ["cut: [redacted]", "about us"],
        "attempts": [attempt | {"reason": "said [redacted]"}],
        "decisions": {"route": {"why": '"[redacted]"', "path": [{"element": "x", "why": "of [redacted]"}]}},
        "usage": {"n": 1},
    }


def test_a_short_value_is_not_looked_for_in_sentences():
    """It would be found everywhere."""
    record = redacted(detail=detailed(error="all is lost"), request=b'{"user":"is"}')
    assert decode(record.detail)["error"] == "all is lost"


@pytest.mark.parametrize("body", [b"--form\r\n\r\nalice", b'{"user":"alice"', b"\xff\xfe"])
def test_a_body_without_a_place_for_values_is_not_kept(body):
    record = redacted(request=body, response=body, detail=detailed(warnings=["one"]))
    assert (record.request, record.response) == (None, None)
    assert decode(record.detail)["warnings"] == ["one", NOT_KEPT.format("request"), NOT_KEPT.format("response")]


def test_a_part_that_no_path_concerns_is_left_alone():
    record = redacted(("metadata.email",), request=b"--form", response=b"\xff", metadata='{"user":"u1"}')
    assert (record.request, record.response, record.metadata) == (b"--form", b"\xff", '{"user":"u1"}')
    assert decode(record.detail) == decode(a_record().detail)


def test_bodies_that_were_not_kept_stay_so():
    record = redacted(request=None, response=None, metadata=None)
    assert (record.request, record.response, record.metadata) == (None, None, None)
