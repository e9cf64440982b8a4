"""Request bodies that stream, and calls that end before their answer."""

import asyncio

import pytest

from penstock.core.errors import MalformedRequest
from tests.kit.client import until
from tests.kit.provider import OK, always, providing


async def test_an_answer_before_the_end_of_the_request_costs_the_connection(way, stream):
    async def serve(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.say(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno")
        await peer.gone()

    async with providing(serve) as provider:
        body = stream(b"x" * 50, length=5000, complete=False)
        assert await way.ask(provider.port, stream=body) == (413, b"no", False)
        await until(lambda: not provider.open)
        body.feed(b"more")
        body.finish()


async def test_a_provider_that_does_not_read_pauses_the_client(way, flow, stream):
    read = asyncio.Event()

    async def serve(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        peer.reader._transport.pause_reading()
        await read.wait()
        peer.reader._transport.resume_reading()
        while (await peer.reader.readuntil(b"\r\n"))[:-2] != b"0":
            pass
        await peer.reader.readexactly(2)
        await peer.say(OK)
        await peer.gone()

    async with providing(serve) as provider:
        body = stream(length=None, complete=False, keep=0)
        body.feed(b"xx")
        asking = asyncio.ensure_future(way.ask(provider.port, stream=body))
        sent = 0
        while not flow.paused and sent < 500:
            body.feed(b"y" * 100_000)
            sent += 1
            await asyncio.sleep(0)
        assert flow.paused
        read.set()
        await until(lambda: not flow.paused)
        body.finish()
        assert await asking == (200, b"ok", False)


async def test_a_client_that_breaks_off_its_request_ends_the_call_with_its_own_error(way, stream):
    async def serve(peer):
        await peer.gone()

    async with providing(serve) as provider:
        body = stream(b"xx", length=None, complete=False)
        asking = asyncio.ensure_future(way.ask(provider.port, stream=body))
        await until(lambda: provider.open)
        body.fail(MalformedRequest("bad chunk"))
        with pytest.raises(MalformedRequest, match="bad chunk"):
            await asking
        await until(lambda: not provider.open)


async def test_a_request_that_broke_off_before_its_connection_was_there_ends_the_call_with_its_own_error(way, stream):
    async def serve(peer):
        await peer.gone()

    async with providing(serve) as provider:
        body = stream(b"xx", length=None, complete=False)
        body.fail(MalformedRequest("bad chunk"))
        with pytest.raises(MalformedRequest, match="bad chunk"):
            await way.ask(provider.port, stream=body)
        await until(lambda: not provider.open)


# Ends


@pytest.mark.parametrize("stage", ["head", "body"])
async def test_closing_a_call_closes_its_connection_at_once(way, stage):
    async def serve(peer):
        await peer.request()
        if stage == "body":
            await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok")
        await peer.gone()

    async with providing(serve) as provider:
        asking = asyncio.ensure_future(way.send(provider.port))
        if stage == "head":
            await until(lambda: provider.open)
            await asyncio.sleep(0.01)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        else:
            reply = await asking
            reply.body.close()
            reply.body.close()
        await until(lambda: not provider.open)
        assert way.transport.counts()[1] == 0


async def test_closing_a_call_that_is_over_leaves_its_connection_to_the_pool(way):
    async with providing(always) as provider:
        reply = await way.send(provider.port)
        assert await way.read(reply) == b"ok"
        reply.body.close()
        assert way.transport.counts() == (0, 1)
