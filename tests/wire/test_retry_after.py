"""What a provider says about another try."""

import time

import pytest

from penstock.wire.retry_after import retry_after, retry_delay, spent

CREDITS = "used all available credits"
NOW = 1_700_000_000_000  # Tue, 14 Nov 2023 22:13:20 GMT


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 0.25 "}, 0.25),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:50 GMT"}, 30.0),
        ({"retry-after": "Tuesday, 14-Nov-23 22:13:50 GMT"}, 30.0),
        ({"retry-after": "Tue Nov 14 22:13:50 2023"}, 30.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:00:00 GMT"}, 0.0),
        ({"retry-after": "-7"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "Tue, 99 Nov 2023 22:13:50 GMT"}, None),
        ({"retry-after": "\xff\xfe"}, None),
        ({"retry-after": "9" * 40}, None),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "x", "retry-after": "9"}, 9.0),
    ],
)
def test_how_long_it_asks_to_wait_wherever_we_are(headers, seconds, monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    given = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
    try:
        assert retry_after(given.get, NOW) == seconds
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("body", "seconds", "code"),
    [
        (b"", None, ""),
        (b'{"error":{"code":"insufficient_quota"}}', None, "insufficient_quota"),
        (b'{"error":{"type" : "insufficient_balance"}}', None, "insufficient_balance"),
        (b'{"code":"exceeded_current_quota_error"}', None, "exceeded_current_quota_error"),
        (b'{"code":"x","error":"Your team t has either used all available credits or reached"}', None, CREDITS),
        (b'{"error":{"code":"token_quota_exceeded"}}', None, ""),  # per minute
        (
            b'{"error":{"status":"RESOURCE_EXHAUSTED","message":"You exceeded your current quota"}}',
            None,
            "",
        ),  # the same
        (b'{"error":{"message":"\\"code\\": \\"insufficient_quota\\""}}', None, ""),
        (b'{"error":{"details":[{"retryDelay": "3600s"}]}}', 3600.0, ""),
        (b'{"error":{"details":[{"retryDelay":"0.25s"}]}}', 0.25, ""),
        (b'{"error":{"details":[{"retryDelay":"soon"}]}}', None, ""),
    ],
)
def test_what_the_body_of_an_error_says(body, seconds, code):
    assert (retry_delay(body), spent(body)) == (seconds, code)
