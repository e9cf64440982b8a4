"""Nothing that a peer sends keeps the process from serving others, whatever it weighs and however it is cut."""

import asyncio
from contextlib import suppress

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.control.logs.streams import TooMany, as_json
from penstock.core.codec import encode
from penstock.wire.event_stream import Messages
from penstock.wire.sse import Events
from tests.kit.client import until
from tests.kit.hostile import (
    ANSWERS,
    CHAT,
    ENCODE,
    ERRORS,
    JSON,
    MESSAGES,
    REQUESTS,
    RESPONSES,
    SSE,
    STEPS,
    STORED,
    Answer,
    call,
)
from tests.kit.house import house
from tests.kit.standstill import LIMIT, exchange, hostile, standstill

pytestmark = pytest.mark.asyncio(loop_scope="module")


class World:
    """A gateway before a provider that means harm."""

    def __init__(self, there, answers):
        self.there = there
        self.answers = answers

    async def ask(self, request):
        answer = await asyncio.to_thread(exchange, self.there.server.port, request)
        await until(lambda: not self.there.server.app.plane.calls)
        return answer

    async def stands_still(self, answer):
        """For how long, when the provider answers so. Checks that its bytes go on unchanged."""
        self.answers[0] = answer.wire()
        request = call(answer.path, b'{"model":"m","stream":true}', headers="x-hostile: 0\r\n")

        async def run():
            head, _, body = (await self.ask(request)).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            if b"content-length" in head:
                assert body == answer.body

        return await standstill(run)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world():
    answers = {}
    with hostile(answers) as url:
        async with house(providers={"openai": url, "anthropic": url, "aws-bedrock": url}) as there:
            yield World(there, answers)
            await there.quiet()


@pytest.mark.parametrize("name", ANSWERS)
async def test_no_answer_stops_the_process(world, name):
    assert await world.stands_still(ANSWERS[name]()) <= LIMIT


@pytest.mark.parametrize("name", REQUESTS)
async def test_no_request_stops_the_process(world, name):
    world.answers[0] = Answer(CHAT, JSON, "", b"{}").wire()
    request = REQUESTS[name]().replace(b"\r\n\r\n", b"\r\nx-hostile: 0\r\n\r\n", 1)
    assert await standstill(lambda: world.ask(request)) <= LIMIT


@pytest.mark.parametrize("name", STEPS)
async def test_no_list_of_steps_stops_the_process(world, name):
    world.answers[0] = Answer(CHAT, JSON, "", b"{}").wire()
    world.answers.update({number: error() for number, error in ERRORS.items() if number not in world.answers})
    request = STEPS[name]()
    assert await standstill(lambda: world.ask(request)) <= LIMIT


@pytest.mark.parametrize("name", STORED)
async def test_no_stored_stream_does_when_it_is_shown(name):
    body = STORED[name]()

    def shown():
        with suppress(TooMany):
            encode(as_json(body, Messages if body[:1] == b"\0" else Events))

    assert await standstill(lambda: asyncio.to_thread(shown)) <= LIMIT


PIECES = st.lists(
    st.sampled_from(
        [
            *(b"\n", b"\r", b"\r\n", b"\n\n", b"data:", b"data: ", b"event: error\n", b": \n", b"id:", b"[DONE]"),
            *(b"{", b"}", b"[", b"]", b"{}", b"[],", b"1,", b'"', b'\\"', b'"a":1,', b"\0", b" "),
            *(b'"usage":', b'"model":', b'"error":', b'"choices":[]', b'"type":"message_delta"', b'"response":{'),
        ]
    ),
    min_size=1,
    max_size=6,
).map(b"".join)


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    st.tuples(PIECES, PIECES, PIECES),
    st.integers(10_000, 3_000_000),
    st.sampled_from(sorted(ENCODE)),
    st.sampled_from([CHAT, MESSAGES, RESPONSES, "openai/embeddings"]),
    st.sampled_from([SSE, JSON]),
    st.sampled_from([0, 0, 1, 7, 1000]),
)
async def test_nor_does_one_that_nobody_thought_of(world, pieces, size, coding, path, kind, chunk):
    first, again, last = pieces
    plain = first + again * (size // len(again)) + last
    if not coding:
        plain = plain[:1_000_000]
    body = ENCODE[coding](plain)
    answer = Answer(path, kind, coding, body, chunk if len(body) < 200_000 else 0)
    assert await world.stands_still(answer) <= LIMIT
