"""Calls through a gateway, and what the ``cloudflare`` SDK for Python then finds in its log."""

import contextlib
import json
from datetime import datetime
from typing import Any

import anthropic
import cloudflare
import httpx
import openai
import pytest

MESSAGES: Any = [{"role": "user", "content": "Tell me of the sea."}]
MODEL = "gpt-4o-mini"
LOG_ID = "cf-aig-log-id"


def call(client: openai.OpenAI, model: str = MODEL, **headers: str) -> Any:
    """A chat call: its answer as it came over the wire."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.chat.completions.with_raw_response.create(model=model, messages=MESSAGES, extra_headers=named)


def only(caught: Any) -> dict[str, Any]:
    """The one error of a refusal by the control plane."""
    (error,) = caught.value.body["errors"]
    return error


def refusal(caught: Any) -> dict[str, Any]:
    """The error of a refusal by the data plane."""
    body = caught.value.response.json()
    assert body["success"] is False
    return body["error"][0]


@pytest.fixture
def log(house, sdk):
    """A row of a gateway's log."""

    def log(gateway_id: str, log_id: str):
        return sdk.ai_gateway.logs.get(log_id, account_id=house.account, gateway_id=gateway_id)

    return log


@pytest.fixture
def body(house, sdk):
    """``body("request", …)``, ``body("response", …)``: what is kept of a call, as it is sent to the SDK."""

    def body(side: str, gateway_id: str, log_id: str):
        asked = getattr(sdk.ai_gateway.logs.with_raw_response, side)
        return asked(log_id, account_id=house.account, gateway_id=gateway_id).http_response

    return body


@pytest.fixture
def logs(house, sdk):
    """The ids that a list of a gateway's log has."""

    def logs(gateway_id: str, **query: Any) -> list[str]:
        return [row.id for row in sdk.ai_gateway.logs.list(gateway_id, account_id=house.account, **query)]

    return logs


@pytest.fixture(scope="module")
def five(house, sdk):
    """A gateway with five calls: their log ids, oldest first; the third failed, the fourth was another provider's."""
    required: Any = {"cache_ttl": 0, "rate_limiting_interval": 0, "rate_limiting_limit": 0}
    required |= {"cache_invalidate_on_update": False, "collect_logs": True}
    sdk.ai_gateway.create(account_id=house.account, id="five", **required)
    with openai.OpenAI(base_url=house.server.url("openai", "five"), api_key="sk", max_retries=0) as gpt:
        ids = [call(gpt).headers[LOG_ID], call(gpt, "gpt-4o").headers[LOG_ID]]
        with pytest.raises(openai.RateLimitError) as caught:
            call(gpt, x_mock_status="429")
        ids.append(caught.value.response.headers[LOG_ID])
        with anthropic.Anthropic(base_url=house.server.url("anthropic", "five"), api_key="sk") as claude:
            said = claude.messages.with_raw_response.create(
                model="claude-haiku-4-5", max_tokens=100, messages=MESSAGES, extra_headers={}
            )
        ids += [said.headers[LOG_ID], call(gpt).headers[LOG_ID]]
    for one in ids:  # each is there from now on
        sdk.ai_gateway.logs.get(one, account_id=house.account, gateway_id="five")
    return ids


# One row


def test_a_log_is_there_right_after_the_call(gateway, gpt, log):
    client = gpt(gateway)
    for _ in range(5):
        answer = call(client)
        row = log(gateway, answer.headers[LOG_ID])
        usage = answer.parse().usage
        assert (row.provider, row.model, row.path, row.request_type) == (
            *("openai", MODEL, "chat/completions", "chat.completions"),
        )
        assert (row.success, row.cached, row.status_code) == (True, False, 200)
        assert (row.step, row.custom_cost, row.metadata) == (0, False, None)
        assert (row.tokens_in, row.tokens_out) == (usage.prompt_tokens, usage.completion_tokens)
        assert row.cost > 0
        assert row.duration >= 0
        assert row.request_content_type == row.response_content_type == "application/json"


