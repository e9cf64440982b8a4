"""What the answer to a test of a key says, and what is never shown of the key."""

import json

import pytest

from penstock.providers import catalog
from penstock.providers.catalog import Check
from penstock.providers.key_check import address, hidden, judged

ROWS = {row.id: row for row in catalog.load().values()}
CHECKS = {name: row.check for name, row in ROWS.items() if row.check is not None}
AWS = {"accessKeyId": "AKIDEXAMPLE", "secretAccessKey": "sec/ret", "region": "eu-west-1", "sessionToken": "tok+en"}
GOOGLE = {
    "type": "service_account",
    "project_id": "mine",
    "private_key_id": "k",
    "private_key": "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----",
    "client_email": "me@mine",
}


@pytest.mark.parametrize(
    ("provider", "secret", "asked"),
    [
        ("openai", "sk", b"models"),
        ("anthropic", "sk", b"v1/models?limit=1"),
        ("aws-bedrock", json.dumps(AWS), b"bedrock-runtime/eu-west-1/async-invoke?maxResults=1"),
        ("google-vertex-ai", json.dumps(GOOGLE), b"v1/projects/mine/locations/us-central1/models?pageSize=1"),
        (
            *("google-vertex-ai", json.dumps(GOOGLE | {"region": "europe-west4"})),
            b"v1/projects/mine/locations/europe-west4/models?pageSize=1",
        ),
    ],
)
def test_a_key_fills_the_parts_of_the_path(provider, secret, asked):
    row = ROWS[provider]
    assert b"".join(address(row, CHECKS[provider], secret)) == asked


@pytest.mark.parametrize("path", ["../models", "v1/%2e%2e/x", "mod els", "mo\x0ddels", "mod\u00e8les"])
def test_a_path_that_is_none_is_refused(path):
    with pytest.raises(ValueError, match="--path"):
        address(ROWS["openai"], Check(path), "sk")


@pytest.mark.parametrize(
    ("provider", "status", "body", "outcome", "message"),
    [
        ("openai", 200, {"data": []}, "accepted", ""),
        ("openai", 401, {"error": {"message": "No.", "code": "x"}}, "refused", "No."),
        ("openai", 400, {"error": {"message": "No."}}, "unclear", "No."),
        ("openai", 429, {"error": {"message": "Slow."}}, "unclear", "Slow."),
        ("openai", 302, {}, "unclear", "{}"),
        ("google-ai-studio", 400, {"error": {"message": "Not valid."}}, "refused", "Not valid."),
        ("elevenlabs", 401, {"detail": {"status": "invalid_api_key", "message": "No."}}, "refused", "No."),
        ("deepgram", 401, {"err_code": "INVALID_AUTH", "err_msg": "No."}, "refused", "No."),
        ("workers-ai", 401, {"errors": [{"code": 1, "message": "No."}]}, "refused", "No."),
        ("aws-bedrock", 403, {"message": "The token is invalid."}, "refused", "The token is invalid."),
        (
            *("aws-bedrock", 403, {"message": "User: x is not authorized to perform: bedrock:ListAsyncInvokes"}),
            *("accepted", "User: x is not authorized to perform: bedrock:ListAsyncInvokes"),
        ),
    ],
)
def test_what_an_answer_says(provider, status, body, outcome, message):
    verdict = judged(CHECKS[provider], status, json.dumps(body).encode(), [])
    assert verdict == (outcome, status, message)


@pytest.mark.parametrize(("body", "message"), [(b"<p>No</p>\n  not so", "<p>No</p> not so"), (b"\xff" * 900, None)])
def test_a_body_that_is_no_json_is_shown_as_it_is_on_one_line(body, message):
    said = judged(Check("x"), 401, body, []).message
    assert said == message or (message is None and len(said) == 300)


@pytest.mark.parametrize(
    ("provider", "secret", "echoed"),
    [
        ("openai", "sk-a/b+c", ["sk-a/b+c", "sk-a%2Fb%2Bc", "sk-a/b%2Bc"]),
        ("aws-bedrock", json.dumps(AWS), ["sec/ret", "sec%2Fret", "tok+en", "tok%2Ben"]),
        ("google-vertex-ai", json.dumps(GOOGLE), [GOOGLE["private_key"]]),
    ],
)
def test_a_provider_that_repeats_the_key_is_not_quoted_with_it(provider, secret, echoed):
    row = ROWS[provider]
    for one in echoed:
        body = json.dumps({"error": {"message": f"Wrong: {one}!"}}).encode()
        assert judged(CHECKS[provider], 401, body, hidden(row, secret)).message == "Wrong: ***!"
