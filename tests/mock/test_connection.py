"""What only a socket shows."""

import asyncio
import socket

import httpx
import pytest

GET = b"GET /openai/models HTTP/1.1\r\nhost: a\r\n"
CHAT = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}'


def post(body, *headers):
    lines = [b"POST /openai/chat/completions HTTP/1.1", b"host: a", b"content-length: %d" % len(body), *headers]
    return b"\r\n".join([*lines, b"", body])


async def test_requests_sent_ahead_are_answered_in_order(talk):
    slow = b"GET /openai/models/gpt-4o HTTP/1.1\r\nhost: a\r\nx-mock-delay: 30\r\n\r\n"
    answer = await talk(slow + (GET + b"\r\n") * 30 + GET + b"connection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200 OK") == 32
    first = answer.split(b"\r\n\r\n")[1]
    assert first.startswith(b'{"id":"gpt-4o","object":"model"')


@pytest.mark.parametrize("size", [1, 7, 100])
async def test_a_request_may_come_in_any_pieces(talk, size):
    sent = post(CHAT, b"connection: close")
    whole = await talk(sent)
    assert await talk(*[sent[at : at + size] for at in range(0, len(sent), size)]) == whole


async def test_one_connection_serves_many_requests(server, client):
    for _ in range(5):
        await client.get("/openai/models")
    assert server.stats()["connections_ever"] == 1


async def test_a_connection_can_be_closed_without_a_word(server, client):
    for _ in range(3):
        answer = await client.get("/openai/models", headers={"x-mock-close": "1"})
        assert "connection" not in answer.headers
        await server.until(lambda stats: stats.connections_open == 0)
    assert server.stats()["connections_ever"] == 3


async def test_who_expects_a_100_gets_it(server):
    reader, writer = await asyncio.open_connection(server.host, server.port)
    request = post(CHAT, b"expect: 100-continue", b"connection: close")
    writer.write(request[: -len(CHAT)])
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(CHAT)
    assert (await reader.read()).startswith(b"HTTP/1.1 200 OK")
    writer.close()


@pytest.mark.parametrize(("control", "status"), [(b"x-mock-status: 401", b"401"), (b"x-mock-nothing: 1", b"400")])
async def test_who_expects_a_100_is_refused_before_the_body(talk, control, status):
    request = post(CHAT, b"expect: 100-continue", control)
    answer = await talk(request[: -len(CHAT)])
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"connection: close" in answer


async def test_early_hints_come_before_the_answer(talk):
    answer = await talk(GET + b"x-mock-early-hints: 1\r\nconnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 103 Early Hints\r\nlink: ")
    assert b"\r\n\r\nHTTP/1.1 200 OK\r\n" in answer


