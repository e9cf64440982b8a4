"""What all dialects promise, whatever bytes come: nothing raises, and what is kept can be read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core import codec
from penstock.model.usage import Reported
from penstock.providers.dialects import DIALECTS, Dialect
from tests.kit.accounts import used
from tests.kit.dialects import read

NAMES = st.sampled_from(
    [
        *("model", "usage", "stream", "stream_options", "include_usage", "error", "message", "type", "response"),
        *("choices", "service_tier", "input_tokens", "prompt_tokens", "output_tokens", "cache_creation", "speed", "x"),
        *("candidates", "index", "finishReason", "groundingMetadata", "webSearchQueries", "promptFeedback"),
        *("modelVersion", "usageMetadata", "promptTokenCount", "promptTokensDetails", "serviceTier"),
        *("metadata", "messageStop", "messageStart", "inputTokens", "cacheDetails", "serviceTier", "trace"),
        *("delta", "event_type", "finish_reason", "meta", "billed_units", "images", "result", "success"),
    ]
)
LEAVES = st.sampled_from(
    [
        *(b"null", b"true", b"false", b"0", b"7", b"-1", b"1.5", b"1e999", b"9" * 30, b'"text"', b'"message_start"'),
        *(b'"\xff"', b'"\xc3\xa9"', b'"\\ud800"', b'"\\x"', b"[" * 5000 + b"]" * 5000, b"{", b""),
    ]
)


def an_object(members: list[tuple[str, bytes]]) -> bytes:
    return b"{" + b",".join(b'"%b":%b' % (name.encode(), value) for name, value in members) + b"}"


BODIES = st.recursive(LEAVES, lambda inner: st.lists(st.tuples(NAMES, inner), max_size=4).map(an_object))


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS.keys())
@given(body=BODIES)
def test_strange_bodies_raise_nothing(dialect: Dialect, body: bytes) -> None:
    dialect.asked(body)
    if dialect.usage_frame is not None:
        dialect.usage_frame.ask(body)
    dialect.message([body])
    listed = b"[" + body + b"\n,\r\n" + body
    for reported in (dialect.reported(body), dialect.reported(listed), *events(dialect, body)):
        usage, kinds, _ = used(dialect, reported)
        assert all(amount > 0 for amount in kinds.values())
        if usage is not None and usage.raw:
            codec.decode(usage.raw)


def events(dialect: Dialect, body: bytes):
    reader = dialect.reader()
    for event in (b"data: " + body + b"\n\n", b'data: {"type":"message_delta","usage":' + body + b"}\n\n", body):
        reader.event(event)
        yield reader.reported()


WITH_USAGE = {name: dialect for name, dialect in DIALECTS.items() if name not in ("openai_speech", "vertex_predict")}


@pytest.mark.parametrize("dialect", WITH_USAGE.values(), ids=WITH_USAGE.keys())
def test_a_usage_object_that_could_not_be_read_again_counts_and_is_not_kept(dialect: Dialect) -> None:
    names = (
        (b"prompt_tokens", b"input_tokens", b"inputTokens", b"promptTokenCount"),
        (b"completion_tokens", b"output_tokens", b"outputTokens", b"candidatesTokenCount"),
    )
    counts = [b'"%b":%d' % (name, count) for count, side in zip((3, 4), names, strict=True) for name in side]
    usage = b",".join([*counts, b'"note":"\xff"'])
    reported = dialect.reported(b'{"model":"m","usage":{%b},"usageMetadata":{%b}}' % (usage, usage))
    usage, kinds, _ = used(dialect, reported)
    assert usage is not None
    assert (kinds, usage.raw) == ({"input": 3, "output": 4}, b"")


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS.keys())
def test_a_model_name_without_end_is_cut(dialect: Dialect) -> None:
    model = b"m" * 100_000
    body = b'{"model":"%b","modelVersion":"%b"}' % (model, model)
    assert dialect.asked(body).model in ("m" * 256, "")
    assert dialect.reported(body).model in ("m" * 256, "")  # some do not tell it


def test_a_stream_in_a_dialect_without_streams_is_never_whole() -> None:
    event = b'data: {"model":"e","usage":{"prompt_tokens":8}}\n\n'
    assert read(DIALECTS["openai_embeddings"], event, b"data: [DONE]\n\n") == Reported(complete=False)
