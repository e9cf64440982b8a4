import json

import pytest

from penstock.control.logs import service
from penstock.core import ids, instants
from penstock.mock.providers import eventstream
from penstock.storage.log.table import LogTable
from tests.kit.logsink import ACCOUNT, a_record

OTHER = "f" * 32


def name(record):
    return ids.text(record.id)


def at(moment, **fields):
    """A record of that millisecond."""
    return a_record(id=moment.to_bytes(6, "big") + ids.new()[6:], created_at=moment, **fields)


DELTA = b'{"contentBlockIndex":0,"delta":{"text":"Hi"}}'
STOP = b'{"stopReason":"end_turn"}'
JAN_31 = 1_706_659_200_000  # 2024-01-31T00:00:00Z


# Lists


async def test_newest_first_page_by_page(world):
    records = [a_record() for _ in range(45)]
    world.write(*records)
    newest_first = [name(record) for record in records][::-1]
    assert await world.ids() == newest_first[:20]
    assert await world.ids(per_page=50) == newest_first
    assert await world.ids(per_page=20, page=3) == newest_first[40:]
    assert await world.ids(direction="asc", per_page=3, page=2) == newest_first[::-1][3:6]
    assert await world.ids(order_by="created_at", order_by_direction="asc", direction="desc") == newest_first[::-1][:20]
    answer = await world.get(page=4)
    assert answer.json() == {
        "success": True,
        "errors": [],
        "messages": [],
        "result": [],
        "result_info": {"page": 4, "per_page": 20, "count": 0},
    }


async def test_a_list_is_narrowed(world):
    records = {
        "plain": a_record(),
        "claude": a_record(provider="anthropic", model="claude", tokens_in=5, tokens_out=5),
        "failed": a_record(success=False, cost=None, tokens_in=None),
        "cached": a_record(cached=True, duration=3, cost=0),
        "image": a_record(model_type="image", request_content_type="image/png; q=1", response_content_type=None),
    }
    world.write(*records.values())

    async def found(**query):
        shown = await world.ids(**query)
        return {key for key, record in records.items() if name(record) in shown}

    assert await found(provider="anthropic") == {"claude"}
    assert await found(model="claude", provider="openai") == set()
    assert await found(model_type="image") == await found(request_content_type="image/png") == {"image"}
    assert await found(response_content_type="application/json") == set(records) - {"image"}
    assert await found(success="false") == {"failed"}
    assert await found(cached="true") == {"cached"}
    assert await found(cached="false", success="true") == {"plain", "claude", "image"}
    assert await found(max_duration=3.9) == {"cached"}
    assert await found(max_duration=2.9) == set()
    assert await found(min_cost=0.0000222, max_cost=0.0000222) == {"plain", "claude", "image"}
    assert await found(max_cost=0) == {"cached"}
    assert await found(max_tokens_in=5) == await found(max_total_tokens=10) == {"claude"}
    assert await found(min_tokens_in=-1e300, max_tokens_out=1e300) == set(records) - {"failed"}


async def test_dates_include_their_ends(world):
    moments = [JAN_31 - 1, JAN_31, JAN_31 + 3_600_000, JAN_31 + 86_399_999, JAN_31 + 86_400_000]
    records = [at(moment) for moment in moments]
    world.write(*records)

    async def found(**query):
        shown = await world.ids(**query)
        return [number for number, record in enumerate(records) if name(record) in shown]

    assert await found(start_date="2024-01-31") == [1, 2, 3, 4]
    assert await found(end_date="2024-01-31") == [0, 1, 2, 3]
    assert await found(start_date="2024-01-31", end_date="2024-01-31") == [1, 2, 3]
    assert await found(start_date="2024-01-31T01:00:00Z", end_date="2024-01-31T01:00:00.000") == [2]
    assert await found(start_date="2024-01-31T02:00:00+01:00", end_date="2024-01-30T20:00:00.000-05:00") == [2]
    assert await found(end_date="2024-01-31T00:00:00Z") == [0, 1]
    assert await found(start_date="0001-01-01", end_date="9999-12-31") == [0, 1, 2, 3, 4]
    assert await found(end_date="1960-01-01") == []
    assert await found(start_date="2024-02-01", end_date="2024-01-31") == []


