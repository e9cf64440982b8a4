"""Requests that something went wrong with, by accident or with intent, against a real server on real sockets.

Every connection carries a few good requests, and a few mutations of their bytes. A strict reader of RFC 9112
(``testing.strict``) says which requests those bytes are. The laws:

- a connection ends, or is answered, within its limits, whatever came;
- no answer is an error of the gateway's own (5xx), and no fault is logged;
- what a provider is asked is one of the strict reader's requests, in their order, each at most once, to the last byte:
  nothing else is ever taken for a request;
- there is at most one answer for each request, and one refusal behind them;
- requests that nothing went wrong with are all answered.

The same few hundred requests are tried in each run. ``PENSTOCK_HUNT=100000`` hunts for so many others;
``PENSTOCK_HUNT_SEED`` repeats a hunt.
"""

import asyncio
import json
import os
import re
import time
from collections import Counter
from contextlib import asynccontextmanager
from itertools import pairwise
from random import Random
from traceback import format_exception
from typing import Any

import pytest
import uvloop

from tests.kit import strict
from tests.kit.house import house
from tests.kit.mutations import mutate
from tests.kit.store import ACCOUNT, SECRET

REQUESTS = int(os.environ.get("PENSTOCK_HUNT", "600"))
SEED = int(os.environ.get("PENSTOCK_HUNT_SEED", "0")) or (int.from_bytes(os.urandom(4)) if REQUESTS > 600 else 20)
AT_ONCE = 150  # connections
LIMIT = 20.0  # seconds after which a connection hangs
SHORT = 0.3  # seconds of the server's own limits
ROOT = f"/v1/{ACCOUNT}/default/anthropic"
BASE = ROOT + "/"
GATEWAYS = f"/client/v4/accounts/{ACCOUNT}/ai-gateway/gateways"

# What the gateway itself may say
OWN = frozenset({200, 204, 400, 401, 403, 404, 405, 408, 413, 431})


# What is sent


def asking(method, target, *lines, body=None, version="1.1"):
    """A request; with a body, its length too."""
    head = [f"{method} {target} HTTP/{version}", *lines]
    if body is not None:
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*head, "", body or ""])


def plain(dice, mark):
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": mark * dice.randrange(3)}]})
    lines = ("Host: x", f"X-Hunt: {mark}", "Content-Type: application/json")
    return asking("POST", f"{BASE}v1/messages?n={mark}", *lines, body=body)


def stream(dice, mark):
    body = json.dumps({"model": "m", "stream": True, "messages": [{"role": "user", "content": mark}]})
    return asking("POST", BASE + "v1/messages", "Host: x", f"X-Hunt: {mark}", "X-Stream: 1", body=body)


def chunked(dice, mark):
    pieces = [mark[: dice.randrange(1, 9)] + "x" * dice.randrange(30) for _ in range(dice.randrange(4))]
    extension = dice.choice(("", ";a=b", ';q="z"'))
    body = "".join(f"{len(piece):x}{extension}\r\n{piece}\r\n" for piece in pieces)
    trailer = dice.choice(("", "X-Trailer: 1\r\n"))
    head = asking("POST", f"{BASE}up/{mark}", "Host: x", f"X-Hunt: {mark}", "Transfer-Encoding: chunked")
    return f"{head}{body}0\r\n{trailer}\r\n"


def decoy(dice, mark):
    """A body that looks like more requests."""
    inner = asking("GET", f"{BASE}inner/{mark}", "Host: x", "X-Hunt: inner") * 2
    return asking("PUT", BASE + "decoy", "Host: x", f"X-Hunt: {mark}", body=inner)


def bare(dice, mark):
    method = dice.choice(("GET", "HEAD", "OPTIONS", "DELETE"))
    return asking(method, f"{BASE}{mark}/models", "Host: x", f"X-Hunt: {mark}")


def absolute(dice, mark):
    return asking("GET", f"http://elsewhere.example:99{BASE}abs/{mark}?a", "Host: x", f"X-Hunt: {mark}")


def expecting(dice, mark):
    return asking("POST", BASE + mark, "Host: x", f"X-Hunt: {mark}", "Expect: 100-continue", body="hello")


def upgrading(dice, mark):
    lines = ("Host: x", f"X-Hunt: {mark}", "Connection: Upgrade", "Upgrade: websocket")
    return asking("POST", BASE + mark, *lines, body="hello")


def old(dice, mark):
    return asking("GET", BASE + mark, f"X-Hunt: {mark}", version="1.0")


def health(dice, mark):
    return asking("GET", "/healthz", "Host: x")


def control(dice, mark):
    return asking("GET", GATEWAYS + "?page=1", "Host: x", f"Authorization: Bearer {SECRET}")


def making(dice, mark):
    """A write to the control plane that is refused."""
    lines = ("Host: x", f"Authorization: Bearer {SECRET}", "Content-Type: application/json")
    return asking("POST", GATEWAYS, *lines, body=json.dumps({"id": "Not An Id " + mark}))


