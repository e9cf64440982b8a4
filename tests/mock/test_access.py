"""Keys that the simulated providers look at. ``penstock keys test`` asks each of them: tests/cli/test_try_keys.py."""

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from penstock import mock
from penstock.mock import access, assertions
from penstock.mock.access import Access
from penstock.mock.signatures import AccessKey
from penstock.providers import catalog

ROWS = {row.id: row for row in catalog.load().values()}
KEY = "sk-right"
SIGNERS = {"AKID": AccessKey("secret", "session")}
CONVERSE = "aws-bedrock/model/anthropic.claude-3%3A0/converse"


@pytest.fixture
async def asking(request: pytest.FixtureRequest) -> AsyncIterator[httpx.AsyncClient]:
    server = await mock.start(access=request.param)
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
        yield client
    await server.stop()


def looking(**given: object) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("asking", [Access(**given)], indirect=True, ids=["looking"])  # pyright: ignore[reportArgumentType]


@looking(keys=[KEY])
async def test_a_key_is_taken_in_every_place_that_its_provider_has_for_it(asking):
    for row in ROWS.values():
        for name in row.credential_headers:
            value = f"{row.credential_scheme} {KEY}" if name == "authorization" else KEY
            answer = await asking.get(f"{row.id}/none/such/path", headers={name: value})
            assert answer.status_code in (404, 405), (row.id, name)
            answer = await asking.get(f"{row.id}/none/such/path", headers={name: value + "x"})
            assert answer.status_code in (400, 401, 403), (row.id, name)
        for name in row.credential_parameters:
            assert (await asking.get(f"{row.id}/none?{name}={KEY}")).status_code == 404


@looking(keys=[KEY])
async def test_a_call_without_a_key_is_refused_as_its_provider_does_it(asking):
    answers = {name: await asking.post(f"{name}/any", json={}) for name in ROWS}
    told = {name: (answer.status_code, answer.json()) for name, answer in answers.items()}
    assert told["openai"][0] == 401
    assert "didn't provide an API key" in told["openai"][1]["error"]["message"]
    assert told["anthropic"][1]["error"] == {"type": "authentication_error", "message": "x-api-key header is required"}
    assert (told["google-ai-studio"][0], told["google-ai-studio"][1]["error"]["status"]) == (403, "PERMISSION_DENIED")
    assert told["aws-bedrock"] == (403, {"message": "Missing Authentication Token"})
    assert answers["aws-bedrock"].headers.get_list("x-amzn-errortype") == ["MissingAuthenticationTokenException"]
    assert all(status in (401, 403) for status, _ in told.values())


@looking(keys=[KEY])
async def test_a_wrong_key_is_refused_in_words_of_the_provider(asking):
    wrong = {"authorization": "Bearer sk-wrong", "x-goog-api-key": "wrong", "x-api-key": "wrong", "api-key": "wrong"}
    told = {name: (await asking.post(f"{name}/any", json={}, headers=wrong)).json() for name in ROWS}
    assert told["openai"]["error"]["code"] == "invalid_api_key"
    assert told["anthropic"]["error"]["type"] == "authentication_error"
    assert told["google-ai-studio"]["error"]["details"][0]["reason"] == "API_KEY_INVALID"
    assert told["google-vertex-ai"]["error"]["status"] == "UNAUTHENTICATED"
    assert told["cohere"]["message"] == "invalid api token"
    assert told["azure-openai"]["error"]["code"] == "401"
    assert told["grok"]["error"].startswith("Incorrect API key provided")


def signed(url: httpx.URL, body: bytes, secret: str = "secret", token: str | None = "session") -> dict[str, str]:
    made = botocore.awsrequest.AWSRequest("POST", str(url), {"content-type": "application/json"}, body)
    owner = botocore.credentials.Credentials("AKID", secret, token)
    botocore.auth.SigV4Auth(owner, "bedrock", "eu-west-1").add_auth(made)
    return dict(made.headers.items())


BODY = json.dumps({"messages": [{"role": "user", "content": [{"text": "hi"}]}]}).encode()


@looking(signers=SIGNERS)
async def test_a_signature_of_awss_own_library_is_taken_and_another_is_not(asking):
    url = asking.base_url.join(CONVERSE)
    assert (await asking.post(url, content=BODY, headers=signed(url, BODY))).status_code == 200
    for headers, kind in (
        (signed(url, BODY, "another"), "InvalidSignatureException"),
        (signed(url, b"{}"), "InvalidSignatureException"),
        (signed(url, BODY, token=None), "UnrecognizedClientException"),
        ({"authorization": "Bearer any"}, "UnrecognizedClientException"),
    ):
        answer = await asking.post(url, content=BODY, headers=headers)
        assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (403, kind)
    assert (await asking.get("openai/models")).status_code == 200, "nobody looks at other providers' keys"


@looking(signers=SIGNERS)
async def test_the_body_of_a_signed_echo_is_checked_where_it_can_be(asking):
    url = asking.base_url.join(CONVERSE)
    answer = await asking.post(url, content=BODY, headers=signed(url, BODY) | {"x-mock-echo": "1"})
    assert answer.json()["sha256"] == hashlib.sha256(BODY).hexdigest()
    large = b"x" * 1_000_000
    for echo, status in (("1", 403), ("body", 400)):
        answer = await asking.post(url, content=large, headers=signed(url, b"") | {"x-mock-echo": echo})
        assert answer.status_code == status


ACCOUNT = rsa.generate_private_key(65537, 2048).public_key()


@looking(accounts={"me@x": ACCOUNT})
async def test_vertex_asks_for_a_token_that_was_given(asking):
    models = "google-vertex-ai/v1/projects/p/locations/l/models"
    for headers, status in (({}, 401), ({"authorization": "Bearer ya29.other"}, 401)):
        assert (await asking.get(models, headers=headers)).status_code == status
    given = {"authorization": f"Bearer {assertions.token('me@x', ACCOUNT)}"}
    assert (await asking.get(models, headers=given)).status_code == 200
    answer = await asking.post("oauth2/token", data={"grant_type": "x", "assertion": "y"})
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def test_flags_become_what_is_looked_at(tmp_path: Path):
    pem = ACCOUNT.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key.pem").write_bytes(pem)
    assert access.read([], [], []) is None
    for given in ([KEY], [], []), ([], ["A:B"], []), ([], ["A:B:C"], []), ([], [], [f"me@x:{tmp_path}/key.pem"]):
        made = access.read(*given)
        assert made is not None and made.looks


@pytest.mark.parametrize(
    ("signers", "accounts", "says"),
    [
        (["AKID"], [], "--check-signatures"),
        ([":secret"], [], "--check-signatures"),
        ([], ["me@x"], "--check-assertions"),
        ([], ["me@x:/nowhere.pem"], "--check-assertions"),
    ],
)
def test_a_flag_that_cannot_be_read_is_named_without_its_secret(signers, accounts, says):
    with pytest.raises(ValueError, match=says) as caught:
        access.read([], signers, accounts)
    assert "secret" not in str(caught.value).replace("ID:SECRET", "")
