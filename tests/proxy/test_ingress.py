"""What becomes of a connection: bodies, waiting, keeping, leaving; plain and enciphered."""

import asyncio
import json
import socket
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from tests.kit.certificates import self_signed
from tests.kit.client import until
from tests.kit.house import envelope, house, request
from tests.kit.store import ACCOUNT, SECRET

pytestmark = pytest.mark.asyncio(loop_scope="module")

ECHO = {"x-mock-echo": "1"}
BACK = {"x-mock-echo": "body"}
STREAM = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"hello"}]}'


@pytest.fixture(scope="module", params=["http", "https"])
def scheme(request, tmp_path_factory):
    """Settings of a gateway that speaks it."""
    if request.param == "http":
        return {}
    certificate, key = self_signed(tmp_path_factory.mktemp("tls"), "localhost", "127.0.0.1")
    return {"tls_certificate": str(certificate), "tls_key": str(key)}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there(scheme):
    async with house(**scheme) as made:
        yield made
        await made.quiet()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def strict(scheme):
    """Short limits."""
    async with house(
        **scheme,
        head_timeout=0.3,
        body_timeout=0.3,
        keepalive_timeout=0.3,
        max_body=50_000,
        hold_body=10_000,
        log_body_limit=20_000,
    ) as made:
        yield made
        await made.quiet()


# Bodies


async def test_a_body_that_does_not_arrive_is_refused(strict):
    async with strict.client() as client:
        await client.send(
            request("openai/x", headers=ECHO | {"content-length": "10"}, body=None, event="slow") + b"12345"
        )
        answer = await client.answer()
        envelope(answer, 408, 2007)
        assert answer.headers["connection"] == "close"
        assert await client.rest() == b""
    row = await strict.row("slow")
    assert (row.outcome, row.status_code, row.request_size) == ("refused", 408, 5)


async def test_a_body_that_stops_while_it_streams_is_refused_and_the_provider_does_not_take_it_for_whole(strict):
    aborted = strict.mock.stats()["aborted_by_peer"]
    async with strict.client() as client:
        await client.send(request("openai/x", headers=ECHO | {"content-length": "40000"}, body=None, event="stops"))
        await client.send(b"x" * 20_000)
        envelope(await client.answer(), 408, 2007)
    assert (await strict.row("stops")).outcome == "refused"
    await strict.mock.until(lambda stats: stats.aborted_by_peer == aborted + 1)


async def test_a_body_that_goes_on_arriving_has_all_the_time_it_needs(strict):
    async with strict.client() as client:
        await client.send(request("openai/x", headers=ECHO | {"content-length": "10"}, body=None))
        for _ in range(10):
            await asyncio.sleep(0.08)
            await client.send(b"x")
        assert json.loads((await client.answer()).body)["length"] == 10


async def test_a_held_body_has_a_time_in_all_however_it_trickles():
    async with house(body_time=0.3) as hasty, hasty.client() as client, hasty.client() as streams:
        await client.send(request("openai/x", headers=ECHO | {"content-length": "100"}, body=None, event="trickle"))
        await streams.send(request("openai/x", headers={"x-mock-echo": "1", "content-length": "2000000"}, body=None))
        await streams.send(b"x" * 1_500_000)  # more than is held: it streams through, as fast as both ends like
        answered = asyncio.ensure_future(client.answer())
        while not answered.done():
            await client.send(b"x")
            await asyncio.sleep(0.05)
        assert "did not arrive in time" in envelope(await answered, 408, 2007)
        assert (await hasty.row("trickle")).outcome == "refused"
        await streams.send(b"x" * 500_000)
        assert json.loads((await streams.answer()).body)["length"] == 2_000_000


async def test_a_body_said_to_be_too_large_is_refused_before_it_is_read(strict):
    async with strict.client() as client:
        await client.send(request("openai/x", headers=ECHO | {"content-length": "50001"}, body=None, event="large"))
        answer = await client.answer()
        assert "50000" in envelope(answer, 413, 2019)
        assert answer.headers["connection"] == "close"
    assert (await strict.row("large")).request_size == 0


async def test_a_body_of_the_largest_size_passes(strict):
    async with strict.client() as client:
        answer = await client.ask(request("openai/x", headers=ECHO, body=b"x" * 50_000))
        assert json.loads(answer.body)["length"] == 50_000


