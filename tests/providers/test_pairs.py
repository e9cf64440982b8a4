"""Every client dialect with every provider dialect: what is said in one is understood in the other.

The tables below say what does not simply arrive; ``docs/compatibility.md`` is made from what the same calls find.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.errors import ProviderBroke
from penstock.providers.dialects import DIALECTS
from tests.kit.pairs.outcomes import (
    ARRIVES,
    LEFT_OUT,
    REFUSED,
    WITHOUT_OTHERS,
    WITHOUT_TOOLS,
    Call,
    answered,
    asked,
    failed,
    signed,
)
from tests.kit.pairs.plain import NoPlaceError
from tests.kit.pairs.situations import ASKED, TOLD
from tests.kit.pairs.speakers import CLIENTS, PAIRS, PROVIDERS, SPEAKERS

# What a provider's dialect has no place for is left out, and named in the log row, or else the call is refused.
ASKED_AS = {
    "openai_chat": {},
    "openai_responses": {
        **dict.fromkeys(["top_k", "stop", "seed", "presence", "frequency", "bias"], LEFT_OUT),
        "several": REFUSED,
    },
    "anthropic": {
        **dict.fromkeys(["seed", "presence", "frequency", "bias", "logprobs"], LEFT_OUT),
        "several": REFUSED,
    },
    "gemini": dict.fromkeys(["one_at_a_time", "bias", "user"], LEFT_OUT),
    "cohere": {
        **dict.fromkeys(["one_at_a_time", "bias", "logprobs", "user"], LEFT_OUT),
        **dict.fromkeys(["document", "several"], REFUSED),
        "named": WITHOUT_OTHERS,
    },
    "bedrock_converse": {
        **dict.fromkeys(["one_at_a_time", "seed", "presence", "frequency", "bias", "logprobs", "user"], LEFT_OUT),
        "none": WITHOUT_TOOLS,
        "link": REFUSED,
        "several": REFUSED,
    },
}

# How clients read what their dialect has no word for, and from which providers.
AN_END, AS_TEXT = "as an ordinary end", "as text that was filtered"
TELL_SEQUENCE = ("anthropic", "bedrock_converse", "cohere")
READ_AS = {
    "openai_chat": {
        "sequence": dict.fromkeys(TELL_SEQUENCE, AN_END),
        "pause": {"anthropic": AN_END},
        "refusal": {"anthropic": AS_TEXT},
    },
    "openai_responses": {
        "sequence": dict.fromkeys(TELL_SEQUENCE, AN_END),
        "pause": {"anthropic": AN_END},
        "refusal": {"anthropic": AS_TEXT},
    },
    "anthropic": {
        "filter": dict.fromkeys(["openai_chat", "openai_responses", "gemini", "bedrock_converse"], "as a refusal"),
    },
    "gemini": {
        "sequence": dict.fromkeys(TELL_SEQUENCE, AN_END),
        "pause": {"anthropic": AN_END},
        "refusal": {"anthropic": AS_TEXT, "openai_responses": AS_TEXT, "openai_chat": AS_TEXT},
    },
}
UNCOUNTED = {"bedrock_converse", "cohere"}  # dialects that do not tell how much of the output was thinking
SIGNS = {
    "openai_chat",
    "openai_responses",
    "anthropic",
    "gemini",
    "bedrock_converse",
}  # dialects in which thinking is signed
# Google speaks OpenAI chat too, and signs calls there; Claude's signatures are the same wherever it is asked.
ALSO_TAKEN = {"openai_chat": {"gemini"}, "bedrock_converse": {"anthropic"}}
PAIR = pytest.mark.parametrize(("client", "provider"), PAIRS)
FORM = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@PAIR
def test_what_a_client_asks_for_reaches_the_provider_or_is_named(client, provider):
    for name in ASKED:
        outcome = asked(name, client, provider)
        if outcome is None:
            continue
        expected = ARRIVES if client == provider else ASKED_AS[provider].get(name, ARRIVES)
        assert outcome.word == expected, (name, outcome)
        assert bool(outcome.lost) == (expected == LEFT_OUT), (name, outcome)


@PAIR
@FORM
def test_what_a_provider_answers_is_what_the_client_reads(client, provider, stream):
    for name in TOLD:
        outcome = answered(name, client, provider, stream=stream)
        if outcome is not None:
            expected = READ_AS[client].get(name, {}).get(provider, ARRIVES)
            if name == "usage" and provider in UNCOUNTED:
                expected = "without the reasoning tokens"
            assert outcome.word == expected, (name, outcome)


@PAIR
@FORM
def test_signed_thinking_comes_back_to_the_provider_that_signed_it(client, provider, stream):
    outcome = signed(client, provider, stream=stream)
    assert (outcome is not None) == (provider in SIGNS)
    if outcome is not None:
        assert (outcome.word, outcome.lost) == (ARRIVES, ()), outcome


@PAIR
def test_signed_thinking_goes_to_no_other_provider(client, provider):
    if client == provider:
        return  # what a client says in the provider's own dialect is not touched
    for other in SIGNS - {provider, *ALSO_TAKEN.get(provider, ())}:
        outcome = signed(client, other, to=provider)
        assert outcome is not None
        assert outcome.word == LEFT_OUT, (other, outcome)


@PAIR
def test_the_words_of_an_error_reach_the_client(client, provider):
    assert failed(client, provider).word == ARRIVES


@PAIR
def test_a_stream_that_breaks_tells_why_and_has_no_end(client, provider):
    call = Call(client, provider, stream=True)
    streamed, said = call.streamed(), call.provider.stream(TOLD["answer"][1])
    told = streamed.feed(b"".join(said[: len(said) // 2]))
    with pytest.raises(ProviderBroke, match="It is too long") as caught:
        streamed.feed(call.provider.broken("It is too long."))
    told += caught.value.told
    assert call.client.whole(told) is None
    assert b"It is too long." in told


@given(data=st.data())
@pytest.mark.parametrize("provider", PROVIDERS)
def test_how_a_stream_is_cut_into_frames_changes_nothing(provider, data):
    client, told = data.draw(st.sampled_from(CLIENTS)), data.draw(st.sampled_from([told for _, told in TOLD.values()]))
    call = Call(client, provider, stream=True)
    try:
        said = b"".join(call.provider.stream(told))
    except NoPlaceError:
        return
    cuts = sorted(data.draw(st.sets(st.integers(0, len(said)), max_size=12)))
    frames = [said[start:end] for start, end in zip([0, *cuts], [*cuts, len(said)], strict=True)]
    one, other = call.stream([said]), call.stream(frames)
    assert call.client.told_by(call.client.whole(other)) == call.client.told_by(call.client.whole(one))
    assert one.count(b"\n\n") == other.count(b"\n\n")


@given(data=st.data())
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_stream_that_is_cut_short_has_no_end_for_its_client(provider, data):
    """But for one that had said all there was to say, and only its usage or its last mark is missing."""
    client, told = data.draw(st.sampled_from(CLIENTS)), data.draw(st.sampled_from([told for _, told in TOLD.values()]))
    call = Call(client, provider, stream=True)
    try:
        said = b"".join(call.provider.stream(told))
    except NoPlaceError:
        return
    reference = read(call, call.stream([said]))
    streamed, got = call.streamed(), b""
    try:
        got = streamed.feed(said[: data.draw(st.integers(0, len(said) - 1))])
        got += streamed.end()
    except ProviderBroke as broke:
        assert call.client.whole(got + broke.told) is None
    else:
        assert read(call, got) == reference


def read(call, stream):
    """What a client reads, but for the usage."""
    told = call.client.told_by(call.client.whole(stream))
    return {name: value for name, value in told.items() if name != "usage"}


def test_each_dialect_of_the_unified_api_is_in_the_tables():
    assert {name for name, dialect in DIALECTS.items() if dialect.client or dialect.provider} == {*SPEAKERS}
