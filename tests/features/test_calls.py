"""A step's target is asked."""

import hashlib
import hmac
import json
from urllib.parse import quote

import pytest

from tests.kit.client import until
from tests.kit.house import house, request
from tests.kit.provider import providing


def attempts(row):
    return json.loads(row.detail)["attempts"]


@pytest.fixture
def dead(unused_tcp_port):
    return f"http://127.0.0.1:{unused_tcp_port}"


async def test_where_a_provider_is_reached_stands_in_the_row_alone(dead):
    async with house(providers={"openai": dead}) as made, made.client() as client:
        answer = await client.ask(request(headers={"cf-aig-explain": "1"}, event="dead"))
        assert answer.status == 502
        assert json.loads(answer.headers["cf-aig-explain"])["attempts"][0]["error"].endswith(": no connection")
        for told in (answer.head, answer.body):
            assert b"127.0.0.1" not in told
            assert b"refused" not in told
        (tried,) = attempts(await made.row("dead"))
        assert tried["reason"] == "no connection to 127.0.0.1: Connection refused"


@pytest.mark.parametrize("status", [400, 429, 500, 503])
async def test_an_error_of_a_provider_is_an_answer(status):
    async def serve(peer):
        await peer.request()
        await peer.say(b"HTTP/1.1 %d No\r\ncontent-length: 2\r\n\r\nno" % status)

    async with providing(serve) as provider, house(providers={"openai": provider.url}) as made, made.client() as client:
        answer = await client.ask(request("openai/x", event="no"))
        assert (answer.status, answer.body) == (status, b"no")
        row = await made.row("no")
        assert (row.outcome, row.success, row.status_code) == ("answered", False, status)


async def test_what_the_last_target_failed_with_is_told():
    async def serve(peer):
        await peer.request()
        await peer.gone()

    async with (
        providing(serve) as provider,
        house(first_byte_timeout=0.2, providers={"openai": provider.url}) as made,
        made.client() as client,
    ):
        answer = await client.ask(request("openai/x", event="slow"))
        assert answer.status == 504
        assert json.loads(answer.body)["internalCode"] == 2005
        assert json.loads(answer.body)["message"] == "Request timed out"
        assert (await made.row("slow")).outcome == "failed"
        await until(lambda: not provider.open)


async def test_an_attempt_tells_whether_its_connection_had_served_before():
    async with house() as made, made.client() as client:
        for number in range(3):
            await client.ask(request(event=f"reused-{number}"))
            (tried,) = attempts(await made.row(f"reused-{number}"))
            assert tried.get("reused", False) == (number > 0)


async def test_a_request_is_sent_once_with_one_host_and_one_length():
    heads = []

    async def serve(peer):
        while True:
            heads.append(await peer.request())
            await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    async with (
        providing(serve) as provider,
        house(providers={"openai": f"{provider.url}/base"}) as made,
        made.client() as client,
    ):
        await client.ask(request("openai/v1/x?q=1", headers={"X-Own": "1"}, body=b"hello"))
        await client.ask(request("openai/x", method="GET", body=None))
    port = provider.port
    assert heads[0] == (
        b"POST /base/x?q=1 HTTP/1.1\r\nhost: 127.0.0.1:%d\r\nX-Own: 1\r\ncontent-length: 5\r\n\r\nhello" % port
    )
    assert heads[1] == b"GET /base/x HTTP/1.1\r\nhost: 127.0.0.1:%d\r\n\r\n" % port


async def test_the_header_that_names_a_target_does_not_travel_and_its_query_takes_the_place_of_the_requests():
    async with house() as made, made.client() as client:
        headers = {"x-mock-echo": "1", "x-fal-target-url": "https://queue.fal.run/fal-ai/flux?a=%2F", "x-own": "1"}
        told = json.loads((await client.ask(request("fal/ignored?b=2", headers=headers))).body)
        assert told["target"] == "/fal/fal-ai/flux?a=%2F"
        names = [name for name, _ in told["headers"]]
        assert "x-own" in names
        assert "x-fal-target-url" not in names
        refused = await client.ask(request("fal/x", headers={"x-fal-target-url": "https://evil.example/fal.run"}))
        assert (refused.status, json.loads(refused.body)["internalCode"]) == (400, 2008)


def signature(head, body):
    """What SigV4 makes of a request for service and region ``x``, by the headers it says are signed."""
    line, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    method, target, _ = line.decode().split(" ")
    headers = {}
    for name, value in (one.decode().split(": ", 1) for one in lines):
        headers[name.lower()] = f"{headers[name.lower()]},{value}" if name.lower() in headers else value
    path, _, query = target.partition("?")
    signed = headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0]
    canonical = "".join(f"{name}:{headers[name].strip()}\n" for name in signed.split(";"))
    path = "/".join(quote(segment, safe="-_.~") for segment in path.split("/"))
    query = "&".join(sorted(query.split("&")))
    whole = f"{method}\n{path}\n{query}\n{canonical}\n{signed}\n{hashlib.sha256(body).hexdigest()}"
    return hmac.new(b"secret", whole.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize("more", [{}, {"Accept-Encoding": "gzip, compress;q=0.5, *;q=0"}, {"x-amz-tag": "a, b"}])
@pytest.mark.parametrize("path", ["converse", "converse-stream?b=2&a=%2F", "invoke"])
async def test_a_request_that_its_client_signed_still_has_that_signature_when_it_arrives(more, path):
    body = b'{"model":"m","stream":true,"messages":[{"role":"user","content":[{"text":"hello"}]}]}'

    async def serve(peer):
        while True:
            request = await peer.request()
            head = request[: len(request) - len(body)]
            valid = signature(head, body).encode() in head
            await peer.say(b"HTTP/1.1 %d X\r\ncontent-length: 0\r\n\r\n" % (200 if valid else 403))

    async with providing(serve) as provider, house(providers={"aws-bedrock": provider.url}) as made:
        model = "anthropic.claude-v2%3A1"
        headers = {
            "host": f"127.0.0.1:{provider.port}",
            "X-Amz-Date": "20260101T000000Z",
            "x-amz-content-sha256": hashlib.sha256(body).hexdigest(),
            "x-amz-security-token": "IQoJb3JpZ2luX2VjEA==",
            "content-type": "application/json",
            "content-length": str(len(body)),
        } | more
        named = ";".join(sorted(name.lower() for name in headers))
        headers["authorization"] = f"AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders={named}, Signature="
        signing = f"POST /model/{model}/{path} HTTP/1.1\r\n"
        signing += "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
        headers["authorization"] += signature(signing.encode(), body)
        travelling = {name: value for name, value in headers.items() if name not in {"host", "content-length"}}
        async with made.client() as client:
            place = f"aws-bedrock/bedrock-runtime/us-east-1/model/{model}/{path}"
            assert (await client.ask(request(place, headers=travelling, body=body))).status == 200
            travelling["x-amz-date"] = travelling.pop("X-Amz-Date").replace("2026", "2027")
            assert (await client.ask(request(place, headers=travelling, body=body))).status == 403