@pytest.mark.parametrize("size", [50_001, 200_000])
async def test_chunks_that_grow_too_large_are_refused(strict, size):
    async with strict.client() as client:
        client.writer.write(request("openai/x", headers=ECHO | {"transfer-encoding": "chunked"}, body=None))
        for at in range(0, size, 1000):
            piece = min(1000, size - at)
            client.writer.write(b"%x\r\n%b\r\n" % (piece, b"x" * piece))
            await asyncio.sleep(0)
        envelope(await client.answer(), 413, 2019)


# 100 Continue

EXPECT = {"expect": "100-continue"}


async def test_a_client_that_asks_first_is_told_to_go_on(there):
    async with there.client() as client:
        await client.send(request("openai/x", headers=ECHO | EXPECT | {"content-length": "5"}, body=None))
        async with asyncio.timeout(10):
            assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        answer = await client.ask(b"hello")
        told = json.loads(answer.body)
        assert (answer.status, told["length"]) == (200, 5)
        assert "expect" not in dict(told["headers"])
        assert (await client.ask(request("openai/x", headers=ECHO))).status == 200


@pytest.mark.parametrize(
    ("case", "status"),
    [("unknown gateway", 400), ("unknown provider", 400), ("unified API", 404), ("too large", 413)],
)
async def test_a_client_that_asks_first_is_refused_before_it_sends(strict, case, status):
    path = {"unknown provider": "nobody/x", "unified API": "compat/x"}.get(case, "openai/x")
    gateway = "nowhere" if case == "unknown gateway" else "default"
    length = "50001" if case == "too large" else "5"
    async with strict.client() as client:
        await client.send(request(path, gateway=gateway, headers=EXPECT | {"content-length": length}, body=None))
        answer = await client.answer()
        assert (answer.status, answer.interim) == (status, [])
        assert answer.headers["connection"] == "close"
        assert await client.rest() == b""


async def test_a_client_that_asks_first_is_refused_before_it_sends_where_it_may_not_call_or_there_is_no_room(scheme):
    async with house(gateways={"default": {}, "locked": {"authentication": True}}, max_calls=1, **scheme) as small:
        asked = EXPECT | {"content-length": "5"}
        async with small.client() as client:
            await client.send(request("openai/x", gateway="locked", headers=asked, body=None))
            answer = await client.answer()
            assert (answer.status, answer.interim, answer.headers["connection"]) == (401, [], "close")
            assert await client.rest() == b""
        async with small.client() as client:
            await client.send(
                b"POST /client/v4/x HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n"
            )
            answer = await client.answer()
            assert (answer.status, answer.interim, answer.headers["connection"]) == (404, [], "close")
        async with small.client() as one, small.client() as two:
            await one.send(request("openai/x", headers={"x-mock-stall": "head"}))
            await small.mock.until(lambda stats: stats.requests_running == 1)
            await two.send(request("openai/x", headers=asked, body=None))
            answer = await two.answer()
            assert (answer.interim, answer.headers["connection"]) == ([], "close")
            envelope(answer, 503, 2010)
            assert await two.rest() == b""


async def test_a_client_that_does_not_wait_is_not_told_to_go_on(there):
    async with there.client() as client:
        answer = await client.ask(request("openai/x", headers=ECHO | EXPECT, body=b"hello"))
        assert (answer.status, answer.interim) == (200, [])


async def test_an_old_client_is_never_told_to_go_on(there):
    async with there.client() as client:
        head = request("openai/x", headers=ECHO | EXPECT | {"content-length": "5"}, body=None)
        await client.send(head.replace(b"HTTP/1.1", b"HTTP/1.0"))
        await asyncio.sleep(0.05)
        answer = await client.ask(b"hello")
        assert (answer.status, answer.interim) == (200, [])


# Connections


async def test_pipelined_requests_are_answered_in_order_each_with_its_own_row(there):
    events = [f"pipelined-{n}" for n in range(12)]
    sent = b"".join(
        request("openai/x", headers=ECHO | ({"x-mock-delay": "30"} if n % 4 == 0 else {}), body=b"x" * n, event=event)
        for n, event in enumerate(events)
    )
    async with there.client() as client:
        await client.send(sent)
        for n, event in enumerate(events):
            answer = await client.answer()
            assert json.loads(answer.body)["length"] == n
            assert answer.headers["cf-aig-event-id"] == event
    for event in events:
        assert (await there.row(event)).outcome == "answered"