CORPUS = (plain, plain, stream, chunked, chunked, chunked, decoy, bare, bare, absolute, expecting, upgrading, old)
CORPUS += (health, control, making)


class Case:
    """What one connection carries; ``number`` and the seed make it again."""

    def __init__(self, seed, number):
        dice = self.dice = Random(f"{seed}-{number}")
        self.number = number
        marks = [f"{dice.getrandbits(64):016x}" for _ in range(dice.choice((1, 2, 2, 3, 4)))]
        self.kinds = [dice.choice(CORPUS) for _ in marks]
        good = "".join(kind(dice, mark) for kind, mark in zip(self.kinds, marks, strict=True)).encode()
        self.times = dice.choice((0, 1, 1, 1, 1, 2, 2, 3, 5))
        self.data = mutate(dice, good, self.times)
        self.read = strict.requests(self.data)
        self.expected = [key(message) for message in self.read.messages]
        self.seen = []  # indexes of what the provider was asked
        self.got = bytearray()
        self.found = False

    def pieces(self):
        """How it is sent: cuts, and whether there is a pause at each."""
        cuts = sorted(self.dice.randrange(len(self.data) + 1) for _ in range(self.dice.choice((0, 0, 1, 2, 5))))
        for begin, end in pairwise([0, *cuts, len(self.data)]):
            yield self.data[begin:end], self.dice.choice((0, 0, 0.005, 0.02))


ADDRESS = re.compile(rb"(?:(?i:https?)://[^/?]+)?" + ROOT.encode() + rb"([/?].*|)")


def key(message):
    """What a request is at the provider; None where it is none for it."""
    match = ADDRESS.fullmatch(message.target)
    if match is None:
        return None
    path = match[1] if match[1].startswith(b"/") else b"/" + match[1]
    return message.method, path, tuple(message.values(b"x-hunt")), message.body


# The provider


