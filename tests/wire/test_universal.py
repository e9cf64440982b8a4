import asyncio
import json
import tracemalloc

import pytest

from penstock.core.errors import BodyTooLarge, MalformedSteps
from penstock.wire import universal
from penstock.wire.universal import HEAD, HEADERS, STEPS, read_steps

QUERY = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
STEP = {"provider": "openai", "endpoint": "v1/chat/completions", "headers": {}, "query": QUERY}


def read(body):
    return asyncio.run(read_steps(body if isinstance(body, bytes) else json.dumps(body).encode()))


def test_an_array_is_its_steps_in_order():
    steps = read([STEP, {**STEP, "provider": "anthropic", "endpoint": "/v1/messages"}])
    assert [(step.provider, step.path, step.query) for step in steps] == [
        ("openai", b"v1/chat/completions", b""),
        ("anthropic", b"v1/messages", b""),
    ]


def test_one_object_is_one_step():
    (step,) = read(STEP)
    assert step.provider == "openai"


def test_the_body_of_a_step_is_left_as_it_came():
    (step,) = read(b'  [ {"provider":"openai","endpoint":"x","query": {"a" : 1.50,  "b":"\\u00e9"} } ]')
    assert step.body == b'{"a" : 1.50,  "b":"\\u00e9"}'


@pytest.mark.parametrize("member", [{}, {"query": None}])
def test_a_step_without_a_query_has_no_body(member):
    step = {key: value for key, value in STEP.items() if key != "query"} | member
    assert read([step])[0].body == b""


def test_a_query_string_of_the_endpoint_is_kept_apart():
    (step,) = read([{**STEP, "endpoint": "v1beta/models/gemini:streamGenerateContent?alt=sse&x=%20"}])
    assert (step.path, step.query) == (b"v1beta/models/gemini:streamGenerateContent", b"?alt=sse&x=%20")


def test_headers_of_ours_configure_the_step_and_the_others_travel():
    (step,) = read(
        [{**STEP, "headers": {"Authorization": "Bearer k", "CF-AIG-Cache-TTL": 60, "x-on": True, "x-off": None}}]
    )
    assert step.headers == [(b"authorization", b"Authorization", b"Bearer k"), (b"x-on", b"x-on", b"true")]
    assert step.options == {b"cf-aig-cache-ttl": b"60"}


def test_older_names_of_options_are_options_too_and_the_newer_go_before():
    (step,) = read([{**STEP, "headers": {"cf-aig-cache-ttl": 60, "CF-Cache-TTL": 90, "cf-skip-cache": True}}])
    assert (step.headers, step.options) == ([], {b"cf-aig-cache-ttl": b"60", b"cf-aig-skip-cache": b"true"})


def test_a_header_that_is_no_latin_1_is_utf_8_and_one_of_ours_is_always():
    (step,) = read([{**STEP, "headers": {"x-one": "é", "x-two": "☃", "cf-aig-cache-key": "é"}}])
    assert [value for _, _, value in step.headers] == [b"\xe9", "☃".encode()]
    assert step.options == {b"cf-aig-cache-key": "é".encode()}


@pytest.mark.parametrize("half", [r"\ud83d", r"\uDE00", r"\uD83D x \ude00", r"\ud83d\u00e9\ue000", r"\\ud83d\ud83d"])
@pytest.mark.parametrize("wrap", ["{}", "[{}]", '[{{"provider":"a","endpoint":"b"}},{}]'])
def test_half_a_surrogate_pair_is_no_reason_to_refuse_and_goes_out_as_it_came(half, wrap):
    query = r'{"model":"HALF","ok":"\ud83d\ude00"}'.replace("HALF", half)
    headers = r'{"x":"aHALF","cf-aig-metadata":"{\"a\":\"\\ud83d\"}"}'.replace("HALF", half)
    body = f'{{"unknown":"{half}","headers":{headers},"provider":"openai","endpoint":"x","query":{query}}}'
    step = read(wrap.format(body).encode())[-1]
    assert step.body == query.encode()
    assert step.options == {b"cf-aig-metadata": rb'{"a":"\ud83d"}'}
    ((_, _, value),) = step.headers
    assert value.startswith(b"a")


def test_authorization_may_stand_beside_the_headers_as_older_clients_write_it():
    (step,) = read([{**STEP, "authorization": "Bearer old"}])
    assert step.headers == [(b"authorization", b"authorization", b"Bearer old")]
    (step,) = read([{**STEP, "authorization": "Bearer old", "headers": {"Authorization": "Bearer new"}}])
    assert step.headers == [(b"authorization", b"Authorization", b"Bearer new")]