def test_a_log_has_the_names_of_the_guide_too(gateway, gpt, log):
    answer = call(gpt(gateway))
    read = log(gateway, answer.headers[LOG_ID])
    row = read.to_dict()
    assert datetime.fromisoformat(row["timestamp"]) == read.created_at
    assert row["duration_ms"] == row["duration"]
    assert row["event_id"] == answer.headers["cf-aig-event-id"]
    usage = answer.parse().usage
    assert row["usage_metadata"]["input_tokens"] == usage.prompt_tokens
    assert row["usage_metadata"]["output_tokens"] == usage.completion_tokens
    assert row["usage_metadata"]["total_tokens"] == usage.total_tokens
    assert row["timings"]["total"] >= row["timings"]["latency"] >= 0


def test_the_heads_of_both_bodies(gateway, gpt, log):
    answer = call(gpt(gateway))
    row = log(gateway, answer.headers[LOG_ID])
    assert row.request_head == answer.http_request.content.decode()
    assert row.response_head == answer.http_response.text
    assert (row.request_head_complete, row.response_head_complete) == (True, True)
    assert (row.request_size, row.response_size) == (len(row.request_head), len(row.response_head))


def test_the_head_of_a_long_body_is_not_all(gateway, gpt, log):
    long: Any = [{"role": "user", "content": "sea " * 5_000}]
    answer = gpt(gateway).chat.completions.with_raw_response.create(model=MODEL, messages=long)
    row = log(gateway, answer.headers[LOG_ID])
    assert row.request_head == answer.http_request.content.decode()[:4096]
    assert (row.request_head_complete, row.response_head_complete) == (False, False)
    assert row.request_size == len(answer.http_request.content)


def test_both_bodies_come_bare(house, sdk, gateway, gpt, body):
    answer = call(gpt(gateway))
    log_id = answer.headers[LOG_ID]
    request, response = body("request", gateway, log_id), body("response", gateway, log_id)
    assert (request.content, response.content) == (answer.http_request.content, answer.http_response.content)
    assert {request.headers["content-type"], response.headers["content-type"]} == {"application/json"}
    where: Any = {"account_id": house.account, "gateway_id": gateway}
    assert sdk.ai_gateway.logs.request(log_id, **where) == {"messages": MESSAGES, "model": MODEL}
    assert sdk.ai_gateway.logs.response(log_id, **where) == answer.parse().to_dict()


def test_the_body_of_a_stream_is_its_chunks_and_the_message(house, sdk, gateway, gpt, log):
    asked: Any = {"model": MODEL, "messages": MESSAGES, "stream": True, "stream_options": {"include_usage": True}}
    answer = gpt(gateway).chat.completions.with_raw_response.create(**asked)
    chunks = [chunk.to_dict() for chunk in answer.parse()]
    log_id = answer.headers[LOG_ID]
    assert log(gateway, log_id).tokens_out > 0
    kept = sdk.ai_gateway.logs.response(log_id, account_id=house.account, gateway_id=gateway)
    assert kept["streamed_data"] == chunks
    assert "You said: Tell me of the sea." in json.dumps(kept["message"])


def test_bodies_that_are_not_json_come_as_they_were(house, gateway, log, body):
    said = "Of the sea; ümläute, and \x00 too.".encode()
    headers = {"content-type": "text/plain; charset=utf-8", "x-mock-echo": "body"}
    answer = httpx.post(f"{house.server.url('openai', gateway)}/files", content=said, headers=headers)
    assert answer.content == said
    log_id = answer.headers[LOG_ID]
    assert log(gateway, log_id).request_content_type.startswith("text/plain")
    for side in ("request", "response"):
        kept = body(side, gateway, log_id)
        assert kept.content == said
        assert kept.headers["content-type"] == "text/plain; charset=utf-8"


def test_a_call_that_failed(five, log):
    row = log("five", five[2])
    assert (row.success, row.status_code, row.tokens_in, row.cost) == (False, 429, None, None)


def test_unknown_logs_are_not_found(house, sdk, gateway, five):
    unknown = "01970000-0000-7000-8000-000000000000"
    for log_id, gateway_id in [(unknown, "five"), (five[0], gateway), ("nonsense", "five"), (five[0], "no-such")]:
        where: Any = {"account_id": house.account, "gateway_id": gateway_id}
        for act in (sdk.ai_gateway.logs.get, sdk.ai_gateway.logs.request, sdk.ai_gateway.logs.response):
            with pytest.raises(cloudflare.NotFoundError) as caught:
                act(log_id, **where)
            assert only(caught)["code"] == 7002
    with pytest.raises(cloudflare.NotFoundError):
        sdk.ai_gateway.logs.get(five[0], account_id="0" * 32, gateway_id="five")


# Lists