async def test_what_all_that_match_come_to_is_told_when_asked_for(world):
    world.write(a_record(cost=2_000_000_000, duration=7), *[a_record(cost=None, tokens_in=1) for _ in range(4)])
    answer = await world.get(per_page=2, meta_info="true")
    info = answer.json()["result_info"]
    assert info.pop("cursor") == answer.json()["result"][-1]["id"]
    assert info == {
        "page": 1,
        "per_page": 2,
        "count": 2,
        "total_count": 5,
        "total_pages": 3,
        "min_cost": 2.0,
        "max_cost": 2.0,
        "min_duration": 7,
        "max_duration": 120,
        "min_tokens_in": 1,
        "max_tokens_in": 12,
        "min_tokens_out": 34,
        "max_tokens_out": 34,
        "min_total_tokens": 35,
        "max_total_tokens": 46,
    }
    answer = await world.get(provider="nobody", meta_info="true", page=7)
    info = answer.json()["result_info"]
    assert (info["count"], info["total_count"], info["total_pages"], info["min_cost"]) == (0, 0, 0, None)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"per_page": 51}, "per_page"),
        ({"per_page": 0}, "per_page"),
        ({"page": 0}, "page"),
        ({"page": "one"}, "page"),
        ({"order_by": "colour"}, "order_by"),
        ({"direction": "up"}, "direction"),
        ({"start_date": "yesterday"}, "start_date"),
        ({"end_date": "2024-13-01"}, "end_date"),
        ({"start_date": "2024-01-31T12:00:00 01:00"}, "start_date"),
        ({"success": "perhaps"}, "success"),
        ({"min_cost": "nan"}, "min_cost"),
        ({"max_cost": "1e999"}, "max_cost"),
        ({"colour": "red"}, "colour"),
        ({"search": "x"}, "search"),
        ({"search": "x" * 501}, "search"),
        ({"search": "sea\0"}, "search"),
        ({"search": "sea", "order_by": "cost"}, "search"),
        ({"cursor": "next"}, "cursor"),
        ({"cursor": "0" * 32, "order_by": "cost"}, "cursor"),
    ],
    ids=repr,
)
async def test_a_wrong_query_is_refused_by_its_name(world, query, field):
    assert await world.refused(**query) == (400, 7001, ["query", field])


async def test_filters_narrow_a_list_in_every_form(world):
    records = {
        "plain": a_record(),
        "claude": a_record(provider="anthropic", cost=1_500_000_000, event_id="mine", compatibility_mode=True),
        "failed": a_record(success=False, cost=None, status_code=500, path="v1/embeddings"),
    }
    world.write(*records.values())

    async def found(*filters, query=None):
        shown = await world.ids(**(query or {"filters": json.dumps(filters)}))
        return [key for key, record in records.items() if name(record) in shown]

    def one(key, operator, *values):
        return {"key": key, "operator": operator, "value": values}

    assert await found(one("provider", "eq", "anthropic", "nobody")) == ["claude"]
    assert await found(one("provider", "neq", "anthropic", "nobody")) == ["plain", "failed"]
    assert await found(one("cost", "gt", 1), one("success", "eq", True)) == ["claude"]
    assert await found(one("cost", "eq", 1.5)) == await found(one("cost", "lt", 2), one("cost", "gte", 1)) == ["claude"]
    assert await found(one("cost", "eq", None)) == await found(one("success", "eq", False)) == ["failed"]
    assert await found(one("tokens", "gt", 45.5)) == list(records)
    assert await found(one("tokens", "lt", 45.5)) == await found(one("tokens", "eq", 46.5)) == []
    assert await found(one("id", "eq", name(records["plain"]), "nonsense")) == ["plain"]
    assert await found(one("id", "contains", name(records["plain"])[9:].upper())) == ["plain"]
    assert await found(one("event_id", "eq", "mine", name(records["failed"]))) == ["claude", "failed"]
    assert await found(one("compatibilityMode", "eq", True)) == ["claude"]
    assert await found(one("status_code", "gte", 400), one("path", "contains", "EMBED")) == ["failed"]
    moment = records["claude"].created_at
    for value in (moment, instants.text(moment)):
        assert "claude" in await found(one("created_at", "eq", value))
        assert await found(one("created_at", "gt", value), one("provider", "eq", "anthropic")) == []
    grouped = {
        "filters.key": ["provider", "cost"],
        "filters.operator": ["eq", "gt"],
        "filters.value": ["anthropic", "1.25"],
    }
    assert await found(query=grouped) == ["claude"]
    assert await found(query={"filters[0][key]": "cost", "filters[0][operator]": "eq", "filters[0][value]": ""}) == [
        "failed"
    ]


