"""Errors and heads as bytes."""

import json
from inspect import getmembers, isclass

import pytest

from penstock.core import errors
from penstock.model.reply import Body, Reply
from penstock.model.surface import NATIVE
from penstock.proxy.render import error_body, error_reply, head, status_line
from tests.kit.exchange import an_exchange

ERRORS = [kind for _, kind in getmembers(errors, isclass) if issubclass(kind, errors.PenstockError)]


@pytest.mark.parametrize("kind", ERRORS)
def test_every_error_has_the_same_envelope(kind):
    error = kind()
    assert json.loads(error_body(error)) == {
        "success": False,
        "result": [],
        "messages": [],
        "error": [{"code": kind.code, "message": error.message}],
        "name": "AiGatewayError",
        "httpCode": kind.status,
        "internalCode": kind.code,
        "message": error.message,
        "description": error.message,
    }


def test_a_message_is_told_as_it_is_in_valid_json():
    assert json.loads(error_body(errors.CallerError('"é\n\\')))["message"] == '"é\n\\'


def test_an_error_is_a_complete_reply_and_says_when_to_try_again():
    reply = error_reply(errors.Overloaded(retry_after=7), NATIVE)
    assert (reply.status, reply.header(b"retry-after"), reply.body.complete) == (503, b"7", True)
    assert reply.length == len(b"".join(reply.body.frames))
    assert error_reply(errors.Bug(), NATIVE).header(b"retry-after") is None


@pytest.mark.parametrize(
    ("status", "reason", "line"),
    [
        (200, b"", b"HTTP/1.1 200 OK\r\n"),
        (200, b"Quite Fine", b"HTTP/1.1 200 Quite Fine\r\n"),
        (529, b"", b"HTTP/1.1 529 Unknown\r\n"),
        (429, b"", b"HTTP/1.1 429 Too Many Requests\r\n"),
    ],
)
def test_a_status_has_the_providers_reason_or_the_usual_one(status, reason, line):
    assert status_line(status, reason) == line


def test_a_head_names_the_call_and_keeps_the_providers_headers():
    ex = an_exchange((b"cf-aig-event-id", b"mine"))
    reply = Reply(200, b"OK", [(b"x-a", b"X-A", b"1"), (b"connection", b"Connection", b"close")], Body())
    assert head(reply, ex, b"content-length: 5\r\n", close=True) == (
        b"HTTP/1.1 200 OK\r\nX-A: 1\r\ncf-aig-log-id: %b\r\ncf-aig-request-id: %b\r\ncf-aig-event-id: mine\r\n"
        b"content-length: 5\r\nconnection: close\r\n\r\n" % (ex.name.encode(), ex.name.encode())
    )
    assert head(reply, ex, b"", close=False).endswith(b"cf-aig-event-id: mine\r\n\r\n")


def test_an_event_id_is_told_back_as_it_came_and_no_longer_than_can_be_kept():
    assert b"cf-aig-event-id: \xff\xfe\r\n" in head(
        Reply(200, b"", [], Body()), an_exchange((b"cf-aig-event-id", b"\xff\xfe")), b"", close=False
    )
    assert len(an_exchange((b"cf-aig-event-id", b"e" * 60_000)).event_id) == 256
