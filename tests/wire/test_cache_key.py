"""A key is made of all that travels, except what no provider answers by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.wire.cache_key import call_key, own_key, without_noise

WORD = st.binary(max_size=20)
TELLING = st.sampled_from(
    [
        *(
            b"accept",
            b"accept-language",
            b"authorization",
            b"content-type",
            b"http-referer",
            b"idempotency-key",
            b"origin",
            b"x-api-key",
        ),
        *(b"anthropic-beta", b"anthropic-version", b"openai-beta", b"openai-organization", b"openai-project"),
        *(b"ocp-apim-subscription-key", b"x-amz-security-token", b"x-goog-user-project", b"x-session-id", b"x-made-up"),
    ]
)
NOISE = [
    *(b"user-agent", b"accept-encoding", b"cache-control", b"via", b"sec-fetch-mode"),
    *(b"traceparent", b"tracestate", b"baggage", b"b3", b"x-b3-traceid", b"x-datadog-trace-id", b"sentry-trace"),
    *(b"x-request-id", b"x-stainless-os", b"x-goog-api-client", b"amz-sdk-invocation-id", b"x-fern-language"),
]
CALL = st.fixed_dictionaries(
    {
        "number": st.integers(1, 99),
        "generation": st.integers(0, 9),
        "place": st.lists(WORD, min_size=4, max_size=4),
        "headers": st.lists(st.tuples(TELLING, WORD), max_size=5),
        "body": WORD,
    }
)


def key(number, generation, place, headers, body, more=()):
    lines = [(name, name.title(), value) for name, value in (*headers, *more)]
    digest = call_key(number, generation, place, without_noise(lines))
    digest.update(body)
    return digest.digest()


def grouped(headers):
    """Different headers in one order, those of one name in theirs."""
    return sorted(headers, key=lambda header: header[0])


@given(CALL, CALL)
def test_two_calls_have_one_key_only_if_all_that_matters_is_the_same(one, two):
    same = {**one, "headers": grouped(one["headers"])} == {**two, "headers": grouped(two["headers"])}
    assert (key(**one) == key(**two)) is same


@given(CALL, st.sampled_from(["number", "generation", "place", "headers", "body"]), st.data())
def test_a_change_of_anything_that_matters_is_another_key(call, which, data):
    changed = dict(call)
    if which == "number":
        changed["number"] += 1
    elif which == "generation":
        changed["generation"] += 1
    elif which == "place":
        at = data.draw(st.integers(0, 3))
        changed["place"] = [word + b"x" if at == n else word for n, word in enumerate(call["place"])]
    elif which == "headers":
        changed["headers"] = [*call["headers"], (data.draw(TELLING), b"more")]
    else:
        changed["body"] += b" "
    assert key(**changed) != key(**call)


@pytest.mark.parametrize("name", NOISE, ids=bytes.decode)
@given(call=CALL, value=WORD)
def test_noise_does_not_matter(name, call, value):
    assert key(**call, more=[(name, value)]) == key(**call)


def test_names_beyond_those_that_are_remembered_are_judged_alike():
    call = {"number": 1, "generation": 0, "place": [b""] * 4, "headers": [], "body": b""}
    keys = {key(**call, more=[(b"x-%d" % n, b"")]) for n in range(3000)}
    assert len(keys) == 3000
    assert key(**call, more=[(b"x-stainless-new", b"")]) == key(**call)


@given(CALL)
def test_what_is_moved_from_one_part_to_the_next_is_another_call(call):
    method, host, path, query = call["place"]
    moved = [method, host, path + query[:1], query[1:]]
    assert (key(**{**call, "place": moved}) == key(**call)) is (not query)


@given(st.integers(1, 9), st.integers(0, 9), WORD, st.integers(1, 9), st.integers(0, 9), WORD)
def test_a_clients_own_key_is_for_its_gateway_and_generation_alone(number, generation, value, other, later, another):
    same = (number, generation, value) == (other, later, another)
    assert (own_key(number, generation, value) == own_key(other, later, another)) is same


@given(CALL, WORD)
def test_no_call_has_the_key_that_a_client_chose(call, value):
    assert key(**call) != own_key(call["number"], call["generation"], value)