async def test_filters_of_metadata(world):
    records = {
        "ann": a_record(metadata='{"user":"ann","count":3}', cost=7),
        "bob": a_record(metadata='{"user":"bob","live":true,"note":"ann"}', cost=9),
        "none": a_record(metadata=None),
        "dear": a_record(metadata='{"user":"ann"}', cost=8),
    }
    world.write(*records.values())

    async def found(*filters, **query):
        told = [{"key": f"metadata.{key}", "operator": operator, "value": value} for key, operator, *value in filters]
        shown = await world.ids(filters=json.dumps(told), **query)
        return [key for log_id in shown for key, record in records.items() if name(record) == log_id]

    assert await found(("user", "eq", "ann")) == ["dear", "ann"]
    assert await found(("user", "eq", "ann"), order_by="cost") == ["dear", "ann"]
    assert await found(("user", "eq", "ann", "bob"), order_by="cost", per_page=2) == ["bob", "dear"]
    assert await found(("user", "neq", "ann")) == ["none", "bob"]
    assert await found(("user", "eq", None)) == ["none"]
    assert await found(("user", "contains", "NN"), ("count", "gt", 2)) == ["ann"]
    assert await found(("live", "eq", True)) == await found(("live", "eq", "true")) == ["bob"]
    assert await found(("key", "eq", "note", "count")) == ["bob", "ann"]
    assert await found(("value", "eq", "ann")) == ["dear", "bob", "ann"]
    assert await found(("key", "eq", "note"), ("value", "eq", "bob")) == ["bob"]  # each by itself


async def test_feedback_is_zero_or_one(world):
    up, down, none = (a_record() for _ in range(3))
    world.write(up, down, none)
    for record, feedback in ((up, 1), (down, -1)):
        world.connection.execute("UPDATE logs SET feedback = ? WHERE id = ?", (feedback, record.id))
    world.connection.execute("UPDATE log_zones SET min_feedback = -1, max_feedback = 1")
    assert await world.ids(feedback=1) == [name(up)]
    assert await world.ids(feedback=0) == [name(down)]
    assert await world.refused(feedback=2) == (400, 7001, ["query", "feedback"])


async def test_a_list_in_another_order(world):
    costs = [5, 9, None, 1, 9]
    records = [a_record(cost=cost, model=f"m{at % 2}") for at, cost in enumerate(costs)]
    world.write(*records)

    async def order(**query):
        shown = await world.ids(**query)
        return [shown.index(name(record)) for record in records if name(record) in shown]

    assert await order(order_by="cost") == [2, 1, 4, 3, 0]
    assert await order(order_by="cost", direction="asc") == [1, 2, 4, 0, 3]
    assert await order(order_by="model", direction="asc") == [0, 3, 1, 4, 2]
    first, second = await world.ids(order_by="cost", per_page=2, page=2), await world.ids(order_by="cost", per_page=2)
    assert second + first == (await world.ids(order_by="cost"))[:4]
    assert await world.refused(order_by="cost", page=5002) == (400, 7001, ["query", "page"])


# Search


