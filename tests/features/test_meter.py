"""Usage, cost and the kept answer, whatever the bytes' way."""

import base64
import gzip
import json
import zlib
from collections.abc import Callable
from itertools import pairwise
from random import Random

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.budget import Budget
from penstock.core.headers import Headers
from penstock.core.telemetry import Counter
from penstock.core.turns import Step as Work
from penstock.core.turns import Turns
from penstock.features.meter import Meter
from penstock.mock.providers import eventstream
from penstock.model.body import Bounds, RequestBody
from penstock.model.exchange import Exchange
from penstock.model.options import CallOptions, CustomCost
from penstock.model.reply import Body, Reply
from penstock.model.request import Request
from penstock.model.step import Step
from penstock.model.usage import Asked, Used
from penstock.providers import catalog
from penstock.providers.dialects import DIALECTS
from penstock.providers.prices import PriceBook
from penstock.providers.reading.base import READ_LIMIT
from tests.kit.examples import upstream

ROWS = catalog.load()
BOOK = PriceBook(ROWS)


class AtOnce(Turns):
    """Nothing else goes on."""

    def add(self, step: Work) -> None:
        while step():
            pass


class _Meter(Meter):
    def __init__(self, keep: int, room: int) -> None:
        self.budget, self.counted = Budget(room), Counter()
        super().__init__(BOOK, keep, self.budget, AtOnce(), self.counted)


def a_meter(keep: int = 1 << 20, room: int = 1 << 30) -> _Meter:
    return _Meter(keep, room)


METER = a_meter()
KEPT = CallOptions(log=True, payloads=True)


class Still:
    """A flow that never stops."""

    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def proceed(self) -> None: ...


def br(data: bytes) -> bytes:
    return brotli.compress(data)


CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": br,
    "zstd": zstandard.compress,
    "gzip, br": lambda data: br(gzip.compress(data)),
}

CHAT = json.dumps(
    {
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"message": {"content": "Hello"}}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 400}},
    }
).encode()
CHAT_COST = 600 * 150 + 400 * 75 + 100 * 600


def chunk(**members: object) -> bytes:
    told = {"model": "gpt-4o-mini-2024-07-18", "choices": [{"delta": {"content": "Hi"}}], "usage": None, **members}
    return f"data: {json.dumps(told)}\n\n".encode()


CHAT_STREAM = chunk() * 3 + chunk(choices=[], usage={"prompt_tokens": 10, "completion_tokens": 3}) + b"data: [DONE]\n\n"
ANTHROPIC_STREAM = (
    b'event: message_start\r\ndata: {"type":"message_start","message":{"model":"claude-sonnet-4-5-20250929","usage":'
    b'{"input_tokens":10,"cache_read_input_tokens":100,"cache_creation_input_tokens":20,"cache_creation":'
    b'{"ephemeral_5m_input_tokens":15,"ephemeral_1h_input_tokens":5},"output_tokens":1}}}\r\n\r\n'
    b'event: content_block_delta\r\ndata: {"type":"content_block_delta","delta":{"text":"Hi"}}\r\n\r\n'
    b'event: message_delta\r\ndata: {"type":"message_delta","usage":{"output_tokens":30}}\r\n\r\n'
    b'event: message_stop\r\ndata: {"type":"message_stop"}\r\n\r\n'
)
ANTHROPIC_COST = 10 * 3000 + 100 * 300 + 15 * 3750 + 5 * 6000 + 30 * 15000
RESPONSES_STREAM = (
    b'event: response.created\ndata: {"type":"response.created","response":{"model":"gpt-4o-mini","usage":null}}\n\n'
    b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"Hi"}\n\n'
    b'event: response.completed\ndata: {"type":"response.completed","response":{"model":"gpt-4o-mini","error":null,'
    b'"usage":{"input_tokens":7,"input_tokens_details":{"cached_tokens":2},"output_tokens":5}}}\n\n'
)
CONVERSE_STREAM = b"".join(
    eventstream.event(kind, payload)
    for kind, payload in (
        ("messageStart", b'{"role":"assistant"}'),
        ("contentBlockDelta", b'{"contentBlockIndex":0,"delta":{"text":"Hi"}}'),
        ("messageStop", b'{"stopReason":"end_turn"}'),
        ("metadata", b'{"usage":{"inputTokens":10,"outputTokens":3,"totalTokens":113,"cacheReadInputTokens":100}}'),
    )
)
INVOKE_STREAM = b"".join(
    eventstream.event("chunk", b'{"bytes":"%b","p":"ab"}' % base64.b64encode(one))
    for one in (
        b'{"type":"message_start","message":{"usage":{"input_tokens":10,"cache_read_input_tokens":100,"output_tokens":1}}}',
        b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}',
        b'{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}',
        b'{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":10,"outputTokenCount":3}}',
    )
)
INVOKE = "bedrock-runtime/us-east-1/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0/invoke"
CONVERSE = "bedrock-runtime/eu-west-1/model/amazon.nova-lite-v1%3A0/converse-stream"
COHERE_STREAM = (
    b'event: message-start\ndata: {"type":"message-start","delta":{"message":{"role":"assistant"}}}\n\n'
    b'event: message-end\ndata: {"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"billed_units":'
    b'{"input_tokens":10,"output_tokens":3}}}}\n\ndata: [DONE]\n\n'
)
COHERE_LINES = (
    b'{"is_finished":false,"event_type":"text-generation","text":"Hi"}\n'
    b'{"is_finished":true,"event_type":"stream-end","finish_reason":"COMPLETE","response":{"meta":{"billed_units":'
    b'{"input_tokens":10,"output_tokens":3}}}}\n'
)
WORKERS_STREAM = (
    b'data: {"response":"Hi","p":"abc"}\n\n'
    b'data: {"response":"","usage":{"prompt_tokens":10,"completion_tokens":3,"total_tokens":13}}\n\ndata: [DONE]\n\n'
)


