"""Laws of the cache on real sockets: a hit is the answer as it was, and nobody is told what was for another."""

import asyncio
from itertools import count, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kit.client import until
from tests.kit.house import ACCOUNT, house
from tests.kit.provider import providing

EXAMPLES = settings(suppress_health_check=[HealthCheck.too_slow])
OTHER = "fedcba9876543210fedcba9876543210"
STATUS = "cf-aig-cache-status"
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
BODIES = st.lists(st.binary(min_size=1, max_size=300) | st.just(b"data: {}\n\n"), max_size=8)
WORD = st.sampled_from(["a", "b"])


class World:
    """A gateway with its cache on before a scripted provider, in a loop that runs while a test does."""

    def __init__(self):
        self.runner = asyncio.Runner()
        self.answer = []  # head, and the chunks of the body
        self.asked = 0
        self.numbers = count()
        self.run(self._open())

    def run(self, work):
        async def bounded():
            async with asyncio.timeout(20):
                return await work

        return self.runner.run(bounded())

    async def _open(self):
        self._providing = providing(self._serve)
        provider = await self._providing.__aenter__()
        on = {"default": {"cache_ttl": 600}, "a": {"cache_ttl": 600}, "b": {"cache_ttl": 600}}
        self._house = house(providers={"openai": provider.url, "anthropic": provider.url}, gateways=on)
        self.house = await self._house.__aenter__()

    async def _serve(self, peer):
        while True:
            await peer.request()
            self.asked += 1
            for piece in self.answer:
                await peer.say(piece)
                await asyncio.sleep(0.0005)  # a packet of its own, if the system likes

    def end(self):
        async def close():
            await self._house.__aexit__(None, None, None)
            await self._providing.__aexit__(None, None, None)

        self.run(close())
        self.runner.close()


@pytest.fixture(scope="module")
def world():
    made = World()
    yield made
    made.end()


def call(*, account=ACCOUNT, gateway="default", path="chat/completions", key="", body="", own=""):
    headers = {"content-length": str(len(body)), "authorization": f"Bearer sk-{key}-0123456789abcdef"}
    headers |= {"cf-aig-cache-key": own} if own else {}
    lines = [f"POST /v1/{account}/{gateway}/openai/{path} HTTP/1.1", "host: x"]
    return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", body]).encode()


KINDS = {
    b"text/event-stream": ("chat/completions", b"", b"\n\ndata: [DONE]\n\n"),
    b"application/json": ("v1/embeddings", b'{"x":"', b'"}'),
    b"audio/mpeg": ("audio/speech", b"", b""),
}


@EXAMPLES
@given(BODIES, st.sampled_from(list(KINDS)), st.integers(0, 3))
def test_a_hit_is_the_miss_byte_for_byte_and_a_streams_frames_too(world, chunks, kind, followers):
    path, first, last = KINDS[kind]
    if kind == b"application/json":
        chunks = [chunk.hex().encode() for chunk in chunks]
    chunks = [chunk for chunk in (first, *chunks, last) if chunk]

    async def example():
        head = b"HTTP/1.1 200 OK\r\ncontent-type: " + kind + b"\r\ntransfer-encoding: chunked\r\n\r\n"
        body = [b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks]
        world.answer = [head, *body, b"0\r\n\r\n"]
        asked = call(path=path, body=f'{{"n":{next(world.numbers)}}}')

        async def ask():
            async with world.house.client() as client:
                return await client.ask(asked)

        before = world.asked
        answers = await asyncio.gather(*(ask() for _ in range(1 + followers)))
        hit = await ask()
        assert world.asked == before + 1
        assert hit.headers[STATUS] == "HIT"
        assert sorted(answer.headers[STATUS] for answer in answers) == ["HIT"] * followers + ["MISS"]
        for one, two in pairwise([*answers, hit]):
            assert one.whole and two.whole
            assert one.body == two.body == b"".join(chunks)
            assert one.headers["content-type"] == two.headers["content-type"]
        if kind == b"text/event-stream":
            (miss,) = (answer for answer in answers if answer.headers[STATUS] == "MISS")
            assert not miss.chunks or hit.chunks == miss.chunks
        await until(lambda: not world.house.server.app.answers.used)

    world.run(example())


