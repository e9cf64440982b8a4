"""Tokens as clients see them: a real server, a real socket."""

import asyncio
import hashlib
import re
import time
from contextlib import closing
from typing import Any

import pytest
from cloudflare import AsyncCloudflare

from penstock.core import instants
from penstock.model.money import NANO, Claim
from penstock.model.token import SCOPES, Scope
from penstock.storage import opening, payment_tables
from tests.kit.store import ACCOUNT, SECRET, a_token

OTHER = "f" * 32
FUTURE = "2999-01-31T12:00:00.000Z"
VERIFY = "/client/v4/user/tokens/verify"


def refusal(answer: Any) -> tuple[int, int, Any]:
    """Status, code and path of a refusal that is well made."""
    told = answer.json()
    assert (told["success"], told["result"], told["messages"]) == (False, None, [])
    assert answer.headers["x-should-retry"] == "false"
    (error,) = told["errors"]
    return answer.status_code, error["code"], error.get("path")


async def test_a_new_token_is_shown_with_its_secret_once(api: Any):
    body = {"name": "ci", "scopes": [Scope.RUN, Scope.READ], "email": "mia@example.org", "expires_on": FUTURE}
    answer = await api.ask("POST", body=body)
    made = answer.json()["result"]
    assert re.fullmatch(r"pst_[A-Za-z0-9]{40}[0-9a-f]{8}", made.pop("value"))
    assert re.fullmatch(r"[0-9a-f]{32}", made["id"])
    assert abs(instants.parse(made["created_at"]) - time.time_ns() // 1_000_000) < 600_000
    assert made == {
        "id": made["id"],
        "name": "ci",
        "scopes": [Scope.READ, Scope.RUN],
        "email": "mia@example.org",
        "gateways": None,
        "created_at": made["created_at"],
        "expires_on": FUTURE,
        "budget": None,
        "rate_limit": None,
        "models": None,
        "status": "active",
    }
    one = (await api.ask("GET", made["id"])).json()["result"]
    listed = (await api.ask("GET")).json()["result"]
    assert one == made
    assert made in listed
    assert {tuple(row) for row in listed} == {tuple(made)}


async def test_it_opens_what_it_should_at_once(api: Any):
    made = await api.make(scopes=[Scope.READ])
    assert await api.status(made["value"]) == 200
    assert (await api.ask("GET", secret=made["value"])).status_code == 200
    assert refusal(await api.ask("POST", body={"name": "x", "scopes": [Scope.READ]}, secret=made["value"])) == (
        403,
        10000,
        None,
    )


async def test_the_secret_is_nowhere_in_the_database(api: Any):
    made = await api.make(name="findable")
    with closing(opening.connect_reader(api.house.server.app.place.url)) as connection:
        dump = "\n".join(repr(connection.execute(f"SELECT * FROM {table}")) for table in payment_tables.metadata.tables)
        assert "findable" in dump
        assert made["value"] not in dump
        assert made["value"][4:44] not in dump
        ((digest,),) = connection.execute("SELECT hash FROM tokens WHERE id = ?", (made["id"],))
        assert digest == hashlib.sha256(made["value"].encode()).digest()
        for before, after in connection.execute("SELECT before, after FROM audit"):
            assert digest.hex() not in f"{before}{after}"


async def test_a_revoked_token_is_refused_from_the_answer_on(api: Any):
    made = await api.make(scopes=[Scope.WRITE, Scope.RUN])
    answer = await api.ask("DELETE", made["id"])
    assert answer.json()["result"] == {"id": made["id"]}
    assert await api.status(made["value"]) == 401
    assert refusal(await api.ask("GET", made["id"])) == (404, 7002, None)
    assert refusal(await api.ask("DELETE", made["id"])) == (404, 7002, None)
    assert made["id"] not in [row["id"] for row in (await api.ask("GET")).json()["result"]]


async def test_one_may_revoke_oneself(api: Any):
    made = await api.make(scopes=[Scope.WRITE])
    assert (await api.ask("DELETE", made["id"], secret=made["value"])).status_code == 200
    assert refusal(await api.ask("DELETE", made["id"], secret=made["value"])) == (401, 10000, None)


async def test_pages(api: Any):
    for number in range(4):
        await api.make(name=f"token {number}")
    answer = (await api.ask("GET", params={"page": 2, "per_page": 2})).json()
    assert [row["name"] for row in answer["result"]] == ["token 1", "token 2"]
    assert answer["result_info"] == {"page": 2, "per_page": 2, "count": 2, "total_count": 5, "total_pages": 3}
    past = (await api.ask("GET", params={"page": 9})).json()
    assert (past["success"], past["result"]) == (True, [])
    assert refusal(await api.ask("GET", params={"page": 0})) == (400, 7001, ["query", "page"])
    assert refusal(await api.ask("GET", params={"sort": "up"})) == (400, 7001, ["query", "sort"])


GOOD: dict[str, Any] = {"name": "x", "scopes": [Scope.RUN]}
WRONG = {
    "no name": ({"scopes": [Scope.RUN]}, ["name"]),
    "an empty name": (GOOD | {"name": ""}, ["name"]),
    "a name of nothing": (GOOD | {"name": "   "}, ["name"]),
    "a long name": (GOOD | {"name": "x" * 121}, ["name"]),
    "a name of two lines": (GOOD | {"name": "a\nb"}, ["name"]),
    "a name that is a number": (GOOD | {"name": 1}, ["name"]),
    "half a character": (GOOD | {"name": "\ud800"}, ["name"]),
    "no scopes": ({"name": "x"}, ["scopes"]),
    "none of the scopes": (GOOD | {"scopes": []}, ["scopes"]),
    "an unknown scope": (GOOD | {"scopes": [Scope.RUN, "Everything"]}, ["scopes", 1]),
    "a scope twice": (GOOD | {"scopes": [Scope.RUN, Scope.RUN]}, ["scopes"]),
    "a scope alone": (GOOD | {"scopes": Scope.RUN}, ["scopes"]),
    "no e-mail": (GOOD | {"email": "mia"}, ["email"]),
    "an e-mail that no header can carry": (GOOD | {"email": "mia\r\n@example.org"}, ["email"]),
    "no gateway": (GOOD | {"gateways": []}, ["gateways"]),
    "a gateway that cannot be": (GOOD | {"gateways": ["ok", "Not OK"]}, ["gateways", 1]),
    "a gateway twice": (GOOD | {"gateways": ["a", "a"]}, ["gateways"]),
    "no time": (GOOD | {"expires_on": "soon"}, ["expires_on"]),
    "a time that is a number": (GOOD | {"expires_on": 1_900_000_000}, ["expires_on"]),
    "a time in the past": (GOOD | {"expires_on": "2020-01-01T00:00:00Z"}, ["expires_on"]),
    "a time that never comes": (GOOD | {"expires_on": "9999-12-31T23:59:59-10:00"}, ["expires_on"]),
    "no budget": (GOOD | {"budget": 50}, ["budget"]),
    "a budget of nothing": (GOOD | {"budget": {"amount": 0, "window": "day"}}, ["budget", "amount"]),
    "a budget without a window": (GOOD | {"budget": {"amount": 1}}, ["budget", "window"]),
    "a budget by no technique": (
        GOOD | {"budget": {"amount": 1, "window": "day", "technique": "x"}},
        ["budget", "technique"],
    ),
    "what was spent": (GOOD | {"budget": {"amount": 1, "window": "day", "spent": 0}}, ["budget", "spent"]),
    "no calls": (GOOD | {"rate_limit": {"limit": 0, "window": 60}}, ["rate_limit", "limit"]),
    "calls without a time": (GOOD | {"rate_limit": {"limit": 1}}, ["rate_limit", "window"]),
    "no models": (GOOD | {"models": []}, ["models"]),
    "a model without its provider": (GOOD | {"models": ["openai/*", "gpt-4o"]}, ["models", 1]),
    "a model twice": (GOOD | {"models": ["a/b", "a/b"]}, ["models"]),
    "a model of many stars": (GOOD | {"models": ["*/*-*-*-*"]}, ["models", 0]),
    "an unknown field": (GOOD | {"ttl": 3}, ["ttl"]),
    "the account of another": (GOOD | {"account": OTHER}, ["account"]),
}


@pytest.mark.parametrize(("body", "path"), WRONG.values(), ids=WRONG)
async def test_what_is_wrong_is_named(api: Any, body: dict[str, Any], path: list[Any]):
    assert refusal(await api.ask("POST", body=body)) == (400, 7001, ["body", *path])
    assert len((await api.ask("GET")).json()["result"]) == 1


BOUNDS: dict[str, Any] = {
    "budget": {"amount": 12.5, "window": "week", "technique": "sliding"},
    "rate_limit": {"limit": 5, "window": 60, "technique": "fixed"},
    "models": ["openai/*", "anthropic/claude-haiku-*"],
}


def bounds(token: dict[str, Any]) -> dict[str, Any]:
    """Without what the holder has spent."""
    told = {name: token[name] for name in BOUNDS}
    return told | {"budget": told["budget"] and {name: told["budget"][name] for name in BOUNDS["budget"]}}


async def test_what_a_holder_may_spend_and_call_is_shown_and_can_be_changed(api: Any):
    made = await api.make(**BOUNDS, email="mia@example.org")
    assert bounds(made) == BOUNDS
    assert bounds((await api.ask("GET", made["id"])).json()["result"]) == BOUNDS
    changed = await api.ask("PATCH", made["id"], {"budget": {"amount": 3, "window": 600}, "expires_on": FUTURE})
    told = changed.json()["result"]
    assert bounds(told) == BOUNDS | {"budget": {"amount": 3, "window": 600, "technique": "fixed"}}
    assert (told["name"], told["email"], told["expires_on"]) == (made["name"], made["email"], FUTURE)
    assert (await api.ask("GET", made["id"])).json()["result"] == told
    gone = await api.ask("PATCH", made["id"], {"name": "other", "expires_on": None} | dict.fromkeys(BOUNDS))
    assert bounds(gone.json()["result"]) == dict.fromkeys(BOUNDS)
    assert (gone.json()["result"]["name"], gone.json()["result"]["expires_on"]) == ("other", None)
    assert await api.status(made["value"]) == 200
    trail = (await api.ask("GET", f"/client/v4/accounts/{ACCOUNT}/ai-gateway/audit-logs")).json()["result"]
    (last, first) = [row for row in trail if row["action"] == "token.update"]
    assert (first["before"]["budget"], first["after"]["budget"]["amount"]) == (BOUNDS["budget"], 3)
    assert last["after"]["models"] is None


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"name": None}, ["name"]),
        ({"name": ""}, ["name"]),
        ({"expires_on": "2020-01-01T00:00:00Z"}, ["expires_on"]),
        ({"budget": {"amount": -1, "window": "day"}}, ["budget", "amount"]),
        ({"models": ["x"]}, ["models", 0]),
        ({"scopes": [Scope.READ]}, ["scopes"]),
    ],
)
async def test_a_change_that_is_wrong_is_named(api: Any, body: dict[str, Any], path: list[Any]):
    made = await api.make(**BOUNDS)
    assert refusal(await api.ask("PATCH", made["id"], body)) == (400, 7001, ["body", *path])
    assert (await api.ask("GET", made["id"])).json()["result"] == {key: made[key] for key in made if key != "value"}


