"""A provider that repeats a credential of ours: its client gets the answer as it is, the log one without it."""

import json

import pytest

from penstock.model.credential import StoredKey
from tests.kit.house import house, request
from tests.kit.store import SECRET

KEY, SESSION = "sk-stored-0123456789", "a-session-token-0123456789"
AWS = {
    "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
    "secretAccessKey": "wJalrXUtnFEMI",
    "region": "r",
    "sessionToken": SESSION,
}
KEYS = [
    StoredKey("", "openai", "default", True, KEY, 1),
    StoredKey("", "groq", "default", True, "short", 1),
    StoredKey("", "aws-bedrock", "default", True, json.dumps(AWS), 1),
]
BEDROCK = "aws-bedrock/bedrock-runtime/us-east-1/model/m/converse"
OPENAI, GROQ = "openai/chat/completions", "groq/chat/completions"


async def asked(there, path, event):
    headers = {"cf-aig-authorization": f"Bearer {SECRET}", "x-mock-echo": "1"}
    async with there.client() as client:
        answer = await client.ask(request(path, headers=headers, event=event))
    return answer.body, await there.row(event)


@pytest.mark.parametrize(("path", "secret"), [(OPENAI, KEY), (BEDROCK, SESSION)])
async def test_the_log_has_a_mask_in_its_place_and_the_cache_nothing(path, secret):
    async with house(keys=KEYS, gateways={"default": {"cache_ttl": 60}}) as there:
        for event in ("first", "second"):
            body, row = await asked(there, path, event)
            assert secret.encode() in body
            assert row.response == body.replace(secret.encode(), b"********").replace(signature(body), b"********")
            assert not row.cached


def signature(body):
    """The last word of what was in authorization: the key, or a signature that is masked as well."""
    sent = dict(json.loads(body)["headers"]).get("authorization", "").rpartition(" ")[2]
    return sent.encode()


async def test_what_is_too_short_to_be_a_secret_stays():
    async with house(keys=KEYS, gateways={"default": {"cache_ttl": 60}}) as there:
        body, row = await asked(there, GROQ, "short")
        assert b"Bearer short" in body
        assert row.response == body
        assert (await asked(there, GROQ, "again"))[1].cached