@EXAMPLES
@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), WORD, WORD, st.sampled_from(["", "x", "y"])), max_size=12))
def test_a_call_hits_only_what_the_same_caller_asked_of_the_same_gateway(world, calls):
    """Or what was kept under its own key there, which is what such a key is for."""

    async def example():
        example_number, known = next(world.numbers), {}
        for gateway, key, body, own in calls:
            told = b'{"told":"%b"}' % f"{gateway} {key} {body}".encode()
            world.answer = [HEAD % len(told), told]
            own_key = own and f"{own} {example_number}"
            identity = (gateway, own_key) if own else (gateway, key, body)
            async with world.house.client() as client:
                answer = await client.ask(
                    call(gateway=gateway, key=key, body=f'{{"{body}":{example_number}}}', own=own_key)
                )
            assert answer.headers[STATUS] == ("HIT" if identity in known else "MISS")
            assert answer.body == known.setdefault(identity, told)

    world.run(example())


# What a request may be made of.
HEADERS = {
    "authorization": ("Bearer sk-a-0123456789abcdef", "Bearer sk-b-0123456789abcdef", ""),
    "ocp-apim-subscription-key": ("0123456789abcdef", "fedcba9876543210"),
    "content-type": ("application/json", "application/json; charset=utf-8"),
    "openai-organization": ("org-a", "org-b"),
    "openai-beta": ("assistants=v1", "assistants=v2"),
    "x-tenant": ("a", "A"),
    "connection": ("keep-alive", "authorization", "x-tenant, openai-beta"),
    "user-agent": ("curl", "python"),
    "traceparent": ("00-1-1-01", "00-2-2-01"),
    "x-stainless-retry-count": ("0", "1"),
    "accept-encoding": ("identity", "gzip"),
    "cf-aig-metadata": ('{"user":"a"}', '{"user":"b"}'),
}
NOISE = frozenset({"connection", "user-agent", "traceparent", "x-stainless-retry-count", "accept-encoding"})
PLACES = [
    *[("POST", path) for path in ("chat/completions", "chat/completions?api-version=2", "embeddings", "responses")],
    *[("POST", path) for path in ("conversations", "threads", "files", "batches", "videos", "chat/completions/c_1")],
    *[(method, path) for method in ("GET", "HEAD", "DELETE") for path in ("batches/b_1", "chat/completions")],
]
SAID = [
    '{"input":"hi"}',
    '{"input":"hi" }',
    '{"input":"hi","conversation":"c"}',
    '{"input":"hi","background":true}',
    "",
]
CALLS = st.tuples(
    st.sampled_from(PLACES),
    st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in HEADERS.items()}),
    st.sampled_from(SAID),
)


def identity(place, headers, body):
    """What travels of a call, worked out from what HTTP says; None: it depends on more than that."""
    method, path = place
    if method != "POST" or path.partition("?")[0] not in ("chat/completions", "embeddings", "responses"):
        return None
    if "conversation" in body or "background" in body or not body:
        return None
    nominated = headers.get("connection", "").replace(" ", "").lower().split(",")
    stays = {*nominated, *NOISE, "cf-aig-metadata"}
    travels = {name: value for name, value in headers.items() if name not in stays}
    if not travels.get("authorization"):
        travels.pop("authorization", None)  # an empty credential is none
    return place, tuple(sorted(travels.items())), body


@settings(EXAMPLES, max_examples=25, derandomize=True)
@given(st.lists(CALLS, min_size=2, max_size=6), st.data())
def test_two_callers_never_share_what_a_header_a_credential_a_method_or_a_state_tells_apart(world, calls, data):
    """And those that differ in noise alone do. Each call comes twice, in an order of its own."""

    async def example():
        example_number, known = next(world.numbers), {}
        order = data.draw(st.permutations([*calls, *calls]))
        async with world.house.client() as client:
            for place, headers, body in order:
                method, path = place
                told = b'{"id":%d}' % world.asked
                world.answer = [HEAD % len(told), *([told] if method != "HEAD" else [])]
                path += f"{'&' if '?' in path else '?'}n={example_number}"
                lines = [f"{name}: {value}" for name, value in (headers | {"content-length": str(len(body))}).items()]
                head = [f"{method} /v1/{ACCOUNT}/default/openai/{path} HTTP/1.1", "host: x", *lines, "", body]
                before = world.asked
                answer = await client.ask("\r\n".join(head).encode())
                same = identity(place, headers, body)
                assert (world.asked == before) is (same is not None and same in known)
                assert answer.headers.get(STATUS) == (None if same is None else "HIT" if same in known else "MISS")
                if same is not None:
                    assert answer.body == known.setdefault(same, answer.body)

    world.run(example())


def test_a_wrong_account_is_told_nothing_of_what_is_cached(world):
    async def example():
        world.answer = [HEAD % 2, b"{}"]
        async with world.house.client() as client:
            assert (await client.ask(call(gateway="a", body="{}"))).status == 200
            answer = await client.ask(call(account=OTHER, gateway="a", body="{}"))
            assert answer.status == 400
            assert STATUS not in answer.headers

    world.run(example())
