"""One connection to Redis: questions travel together, and what is away is told at once."""

import asyncio
import os
import random
import signal
import socket
import time
from contextlib import asynccontextmanager

import pytest

from penstock.backends.redis_channel import connect_to
from penstock.backends.redis_link import PATIENCE, RedisAway, RedisLink, RedisRefused, Script
from penstock.core.tasks import Tasks
from tests.kit import services
from tests.kit.certificates import self_signed
from tests.kit.client import until
from tests.kit.several import CACHE


@pytest.fixture
async def tasks():
    made = Tasks()
    yield made
    await made.stop()


@pytest.fixture
def own():
    """A server that this test may kill."""
    with services.redis() as server:
        yield server


async def linked(tasks, url):
    link = RedisLink(tasks, url, "limits")
    await link.start()
    return link


async def test_each_question_gets_its_own_answer_over_one_connection(tasks):
    link = await linked(tasks, os.environ[CACHE])
    answers = await asyncio.gather(*(link.ask("ECHO", f"word {number}") for number in range(2000)))
    assert answers == [b"word %d" % number for number in range(2000)]
    await link.stop()


async def test_every_kind_of_address_works_also_with_a_password(tasks, tmp_path, unused_tcp_port):
    cert, key = self_signed(tmp_path, "127.0.0.1")
    encrypted = ["--tls-port", f"{unused_tcp_port}", "--tls-cert-file", f"{cert}", "--tls-key-file", f"{key}"]
    own = ["--unixsocket", f"{tmp_path}/redis.sock", "--requirepass", "open:sesame", "--tls-auth-clients", "no"]
    with services.redis(*encrypted, *own) as server:
        for url in (
            server.url.replace("//", "//:open%3Asesame@"),
            f"rediss://:open%3Asesame@127.0.0.1:{unused_tcp_port}/1?ssl_ca_certs={cert}",
            f"unix://:open%3Asesame@{tmp_path}/redis.sock?db=2",
        ):
            link = await linked(tasks, url)
            assert await link.ask("INCR", "in a database of its own") == 1
            bus = connect_to(url)  # news travel by the same address
            assert await bus.execute_command("GET", "in a database of its own") == b"1"
            await bus.aclose()
            await link.stop()


async def test_a_wrong_password_and_an_unknown_certificate_are_told(tasks, tmp_path, unused_tcp_port, caplog):
    cert, key = self_signed(tmp_path, "127.0.0.1")
    encrypted = ["--tls-port", f"{unused_tcp_port}", "--tls-cert-file", f"{cert}", "--tls-key-file", f"{key}"]
    with services.redis(*encrypted, "--requirepass", "sesame", "--tls-auth-clients", "no") as server:
        for url, reason in (
            (server.url.replace("//", "//:wrong@"), "invalid username-password pair"),
            (f"rediss://:sesame@127.0.0.1:{unused_tcp_port}/0", "certificate verify failed"),
        ):
            link = await linked(tasks, url)
            assert not link.up
            assert reason in caplog.messages[-1]
            assert "sesame" not in caplog.text
            await link.stop()


async def test_an_error_is_told_to_whoever_asked_and_to_nobody_else(tasks):
    link = await linked(tasks, os.environ[CACHE])
    asked = [link.ask(word, "x") for word in ("ECHO", "NONSENSE", "ECHO")]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert (answers[0], answers[2]) == (b"x", b"x")
    assert isinstance(answers[1], RedisRefused)
    assert link.up
    await link.stop()


async def test_more_than_redis_can_answer_in_its_time_is_answered_all_the_same(tasks, own):
    slow = Script("local sum = 0 for i = 1, 120000 do sum = sum + i end return ARGV[1]")
    link = await linked(tasks, own.url)
    began = time.monotonic()
    answers = await asyncio.gather(*(link.run(slow, [], number) for number in range(3000)))
    assert answers == [b"%d" % number for number in range(3000)]
    assert time.monotonic() - began > PATIENCE
    await link.stop()


async def test_values_of_many_megabytes_travel_both_ways(tasks):
    link = await linked(tasks, os.environ[CACHE])
    value = random.randbytes(20_000_000)
    told = await asyncio.gather(*(link.ask("ECHO", value) for _ in range(5)), link.ask("ECHO", "after"))
    assert [one == value for one in told[:5]] == [True] * 5
    assert told[5] == b"after"
    await link.stop()


@asynccontextmanager
async def slow_network(url, pause):
    """The URL of a Redis behind a network that carries 64 KB, and then nothing for ``pause`` seconds."""
    host, port = url.removeprefix("redis://").removesuffix("/0").split(":")

    async def carry(reader, writer):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
            await asyncio.sleep(pause)
        writer.close()

    async def serve(reader, writer):
        further, onward = await asyncio.open_connection(host, port)
        await asyncio.gather(carry(reader, onward), carry(further, writer))

    near = socket.create_server(("127.0.0.1", 0))
    near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)  # what waits on the way is little
    server = await asyncio.start_server(serve, sock=near)
    yield f"redis://127.0.0.1:{near.getsockname()[1]}/0"
    server.close()


