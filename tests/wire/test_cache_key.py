"""A key heeds what a provider answers by, and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from penstock.wire.cache_key import Heed, call_key, own_key

CREDENTIALS = frozenset({b"authorization", b"x-api-key"})
HEED = Heed(CREDENTIALS)
WORD = st.binary(max_size=20)
HEEDED = st.sampled_from(
    [b"accept", b"openai-organization", b"openai-project", b"anthropic-version", b"anthropic-beta", *CREDENTIALS]
)
UNHEEDED = st.sampled_from(
    [b"user-agent", b"accept-encoding", b"cf-aig-metadata", b"cf-aig-authorization", b"x-request-id", b"x-stainless-os"]
)
CALL = st.fixed_dictionaries(
    {
        "number": st.integers(1, 99),
        "generation": st.integers(0, 9),
        "place": st.lists(WORD, min_size=4, max_size=4),
        "headers": st.lists(st.tuples(HEEDED, WORD), max_size=5),
        "body": WORD,
    }
)


def key(number, generation, place, headers, body, more=(), stays=frozenset()):
    lines = [(name, name.title(), value) for name, value in (*headers, *more)]
    return call_key(number, generation, place, HEED(lines, stays), body)


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
        changed["headers"] = [*call["headers"], (b"accept", b"more")]
    else:
        changed["body"] += b" "
    assert key(**changed) != key(**call)


@given(CALL, st.lists(st.tuples(UNHEEDED, WORD), max_size=5))
def test_nothing_else_matters(call, more):
    assert key(**call, more=more) == key(**call)


@given(CALL, WORD)
def test_a_credential_that_stays_here_does_not_matter(call, secret):
    headers = [(name, value) for name, value in call["headers"] if name != b"authorization"]
    own = {**call, "headers": headers}
    stays = frozenset({b"authorization"})
    assert key(**own, more=[(b"authorization", secret)], stays=stays) == key(**own)


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
