"""Happy eyeballs on real sockets: 192.0.2.0/24 and 100::/64 lead nowhere, addresses of 127.0.0.0/8 refuse at once."""

import asyncio
import socket
from contextlib import ExitStack, contextmanager

import psutil
import pytest

from penstock.backends.http.connect import STAGGER, connect


def descriptors():
    return psutil.Process().num_fds()


async def run(addresses):
    return await connect(asyncio.get_running_loop(), addresses)


@contextmanager
def listening(host="127.0.0.1"):
    with socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as server:
        yield server.getsockname()


@contextmanager
def silent():
    """A listener that takes no connection: its queue is full."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        yield server.getsockname()


def refusing():
    """An address where nobody listens."""
    with listening() as address:
        return address


async def test_the_socket_is_ready_for_calls_without_delay_and_watches_for_a_peer_that_vanished():
    with listening() as address:
        sock = await run([address])
        assert sock.getpeername() == address
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getblocking() is False
        sock.close()


async def test_an_address_that_refuses_costs_no_time():
    with listening() as good:
        async with asyncio.timeout(STAGGER):
            sock = await run([refusing(), refusing(), good])
        assert sock.getpeername() == good
        sock.close()


async def test_an_address_that_does_not_answer_costs_its_stagger_alone():
    loop = asyncio.get_running_loop()
    with listening() as good, silent() as stuck:
        began = loop.time()
        async with asyncio.timeout(5):
            sock = await run([stuck, good])
        assert sock.getpeername() == good
        assert loop.time() - began >= STAGGER * 0.9
        sock.close()


async def test_the_first_address_wins_where_all_answer():
    with listening() as first, listening() as second:
        for _ in range(5):
            sock = await run([first, second])
            assert sock.getpeername() == first
            sock.close()


async def test_where_nobody_listens_the_reason_is_told():
    with pytest.raises(ConnectionRefusedError, match="refused"):
        await run([refusing(), refusing()])


async def test_different_reasons_are_told_without_the_addresses():
    with pytest.raises(OSError, match="none of its 2 addresses takes a connection"):
        await run([("fd99::1", 9, 0, 0), refusing()])


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
async def test_a_race_that_is_given_up_leaves_no_socket_open(steps):
    before = descriptors()
    with listening() as good, silent() as stuck:
        within = descriptors()
        task = asyncio.ensure_future(run([stuck, good] if steps % 2 else [good, stuck]))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        for result in await asyncio.gather(task, return_exceptions=True):
            if isinstance(result, socket.socket):
                result.close()
        assert descriptors() == within
    assert descriptors() == before


async def test_losers_are_closed():
    with listening() as good, silent() as stuck, silent() as other:
        before = descriptors()
        sock = await run([stuck, other, good])
        assert descriptors() == before + 1
        sock.close()