def test_newest_first(five, logs):
    assert logs("five") == five[::-1]
    assert logs("five", direction="asc") == logs("five", order_by_direction="asc") == five
    assert logs("five", order_by="created_at", order_by_direction="desc") == five[::-1]


def test_the_sdk_pages_through_the_log(house, connect, five):
    client, requests = connect()
    rows = client.ai_gateway.logs.list("five", account_id=house.account, per_page=2)
    assert [row.id for row in rows] == five[::-1]
    assert [request.url.params.get("page") for request in requests] == [None, "2", "3", "4"]


def test_what_a_list_can_be_narrowed_to(five, logs):
    one, two, three, four, last = five
    assert logs("five", provider="anthropic") == [four]
    assert logs("five", provider="openai") == [last, three, two, one]
    assert logs("five", provider="grok") == []
    assert logs("five", model="gpt-4o") == [two]
    assert logs("five", model="gpt-4") == []
    assert logs("five", success=False) == [three]
    assert logs("five", success=True) == [last, four, two, one]
    assert logs("five", cached=True) == []
    assert logs("five", cached=False) == five[::-1]
    assert logs("five", provider="openai", model=MODEL, success=True, per_page=1) == [last, one]


def one(key: str, operator: Any, *values: Any) -> Any:
    """A filter as the SDK takes it."""
    return {"key": key, "operator": operator, "value": values}


def test_filters_of_one_key(five, log, logs):
    first, two, failed, claude, last = five
    row = log("five", claude)
    for filters, found in [
        ([one("provider", "eq", "anthropic", "grok")], [claude]),
        ([one("provider", "neq", "openai")], [claude]),
        ([one("model", "contains", "GPT-4O-")], [last, failed, first]),
        ([one("model", "gt", "gpt-4o")], [last, failed, first]),
        ([one("model_type", "eq", row.to_dict()["model_type"])], [last, claude, failed, two, first]),
        ([one("request_type", "eq", "messages")], [claude]),
        ([one("request_content_type", "eq", "application/json")], five[::-1]),
        ([one("response_content_type", "neq", "application/json")], []),
        ([one("success", "eq", False)], [failed]),
        ([one("cached", "neq", False)], []),
        ([one("id", "eq", first, last)], [last, first]),
        ([one("id", "contains", two)], [two]),
        ([one("event_id", "eq", row.to_dict()["event_id"])], [claude]),
        ([one("created_at", "lt", row.created_at.isoformat().replace("+00:00", "Z"))], [failed, two, first]),
        ([one("cost", "gt", 0.0)], [last, claude, two, first]),
        ([one("tokens", "gt", 0.5)], [last, claude, two, first]),
        ([one("tokens_in", "lt", 1)], []),
        ([one("tokens_out", "eq", row.tokens_out)], None),
        ([one("duration", "gt", -1)], five[::-1]),
        ([one("feedback", "neq", 1)], five[::-1]),
        ([one("authentication", "eq", False)], five[::-1]),
        ([one("wholesale", "eq", True)], []),
        ([one("compatibilityMode", "eq", True)], []),
        ([one("dlp_action", "eq", "BLOCK")], []),
        ([one("status_code", "gt", 400)], [failed]),
    ]:
        shown = logs("five", filters=filters)
        assert claude in shown if found is None else shown == found, filters


def test_several_filters_must_all_hold(five, logs):
    filters = [one("provider", "eq", "openai"), one("cost", "gt", 0), one("success", "eq", True)]
    assert logs("five", filters=filters) == [five[4], five[1], five[0]]
    values = [one("model", "eq", "gpt-4o", "claude-haiku-4-5"), one("success", "eq", True)]
    with pytest.raises(cloudflare.BadRequestError) as caught:  # the SDK does not say which filter a value belongs to
        logs("five", filters=values)
    assert only(caught)["path"] == ["query", "filters"]
    assert "ambiguous" in only(caught)["message"]
    assert logs("five", extra_query={"filters": json.dumps(values)}) == [five[3], five[1]]
    unknown = [one("cost", "eq", None)]  # which the SDK leaves out
    with pytest.raises(cloudflare.BadRequestError):
        logs("five", filters=unknown)
    assert logs("five", extra_query={"filters": json.dumps(unknown)}) == [five[2]]