async def test_what_is_spent_and_reserved_of_a_budget_is_shown(api: Any):
    counted = api.house.server.app.control.reservations
    for window in ("month", 31_000_000, "forever"):
        made = await api.make(budget={"amount": 5, "window": window, "technique": "fixed"})
        budget = api.house.server.app.keyring.known(made["value"].encode()).budget
        assert await counted.reserve(b"one" + made["id"].encode(), [Claim(budget, 3)]) is None
        assert await counted.reserve(b"two" + made["id"].encode(), [Claim(budget, NANO)]) is None
        counted.settle(b"two" + made["id"].encode(), [Claim(budget, NANO)], [NANO // 4])
        shown = (await api.ask("GET", made["id"])).json()["result"]["budget"]
        assert (shown["spent"], shown["reserved"]) == (0.25, 3e-9)
        assert (shown["resets_at"] is None) == (window == "forever")
        assert (await api.ask("GET")).json()["result"][-1]["budget"] == shown
        changed = await api.ask("PATCH", made["id"], {"budget": {"amount": 9, "window": window}})
        assert changed.json()["result"]["budget"] == shown | {"amount": 9}


@pytest.mark.parametrize("window", ["year", 0, -1, 1.5, 10**18, True, None, {}])
async def test_a_window_that_a_budget_cannot_have_is_refused_in_one_sentence(api: Any, window: object):
    body = {"name": "x", "scopes": [Scope.RUN], "budget": {"amount": 5, "window": window}}
    answer = await api.ask("POST", body=body)
    said = "window: must be day, week, month, forever, or a number of seconds from 1 to 31,622,400"
    assert answer.json()["errors"] == [{"code": 7001, "message": said, "path": ["body", "budget", "window"]}]


async def test_a_change_is_for_who_may_make_such_a_token(api: Any):
    limit = {"name": "x"}
    target = await api.make(expires_on=FUTURE)
    reader = await api.make(scopes=[Scope.READ])
    writer = await api.make(scopes=[Scope.WRITE], expires_on=FUTURE)
    elsewhere = await api.make(scopes=[Scope.WRITE], gateways=["default"])
    assert refusal(await api.ask("PATCH", target["id"], limit, secret=reader["value"])) == (403, 10000, None)
    assert refusal(await api.ask("PATCH", target["id"], limit, secret=elsewhere["value"])) == (403, 10000, None)
    longer = await api.ask("PATCH", writer["id"], {"expires_on": None}, secret=writer["value"])
    assert refusal(longer) == (403, 10000, ["body", "expires_on"])
    assert (await api.ask("PATCH", target["id"], limit, secret=writer["value"])).status_code == 200
    assert refusal(await api.ask("PATCH", "0" * 32, limit)) == (404, 7002, None)
    await api.ask("DELETE", target["id"])
    assert refusal(await api.ask("PATCH", target["id"], limit)) == (404, 7002, None)


@pytest.mark.parametrize("bound", BOUNDS)
async def test_a_holder_of_a_limited_token_makes_none_and_changes_none(api: Any, bound: str):
    own = await api.make(scopes=[Scope.WRITE, Scope.READ], **{bound: BOUNDS[bound]})
    again = await api.ask("POST", body=GOOD | {"scopes": [Scope.READ]}, secret=own["value"])
    assert refusal(again) == (403, 10000, None)
    assert "a budget, a rate limit or a list of models" in again.text
    assert refusal(await api.ask("PATCH", own["id"], {bound: None}, secret=own["value"])) == (403, 10000, None)
    assert (await api.ask("GET", own["id"], secret=own["value"])).status_code == 200


async def test_nothing_may_be_sent_as_null(api: Any):
    made = await api.make(email=None, gateways=None, expires_on=None)
    assert (made["email"], made["gateways"], made["expires_on"]) == (None, None, None)


async def test_gateways_that_do_not_exist_yet_are_told(api: Any):
    body = GOOD | {"gateways": ["later", "default"]}
    answer = (await api.ask("POST", body=body)).json()
    assert answer["result"]["gateways"] == ["default", "later"]
    assert [message["message"] for message in answer["messages"]] == ["There is no gateway 'later' yet."]


@pytest.mark.parametrize(
    ("scopes", "reads", "writes"),
    [
        ([Scope.READ], True, False),
        ([Scope.WRITE], False, True),
        ([Scope.METADATA, Scope.RUN, Scope.WORKERS], False, False),
    ],
)
async def test_reading_needs_read_and_writing_needs_write(serve: Any, scopes: list[str], reads: bool, writes: bool):
    api = await serve([a_token("caller", scopes=frozenset(scopes)), a_token("target")])
    target = a_token("target").id
    seen = {
        (await api.ask("GET", secret="caller")).status_code,
        (await api.ask("GET", target, secret="caller")).status_code,
    }
    assert seen == {200 if reads else 403}
    body = {"name": "x", "scopes": scopes}
    done = {
        (await api.ask("POST", body=body, secret="caller")).status_code,
        (await api.ask("DELETE", target, secret="caller")).status_code,
    }
    assert done == {200 if writes else 403}


async def test_one_cannot_give_a_scope_one_lacks(serve: Any):
    api = await serve([a_token("writer", scopes=frozenset({Scope.WRITE, Scope.READ}))])
    answer = await api.ask("POST", body={"name": "x", "scopes": [Scope.READ, Scope.RUN]}, secret="writer")
    assert refusal(answer) == (403, 10000, ["body", "scopes"])
    assert "AI Gateway Run" in answer.json()["errors"][0]["message"]


async def test_one_cannot_make_what_lasts_longer(serve: Any):
    until = instants.parse("2900-01-01")
    api = await serve([a_token("short-lived", expires_at=until)])
    assert refusal(await api.ask("POST", body=GOOD, secret="short-lived")) == (403, 10000, ["body", "expires_on"])
    later = GOOD | {"expires_on": FUTURE}
    assert refusal(await api.ask("POST", body=later, secret="short-lived")) == (403, 10000, ["body", "expires_on"])
    same = await api.make("short-lived", expires_on=instants.text(until))
    assert same["expires_on"] == "2900-01-01T00:00:00.000Z"


async def test_a_token_limited_to_gateways_manages_none(serve: Any):
    api = await serve([a_token("limited", gateways=frozenset({"default"}))])
    itself = a_token("limited").id
    asked: list[tuple[str, str, Any]] = [
        ("GET", "", None),
        ("GET", itself, None),
        ("POST", "", GOOD | {"gateways": ["default"]}),
        ("DELETE", itself, None),
    ]
    for method, path, body in asked:
        assert refusal(await api.ask(method, path, body, secret="limited")) == (403, 10000, None)
    assert await api.status("limited") == 200


async def test_nothing_of_another_account_is_shown_or_changed(serve: Any):
    theirs = a_token("theirs", account=OTHER)
    api = await serve([theirs], accounts=[OTHER])
    assert refusal(await api.ask("GET", theirs.id)) == (404, 7002, None)
    assert refusal(await api.ask("DELETE", theirs.id)) == (404, 7002, None)
    assert theirs.id not in (await api.ask("GET")).text
    told = [
        (await api.ask("GET", path)).json()["errors"][0]["message"]
        for path in (
            theirs.id,
            f"/client/v4/accounts/{OTHER}/tokens",
            f"/client/v4/accounts/{OTHER}/ai-gateway/gateways",
        )
    ]
    assert set(told) == {"Not found: there is none of that id in this account."}
    for account in (OTHER, "e" * 32, "nobody"):
        foreign = f"/client/v4/accounts/{account}/tokens"
        for method, path, body in (("GET", "", None), ("POST", "", GOOD), ("DELETE", f"/{theirs.id}", None)):
            assert refusal(await api.ask(method, foreign + path, body)) == (404, 7002, None)
    assert await api.status("theirs") == 200


async def test_who_was_revoked_elsewhere_leaves_no_token_behind(serve: Any):
    """The row says so before this process has heard of it."""
    api = await serve([a_token("leaked")])
    app = api.house.server.app
    with closing(opening.connect(app.place.url)) as connection:  # as a power cut between row and version would leave it
        connection.execute("UPDATE tokens SET revoked_at = 1 WHERE id = ?", (a_token("leaked").id,))
    assert app.keyring.known(b"leaked") is not None
    assert refusal(await api.ask("POST", body=GOOD, secret="leaked")) == (401, 10000, None)
    assert refusal(await api.ask("DELETE", a_token().id, secret="leaked")) == (401, 10000, None)


# Who asks


async def test_the_sdk_verifies(api: Any):
    made = await api.make(expires_on=FUTURE)
    for secret, expires in ((SECRET, None), (made["value"], FUTURE)):
        async with AsyncCloudflare(
            api_token=secret, base_url=f"{api.client.base_url}/client/v4", _strict_response_validation=True
        ) as sdk:
            found = await sdk.user.tokens.verify()
        assert found is not None
        assert found.status == "active"
        assert (None if found.expires_on is None else instants.parse(found.expires_on.isoformat())) == (
            expires and instants.parse(expires)
        )


async def test_verify_says_that_a_token_is_good(api: Any):
    answer = (await api.ask("GET", VERIFY)).json()
    assert answer == {
        "success": True,
        "errors": [],
        "messages": [{"code": 10000, "message": "This API Token is valid and active", "type": None}],
        "result": {"id": a_token().id, "status": "active"},
    }


async def test_verify_says_that_a_token_has_expired(serve: Any):
    api = await serve([a_token("lapsed", expires_at=1_700_000_000_000)])
    answer = await api.ask("GET", VERIFY, secret="lapsed")
    assert answer.status_code == 200
    assert answer.json()["result"] == {
        "id": a_token("lapsed").id,
        "status": "expired",
        "expires_on": "2023-11-14T22:13:20.000Z",
    }
    assert answer.json()["messages"][0]["message"] == "This API Token is expired"
    assert refusal(await api.ask("GET", secret="lapsed")) == (401, 10000, None)


HEADERS = {
    "none": ({}, 400, 9106),
    "an unknown token": ({"authorization": "Bearer pst_nobody"}, 401, 10000),
    "another scheme": ({"authorization": "Basic abc"}, 400, 6003),
    "an unknown key": ({"x-auth-email": "mia@example.org", "x-auth-key": "pst_nobody"}, 401, 10000),
    "another's e-mail": ({"x-auth-email": "ben@example.org", "x-auth-key": "keyed"}, 401, 10000),
    "no e-mail": ({"x-auth-key": "keyed"}, 401, 10000),
    "a key with a scope missing": ({"x-auth-email": "mia@example.org", "x-auth-key": "lesser"}, 401, 10000),
    "e-mail and key": ({"x-auth-email": "Mia@example.org", "x-auth-key": "keyed"}, 200, 0),
    "a service key": ({"x-auth-user-service-key": "lesser"}, 200, 0),
}


@pytest.mark.parametrize(("headers", "status", "code"), HEADERS.values(), ids=HEADERS)
async def test_credentials(serve: Any, headers: dict[str, str], status: int, code: int):
    email = "mia@example.org"
    api = await serve(
        [a_token("keyed", email=email), a_token("lesser", email=email, scopes=frozenset(SCOPES) - {Scope.WORKERS})]
    )
    answer = await api.ask("GET", VERIFY, secret=None, headers=headers)
    assert answer.status_code == status
    if code:
        assert refusal(answer)[:2] == (status, code)


async def test_many_at_once_lose_nothing(api: Any):
    made = await asyncio.gather(*(api.make(name=f"token {number}") for number in range(20)))
    gone, kept = made[::2], made[1::2]
    await asyncio.gather(*(api.ask("DELETE", token["id"]) for token in gone))
    assert {await api.status(token["value"]) for token in gone} == {401}
    assert {await api.status(token["value"]) for token in kept} == {200}
    answer = await api.ask("GET", f"/client/v4/accounts/{ACCOUNT}/ai-gateway/audit-logs")
    assert answer.json()["result_info"]["total_count"] == 30