def gemini(text: str, **more: object) -> bytes:
    candidate = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0, **more}
    usage = {"promptTokenCount": 10, "candidatesTokenCount": len(text), "totalTokenCount": 10 + len(text)}
    return json.dumps({"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-2.5-pro"}).encode()


GEMINI = gemini("H"), gemini('"finishReason": "STOP"\n,\r\n{'), gemini("Hello there", finishReason="STOP")
GEMINI_STREAM = b"".join(b"data: %b\r\n\r\n" % one for one in GEMINI)
GEMINI_LIST = b"[%b\n]" % b"\n,\r\n".join(GEMINI)
GEMINI_COST = 10 * 1250 + 11 * 10_000
GEMINI_PATH = "v1beta/models/gemini-2.5-pro:streamGenerateContent"


def metered(
    data: bytes,
    path: str,
    *,
    provider: str = "openai",
    kind: bytes = b"application/json",
    coding: str = "",
    status: int = 200,
    at: list[int] | None = None,
    meter: _Meter = METER,
    asked: Asked | None = None,
    finish: bool = True,
    options: CallOptions = KEPT,
    more: Headers = [],  # noqa: B006  they are only read
) -> Step:
    """One answer in frames cut at the places given, through the meter, to the end of the call."""
    flow = Still()
    ex = Exchange(
        Request(b"POST", b"/", [], RequestBody(flow, Bounds(hold=0, keep=0, limit=0, budget=Budget(0)), 0)), 0.0
    )
    ex.request.asked = asked or Asked()
    step = ex.step
    step.options = options
    step.target, step.answered = upstream(ROWS[provider]).target(path.encode()), True
    headers = [(b"content-type", b"Content-Type", kind), (b"content-encoding", b"Content-Encoding", coding.encode())]
    reply = Reply(status, b"OK", [*headers[: 2 if coding else 1], *more], Body())
    assert meter.count(step, reply) is reply
    (stage,) = reply.stages
    edges = [0, *sorted(min(i, len(data)) for i in at or []), len(data)]
    for begin, end in pairwise(edges):
        assert stage.feed(data[begin:end]) == data[begin:end]
    if finish:
        assert stage.end() == b""
    assert ex.close() == []
    assert meter.budget.used == 0, "whatever became of the answer"
    return step


SSE = b"text/event-stream; charset=utf-8"