def test_ranges_and_feedback(five, log, logs):
    priced = [five[4], five[3], five[1], five[0]]
    for query in ({"min_cost": 0}, {"min_tokens_in": 1}, {"min_tokens_out": 1}, {"min_total_tokens": 2}):
        assert logs("five", **query) == priced
    for query in ({"max_cost": 0}, {"max_tokens_in": 0}, {"max_tokens_out": 0}, {"max_total_tokens": 0}):
        assert logs("five", **query) == []
    assert logs("five", min_duration=0, max_duration=1e9) == five[::-1]
    assert logs("five", feedback=0) == logs("five", feedback=1) == []
    model_type = log("five", five[0]).to_dict()["model_type"]
    assert logs("five", model_type=model_type, request_content_type="application/json") == five[::-1]
    assert logs("five", response_content_type="text/plain") == []


def test_orders(five, log, logs):
    rows = {log_id: log("five", log_id) for log_id in five}
    for name in ("provider", "model", "success", "cached", "cost", "tokens_out"):
        for direction in ("asc", "desc"):
            values = [
                getattr(rows[log_id], name) for log_id in logs("five", order_by=name, order_by_direction=direction)
            ]
            known = [value for value in values if value is not None]
            assert known == sorted(known, reverse=direction == "desc")
            assert values == known + [None] * (5 - len(known))


def test_search(house, sdk, five, gateway, gpt, log, logs):
    assert logs("five", search="of the SEA") == logs("five", search="Tell me", per_page=2) == five[::-1]
    assert logs("five", search="haiku") == [five[3]]
    assert logs("five", search="haiku", success=False) == logs("five", search="no such words") == []
    assert logs("five", search=five[1]) == [five[1]]
    asked: Any = {"model": MODEL, "messages": MESSAGES, "stream": True}
    answer = gpt(gateway, cf_aig_metadata='{"user": "a-searched-one"}').chat.completions.with_raw_response.create(
        **asked
    )
    assert [*answer.parse()]
    log_id = answer.headers[LOG_ID]
    assert log(gateway, log_id).success
    assert logs(gateway, search="You said: Tell me") == logs(gateway, search="A-SEARCHED") == [log_id]


def test_the_dearest_calls_of_a_user(house, sdk, gateway, gpt, log, logs):
    rows = dict[str, float]()
    for user, cost in (("ann", 0.3), ("ann", 0.9), ("ann", 0.1), ("ann", 0.7), ("bob", 5.0)):
        told = {"cf_aig_metadata": {"user": user}, "cf_aig_custom_cost": {"total_cost": cost}}
        headers = {name: json.dumps(value) for name, value in told.items()}
        rows[call(gpt(gateway, **headers)).headers[LOG_ID]] = cost
    assert all(log(gateway, log_id).cost == cost for log_id, cost in rows.items())
    asked = {"order_by": "cost", "direction": "desc", "start_date": "2024-01-01", "per_page": 3}
    filters = json.dumps([one("metadata.user", "eq", "ann")])
    page = sdk.ai_gateway.logs.list(gateway, account_id=house.account, extra_query={**asked, "filters": filters})
    assert [row.cost for row in page.result] == [0.9, 0.7, 0.3]
    some = [one("metadata.key", "eq", "user"), one("metadata.value", "contains", "B")]
    assert logs(gateway, filters=some) == [[*rows][-1]]


def test_a_cursor_goes_on_where_a_page_ended(house, sdk, five):
    where: Any = {"account_id": house.account, "per_page": 2}
    page, shown = sdk.ai_gateway.logs.list("five", **where), []
    while True:
        shown += [row.id for row in page.result]
        cursor = page.result_info.to_dict().get("cursor")
        if cursor is None:
            break
        page = sdk.ai_gateway.logs.list("five", **where, extra_query={"cursor": cursor})
    assert shown == five[::-1]


def test_dates(five, log, logs):
    moment = log("five", five[2]).created_at
    since, until = logs("five", start_date=moment), logs("five", end_date=moment)
    assert five[2] in since
    assert five[2] in until
    assert set(since) | set(until) == set(five)
    assert since == [one for one in five[::-1] if log("five", one).created_at >= moment]
    assert until == [one for one in five[::-1] if log("five", one).created_at <= moment]
    assert logs("five", start_date="2024-01-01") == five[::-1]
    assert logs("five", start_date="2024-01-01", end_date="2024-01-31") == []
    assert logs("five", start_date="2024-01-01T00:00:00+02:00", end_date="2999-12-31T23:59:59.999Z") == five[::-1]