@pytest.fixture
def few(monkeypatch):
    """A search has no time: it stops after a few zones."""
    monkeypatch.setattr(service, "BUDGET", -1.0)
    monkeypatch.setattr("penstock.storage.log.walk.ZONES", 1)


async def test_search_finds_what_a_call_said(world):
    records = [a_record(request=b'{"content":"Tell me of the sea"}'), a_record(event_id="sea-1"), a_record()]
    world.write(*records)
    both = [name(records[1]), name(records[0])]
    assert await world.ids(search="SEA") == both
    assert await world.ids(search="sea", direction="asc") == both[::-1]
    assert await world.ids(search="of the sea", success=True) == [name(records[0])]
    assert await world.ids(search="of the sea", success=False) == []
    assert await world.ids(search=name(records[2])) == [name(records[2])]
    answer = (await world.get(search="sea", meta_info=True)).json()
    assert "total_count" not in answer["result_info"]
    assert [message["code"] for message in answer["messages"]] == [service.UNCOUNTED]


async def test_who_may_read_metadata_searches_no_bodies(world):
    records = [a_record(request=b'{"content":"Tell me of the sea"}'), a_record(event_id="sea-1")]
    world.write(*records)
    assert await world.ids(search="sea", token="metadata") == [name(records[1])]
    assert await world.ids(search="of the sea", token="metadata") == []


@pytest.mark.parametrize(("way", "places"), [("desc", slice(None, None, -1)), ("asc", slice(None))])
async def test_a_search_that_had_to_stop_says_so_and_the_next_page_goes_on(world, few, way, places):
    world.table = LogTable(world.connection, zone_rows=4)
    records = [a_record(request=b"the sea" if at % 5 == 0 else b"land") for at in range(40)]
    for record in records:
        world.write(record)
    wanted = [name(record) for record in records[::5]][places]
    by_page, by_cursor, page, cursor = [], [], 1, {}
    while True:
        answer = (await world.get(search="sea", direction=way, page=page)).json()
        by_page += [row["id"] for row in answer["result"]]
        if "cursor" not in answer["result_info"]:
            break
        (message,) = answer["messages"]
        assert message["code"] == service.STOPPED
        assert "The search stopped" in message["message"]
        assert answer["result_info"]["cursor"] in message["message"]
        page += 1
    assert page > 3
    assert by_page == wanted
    while cursor is not None:
        answer = (await world.get(search="sea", direction=way, **cursor)).json()
        by_cursor += [row["id"] for row in answer["result"]]
        cursor = {"cursor": answer["result_info"]["cursor"]} if "cursor" in answer["result_info"] else None
    assert by_cursor == wanted


async def test_so_does_a_filter_that_needs_every_row(world, few):
    world.table = LogTable(world.connection, zone_rows=4)
    for _ in range(20):
        world.write(a_record())
    query = {"filters": '[{"key":"path","operator":"contains","value":["embed"]}]'}
    answer = (await world.get(**query)).json()
    assert answer["result"] == []
    assert [message["code"] for message in answer["messages"]] == [service.STOPPED]


async def test_a_cursor_pages_exactly_while_rows_come(world):
    records = [a_record() for _ in range(7)]
    world.write(*records)
    answer = (await world.get(per_page=3)).json()
    world.write(a_record())
    following = (await world.get(per_page=3, cursor=answer["result_info"]["cursor"])).json()
    shown = [row["id"] for part in (answer, following) for row in part["result"]]
    assert shown == [name(record) for record in records[:0:-1]]
    assert answer["messages"] == following["messages"] == []


# One row