async def test_pipelined_requests_of_every_kind_are_answered_in_order(there):
    async with there.client() as client:
        await client.send(
            request("openai/x", headers=ECHO, body=b"1")
            + b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"
            + request("openai/x", gateway="nowhere", body=b"22")
            + b"POST /nothing HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc"
            + request("openai/models", method="HEAD", body=None)
            + request("openai/x", headers=BACK | {"transfer-encoding": "chunked"}, body=None)
            + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
            + b"GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n"
            + request("openai/x", headers=ECHO, body=b"4444")
        )
        assert json.loads((await client.answer()).body)["length"] == 1
        assert json.loads((await client.answer()).body) == {"status": "ok"}
        envelope(await client.answer(), 400, 2001)
        assert json.loads((await client.answer()).body)["errors"][0]["code"] == 7003
        assert (await client.answer(head_only=True)).status == 200
        assert (await client.answer()).body == b"abcde"
        assert json.loads((await client.answer()).body) == {"status": "ok"}
        assert json.loads((await client.answer()).body)["length"] == 4


async def test_a_pipelined_body_waits_for_its_turn_however_long_that_takes(strict):
    """Its client cannot send on while the gateway does not read: that time is not held against it."""
    async with strict.client() as client:
        first = request("openai/x", headers=ECHO | {"x-mock-delay": "900"}, body=b"1")
        second = request("openai/x", headers=ECHO, body=b"x" * 40_000)
        await client.send(first + second[:1000])
        await asyncio.sleep(0.02)
        client.writer.write(second[1000:])
        assert json.loads((await client.answer()).body)["length"] == 1
        assert json.loads((await client.answer()).body)["length"] == 40_000


async def test_reading_pauses_while_pipelined_requests_wait(there):
    async with there.client() as client:
        await client.send(request("openai/x", headers=ECHO | {"x-mock-stall": "head"}, body=b"1", event="stalls"))
        await there.mock.until(lambda stats: stats.requests_running == 1)
        one = request("openai/x", headers=ECHO, body=b"x" * 60_000)
        sent = 0
        try:
            async with asyncio.timeout(0.5):
                while sent < 100_000_000:
                    client.writer.write(one)
                    await client.writer.drain()
                    sent += len(one)
        except TimeoutError:
            pass
        assert sent < 50_000_000
        assert there.server.app.plane.bounds.budget.used < 1_000_000
        client.reset()  # a mere close would wait behind what the gateway has not read
    assert (await there.row("stalls")).outcome == "client_gone"
    await until(lambda: there.server.app.plane.bounds.budget.used == 0)


async def test_answers_do_not_pile_up_before_a_client_that_does_not_read(there):
    """It may ask on and on: while what was answered is unread, nothing more is asked of providers."""
    plane, begun = there.server.app.plane, there.mock.stats()["requests_begun"]
    one = request("openai/x", headers=BACK, body=b"x" * 30_000)
    async with there.client(limit=1 << 16) as client:
        client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 100_000)
        client.deafen()
        sent = 0
        try:
            async with asyncio.timeout(1.0):
                while sent < 3000:
                    client.writer.write(one)
                    await client.writer.drain()
                    sent += 1
        except TimeoutError:
            pass
        asked = there.mock.stats()["requests_begun"] - begun
        await asyncio.sleep(0.1)
        assert there.mock.stats()["requests_begun"] - begun == asked < 300
        (connection,) = there.server.app.plane.deadlines.watched & there.server.server.server_state.connections
        assert connection.transport.get_write_buffer_size() < 200_000
        client.undeafen()
        for _ in range(asked + 3):  # whoever reads gets everything
            assert (await client.answer()).body == b"x" * 30_000
        client.reset()
    await until(lambda: not plane.connections)


async def test_a_client_that_reads_none_of_its_answers_is_dropped(scheme):
    async with house(write_timeout=0.3, **scheme) as made:
        async with made.client(limit=1 << 10) as client:
            client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.deafen()
            client.writer.write(request("openai/x", headers=BACK, body=b"x" * 30_000) * 300)
            await until(lambda: not made.server.app.plane.connections)
        await made.quiet()