def test_a_list_and_a_row_say_the_same(house, sdk, five, log):
    for row in sdk.ai_gateway.logs.list("five", account_id=house.account):
        whole = log("five", row.id).to_dict()
        assert row.to_dict().items() <= whole.items()
        assert "request_head" not in row.to_dict()


def test_the_total_is_counted_when_asked_for(house, sdk, five):
    page = sdk.ai_gateway.logs.list("five", account_id=house.account, per_page=2)
    assert "total_count" not in page.result_info.to_dict()
    page = sdk.ai_gateway.logs.list("five", account_id=house.account, per_page=2, meta_info=True)
    assert page.result_info.to_dict().items() >= {"page": 1, "per_page": 2, "count": 2, "total_count": 5}.items()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"per_page": 51}, "per_page"),
        ({"page": 0}, "page"),
        ({"start_date": "yesterday"}, "start_date"),
        ({"order_by": "colour"}, "order_by"),
        ({"direction": "up"}, "direction"),
        ({"extra_query": {"success": "perhaps"}}, "success"),
        ({"extra_query": {"colour": "red"}}, "colour"),
    ],
    ids=repr,
)
def test_a_wrong_query_is_refused_by_its_name(five, logs, query, field):
    with pytest.raises(cloudflare.BadRequestError) as caught:
        logs("five", **query)
    assert (only(caught)["code"], only(caught)["path"]) == (7001, ["query", field])


# What the headers of a call change


def test_metadata_and_event_id(gateway, gpt, log):
    metadata = {"team": "tide", "count": 3, "live": True}
    client = gpt(gateway, cf_aig_metadata=json.dumps(metadata), cf_aig_event_id="an-event-of-ours")
    answer = call(client)
    assert answer.headers["cf-aig-event-id"] == "an-event-of-ours"
    row = log(gateway, answer.headers[LOG_ID])
    assert isinstance(row.metadata, str)
    assert json.loads(row.metadata) == metadata
    assert row.to_dict()["event_id"] == "an-event-of-ours"
    assert "cf-aig" not in json.dumps(row.request_head)


def test_five_entries_of_metadata_are_kept(gateway, gpt, log):
    sent = json.dumps({str(number): number for number in range(7)} | {"cf.user_id": "eve"})
    row = log(gateway, call(gpt(gateway, cf_aig_metadata=sent)).headers[LOG_ID])
    assert json.loads(row.metadata) == {str(number): number for number in range(5)}


@pytest.mark.parametrize("sent", ["not JSON", "[]", '{"a": null}', '{"a": {"b": 1}}'])
def test_wrong_metadata_does_not_fail_the_call(gateway, gpt, log, sent):
    assert log(gateway, call(gpt(gateway, cf_aig_metadata=sent)).headers[LOG_ID]).metadata is None


def test_custom_cost(gateway, gpt, log):
    client = gpt(gateway, cf_aig_custom_cost=json.dumps({"per_token_in": 0.001, "per_token_out": 0.002}))
    row = log(gateway, call(client).headers[LOG_ID])
    assert row.custom_cost is True
    assert row.cost == pytest.approx(row.tokens_in * 0.001 + row.tokens_out * 0.002)
    flat = gpt(gateway, cf_aig_custom_cost=json.dumps({"total_cost": 0.25}))
    row = log(gateway, call(flat).headers[LOG_ID])
    assert (row.custom_cost, row.cost) == (True, 0.25)


def test_wrong_custom_cost_does_not_fail_the_call(gateway, gpt, log):
    row = log(gateway, call(gpt(gateway, cf_aig_custom_cost="free")).headers[LOG_ID])
    assert row.custom_cost is False
    assert row.cost > 0


def test_a_call_that_asks_for_no_log_leaves_none(gateway, gpt, log, logs):
    client = gpt(gateway)
    before = call(client).headers[LOG_ID]
    assert LOG_ID not in call(client, cf_aig_collect_log="false").headers
    after = call(client).headers[LOG_ID]
    assert log(gateway, before).id == before
    assert log(gateway, after).id == after
    assert logs(gateway) == [after, before]


def test_a_call_that_asks_for_a_log_leaves_one(make, name, gpt, log, logs):
    make(name, collect_logs=False)
    client = gpt(name)
    assert LOG_ID not in call(client).headers
    asked = call(client, cf_aig_collect_log="true").headers[LOG_ID]
    assert log(name, asked).id == asked
    assert logs(name) == [asked]