def test_a_json_answer() -> None:
    step = metered(CHAT, "chat/completions")
    assert step.reported is not None
    assert step.reported.usage is not None
    assert step.reported.model == "gpt-4o-mini-2024-07-18"
    assert json.loads(step.reported.usage.raw) == json.loads(CHAT)["usage"]
    assert (step.cost, step.answer, step.answer_size) == (CHAT_COST, CHAT, len(CHAT))
    assert step.warnings == []


@pytest.mark.parametrize(
    ("provider", "path", "kind", "stream", "cost"),
    [
        ("openai", "v1/chat/completions", SSE, CHAT_STREAM, 10 * 150 + 3 * 600),
        ("openai", "responses", SSE, RESPONSES_STREAM, 5 * 150 + 2 * 75 + 5 * 600),
        ("anthropic", "v1/messages", SSE, ANTHROPIC_STREAM, ANTHROPIC_COST),
        ("google-ai-studio", GEMINI_PATH, SSE, GEMINI_STREAM, GEMINI_COST),
        ("aws-bedrock", CONVERSE, eventstream.KIND, CONVERSE_STREAM, 10 * 60 + 100 * 15 + 3 * 240),
        (
            *("aws-bedrock", f"{INVOKE}-with-response-stream", eventstream.KIND, INVOKE_STREAM),
            10 * 1100 + 100 * 110 + 3 * 5500,
        ),
        ("workers-ai", "run/@cf/zai-org/glm-5.2", SSE, WORKERS_STREAM, 10 * 1400 + 3 * 4400),
        ("cohere", "v2/chat", SSE, COHERE_STREAM, 10 * 2500 + 3 * 10_000),
        ("cohere", "v1/chat", b"application/stream+json", COHERE_LINES, 10 * 2500 + 3 * 10_000),
    ],
)
@given(st.sampled_from(sorted(CODINGS)), st.lists(st.integers(0, 1500), max_size=30))
def test_usage_does_not_depend_on_cuts_or_codings(
    provider: str, path: str, kind: bytes, stream: bytes, cost: int, coding: str, at: list[int]
) -> None:
    sent = CODINGS[coding](stream)
    asked = Asked("command-a-03-2025") if provider == "cohere" else None  # whose answers name no model
    step = metered(sent, path, provider=provider, kind=kind, coding=coding, at=at, asked=asked)
    assert step.reported is not None
    assert step.reported.usage is not None
    assert (step.cost, step.answer, step.answer_size, step.warnings) == (cost, stream, len(sent), [])
    assert (step.reported.complete, step.reported.error) == (True, False)


@given(st.sampled_from(sorted(CODINGS)), st.lists(st.integers(0, 300), max_size=10))
def test_nor_does_that_of_a_json_answer(coding: str, at: list[int]) -> None:
    step = metered(CODINGS[coding](CHAT), "chat/completions", coding=coding, at=at)
    assert (step.cost, step.answer, step.warnings) == (CHAT_COST, CHAT, [])


@given(st.sampled_from(sorted(CODINGS)), st.lists(st.integers(0, 1000), max_size=10))
def test_nor_does_that_of_a_listed_stream(coding: str, at: list[int]) -> None:
    step = metered(CODINGS[coding](GEMINI_LIST), GEMINI_PATH, provider="google-ai-studio", coding=coding, at=at)
    assert (step.cost, step.answer, step.warnings) == (GEMINI_COST, GEMINI_LIST, [])


@pytest.mark.parametrize("kind", [SSE, b"application/json"])
@given(st.integers(1, len(GEMINI_STREAM) - 1))
def test_a_cut_stream_of_gemini_tells_what_it_had_said(kind: bytes, size: int) -> None:
    data = (GEMINI_STREAM if kind is SSE else GEMINI_LIST)[:size]
    said = [one for one in GEMINI if one in data]
    step = metered(data, GEMINI_PATH, provider="google-ai-studio", kind=kind, finish=False)
    assert step.reported is not None
    assert step.reported.complete is (len(said) == len(GEMINI))
    usage = step.reported.usage
    assert (usage.tokens_out if usage else None) == (
        json.loads(said[-1])["usageMetadata"]["candidatesTokenCount"] if said else None
    )


