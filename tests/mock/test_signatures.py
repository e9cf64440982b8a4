"""Signatures of AWS, verified: those of the published vectors, and what is wrong with others."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from penstock.mock.answer import Fault
from penstock.mock.signatures import AccessKey, Signed, fault

THEN = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
KEYS = {"AKIDEXAMPLE": AccessKey("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")}
FORM = (b"Content-Type", b"application/x-www-form-urlencoded")


# https://docs.aws.amazon.com/general/latest/gr/signature-v4-test-suite.html
VECTORS = {
    "get-vanilla": ("GET", b"/", b"", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    "get-vanilla-query-order-key-case": (
        *("GET", b"/?Param2=value2&Param1=value1", b""),
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    "post-vanilla": ("POST", b"/", b"", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    "post-x-www-form-urlencoded": (
        *("POST", b"/", b"Param1=value1"),
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    ),
}


def judged(name="get-vanilla", *, now=THEN, keys=KEYS, body=None, **changes):
    method, target, payload, signature = VECTORS[name]
    names = "content-type;host;x-amz-date" if payload else "host;x-amz-date"
    parts = {"key": "AKIDEXAMPLE", "service": "service", "date": "20150830", "names": names, "at": "20150830T123600Z"}
    parts |= {"signature": signature} | changes
    scope = f"{parts['key']}/{parts['date']}/us-east-1/{parts['service']}/aws4_request"
    told = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={parts['names']}, Signature={parts['signature']}"
    headers = [(b"Host", b"example.amazonaws.com"), (b"X-Amz-Date", parts["at"].encode())]
    headers += [(b"Authorization", told.encode()), *([FORM] if payload else [])]
    digest = sha256(payload if body is None else body).hexdigest()
    return fault(Signed(method, target, headers, digest), keys, frozenset({"service"}), now)


@pytest.mark.parametrize("name", VECTORS)
def test_the_published_signatures_are_right(name):
    assert judged(name) is None
    assert judged(name, body=b"another") is Fault.SIGNATURE


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"keys": {"AKIDEXAMPLE": AccessKey("another")}}, Fault.SIGNATURE),
        ({"keys": {"AKIDEXAMPLE": AccessKey("x", "session")}}, Fault.WRONG),
        ({"key": "AKIDOTHER"}, Fault.WRONG),
        ({"signature": ""}, Fault.SIGNATURE),
        ({"service": "s3"}, Fault.SIGNATURE),
        ({"date": "20150831"}, Fault.SIGNATURE),
        ({"names": "x-amz-date"}, Fault.SIGNATURE),
        ({"names": "host;x-amz-date;x-none"}, Fault.SIGNATURE),
        ({"at": "20150830"}, Fault.SIGNATURE),
        ({"now": THEN + timedelta(minutes=4)}, None),
        ({"now": THEN + timedelta(minutes=6)}, Fault.EXPIRED),
        ({"now": THEN - timedelta(minutes=6)}, Fault.EXPIRED),
    ],
)
def test_what_is_wrong_with_others(changes, found):
    assert judged(**changes) is found