async def test_a_row_has_every_field(world):
    detail = {
        "method": "POST",
        "timings": {"total": 120.5, "latency": 80.0, "overhead": 0.5},
        "usage": {
            "prompt_tokens": 12,
            "prompt_tokens_details": {"cached_tokens": 8},
            "completion_tokens_details": {"reasoning_tokens": 30},
        },
        "attempts": [{"provider": "openai", "host": "h", "began": 0.1, "status": 200}],
        "warnings": ["w"],
        "token": "some-token",
        "priced": {"model": "gpt-4o", "used": [["input", 12]], "prices": "a list 1.0"},
        "decisions": {"limit": {"technique": "fixed", "used": 3}, "key": {"source": "byok"}, "other": {"a": [1]}},
    }
    also = {"authentication": True, "compatibility_mode": True, "dlp_action": "FLAG"}
    record = at(
        JAN_31 + 5, detail=json.dumps(detail).encode(), event_id="mine", cost=22_200, charge=("a" * 32, 30_000), **also
    )
    world.write(record)
    answer = await world.get(f"/{name(record)}")
    listed = {
        "id": name(record),
        "created_at": "2024-01-31T00:00:00.005Z",
        "timestamp": "2024-01-31T00:00:00.005Z",
        "provider": "openai",
        "model": "gpt-4o-mini",
        "model_type": "text-generation",
        "request_type": "chat",
        "path": "chat/completions",
        "duration": 120,
        "duration_ms": 120,
        "status_code": 200,
        "success": True,
        "cached": False,
        "step": 0,
        "tokens_in": 12,
        "tokens_out": 34,
        "cost_source": "list",
        "cost": 0.0000222,
        "custom_cost": False,
        "charge": 0.00003,
        "metadata": '{"user":"u1"}',
        "request_content_type": "application/json",
        "response_content_type": "application/json",
        "user_agent": "OpenAI/Python 2.0",
        "outcome": "answered",
        "event_id": "mine",
        "usage_metadata": {
            "input_tokens": 12,
            "output_tokens": 34,
            "total_tokens": 46,
            "output_reasoning_tokens": 30,
            "input_cached_tokens": 8,
        },
        "timings": {"total": 120.5, "latency": 80.0, "overhead": 0.5},
        "authentication": True,
        "wholesale": False,
        "byok": True,
        "compatibilityMode": True,
        "dlp_action": "FLAG",
        "feedback": None,
        "score": None,
    }
    assert answer.json()["result"] == listed | {
        "method": "POST",
        "request_size": 16,
        "response_size": 17,
        "attempts": detail["attempts"],
        "error": None,
        "prices": "a list 1.0",
        "parts": [{"kind": "input", "amount": 12, "terms": []}],
        "warnings": ["w"],
        "decisions": detail["decisions"],
        "request_head": '{"model":"gpt4"}',
        "request_head_complete": True,
        "response_head": '{"choices":[{}]}\n',
        "response_head_complete": True,
    }
    assert (await world.get()).json()["result"] == [listed]


async def test_what_is_not_known_is_null(world):
    unknown = dict.fromkeys(("tokens_in", "tokens_out", "cost", "metadata", "model_type", "user_agent"))
    record = a_record(**unknown, request=None, response=None, provider="", model="", detail=b'{"error":"e"}')
    world.write(record)
    row = (await world.get(f"/{name(record)}")).json()["result"]
    assert {row[field] for field in unknown} == {None}
    assert (row["provider"], row["model"], row["error"]) == ("", "", "e")
    assert row["usage_metadata"] == {"input_tokens": None, "output_tokens": None, "total_tokens": None}
    assert row["decisions"] == {}
    heads = ("request_head", "request_head_complete", "response_head", "response_head_complete")
    assert [row[field] for field in heads] == [None] * 4


@pytest.mark.parametrize("letter", ["a", "é", "漢", "🌊"])
async def test_a_head_is_so_many_characters(world, letter):
    whole, longer = a_record(request=(letter * 4096).encode()), a_record(request=(letter * 4097).encode())
    world.write(whole, longer)
    for record, complete in ((whole, True), (longer, False)):
        row = (await world.get(f"/{name(record)}")).json()["result"]
        assert row["request_head"] == letter * 4096
        assert row["request_head_complete"] is complete