def test_headers_of_bedrock_count_what_the_answer_does_not() -> None:
    names = b"x-amzn-bedrock-input-token-count", b"x-amzn-bedrock-output-token-count"
    more = [(name, name, b"10") for name in names]
    path = "bedrock-runtime/us-east-1/model/mistral.mistral-large-2402-v1%3A0/invoke"
    step = metered(b'{"outputs":[{"text":"Hi"}]}', path, provider="aws-bedrock", more=more)
    assert (step.cost, step.warnings) == (10 * 4000 + 10 * 12_000, [])


def test_a_corrupt_event_stream_loses_its_usage_and_passes() -> None:
    sent = CONVERSE_STREAM[:-1] + b"?"
    step = metered(sent, CONVERSE, provider="aws-bedrock", kind=eventstream.KIND, at=[50])
    assert step.reported is not None
    assert (step.answer, step.reported.complete, step.reported.usage) == (sent, False, None)
    assert [warning[:24] for warning in step.warnings] == ["usage not read: a messag"]


def test_the_last_event_may_lack_its_blank_line() -> None:
    last = chunk(usage={"prompt_tokens": 10, "completion_tokens": 3})
    assert metered((chunk() + last).rstrip(), "chat/completions", kind=SSE).cost == 10 * 150 + 3 * 600


def test_a_stream_whose_client_left_or_that_broke() -> None:
    step = metered(CHAT_STREAM[:300], "chat/completions", kind=SSE, finish=False)
    assert step.reported is not None
    assert (step.reported.model, step.reported.usage, step.cost) == ("gpt-4o-mini-2024-07-18", None, None)
    assert step.answer == CHAT_STREAM[:300]
    step = metered(ANTHROPIC_STREAM[:400], "v1/messages", provider="anthropic", kind=SSE, finish=False)
    assert step.reported is not None
    assert step.reported.usage is not None
    assert step.reported.usage.tokens_out == 400 // DIALECTS["anthropic"].token_size > 1
    assert [warning[:19] for warning in step.warnings] == ["usage told in part:"]
    assert Used("cache_read", 100) in step.reported.usage.used
    step = metered(
        ANTHROPIC_STREAM.rpartition(b"event:")[0], "v1/messages", provider="anthropic", kind=SSE, finish=False
    )
    assert step.reported is not None
    assert (step.reported.complete, step.warnings) == (False, [])  # its usage was told before it broke off


def test_a_json_answer_that_broke() -> None:
    step = metered(CHAT[:-20], "chat/completions", finish=False)
    assert (step.cost, step.answer, step.answer_size) == (None, CHAT[:-20], len(CHAT) - 20)


def test_an_error_in_a_200() -> None:
    step = metered(b'{"error":{"message":"no"}}', "chat/completions")
    assert step.reported is not None
    assert (step.reported.error, step.cost) == (True, None)


def test_an_error_answer_is_kept_and_not_read() -> None:
    step = metered(b'{"error":{"message":"no"}}', "chat/completions", status=429)
    assert (step.reported, step.cost, step.answer) == (None, None, b'{"error":{"message":"no"}}')


def test_an_opaque_answer_is_only_counted_and_kept() -> None:
    step = metered(b"\x00\x01", "files/f/content", kind=b"audio/mpeg")
    assert (step.reported, step.cost, step.answer, step.answer_size) == (None, None, b"\x00\x01", 2)
    step = metered(gzip.compress(b"list"), "models", coding="gzip")
    assert step.answer == b"list"


def test_what_may_not_be_kept_is_not() -> None:
    step = metered(CHAT, "chat/completions", meter=a_meter(0))
    assert (step.answer, step.cost, step.answer_size) == (None, CHAT_COST, len(CHAT))
    for kind, data in ((SSE, CHAT_STREAM), (b"application/json", CHAT)):
        step = metered(data, "chat/completions", kind=kind, meter=a_meter(len(data) - 1), at=[5, 50])
        assert step.answer is None
        assert step.cost is not None
        assert metered(data, "chat/completions", kind=kind, meter=a_meter(len(data))).answer == data
    assert metered(bytes(11), "files", meter=a_meter(10)).answer is None
    assert metered(gzip.compress(bytes(99)), "files", coding="gzip", meter=a_meter(98)).answer is None