async def test_a_connection_serves_many_calls(there):
    async with there.client() as client:
        for n in range(20):
            answer = await client.ask(request("openai/x", headers=ECHO, body=b"x" * n))
            assert json.loads(answer.body)["length"] == n
            assert "connection" not in answer.headers


async def test_a_client_that_closes_is_closed(there):
    async with there.client() as client:
        answer = await client.ask(request("openai/x", headers=ECHO | {"connection": "close"}))
        assert answer.headers["connection"] == "close"
        assert await client.rest() == b""


async def test_nothing_follows_a_last_request(there):
    begun = there.mock.stats()["requests_begun"]
    async with there.client() as client:
        await client.send(
            request("openai/x", headers=ECHO | {"connection": "close"}) + request("openai/x", headers=ECHO)
        )
        assert (await client.answer()).status == 200
        assert await client.rest() == b""
    assert there.mock.stats()["requests_begun"] == begun + 1


async def test_an_old_client_gets_no_chunks_and_is_closed(there):
    async with there.client() as client:
        asked = request("openai/chat/completions", headers={"x-mock-frames": "5"}, body=STREAM)
        answer = await client.ask(asked.replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert "transfer-encoding" not in answer.headers
        assert answer.body.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("target", ["http://elsewhere.example", "https://a.b:8443", "http://user@host"])
async def test_an_absolute_target_counts_by_its_path(there, target):
    async with there.client() as client:
        plain = request("openai/x?a=b", headers=ECHO, body=b"hello")
        answer = await client.ask(plain.replace(b"POST /v1", b"POST " + target.encode() + b"/v1"))
        told = json.loads(answer.body)
        assert told["target"] == "/openai/x?a=b"
        assert dict(told["headers"])["host"] == f"127.0.0.1:{there.mock.port}"


@pytest.mark.parametrize("split", [0, 30, 3])
@pytest.mark.parametrize("offer", ["h2c", "websocket", "foo"])  # a WebSocket begins with a GET
async def test_an_offer_to_switch_protocols_is_declined_without_losing_the_body(there, offer, split):
    async with there.client() as client:
        headers = {
            "connection": "Upgrade, HTTP2-Settings, x-private",
            "upgrade": offer,
            "http2-settings": "AAMAAABkAAQAAP__",
            "x-private": "1",
        }
        data = request("openai/x", headers=ECHO | headers, body=b"hello")
        data += request("openai/x", headers=ECHO, body=b"second")
        for at in range(0, len(data), split or len(data)):
            await client.send(data[at : at + (split or len(data))])
            await asyncio.sleep(0)
        told = json.loads((await client.answer()).body)
        assert told["length"] == 5
        assert not {"connection", "upgrade", "http2-settings", "x-private"} & {
            name.lower() for name, _ in told["headers"]
        }
        assert json.loads((await client.answer()).body)["length"] == 6


@pytest.mark.parametrize("split", [0, 7])
@pytest.mark.parametrize("offer", ["websocket", "WebSocket", "h2c , websocket"])
async def test_an_offered_websocket_is_refused_on_both_planes(there, scheme, offer, split):
    begun = there.mock.stats()["requests_begun"]
    shake = {"connection": "keep-alive, Upgrade", "upgrade": offer, "sec-websocket-version": "13"}
    ours = request("openai/responses", method="GET", headers=shake, body=None)
    theirs = ours.replace(ours.split(b" ")[1], b"/client/v4/user")
    for data in (ours, theirs, request("openai/x", headers=ECHO) + ours):
        async with there.client() as client:
            for at in range(0, len(data), split or len(data)):
                await client.send(data[at : at + (split or len(data))])
            if data.startswith(b"POST"):
                assert (await client.answer()).status == 200
            answer = await client.answer()
            assert (answer.status, answer.headers["upgrade"]) == (426, "HTTP/1.1")
            assert answer.headers["connection"] == "upgrade, close"
            told = json.loads(answer.body)
            assert "errors" in told if data is theirs else told["internalCode"] == 2019
            assert await client.rest() == b""
    assert there.mock.stats()["requests_begun"] == begun + 1


async def test_an_offer_of_http10_is_not_heeded(there):
    async with there.client() as client:
        offer = request("openai/x", method="GET", headers=ECHO | {"connection": "upgrade", "upgrade": "websocket"})
        assert (await client.ask(offer.replace(b"HTTP/1.1", b"HTTP/1.0"))).status == 200


async def test_declining_an_offer_keeps_the_wish_to_close(there):
    async with there.client() as client:
        answer = await client.ask(
            request("openai/x", headers=ECHO | {"connection": "close, upgrade", "upgrade": "h2c"})
        )
        assert answer.headers["connection"] == "close"
        assert await client.rest() == b""


async def test_connections_beyond_the_cap_are_refused(scheme):
    async with house(max_connections=2, **scheme) as small:
        async with small.client() as one, small.client() as two:
            for client in (one, two):
                assert (await client.ask(request("openai/x", headers=ECHO))).status == 200
            async with small.client() as three:
                answer = await three.answer()
                envelope(answer, 503, 2010)
                assert int(answer.headers["retry-after"]) >= 1
                assert await three.rest() == b""
            await until(lambda: small.server.app.plane.connections == 2)
            assert (await one.ask(request("openai/x", headers=ECHO))).status == 200
        await until(lambda: small.server.app.plane.connections == 0)
        async with small.client() as four:
            assert (await four.ask(request("openai/x", headers=ECHO))).status == 200


async def test_bodies_beyond_the_memory_for_them_are_refused_and_memory_comes_back():
    async with house(gateways={"default": {}, "other": {}}, buffer_memory=1_000_000, hold_body=290_000) as small:
        async with small.client() as one, small.client() as two, small.client() as three, small.client() as four:
            sent = request("openai/x", headers=ECHO | {"content-length": "290000"}, body=None) + b"x" * 280_000
            await one.send(sent)
            await until(lambda: small.server.app.plane.bounds.budget.used == 280_000)
            await two.send(sent)  # the share of a gateway
            answer = await two.answer()
            envelope(answer, 503, 2010)
            assert answer.headers["retry-after"] == "1"
            large = request("openai/x", gateway="other", headers=ECHO, body=b"x" * 90_000)
            assert (await three.ask(large)).status == 200  # another still has its own
            assert (await four.ask(request("openai/x", headers=ECHO, body=b"x" * 2000))).status == 200  # the reserve
            await one.send(b"x" * 10_000)
            assert json.loads((await one.answer()).body)["length"] == 290_000
        await small.quiet()


async def test_bodies_of_calls_that_wait_in_a_pipeline_have_a_share_of_their_own():
    async with house(buffer_memory=600_000, hold_body=100_000) as small:
        budget = small.server.app.plane.bounds.budget
        async with AsyncExitStack() as stack:
            plain, *waiting = [await stack.enter_async_context(small.client()) for _ in range(5)]
            stalls = request("openai/x", headers={"x-mock-stall": "head"})
            for client in waiting:
                await client.send(stalls + request("openai/x", headers=ECHO, body=b"x" * 60_000))
            await until(lambda: budget.used > 180_000)
            assert (await plain.ask(request("openai/x", headers=ECHO, body=b"x" * 60_000))).status == 200
            assert budget.share("pipelined", -1).used <= 200_000
        await small.quiet()


async def test_at_the_cap_of_calls_the_rest_of_the_gateway_answers(scheme):
    async with house(max_calls=1, **scheme) as small, small.client() as one, small.client() as two:
        await one.send(request("openai/x", headers={"x-mock-stall": "head"}))
        await small.mock.until(lambda stats: stats.requests_running == 1)
        answer = await two.ask(request("openai/x", headers=ECHO))
        envelope(answer, 503, 2010)
        assert answer.headers["retry-after"] == "1"
        for path in ("/healthz", "/readyz", "/metrics"):
            assert (await two.ask(f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode())).status == 200
        assert (await two.ask(b"GET /client/v4/user/tokens/verify HTTP/1.1\r\nhost: x\r\n\r\n")).status == 400


async def test_bodies_of_the_control_plane_are_held_to_a_share_of_the_same_memory(scheme):
    async with house(buffer_memory=200_000, hold_body=50_000, **scheme) as small:
        async with small.client() as one, small.client() as two, small.client() as three:
            path = f"/client/v4/accounts/{ACCOUNT}/ai-gateway/gateways"
            head = (
                f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {SECRET}\r\ncontent-type: application/json"
            )
            await one.send(f"{head}\r\ncontent-length: 60000\r\n\r\n".encode() + b" " * 50_000)
            await until(lambda: small.server.app.plane.bounds.budget.used == 50_000)
            await two.send(f"{head}\r\ncontent-length: 60000\r\n\r\n".encode() + b" " * 60_000)
            answer = await two.answer()
            assert (answer.status, answer.headers["retry-after"]) == (503, "1")
            assert json.loads(answer.body)["success"] is False
            assert (await three.ask(request("openai/x", headers=ECHO, body=b"x" * 40_000))).status == 200
        await small.quiet()


# Clients that leave


@pytest.mark.parametrize("how", ["close", "reset", "half_close"])
@pytest.mark.parametrize(
    "stage", ["connected", "in the head", "in the body", "uploading", "waiting", "streaming", "idle"]
)
async def test_a_client_that_leaves_leaves_nothing_behind(how, stage, there):
    event = f"{stage}-{how}".replace(" ", "-")
    plane = there.server.app.plane
    stall = {"x-mock-stall": "2" if stage == "streaming" else "head"}
    asked = request(headers=stall, body=STREAM, event=event)
    async with there.client() as client:
        await until(lambda: plane.connections == 1)
        if stage == "in the head":
            await client.send(asked[:40])
        elif stage == "in the body":
            await client.send(asked[:-5])
            await until(lambda: plane.calls)
        elif stage == "uploading":
            await client.send(request("openai/x", headers=ECHO | {"content-length": "3000000"}, body=None, event=event))
            await client.send(b"x" * 2_000_000)
            await there.mock.until(lambda stats: stats.requests_running == 1)
        elif stage == "waiting":
            await client.send(asked)
            await there.mock.until(lambda stats: stats.requests_running == 1)
        elif stage == "streaming":
            await client.send(asked)
            assert (await client.head()).status == 200
            await client.chunk()
        elif stage == "idle":
            assert (await client.ask(request("openai/x", headers=ECHO, event=event))).status == 200
        getattr(client, how)()
        await there.quiet()
    if stage in ("connected", "in the head"):
        assert [row for row in there.sink.records if row.event_id == event] == []
    else:
        assert (await there.row(event)).outcome == ("answered" if stage == "idle" else "client_gone")


async def test_a_client_that_leaves_takes_its_waiting_requests_with_it(there):
    begun = there.mock.stats()["requests_begun"]
    async with there.client() as client:
        await client.send(
            request("openai/x", headers=ECHO | {"x-mock-stall": "head"}, event="first-of-two")
            + request("openai/x", headers=ECHO, body=b"x" * 50_000, event="second-of-two")
        )
        await there.mock.until(lambda stats: stats.requests_running == 1)
    await there.quiet()
    assert (await there.row("first-of-two")).outcome == "client_gone"
    assert [row for row in there.sink.records if row.event_id == "second-of-two"] == []
    assert there.mock.stats()["requests_begun"] == begun + 1


async def test_requests_that_wait_behind_a_broken_answer_give_their_memory_back(there):
    async with there.client() as client:
        await client.send(
            request(headers={"x-mock-cut-frames": "2", "x-mock-pace": "20"}, body=STREAM)
            + request("openai/x", headers=ECHO, body=b"x" * 50_000)
        )
        assert not (await client.answer()).whole
        assert await client.rest() == b""
    await there.quiet()


async def test_a_large_body_streams_through_unharmed_in_bounded_memory(there):
    size, piece = 30_000_000, bytes(range(256)) * 256
    plane = there.server.app.plane
    most = 0
    async with there.client(1 << 18) as client:
        await client.send(request("openai/x", headers=BACK | {"content-length": str(size)}, body=None, event="big"))
        reading = asyncio.ensure_future(client.answer())
        sent = 0
        while sent < size:
            part = piece[: size - sent]
            await client.send(part)
            sent += len(part)
            most = max(most, plane.bounds.budget.used)
        answer = await reading
        assert answer.whole
        assert len(answer.body) == size
        assert answer.body == (piece * (size // len(piece) + 1))[:size]
    assert most < 12_000_000
    row = await there.row("big")
    assert (row.outcome, row.request_size, row.response_size) == ("answered", size, size)
    assert (row.request, row.response) == (None, None)