async def test_a_head_has_no_body_and_an_old_client_no_chunks(talk):
    answer = await talk(b"HEAD /openai/models HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(b"\r\n\r\n")
    assert b"content-length: 0" not in answer
    old = await talk(post(CHAT).replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert b"transfer-encoding" not in old
    assert old.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("status", [204, 304])
async def test_statuses_without_a_body(client, status):
    answer = await client.get("/openai/models", headers={"x-mock-status": str(status)})
    assert (answer.status_code, answer.content) == (status, b"")
    assert (await client.get("/openai/models")).status_code == 200  # the connection is still in step


async def test_a_reset_comes_before_any_byte(server):
    with socket.create_connection((server.host, server.port)) as peer:
        peer.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(peer, GET + b"x-mock-reset: 1\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            await loop.sock_recv(peer, 1)


async def test_a_reset_of_reused_connections_spares_fresh_ones(server, client):
    headers = {"x-mock-reset": "reused"}
    assert (await client.get("/openai/models", headers=headers)).status_code == 200
    with pytest.raises(httpx.TransportError):
        await client.get("/openai/models", headers=headers)
    assert (await client.get("/openai/models", headers=headers)).status_code == 200
    assert server.stats()["answers_cut"] == 1


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize(("control", "value", "frames"), [("cut-frames", "2", 2), ("cut-bytes", "300", 1)])
async def test_a_cut_sends_so_much_and_no_more(client, framing, control, value, frames):
    headers = {f"x-mock-{control}": value, "x-mock-framing": framing}
    got = b""
    with pytest.raises(httpx.RemoteProtocolError):
        async with client.stream("POST", "/openai/chat/completions", content=CHAT, headers=headers) as answer:
            async for part in answer.aiter_raw():
                got += part
    whole = (await client.post("/openai/chat/completions", content=CHAT)).content
    assert whole.startswith(got)
    assert got.count(b"\n\n") == frames
    assert control != "cut-bytes" or len(got) == 300


async def test_without_a_length_the_end_of_the_connection_is_the_end_of_the_body(client):
    answer = await client.post("/openai/chat/completions", content=CHAT, headers={"x-mock-framing": "close"})
    assert answer.headers["connection"] == "close"
    assert answer.text.endswith("data: [DONE]\n\n")


@pytest.mark.parametrize("at", ["head", "body", "2"])
async def test_a_stall_lasts_until_the_peer_leaves(server, at):
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(post(CHAT, b"x-mock-stall: " + at.encode()))
    if at != "head":
        await reader.readuntil(b"\r\n\r\n")
    if at == "2":
        await reader.readuntil(b"\n\n")
        await reader.readuntil(b"\n\n")
    await server.until(lambda stats: stats.requests_begun == 1)
    assert (server.stats()["requests_running"], server.stats()["answers_completed"]) == (1, 0)
    writer.close()
    await server.until(lambda stats: stats.aborted_by_peer == 1 and stats.connections_open == 0)


async def test_a_stalled_echo_sees_its_peer_leave_in_the_middle_of_the_upload(server):
    _, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(
        b"PUT /x HTTP/1.1\r\nhost: a\r\nx-mock-echo: body\r\nx-mock-stall: body\r\ncontent-length: 9000000\r\n\r\n"
    )
    for _ in range(30):
        writer.write(bytes(100_000))
        await writer.drain()
    writer.close()
    await server.until(lambda stats: stats.aborted_by_peer == 1 and stats.connections_open == 0)


async def test_an_echo_waits_for_a_reader_that_does_not_read(server):
    reader, writer = await asyncio.open_connection(server.host, server.port, limit=1000)
    total = 30_000_000
    writer.write(b"PUT /x HTTP/1.1\r\nhost: a\r\nx-mock-echo: body\r\ncontent-length: %d\r\n\r\n" % total)

    async def send():
        for _ in range(total // 100_000):
            writer.write(bytes(100_000))
            await writer.drain()

    sending = asyncio.ensure_future(send())
    with pytest.raises(TimeoutError):  # it is held up, not buffered somewhere
        await asyncio.wait_for(asyncio.shield(sending), 0.3)
    await reader.readuntil(b"\r\n\r\n")
    assert len(await reader.readexactly(total)) == total
    await sending
    writer.close()


async def test_paced_frames_come_one_by_one_and_end(server, client):
    headers = {"x-mock-frames": "10", "x-mock-pace": "1", "x-mock-delay": "1"}
    answer = await client.post("/openai/chat/completions", content=CHAT, headers=headers)
    plain = await client.post("/openai/chat/completions", content=CHAT, headers={"x-mock-frames": "10"})
    assert answer.content == plain.content


async def test_five_hundred_paced_streams_at_once(server):
    async def one():
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(post(CHAT, b"x-mock-frames: 20", b"x-mock-pace: 5", b"connection: close"))
        got = await reader.read()
        writer.close()
        return got

    answers = await asyncio.gather(*(one() for _ in range(500)))
    assert len(set(answers)) == 1
    assert answers[0].endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
    await server.until(lambda stats: stats.connections_open == 0)
    assert server.stats()["answers_completed"] == 500


@pytest.mark.parametrize("junk", [b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nbad header\r\n\r\n"])
async def test_what_is_not_http_is_refused(talk, junk):
    assert (await talk(junk)).startswith(b"HTTP/1.1 400 Bad Request\r\n")


async def test_junk_after_a_request_does_not_spoil_its_answer(talk):
    answer = await talk(GET + b"x-mock-delay: 20\r\n\r\n\x16\x03\x01junk\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(b"connection: close\r\n\r\n")
    assert b"HTTP/1.1 400 Bad Request" in answer


async def test_an_upgrade_is_answered_as_a_plain_request(talk):
    answer = await talk(GET + b"connection: upgrade\r\nupgrade: h2c\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"connection: close" in answer


async def test_extra_headers_are_added_replaced_and_taken_away(client):
    asked = '{"x-one": ["a", "b"], "content-type": "text/plain", "x-request-id": null}'
    headers = (await client.get("/openai/models", headers={"x-mock-headers": asked})).headers
    assert headers.get_list("x-one") == ["a", "b"]
    assert headers["content-type"] == "text/plain"
    assert "x-request-id" not in headers