@given(st.lists(st.integers(0, 1500), max_size=10), st.integers(0, len(CHAT_STREAM) - 1), st.booleans())
def test_a_stream_that_there_is_no_room_for_is_read_and_not_kept(at: list[int], room: int, finish: bool) -> None:
    meter = a_meter(room=room)
    step = metered(CHAT_STREAM, "chat/completions", kind=SSE, at=at, meter=meter, finish=finish)
    assert (step.answer, step.cost, step.answer_size) == (None, 10 * 150 + 3 * 600, len(CHAT_STREAM))
    (warning,) = step.warnings
    assert "answer_memory" in warning


@given(st.lists(st.integers(0, 300), max_size=10), st.integers(0, 3 * len(CHAT) - 1), st.booleans())
def test_another_answer_that_there_is_no_room_for_is_neither(at: list[int], room: int, finish: bool) -> None:
    for path, words in (("chat/completions", "usage and answer not read"), ("files", "answer not kept")):
        step = metered(CHAT, path, at=at, meter=a_meter(room=room), finish=finish)
        assert (step.answer, step.cost, step.answer_size) == (None, None, len(CHAT))
        (warning,) = step.warnings
        assert warning.startswith(words)
        assert "answer_memory" in warning


def test_an_answer_that_there_is_just_room_for_is_kept() -> None:
    for kind, data in ((SSE, CHAT_STREAM), (b"application/json", CHAT)):
        step = metered(data, "chat/completions", kind=kind, at=[5, 50], meter=a_meter(room=3 * len(data)))
        assert (step.answer, step.warnings) == (data, [])


def test_what_is_not_to_be_kept_of_a_stream_takes_no_room() -> None:
    step = metered(CHAT_STREAM, "chat/completions", kind=SSE, meter=a_meter(0, room=0))
    assert (step.cost, step.warnings) == (10 * 150 + 3 * 600, [])


FILL = b"A" * READ_LIMIT
LARGE = b'{"model":"gpt-4o-mini-2024-07-18","choices":[{"message":{"content":"%b"}}],"usage":%b}'
LARGE_USAGE = b'{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100}'
RANDOM = base64.b64encode(Random(1).randbytes(READ_LIMIT))


@pytest.mark.parametrize(
    ("coding", "fill", "room"),
    [("", FILL, 1 << 30), ("", FILL, 1 << 20), ("gzip", RANDOM, 1 << 30)],
    ids=["too large", "no room", "coded"],
)
def test_an_answer_too_large_to_be_held_still_tells_its_usage(coding: str, fill: bytes, room: int) -> None:
    huge = LARGE % (fill, LARGE_USAGE)
    data = gzip.compress(huge, 1) if coding else huge
    at = [*range(0, len(data), 1 << 16)]
    step = metered(data, "chat/completions", coding=coding, at=at, meter=a_meter(room=room))
    assert (step.cost, step.answer) == (1000 * 150 + 100 * 600, None)
    assert not any("usage" in warning for warning in step.warnings)


def test_an_answer_too_large_to_be_read_says_so() -> None:
    huge = b'{"choices":["%b"],"usage":%b,"more":"%b"}' % (FILL[:100_000], LARGE_USAGE, FILL)
    step = metered(huge, "chat/completions", at=[100])
    assert step.reported is not None
    assert (step.reported.usage, step.cost, step.answer, step.answer_size) == (None, None, None, len(huge))
    assert "usage not read" in step.warnings[0]
    step = metered(b"data: " + huge + b"\n\n", "chat/completions", kind=SSE, at=[100, len(huge)])
    assert step.cost is None
    assert "usage not read" in step.warnings[0]
    step = metered(gzip.compress(huge), "chat/completions", coding="gzip")
    assert (step.cost, step.answer) == (None, None)
    assert "usage" in step.warnings[0]