def test_a_call_that_asks_for_no_payload_leaves_no_body(house, sdk, gateway, gpt, log):
    log_id = call(gpt(gateway, cf_aig_collect_log_payload="false")).headers[LOG_ID]
    row = log(gateway, log_id)
    assert (row.success, row.model, row.request_head, row.response_head) == (True, MODEL, None, None)
    assert row.request_size > 0
    for act in (sdk.ai_gateway.logs.request, sdk.ai_gateway.logs.response):
        with pytest.raises(cloudflare.NotFoundError) as caught:
            act(log_id, account_id=house.account, gateway_id=gateway)
        assert only(caught)["code"] == 7002


def test_an_update_acts_on_the_next_call(gateway, gpt, change):
    client = gpt(gateway)
    assert LOG_ID in call(client).headers
    change(gateway, collect_logs=False)
    assert LOG_ID not in call(client).headers
    change(gateway, authentication=True)
    with pytest.raises(openai.AuthenticationError):
        call(client)
    change(gateway, authentication=False)
    assert call(client).parse().choices[0].message.content == "You said: Tell me of the sea."


# Who may call, and who may read


def test_a_gateway_with_authentication(house, make, name, gpt, grant, log):
    make(name, authentication=True)
    runs, reads = grant("AI Gateway Run")["value"], grant("AI Gateway Read")["value"]
    for token in (f"Bearer {runs}", runs):
        assert log(name, call(gpt(name, cf_aig_authorization=token)).headers[LOG_ID]).success
    elsewhere = grant("AI Gateway Run", gateways=["elsewhere"])["value"]
    with pytest.raises(openai.BadRequestError) as unknown:  # to it, other gateways do not exist
        call(gpt(name, cf_aig_authorization=f"Bearer {elsewhere}"))
    assert refusal(unknown)["code"] == 2001
    for token in (f"Bearer {reads}", "Bearer x", f"Bearer: {runs}"):
        with pytest.raises(openai.AuthenticationError) as caught:
            call(gpt(name, cf_aig_authorization=token))
        assert refusal(caught)["code"] == 2009
    with pytest.raises(openai.AuthenticationError):
        call(gpt(name))


def test_a_client_that_knows_one_key_only_may_put_the_token_there(make, name, gpt, grant, log):
    make(name, authentication=True)
    client = gpt(name, key=grant("AI Gateway Run")["value"])
    assert log(name, call(client).headers[LOG_ID]).success
    echo = call(client, x_mock_echo="1").http_response.json()
    assert "authorization" not in {header.lower() for header, _ in echo["headers"]}


def test_a_wrong_token_does_no_harm_where_none_is_needed(gateway, gpt, log):
    assert log(gateway, call(gpt(gateway, cf_aig_authorization="Bearer wrong")).headers[LOG_ID]).success


def test_who_may_read_metadata_alone_sees_no_body(house, connect, grant, five):
    client = connect(api_token=grant("AI Gateway Metadata Read")["value"]).client
    where: Any = {"account_id": house.account, "gateway_id": "five"}
    assert [row.id for row in client.ai_gateway.logs.list("five", account_id=house.account)] == five[::-1]
    row = client.ai_gateway.logs.get(five[0], **where)
    assert (row.model, row.request_head, row.response_head) == (MODEL, None, None)
    for act in (client.ai_gateway.logs.request, client.ai_gateway.logs.response):
        with pytest.raises(cloudflare.PermissionDeniedError) as caught:
            act(five[0], **where)
        assert only(caught)["code"] == 10000


# What people say of it


def test_feedback_can_be_given_right_after_the_call(house, sdk, gateway, gpt, log):
    where: Any = {"account_id": house.account, "gateway_id": gateway}
    for _ in range(3):
        one = call(gpt(gateway)).headers[LOG_ID]
        assert sdk.ai_gateway.logs.edit(one, **where, feedback=1, score=87.5, metadata={"user": "u1", "n": 2}) == {}
        row = log(gateway, one)
        assert json.loads(row.metadata) == {"user": "u1", "n": 2}
        assert (row.to_dict()["feedback"], row.to_dict()["score"]) == (1, 87.5)
        sdk.ai_gateway.logs.edit(one, **where, feedback=-1, metadata=None)
        row = log(gateway, one)
        assert (row.metadata, row.to_dict()["feedback"], row.to_dict()["score"]) == (None, -1, 87.5)