async def test_a_head_of_bytes_that_are_no_text(world):
    record = a_record(request=b"\xff\xfe" * 4, response=b"")
    world.write(record)
    row = (await world.get(f"/{name(record)}")).json()["result"]
    assert (row["request_head"], row["response_head"]) == ("\ufffd" * 8, "")


# Bodies


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "image/png", "multipart/x"])
async def test_bodies_come_bare_with_their_content_type(world, kind):
    record = a_record(request=b'{"a": 1}', response=bytes(range(256)), response_content_type=kind)
    world.write(record)
    request, response = await world.get(f"/{name(record)}/request"), await world.get(f"/{name(record)}/response")
    assert (request.content, request.headers["content-type"]) == (b'{"a": 1}', "application/json")
    assert (response.content, response.headers["content-type"]) == (bytes(range(256)), kind)
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("kind", [None, "", "text/\u00e9", "a\x07b"])
async def test_a_content_type_that_cannot_be_said_is_that_of_bytes(world, kind):
    record = a_record(request_content_type=kind)
    world.write(record)
    answer = await world.get(f"/{name(record)}/request")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/octet-stream")


async def test_a_stream_comes_as_json_or_as_it_came(world):
    stream = b'data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\ndata: [DONE]\n\n'
    record = a_record(response=stream, response_content_type="text/event-stream; charset=utf-8")
    world.write(record)
    answer = await world.get(f"/{name(record)}/response")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "streamed_data": [{"choices": [{"index": 0, "delta": {"content": "Hi"}}]}],
        "message": {"content": "Hi"},
    }
    answer = await world.get(f"/{name(record)}/response", headers={"accept": "text/event-stream"})
    assert (answer.content, answer.headers["content-type"]) == (stream, "text/event-stream; charset=utf-8")


async def test_so_does_a_binary_one(world):
    events = [("messageStart", b'{"role":"assistant"}'), ("contentBlockDelta", DELTA), ("messageStop", STOP)]
    stream = b"".join(eventstream.event(*event) for event in events)
    for content, shown in ((stream, 3), (stream + stream[:50], 3), (stream + b"\xff" * 50, None)):
        record = a_record(response=content, response_content_type=eventstream.KIND.decode())
        world.write(record)
        answer = await world.get(f"/{name(record)}/response")
        if shown is None:  # corrupt
            assert (answer.content, answer.headers["content-type"]) == (content, eventstream.KIND.decode())
        else:
            assert answer.json() == {
                "streamed_data": [{kind: json.loads(payload)} for kind, payload in events],
                "message": {"role": "assistant", "content": [{"text": "Hi"}], "stopReason": "end_turn"},
            }
        answer = await world.get(f"/{name(record)}/response", headers={"accept": "text/event-stream"})
        assert (answer.content, answer.headers["content-type"]) == (content, eventstream.KIND.decode())


async def test_and_one_of_lines(world):
    record = a_record(response=b'{"a":1}\n{"a":2}', response_content_type="application/stream+json")
    world.write(record)
    assert (await world.get(f"/{name(record)}/response")).json() == {"streamed_data": [{"a": 1}, {"a": 2}]}


@pytest.mark.parametrize("body", [None, b""])
@pytest.mark.parametrize("side", ["request", "response"])
async def test_a_body_that_was_not_kept_is_not_found(world, side, body):
    record = a_record(**{side: body})
    world.write(record)
    assert (await world.refused(f"/{name(record)}/{side}"))[:2] == (404, 7002)


# Whose, and who may


@pytest.mark.parametrize("place", ["", "/request", "/response"])
async def test_what_is_not_there_or_not_ones_own_is_not_found(world, place):
    mine, theirs, elsewhere = (a_record(gateway=number) for number in (world.number, world.others, world.elsewhere))
    world.write(mine, theirs, elsewhere)
    assert (await world.get(f"/{name(mine)}{place}")).status_code == 200
    for log_id in (name(theirs), name(elsewhere), ids.text(ids.new()), "nonsense", "%00", "x" * 500):
        assert (await world.refused(f"/{log_id}{place}"))[:2] == (404, 7002)
    for where in ({"gateway": "none"}, {"account": OTHER}, {"token": "other"}, {"token": "limited"}):
        assert (await world.refused(f"/{name(mine)}{place}", **where))[:2] == (404, 7002)


