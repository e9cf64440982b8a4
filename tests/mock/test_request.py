"""Echoes, and what else becomes of a request body."""

import hashlib

import httpx
import pytest

from penstock.mock.request import MAX_BODY


async def test_an_echo_describes_the_request_at_any_path_and_method(client):
    body = bytes(range(256)) * 40
    url = "/any/where/%2F?q=1"
    answer = await client.request("PATCH", url, content=body, headers={"X-Mock-Echo": "1", "X-Case": "Kept"})
    told = answer.json()
    assert (told["method"], told["target"], told["version"]) == ("PATCH", url, "1.1")
    assert ["X-Case", "Kept"] in told["headers"]
    assert (told["length"], told["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())


async def test_a_chunked_upload_of_any_size_is_digested_on_the_way(client):
    digest = hashlib.sha256()

    async def parts():
        for number in range(80):
            part = bytes([number]) * 500_000
            digest.update(part)
            yield part

    told = (await client.put("/upload", content=parts(), headers={"x-mock-echo": "1"})).json()
    assert (told["length"], told["sha256"]) == (40_000_000, digest.hexdigest())
    assert told["length"] > MAX_BODY


@pytest.mark.parametrize("chunked", [False, True])
async def test_an_echo_gives_the_very_bytes_back_with_their_type(client, chunked):
    body = bytes(range(256)) * 40

    async def parts():
        yield body[:10]
        yield body[10:]

    headers = {"x-mock-echo": "body", "content-type": "image/png", "x-mock-status": "201"}
    answer = await client.put("/image", content=parts() if chunked else body, headers=headers)
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (201, body, "image/png")
    assert ("content-length" in answer.headers) is not chunked


async def test_an_echo_of_nothing_is_nothing(client):
    answer = await client.get("/nothing", headers={"x-mock-echo": "body"})
    assert (answer.status_code, answer.content) == (200, b"")


async def test_an_echo_can_be_encoded(client):
    answer = await client.put("/x", content=b"hello" * 99, headers={"x-mock-echo": "body", "x-mock-encoding": "br"})
    assert (answer.headers["content-encoding"], answer.content) == ("br", b"hello" * 99)


@pytest.mark.parametrize(
    ("control", "value"), [("size", "5"), ("usage", "none"), ("malformed", "1"), ("error-body", "1"), ("frames", "3")]
)
async def test_what_cannot_act_on_an_echo_is_refused(client, control, value):
    headers = {"x-mock-echo": "body", f"x-mock-{control}": value}
    answer = await client.put("/openai/x", content=b"hello", headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(f"x-mock-{control}: ")


async def test_a_length_that_is_not_known_cannot_be_told(client):
    async def parts():
        yield b"hello"

    answer = await client.put("/x", content=parts(), headers={"x-mock-echo": "body", "x-mock-framing": "length"})
    assert answer.status_code == 400


async def test_a_body_too_large_for_a_provider_is_a_413_of_its_own(client: httpx.AsyncClient):
    answer = await client.post("/anthropic/v1/messages", content=b" " * (MAX_BODY + 1))
    assert answer.status_code == 413
    assert answer.json()["error"]["type"] == "request_too_large"