def test_config_beats_the_headers_of_the_step():
    config = {"requestTimeout": 1500, "maxAttempts": 3.0, "retryDelay": 10, "backoff": "linear"}
    (step,) = read([{**STEP, "headers": {"cf-aig-max-attempts": "5"}, "config": config}])
    assert step.options == {
        b"cf-aig-request-timeout": b"1500",
        b"cf-aig-max-attempts": b"3",
        b"cf-aig-retry-delay": b"10",
        b"cf-aig-backoff": b"linear",
    }


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "must be a JSON array"),
        (b"null", "must be a JSON array"),
        (b'"x"', "must be a JSON array"),
        (b"[]", "is empty"),
        (b"[{}", "no array"),
        ([{}], "[0].provider: is missing"),
        ([STEP, {"provider": "openai"}], "[1].endpoint: is missing"),
        ([STEP, 7], "[1]: is no step"),
        ({**STEP, "provider": 7}, "provider: must be a text"),
        ({**STEP, "provider": "x" * 300}, "provider: must be a text"),
        ({**STEP, "endpoint": "a b"}, "endpoint: must be a path"),
        ({**STEP, "endpoint": "a#b"}, "endpoint: must be a path"),
        ({**STEP, "headers": []}, "headers: must be an object"),
        ({**STEP, "headers": {"x": "a\r\nb: c"}}, "headers.x: must be a text"),
        ({**STEP, "headers": {"x y": "a"}}, "'x y' is no header name"),
        ({**STEP, "headers": {"x": {}}}, "headers.x: must be a text"),
        ({**STEP, "headers": {"x": "a" * HEAD}}, "headers: must be an object of at most"),
        ({**STEP, "headers": {f"x{n}": "" for n in range(HEADERS + 1)}}, f"headers: must be at most {HEADERS}"),
        ({**STEP, "config": 3}, "config: must be an object"),
        ({**STEP, "config": {"maxAttempts": []}}, "config.maxAttempts: must be"),
        ([STEP] * (STEPS + 1), f"at most {STEPS} steps"),
    ],
)
def test_what_is_no_list_of_steps_is_refused_by_name(body, said):
    with pytest.raises(MalformedSteps) as error:
        read(body)
    assert said in error.value.message
    assert len(error.value.message) < 500


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"1," * 8_000_000 + b"1]",
        b'{"provider":[' + b"[]," * 8_000_000 + b"1]}",
        b'{"provider":"a","endpoint":"b","headers":{' + b'"a":1,' * 4_000_000 + b'"a":1}}',
        b'{"query":"' + rb"\ud800" * 4_000_000 + rb"\ue000\ub000",
    ],
    ids=["steps", "provider", "headers", "surrogates"],
)
def test_a_hostile_body_costs_no_more_than_a_look_at_its_bytes(body):
    tracemalloc.start()
    try:
        with pytest.raises((MalformedSteps, BodyTooLarge)):
            read(body)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 4 * len(body)  # millions of objects would take ten times as much


@pytest.mark.parametrize("half", ["", r"\ud83d"])
def test_the_bodies_of_a_large_list_are_left_as_they_came(half):
    query = f'{{"image" : "{"iVBOR" * 100_000}", "text":"{half}"}}'.encode()
    key = "k" * 1000
    body = b'[{"provider":"a","endpoint":"b"},{"headers":{"x":"%b"},"query":%b,"provider":"openai","endpoint":"x"}]'
    _, step = read(body % (key.encode(), query))
    assert (step.body, step.headers) == (query, [(b"x", b"x", key.encode())])


def test_of_two_spellings_of_a_header_the_last_one_counts():
    (step,) = read([{**STEP, "headers": {"Authorization": "a", "x-own": "1", "authorization": "b"}}])
    assert step.headers == [(b"authorization", b"authorization", b"b"), (b"x-own", b"x-own", b"1")]


def test_only_so_many_short_names_of_headers_are_remembered():
    read([{**STEP, "headers": {"x-" + "n" * 60_000: "", "x-short": ""}}])
    assert "x-short" in universal._NAMES
    assert max(map(len, universal._NAMES)) <= 64
    for step in range(universal._KNOWN // HEADERS + 2):
        read([{**STEP, "headers": {f"x-{step}-{n}": "" for n in range(HEADERS)}}])
    assert len(universal._NAMES) == universal._KNOWN
    universal._NAMES.clear()