@pytest.mark.parametrize("where", [{"gateway": "none"}, {"account": OTHER}, {"token": "other"}, {"token": "limited"}])
async def test_lists_of_others_are_not_found(world, where):
    world.write(a_record(), a_record(gateway=world.others))
    assert (await world.refused(**where))[:2] == (404, 7002)


async def test_a_list_has_the_rows_of_its_gateway_alone(world):
    mine, theirs, elsewhere = (a_record(gateway=number) for number in (world.number, world.others, world.elsewhere))
    world.write(mine, theirs, elsewhere, a_record(gateway=0))
    assert await world.ids() == [name(mine)]
    assert await world.ids(gateway="elsewhere", token="limited") == [name(elsewhere)]
    assert await world.ids(account=OTHER, token="other") == [name(theirs)]


async def test_who_may_read_metadata_sees_no_body(world):
    record = a_record()
    world.write(record)
    assert await world.ids(token="metadata") == [name(record)]
    row = (await world.get(f"/{name(record)}", token="metadata")).json()["result"]
    assert not [field for field in row if field.endswith(("_head", "_complete"))]
    assert (row["request_size"], row["response_size"]) == (16, 17)
    for side in ("request", "response"):
        assert (await world.refused(f"/{name(record)}/{side}", token="metadata"))[:2] == (403, 10000)
        assert (await world.get(f"/{name(record)}/{side}", token="read")).status_code == 200


@pytest.mark.parametrize("path", ["", "/x", "/x/request", "/x/response"])
async def test_other_permissions_read_nothing(world, path):
    assert (await world.refused(path, token="run"))[:2] == (403, 10000)


# Just called


async def test_what_is_on_its_way_is_waited_for(world):
    for path in ("", "/request", "/response"):
        record = a_record()
        world.sink.offer(record)
        assert (await world.get(f"/{name(record)}{path}")).status_code == 200
    record = a_record()
    world.sink.offer(record)
    assert (await world.ids())[0] == name(record)


async def test_what_is_there_is_not_waited_for(world):
    record = a_record()
    world.write(record)
    world.sink.offer(a_record())
    assert (await world.get(f"/{name(record)}")).status_code == 200
    assert world.sink.asked == 0


async def test_where_the_log_is_far_behind_nobody_waits_for_ever(world):
    world.sink.offer(a_record())
    world.sink.held = True
    await service.settled(world.app.state.control, 0.01)
    assert world.sink.pending() == 1


class TestSlow:
    @pytest.fixture
    def seconds(self):
        return 0.0

    @pytest.mark.parametrize("world", ["sqlite"], indirect=True)  # PostgreSQL would have no time even to begin
    async def test_a_search_that_takes_too_long_is_refused_with_the_remedy(self, world):
        world.write(*[a_record(request=None, response=None) for _ in range(5000)])
        answer = await world.get(min_duration=1, meta_info=True)
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["code"]) == (400, 7001)
        assert "start_date" in error["message"]
        assert len(await world.ids(per_page=50)) == 50  # the connection is as good as before


async def test_the_document_has_what_there_is(world):
    paths = world.app.openapi()["paths"]
    base = "/client/v4/accounts/{account_id}/ai-gateway/gateways/{gateway_id}/logs"
    assert set(paths) == {base, base + "/{log_id}", base + "/{log_id}/request", base + "/{log_id}/response"}
    assert {operation["get"]["operationId"] for operation in paths.values()} == {
        *("list_logs", "get_log", "get_log_request", "get_log_response"),
    }
    names = {parameter["name"] for parameter in paths[base]["get"]["parameters"]}
    assert {"per_page", "meta_info", "min_total_tokens"} < names
    assert {"filters", "feedback", "order_by", "search", "cursor"} < names
    assert ACCOUNT not in json.dumps(paths)