@pytest.mark.parametrize("kind", [SSE, b"application/json"])
@pytest.mark.parametrize(
    ("coding", "data"),
    [("compress", CHAT), ("gzip", b"\xff" * 99), ("gzip", CHAT_STREAM)],
    ids=["unknown", "corrupt", "plain"],
)
def test_a_coding_that_cannot_be_read_says_so(kind: bytes, coding: str, data: bytes) -> None:
    step = metered(data, "chat/completions", kind=kind, coding=coding)
    assert (step.cost, step.answer, step.answer_size) == (None, None, len(data))
    assert "content coding" in step.warnings[0]


def test_the_model_asked_for_prices_an_answer_that_names_none() -> None:
    body = b'{"usage":{"prompt_tokens":10,"completion_tokens":0}}'
    assert metered(body, "chat/completions", asked=Asked("gpt-4o-mini")).cost == 1500
    assert metered(body, "chat/completions", asked=Asked("unheard-of")).cost is None


def test_a_service_tier_has_its_price() -> None:
    body = json.loads(CHAT) | {"model": "gpt-5.4"}
    standard = metered(json.dumps(body).encode(), "chat/completions").cost
    flex = metered(json.dumps(body | {"service_tier": "flex"}).encode(), "chat/completions").cost
    assert standard is not None
    assert flex is not None
    assert flex < standard


def test_embeddings() -> None:
    body = b'{"object":"list","data":[],"model":"text-embedding-3-small","usage":{"prompt_tokens":8,"total_tokens":8}}'
    assert metered(body, "embeddings").cost == 160


# What a call asks for itself


@pytest.mark.parametrize(("kind", "data"), [(SSE, CHAT_STREAM), (b"application/json", CHAT), (b"audio/mpeg", b"\0\1")])
def test_nothing_is_held_of_an_answer_whose_call_wants_no_bodies_in_the_log(kind: bytes, data: bytes) -> None:
    path = "files/f/content" if kind == b"audio/mpeg" else "chat/completions"
    options, meter = CallOptions(log=True, payloads=False), a_meter(room=0 if kind != b"application/json" else 1 << 20)
    step = metered(data, path, kind=kind, options=options, meter=meter)
    assert (step.answer, step.answer_size, step.warnings) == (None, len(data), [])
    assert (step.cost is None) == (path == "files/f/content")


@pytest.mark.parametrize(
    ("custom", "cost"),
    [
        (CustomCost(10**9, 10**9), 1000 * 1000 + 100 * 1000),  # cached input is input
        (CustomCost(10**9, 10**9, cache_read=10**8), 600 * 1000 + 400 * 100 + 100 * 1000),
        (CustomCost(10**9, 10**9, cache_write=10**10), 600 * 1000 + 400 * 1000 + 100 * 1000),
        (CustomCost(total=7 * 10**6), 7),
    ],
)
def test_the_callers_prices_where_cached_tokens_are_part_of_the_input(custom: CustomCost, cost: int) -> None:
    step = metered(CHAT, "chat/completions", options=CallOptions(log=True, payloads=True, cost=custom))
    assert (step.cost, step.warnings) == (cost, [])


@pytest.mark.parametrize(
    ("custom", "cost"),
    [
        (CustomCost(10**9, 10**9), 10 * 1000 + 30 * 1000),  # the provider's input holds no cached tokens
        (CustomCost(10**9, 10**9, cache_read=10**8), 10 * 1000 + 100 * 100 + 20 * 1000 + 30 * 1000),
        (CustomCost(10**9, 10**9, cache_write=2 * 10**9), 10 * 1000 + 100 * 1000 + 20 * 2000 + 30 * 1000),
        (CustomCost(10**9, 10**9, 0, 0), 10 * 1000 + 30 * 1000),
    ],
)
def test_and_where_they_are_reported_beside_it(custom: CustomCost, cost: int) -> None:
    options = CallOptions(log=True, payloads=True, cost=custom)
    step = metered(ANTHROPIC_STREAM, "v1/messages", provider="anthropic", kind=SSE, options=options)
    assert (step.cost, step.warnings) == (cost, [])


def test_a_rate_that_is_missing_is_no_cost_and_a_warning() -> None:
    options = CallOptions(log=True, payloads=True, cost=CustomCost(token_in=1))
    step = metered(CHAT, "chat/completions", options=options)
    assert step.cost is None
    assert "cf-aig-custom-cost" in step.warnings[0]
