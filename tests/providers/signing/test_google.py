"""Tokens of Google service accounts."""

import asyncio
import json
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from google.auth import jwt

from penstock.core.errors import AccountRefused, NoCredential, ProviderFailure
from penstock.model.credential import BYOK, Credential
from penstock.model.outgoing import Outgoing
from penstock.model.plan import Origin
from penstock.model.reply import Body, Reply
from penstock.providers.signing.google import SCOPE, GoogleSigner

PRIVATE = rsa.generate_private_key(65537, 2048)
PEM = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
PUBLIC = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
ACCOUNT = {
    "type": "service_account",
    "client_email": "me@project.example",
    "private_key": PEM,
    "private_key_id": "k1",
    "project_id": "p",
}
CREDENTIAL = Credential(BYOK, json.dumps(ACCOUNT), b"mark", "default")


class Google:
    """The transport: answers every exchange."""

    def __init__(self, answer=None, status=200):
        self.answer = answer if answer is not None else {"access_token": "ya29.token", "expires_in": 3600}
        self.status = status
        self.asked = []

    async def send(self, outgoing, first_byte):
        self.asked.append(outgoing)
        await asyncio.sleep(0)
        body = Body()
        body.feed(json.dumps(self.answer).encode())
        body.finish()
        return Reply(self.status, b"", [], body)


async def signed(signer, credential=CREDENTIAL):
    sent = Outgoing(Origin(True, "h", 443), b"POST", b"h", b"/")
    await signer.sign(sent, None, credential)
    return {name: value for name, _, value in sent.headers}[b"authorization"]


async def test_an_assertion_is_exchanged_for_a_token_which_travels():
    google = Google()
    assert await signed(GoogleSigner(google)) == b"Bearer ya29.token"
    (asked,) = google.asked
    assert (asked.origin.tls, asked.origin.host, asked.path) == (True, "oauth2.googleapis.com", b"/token")
    assert not asked.origin.trusted
    form = parse_qs(asked.body.decode())
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    told = jwt.decode(form["assertion"][0], certs=PUBLIC, audience="https://oauth2.googleapis.com/token")
    assert (told["iss"], told["scope"], told["exp"] - told["iat"]) == ("me@project.example", SCOPE, 3600)


async def test_two_hundred_calls_at_once_fetch_one_token_and_later_ones_none():
    google = Google()
    signer = GoogleSigner(google)
    assert set(await asyncio.gather(*(signed(signer) for _ in range(200)))) == {b"Bearer ya29.token"}
    await signed(signer)
    assert len(google.asked) == 1


async def test_a_token_that_expires_soon_is_fetched_anew():
    google = Google({"access_token": "short", "expires_in": 60})
    signer = GoogleSigner(google)
    for _ in range(2):
        assert await signed(signer) == b"Bearer short"
    assert len(google.asked) == 2


async def test_a_call_that_leaves_does_not_end_the_fetch_for_the_others():
    google = Google()
    signer = GoogleSigner(google)
    first, second = (asyncio.ensure_future(signed(signer)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == b"Bearer ya29.token"
    assert len(google.asked) == 1


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, "Invalid JWT Signature"),
        ({}, "no token came"),
    ],
)
async def test_what_google_refuses_is_told_and_tried_again_by_the_next_call(answer, says):
    google = Google(answer, 400)
    signer = GoogleSigner(google)
    for _ in range(2):
        with pytest.raises(ProviderFailure, match=says):
            await signed(signer)
    assert len(google.asked) == 2


@pytest.mark.parametrize("uri", ["http://127.0.0.1:8788/token", "http://[::1]:8788/token", "http://localhost/token"])
async def test_on_this_machine_the_exchange_may_be_plain_http_and_its_address_is_judged_as_any_other(uri):
    google = Google()
    credential = Credential(BYOK, json.dumps(ACCOUNT | {"token_uri": uri}), b"other", "default")
    assert await signed(GoogleSigner(google), credential) == b"Bearer ya29.token"
    (asked,) = google.asked
    assert (asked.origin.tls, asked.origin.trusted, asked.path) == (False, False, b"/token")


@pytest.mark.parametrize(("status", "refused"), [(400, True), (401, True), (503, False)])
async def test_only_a_refusal_speaks_of_the_account(status, refused):
    with pytest.raises(ProviderFailure, match=f"{status}") as caught:
        await signed(GoogleSigner(Google({"error": "x"}, status)))
    assert isinstance(caught.value, AccountRefused) is refused


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"client_email": ""}, "lacks client_email"),
        ({"type": "authorized_user"}, "lacks type"),
        ({"token_uri": "http://x"}, "lacks token_uri"),
        (
            {"private_key": "-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----"},
            "The key 'default' cannot be used: its private_key is no RSA key",
        ),
    ],
)
async def test_a_document_that_is_no_service_account_is_refused(changes, says):
    credential = Credential(BYOK, json.dumps(ACCOUNT | changes), b"other", "default")
    with pytest.raises(NoCredential, match=says):
        await signed(GoogleSigner(Google()), credential)