async def test_what_takes_long_to_travel_arrives_as_long_as_it_travels(tasks, own):
    value = random.randbytes(20_000_000)
    async with slow_network(own.url, 0.003) as url:
        link = await linked(tasks, url)
        began = time.monotonic()
        assert await link.ask("SET", "k", value) == b"OK"
        sent = time.monotonic()
        assert await link.ask("GET", "k") == value
        assert sent - began > PATIENCE
        assert time.monotonic() - sent > PATIENCE
        await link.stop()


async def test_a_script_is_sent_where_redis_does_not_know_it(tasks, own):
    script = Script("return {KEYS[1], ARGV[1]}")
    link = await linked(tasks, own.url)
    for _ in range(2):
        assert await link.run(script, ["k"], 5) == [b"k", b"5"]
    await link.ask("SCRIPT", "FLUSH")
    assert await link.run(script, ["k"], "v") == [b"k", b"v"]
    await link.stop()


async def test_scripts_run_in_the_order_in_which_they_are_asked_for_whether_or_not_redis_knows_them(tasks, own):
    one, two = (Script(f"redis.call('RPUSH', KEYS[1], '{name}' .. ARGV[1])") for name in "ab")
    link = await linked(tasks, own.url)
    await link.run(two, ["k"], 0)
    await asyncio.gather(link.run(one, ["k"], 1), link.run(two, ["k"], 2), link.run(one, ["k"], 3))
    assert await link.ask("LRANGE", "k", 0, -1) == [b"b0", b"a1", b"b2", b"a3"]
    await link.stop()


async def test_who_stops_asking_disturbs_nobody(tasks):
    link = await linked(tasks, os.environ[CACHE])
    one, two = (asyncio.ensure_future(link.ask("ECHO", word)) for word in ("one", "two"))
    await asyncio.sleep(0)
    one.cancel()
    assert await two == b"two"
    assert await link.ask("ECHO", "three") == b"three"
    await link.stop()


async def test_a_server_that_is_not_there_is_told_at_once(tasks, unused_tcp_port, caplog):
    link = await linked(tasks, f"redis://127.0.0.1:{unused_tcp_port}/0")
    assert not link.up
    for _ in range(3):
        with pytest.raises(RedisAway):
            await link.ask("PING")
    assert sum("Redis cannot be used for limits" in line for line in caplog.messages) == 1
    await link.stop()


async def test_one_that_has_become_a_replica_is_away_until_a_primary_answers(tasks, own, caplog):
    write = Script("return redis.call('SET', KEYS[1], 'x')")
    with services.redis() as primary:
        link, admin = await linked(tasks, own.url), connect_to(own.url)
        assert await link.run(write, ["k"]) == b"OK"
        await admin.execute_command("REPLICAOF", *primary.url.removeprefix("redis://").removesuffix("/0").split(":"))
        with pytest.raises(RedisAway):
            await link.run(write, ["k"])
        assert "read only replica" in caplog.text
        later = await linked(tasks, own.url)
        assert not later.up
        assert "it is a replica, which takes no writes" in caplog.text
        await later.stop()
        await admin.execute_command("REPLICAOF", "NO", "ONE")
        await until(lambda: link.up)
        assert await link.run(write, ["k"]) == b"OK"
        await admin.aclose()
        await link.stop()


async def test_one_that_is_killed_and_comes_back_is_used_again(tasks, own, caplog):
    heard = []
    link = RedisLink(tasks, own.url, "limits")
    link.on_up(lambda: heard.append(link.up))
    await link.start()
    own.kill()
    with pytest.raises(RedisAway):
        for _ in range(1000):
            await link.ask("PING")
            await asyncio.sleep(0.001)
    own.start()
    await until(lambda: link.up)
    assert await link.ask("PING") in (b"PONG", "PONG")
    assert heard == [True, True]
    said = [line.partition(":")[0] for line in caplog.messages]
    assert said == ["Redis cannot be used for limits until it is back", "Redis is back for limits"]
    await link.stop()


async def test_one_that_was_restarted_while_nobody_asked_costs_no_question(tasks, own):
    link = await linked(tasks, own.url)
    assert await link.ask("SET", "k", "v")
    own.kill()
    own.start()
    await asyncio.sleep(0)  # the loop sees the end of the connection, as it would long before the next call
    await asyncio.sleep(0.01)
    assert await link.ask("GET", "k") is None
    await link.stop()


async def test_one_that_hangs_is_given_up_once_and_nobody_waits_for_it_again(tasks, own):
    link = await linked(tasks, own.url)
    os.kill(own.pid, signal.SIGSTOP)
    try:
        told = await asyncio.gather(*(link.ask("PING") for _ in range(50)), return_exceptions=True)
        assert all(isinstance(one, RedisAway) for one in told)
        with pytest.raises(RedisAway):
            await link.ask("PING")
    finally:
        os.kill(own.pid, signal.SIGCONT)
    await until(lambda: link.up)
    assert await link.ask("ECHO", "again") == b"again"
    await link.stop()
