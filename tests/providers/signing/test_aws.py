"""Signatures of AWS: the published vectors, and requests that a provider checks."""

import datetime as dt
import hashlib
import hmac
import json
import sys
from urllib.parse import quote, unquote

import botocore.auth
import pytest
import pytest_asyncio

from penstock.core.errors import NoCredential
from penstock.model.credential import BYOK, Credential, StoredKey
from penstock.model.endpoint import OPAQUE
from penstock.model.outgoing import Outgoing
from penstock.model.plan import Origin, Target
from penstock.providers.signing import aws
from penstock.providers.signing.aws import AwsSigner
from tests.kit.exchange import an_exchange
from tests.kit.house import envelope, house, request
from tests.kit.provider import providing
from tests.kit.store import SECRET

KEY = {
    "accessKeyId": "AKIDEXAMPLE",
    "secretAccessKey": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "region": "eu-west-1",
}
TOKEN = {"cf-aig-authorization": f"Bearer {SECRET}"}


# https://docs.aws.amazon.com/general/latest/gr/signature-v4-test-suite.html
VECTORS = {
    "get-vanilla": (b"GET", b"/", b"", b"", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    "get-vanilla-query-order-key-case": (
        *(b"GET", b"/", b"?Param2=value2&Param1=value1", b""),
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    "post-vanilla": (b"POST", b"/", b"", b"", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    "post-x-www-form-urlencoded": (
        *(b"POST", b"/", b"", b"Param1=value1"),
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    ),
}


@pytest.mark.parametrize("name", VECTORS)
async def test_signatures_agree_with_the_published_vectors(name, monkeypatch):
    method, path, query, body, signature = VECTORS[name]
    then = dt.datetime(2015, 8, 30, 12, 36)  # noqa: DTZ001  botocore's are naive
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_, **__: then)
    kind = [(b"content-type", b"Content-Type", b"application/x-www-form-urlencoded")] if body else []
    sent = Outgoing(Origin(True, "example.amazonaws.com", 443), method, b"example.amazonaws.com", path, query, kind)
    sent.body = body
    await AwsSigner().sign(sent, place("service", "us-east-1"), credential())
    signed = {name: value for name, _, value in sent.headers}
    assert signed[b"x-amz-date"] == b"20150830T123600Z"
    assert signed[b"authorization"].decode().rpartition("Signature=")[2] == signature


def place(service, region):
    target = Target(an_upstream(), Origin(True, "h", 443), b"h", b"/", OPAQUE)
    target.service, target.region = service, region
    return target


class an_upstream:  # noqa: N801  a stand-in
    class provider:  # noqa: N801
        id = "aws-bedrock"


def credential(**changes):
    return Credential(BYOK, json.dumps(KEY | changes), b"mark", "default")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there():
    stored = StoredKey("1", "aws-bedrock", "default", True, json.dumps(KEY | {"sessionToken": "session"}), 1)
    plain = StoredKey("2", "aws-bedrock", "bearer", False, "ABSK-a-bedrock-key", 1)
    broken = StoredKey("3", "aws-bedrock", "broken", False, '{"accessKeyId": 5}', 1)
    nowhere = StoredKey("5", "aws-bedrock", "nowhere", False, json.dumps(KEY | {"region": ".."}), 1)
    async with house(keys=[stored, plain, broken, nowhere]) as made:
        yield made
        await made.quiet()


def signature(told, body, service):
    """The signature of what a provider got, made from the specification alone."""
    headers = {name.lower(): value for name, value in told["headers"]}
    scheme, _, rest = headers["authorization"].partition(" ")
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    _, date, region, named, end = parts["Credential"].split("/")
    assert (scheme, named, end) == ("AWS4-HMAC-SHA256", service, "aws4_request")
    path, _, query = told["target"].partition("?")
    twice = "/".join(quoted_twice(segment) for segment in path.split("/"))
    signed = parts["SignedHeaders"].split(";")
    lines = "".join(f"{name}:{headers[name]}\n" for name in signed)
    hashed = hashlib.sha256(body).hexdigest()
    canonical = "\n".join([told["method"], twice, query, lines, ";".join(signed), hashed])
    scope = f"{date}/{region}/{service}/aws4_request"
    text = "\n".join([scheme, headers["x-amz-date"], scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{KEY['secretAccessKey']}".encode()
    for word in (date, region, service, "aws4_request"):
        key = hmac.new(key, word.encode(), hashlib.sha256).digest()
    return parts["Signature"], hmac.new(key, text.encode(), hashlib.sha256).hexdigest(), region


def quoted_twice(segment):
    return quote(quote(unquote(segment), safe="-_.~"), safe="-_.~")


CONVERSE = b'{"messages":[{"role":"user","content":[{"text":"hi"}]}]}'


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("aws-bedrock/bedrock-runtime/us-west-2/model/anthropic.claude-3:0/converse", "bedrock"),
        ("aws-bedrock/bedrock-runtime/us-west-2/model/anthropic.claude-3%3A0/converse-stream", "bedrock"),
        ("bedrock/bedrock-mantle/us-west-2/anthropic/v1/messages", "bedrock-mantle"),
    ],
)
@pytest.mark.parametrize("size", [0, 3_000_000])
async def test_a_stored_key_signs_what_is_sent(there, path, service, size):
    body = CONVERSE + b" " * size
    async with there.client() as client:
        answer = await client.ask(
            request(path, headers=TOKEN | {"x-mock-echo": "1", "content-type": "application/json"}, body=body)
        )
    told = json.loads(answer.body)
    ours, right, region = signature(told, body, service)
    assert ours == right
    assert region == "us-west-2"
    assert dict(told["headers"])["x-amz-security-token"] == "session"


CHAT = {"model": "aws-bedrock/anthropic.claude-3:0", "messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize(("stream", "operation"), [(False, "converse"), (True, "converse-stream")])
@pytest.mark.parametrize(("alias", "region"), [("central", "eu-central-1"), ("bearer", "us-east-1")])
async def test_a_chat_of_the_unified_api_goes_to_the_region_of_the_stored_key(alias, region, stream, operation):
    got = []

    async def serve(peer):
        got.append(await peer.request())
        await peer.say(b"HTTP/1.1 503 Away\r\ncontent-length: 0\r\n\r\n")

    keys = [StoredKey("1", "aws-bedrock", "central", False, json.dumps(KEY | {"region": "eu-central-1"}), 1)]
    keys += [StoredKey("2", "aws-bedrock", "bearer", False, "ABSK-a-bedrock-key", 1)]
    async with providing(serve) as provider:
        there = {"aws-bedrock": f"{provider.url}/at/{{region}}"}
        async with house(keys=keys, providers=there) as made, made.client() as client:
            headers = TOKEN | {"cf-aig-byok-alias": alias, "cf-aig-max-attempts": "1"}
            body = json.dumps(CHAT | {"stream": stream}).encode()
            await client.ask(request("compat/chat/completions", headers=headers, body=body, event="told"))
            row = await made.row("told")
    head, _, sent = got[0].partition(b"\r\n\r\n")
    line, *lines = head.decode().split("\r\n")
    told = {"method": "POST", "target": line.split()[1], "headers": [one.split(": ", 1) for one in lines]}
    path = f"model/anthropic.claude-3%3A0/{operation}"
    assert told["target"] == f"/at/{region}/{path}"
    assert row.path == f"bedrock-runtime/{region}/{path}"
    if alias == "central":
        ours, right, signed = signature(told, sent, "bedrock")
        assert (ours, signed) == (right, region)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("alias", "says"),
    [("broken", "is not the JSON of an AWS credential"), ("nowhere", "names no place that a call can go to")],
)
async def test_a_chat_of_the_unified_api_is_refused_where_the_stored_key_names_no_region(there, alias, says):
    headers = TOKEN | {"cf-aig-byok-alias": alias}
    async with there.client() as client:
        answer = await client.ask(request("compat/chat/completions", headers=headers, body=json.dumps(CHAT).encode()))
    assert says in envelope(answer, 400, 2040)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_key_that_is_no_document_travels_as_it_is(there):
    headers = TOKEN | {"x-mock-echo": "1", "cf-aig-byok-alias": "bearer"}
    async with there.client() as client:
        answer = await client.ask(request("aws-bedrock/bedrock-runtime/us-west-2/model/m/converse", headers=headers))
    assert dict(json.loads(answer.body)["headers"])["authorization"] == "Bearer ABSK-a-bedrock-key"


@pytest.mark.asyncio(loop_scope="module")
async def test_a_document_that_is_no_key_is_refused(there):
    headers = TOKEN | {"cf-aig-byok-alias": "broken"}
    async with there.client() as client:
        answer = await client.ask(request("aws-bedrock/bedrock-runtime/us-west-2/model/m/converse", headers=headers))
    assert envelope(answer, 400, 2040).startswith("The key 'broken' is not the JSON of an AWS credential: ")


async def test_a_body_that_streams_cannot_be_signed():
    sent = Outgoing(Origin(True, "h", 443), b"POST", b"h", b"/")
    sent.stream = an_exchange().request.body
    with pytest.raises(NoCredential, match="too large to be signed"):
        await AwsSigner().sign(sent, place("bedrock", "us-east-1"), credential())


async def test_without_the_library_the_refusal_names_the_extra(monkeypatch):
    aws._library.cache_clear()
    monkeypatch.setitem(sys.modules, "botocore.auth", None)
    sent = Outgoing(Origin(True, "h", 443), b"POST", b"h", b"/")
    with pytest.raises(NoCredential, match=r"penstock\[aws\]"):
        await AwsSigner().sign(sent, place("bedrock", "us-east-1"), credential())
    aws._library.cache_clear()