def test_what_cannot_be_said_of_a_call_is_refused_with_its_name(house, sdk, gateway, gpt):
    where: Any = {"account_id": house.account, "gateway_id": gateway}
    one = call(gpt(gateway)).headers[LOG_ID]
    with pytest.raises(cloudflare.BadRequestError) as caught:
        sdk.ai_gateway.logs.edit(one, **where, feedback=2)
    assert (only(caught)["code"], only(caught)["path"]) == (7001, ["body", "feedback"])
    with pytest.raises(cloudflare.NotFoundError) as gone:
        sdk.ai_gateway.logs.edit("01970000-0000-7000-8000-000000000000", **where, feedback=1)
    assert only(gone)["code"] == 7002


def test_logs_are_deleted_by_filters_by_number_and_all(house, sdk, make, name, gpt, logs):
    make(name)
    rows = [call(gpt(name), model).headers[LOG_ID] for model in ("gpt-4o", MODEL, "gpt-4o", MODEL, MODEL)]
    delete, where = sdk.ai_gateway.logs.delete, {"account_id": house.account}
    only: Any = [{"key": "model", "operator": "eq", "value": ["gpt-4o"]}]
    assert delete(name, **where, filters=[*only, {"key": "success", "operator": "eq", "value": [True]}]).success
    assert logs(name) == [rows[4], rows[3], rows[1]]
    assert delete(name, **where, limit=1, order_by="tokens_in", order_by_direction="desc").success
    assert len(logs(name)) == 2
    assert delete(name, **where, extra_query={"before": "2024-01-01"}).success
    assert len(logs(name)) == 2
    assert delete(name, **where).success
    assert logs(name) == []


def test_an_authenticated_call_makes_the_default_gateway(house, sdk, gpt, log, logs):
    with contextlib.suppress(cloudflare.NotFoundError):  # another test called it
        sdk.ai_gateway.delete("default", account_id=house.account)
    with pytest.raises(openai.AuthenticationError) as caught:
        call(gpt("default"))
    assert refusal(caught)["code"] == 2009
    with pytest.raises(cloudflare.NotFoundError):
        sdk.ai_gateway.get("default", account_id=house.account)
    answer = call(gpt("default", cf_aig_authorization=f"Bearer {house.token}"))
    made = sdk.ai_gateway.get("default", account_id=house.account)
    assert (made.is_default, made.authentication, made.collect_logs) == (True, True, True)
    assert (made.cache_ttl, made.rate_limiting_interval, made.rate_limiting_limit) == (0, 0, 0)
    assert log("default", answer.headers[LOG_ID]).success
    with pytest.raises(openai.AuthenticationError):
        call(gpt("default"))
    assert sdk.ai_gateway.delete("default", account_id=house.account).id == "default"
    again = call(gpt("default", cf_aig_authorization=f"Bearer {house.token}")).headers[LOG_ID]
    assert log("default", again).success
    assert logs("default") == [again]


def test_no_other_gateway_makes_itself(house, sdk, name, gpt):
    with pytest.raises(openai.BadRequestError) as caught:
        call(gpt(name, cf_aig_authorization=f"Bearer {house.token}"))
    assert refusal(caught)["code"] == 2001
    with pytest.raises(cloudflare.NotFoundError):
        sdk.ai_gateway.get(name, account_id=house.account)


def test_a_deleted_gateway_is_gone_with_its_log(house, sdk, make, name, gpt, log, logs):
    make(name, cache_ttl=60)
    client = gpt(name)
    old = call(client).headers[LOG_ID]
    assert log(name, old).success
    assert sdk.ai_gateway.delete(name, account_id=house.account).id == name
    for act in (lambda: sdk.ai_gateway.get(name, account_id=house.account), lambda: logs(name), lambda: log(name, old)):
        with pytest.raises(cloudflare.NotFoundError) as gone:
            act()
        assert only(gone)["code"] == 7002
    with pytest.raises(openai.BadRequestError) as caught:
        call(client)
    assert refusal(caught)["code"] == 2001
    assert make(name).cache_ttl == 0
    assert logs(name) == []
    with pytest.raises(cloudflare.NotFoundError):
        log(name, old)
    new = call(client).headers[LOG_ID]
    assert log(name, new).success
    assert logs(name) == [new]