class Provider(asyncio.Protocol):
    """Answers 200 to whatever comes, and reads it strictly."""

    def __init__(self, world):
        self.world = world
        self.data = b""
        self.transport: Any = None

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.data += data
        while self.data:
            try:
                message = strict.request(self.data)
            except strict.Incomplete:
                return
            except strict.Refused as error:
                self.world.finding(None, f"the provider was sent what is no request ({error}): {self.data[:2000]!r}")
                self.transport.abort()
                return
            self.data = self.data[message.size :]
            index = self.world.asked(message)
            head = b"HTTP/1.1 200 OK\r\nx-index: %d\r\n" % index
            if message.method == b"HEAD":
                self.transport.write(head + b"content-length: 2\r\n\r\n")
            elif message.values(b"x-stream"):
                event = b"event: ping\ndata: {}\n\n"
                body = b"%x\r\n%b\r\n" % (len(event), event) * 3
                self.transport.write(head + b"content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
                self.transport.write(body + b"0\r\n\r\n")
            else:
                self.transport.write(head + b"content-type: application/json\r\ncontent-length: 2\r\n\r\n{}")


# The client


class Client(asyncio.Protocol):
    """Keeps what comes until the server ends the connection."""

    def __init__(self, case, ended):
        self.case = case
        self.ended = ended

    def data_received(self, data):
        self.case.got += data

    def connection_lost(self, exc):
        if not self.ended.done():
            self.ended.set_result(None)


def answers(data, methods):
    """The answers in ``data``, each as status and headers; raises ValueError where it is no sequence of answers."""
    found = []
    methods = iter(methods)
    while data:
        head, blank, rest = data.partition(b"\r\n\r\n")
        if not blank:
            raise ValueError(f"half a head: {bytes(data[:200])!r}")
        first, *lines = head.split(b"\r\n")
        match = re.fullmatch(rb"HTTP/1\.1 (\d{3}) [ -~]*", first)
        if match is None:
            raise ValueError(f"no status line: {first!r}")
        status = int(match[1])
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
        data = rest
        if status < 200:
            found.append((status, headers))
            continue
        method = next(methods, None)
        if status == 204 or (method == b"HEAD" and not data.startswith(b"{")):
            pass  # what was refused before its method counted is told why
        elif headers.get(b"transfer-encoding") == b"chunked":
            while True:
                size, _, data = data.partition(b"\r\n")
                data = data[int(size, 16) :]
                if not data.startswith(b"\r\n"):
                    raise ValueError("half a chunk")
                data = data[2:]
                if size == b"0":
                    break
        elif b"content-length" in headers:
            size = int(headers[b"content-length"])
            if len(data) < size:
                raise ValueError("half a body")
            data = data[size:]
        else:
            data = b""
        found.append((status, headers))
    return found


# The world


class World:
    """A gateway, its provider, and what was found."""

    def __init__(self):
        self.open = {}  # key -> the cases whose connection is open and may carry it, with their index
        self.findings = []
        self.statuses = Counter()
        self.outcomes = Counter()
        self.cases = self.requests = self.read = self.seen = 0

    def finding(self, case, what):
        if case is None:
            self.findings.append(what)
        elif not case.found:
            case.found = True
            ending = f"read strictly: {len(case.expected)} requests, then {case.read.ending or 'nothing'}"
            self.findings.append(f"{what}\n  case {case.number} of seed {SEED}; {ending}\n  {case.data!r}")

    def asked(self, message):
        """The provider is asked: this must be the next of somebody's requests. Returns which."""
        self.seen += 1
        asked: Any = key(message._replace(target=ROOT.encode() + message.target))
        for case, index in self.open.get(asked, ()):
            if index not in case.seen and index > max(case.seen, default=-1):
                case.seen.append(index)
                return index
        owners = [case for cases in self.open.values() for case, _ in cases if (asked[2] and asked[2][0] in case.data)]
        self.finding(owners[0] if owners else None, f"the provider was asked what nobody sent: {message!r}")
        return -1

    async def hunt(self, port, case):
        loop = asyncio.get_running_loop()
        for index, expected in enumerate(case.expected):
            if expected is not None:
                self.open.setdefault(expected, []).append((case, index))
        ended = loop.create_future()
        transport, _ = await loop.create_connection(lambda: Client(case, ended), "127.0.0.1", port)
        try:
            async with asyncio.timeout(LIMIT):
                for piece, pause in case.pieces():
                    if transport.is_closing():
                        break
                    transport.write(piece)
                    await asyncio.sleep(pause)
                await ended
        except TimeoutError:
            self.finding(case, "the connection hangs")
        finally:
            transport.abort()
            for index, expected in enumerate(case.expected):
                if expected is not None:
                    self.open[expected].remove((case, index))
                    if not self.open[expected]:
                        del self.open[expected]
        self.judge(case)

    def judge(self, case):
        self.cases += 1
        self.requests += len(case.kinds)
        self.read += len(case.expected)
        methods = [message.method for message in case.read.messages]
        methods.append(case.read.rest.lstrip(b"\r\n").partition(b" ")[0])  # of what may have been refused
        try:
            found = answers(bytes(case.got), methods)
        except ValueError as error:
            self.finding(case, f"no answers: {error}: {bytes(case.got[-600:])!r}")
            return
        final = [(status, headers) for status, headers in found if status != 100]
        self.statuses.update(status for status, _ in final)
        if not {status for status, _ in final} <= OWN:
            self.finding(case, f"answered {[status for status, _ in final]}: {bytes(case.got)!r}")
        if len(final) > len(case.expected) + 1:
            self.finding(case, f"{len(final)} answers to {len(case.expected)} requests")
        indexes = [int(headers[b"x-index"]) for _, headers in final if b"x-index" in headers]
        if indexes != sorted(set(indexes)) or not set(indexes) <= set(case.seen):
            self.finding(case, f"answers {indexes} to what the provider was asked: {case.seen}")
        for place, (_, headers) in enumerate(final):
            if b"x-index" in headers and int(headers[b"x-index"]) != place:
                self.finding(case, f"answer {place} is that to request {headers[b'x-index']!r}")
        if not case.times:
            untouched = 1 + (case.kinds.index(old) if old in case.kinds else len(case.kinds) - 1)
            good = [400 if kind is making else 200 for kind in case.kinds[:untouched]]
            if [status for status, _ in final] != good:
                self.finding(case, f"good requests were answered {[status for status, _ in final]}, not {good}")


@asynccontextmanager
async def serving(world, hold):
    """The gateway, before a provider that reads strictly."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(
        lambda loop, context: world.findings.append("".join(format_exception(context.get("exception"))))
    )
    server = await loop.create_server(lambda: Provider(world), "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    limits = {"head_timeout": SHORT, "body_timeout": SHORT, "keepalive_timeout": SHORT, "hold_body": hold}
    async with house(providers={"anthropic": url}, **limits) as made:
        yield made
        await made.quiet()
        async with made.client() as client:
            assert (await client.ask(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")).status == 200
    server.close()


async def hunt(world, hold):
    async with serving(world, hold) as made:
        numbers = iter(range(10**9))

        async def hunter():
            while world.requests < REQUESTS / 2 and len(world.findings) < 20:
                await world.hunt(made.server.port, Case(SEED, next(numbers)))
                world.outcomes.update(row.outcome for row in made.sink.records)
                made.sink.records.clear()

        await asyncio.gather(*(hunter() for _ in range(AT_ONCE)))


@pytest.mark.hunt
@pytest.mark.timeout(max(120, REQUESTS // 10))
@pytest.mark.parametrize("hold", [1_000_000, 10], ids=["bodies held", "bodies streamed"])
def test_no_bytes_are_taken_for_a_request_that_is_none(caplog, hold):
    world, begun = World(), time.monotonic()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(hunt(world, hold))
    print(
        f"seed {SEED}: {world.requests} requests on {world.cases} connections in {time.monotonic() - begun:.0f} s; read"
        f" strictly {world.read}, asked of the provider {world.seen}; answers {dict(sorted(world.statuses.items()))}"
    )
    assert world.findings == [], "\n".join(world.findings)
    assert "bug" not in world.outcomes
    assert world.seen > world.requests / 10
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
