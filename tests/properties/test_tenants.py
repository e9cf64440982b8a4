"""Nothing of another account is shown, changed or confirmed, whoever asks for it and wherever its ids are put.

Each request is made twice: with ids that are another's, and with ids in their places that never were. Both answers must
be the same byte for byte, but for the ids and times in them; and the other must find everything as it was.
"""

import asyncio
import json
import re
from contextlib import AsyncExitStack

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.core import ids
from penstock.storage import gateways, opening
from penstock.storage.log.table import LogTable
from tests.kit.databases import EITHER, database_of
from tests.kit.house import house, request
from tests.kit.logsink import a_record
from tests.kit.store import ACCOUNT, OPEN, SECRET, a_token

OTHER, NOBODY = "b" * 32, "e" * 32
LIMITED, THEIRS, STRANGER = "limited-to-mine", "theirs-and-all-scopes", "nobody-knows-this-one"
MARK = "7f3a9"  # in all that the other wrote; in nothing that anybody else gets to see

TOKENS = [
    a_token("a-key", email="ann@example.com"),
    a_token(LIMITED, gateways=frozenset({"mine"})),
    a_token(THEIRS, account=OTHER, email="bea@example.com"),
]
SECRETLY = {
    "authentication": True,
    "store_id": MARK,
    "otel": [{"url": f"https://{MARK}.example/x", "headers": {"a": MARK}, "authorization": MARK}],
}


class Tenant:
    """An account, or what a limited token may not see of its own: its ids, and how they look where there are none."""

    def __init__(self, account, nowhere, gateway, secret):
        self.account = account
        self.secret = secret  # of a token that sees it all
        self.gateway = gateway
        self.logs: list[str] = []
        self.tokens: list[str] = []
        self.twins = {account: nowhere, gateway: "g-" + "0" * (len(gateway) - 2)}

    def know(self, log_ids, token_ids):
        self.logs, self.tokens = log_ids, token_ids
        self.twins |= {log_id: ids.text(ids.parse(log_id)[:8] + b"\x9f" + bytes(7)) for log_id in log_ids}
        self.twins |= {token_id: token_id[:20] + "0" * 12 for token_id in token_ids}
        self.twins |= {"bea@example.com": "eve@example.com"}

    def twin(self, text):
        """The same with ids that never were."""
        for known, never in self.twins.items():
            text = text.replace(known, never)
        return text


class World:
    def __init__(self, house, http):
        self.house = house
        self.http = http
        self.app = house.server.app
        self.other = Tenant(OTHER, NOBODY, "their-plans", THEIRS)
        self.hidden = Tenant(ACCOUNT, ACCOUNT, "hidden", SECRET)
        self.known: dict[Tenant, object] = {}

    async def furnish(self):
        for tenant, names in ((self.other, ("their-plans", "default")), (self.hidden, ("hidden", "mine"))):
            for name in names:
                body = dict(OPEN) | {"id": name} | (SECRETLY if tenant is self.other or name == "hidden" else {})
                await self.well("POST", f"{at(tenant)}/ai-gateway/gateways", body, tenant.secret)
            await self.well("DELETE", f"{at(tenant)}/ai-gateway/gateways/{names[1]}", None, tenant.secret)
            closed = dict(OPEN) | {"id": names[1], "authentication": True}
            await self.well("POST", f"{at(tenant)}/ai-gateway/gateways", closed, tenant.secret)
            made = {"name": MARK, "scopes": ["AI Gateway Run"], "gateways": [tenant.gateway]}
            token = await self.well("POST", f"{at(tenant)}/tokens", made, tenant.secret)
            tenant.know([ids.text(row.id) for row in await self.log(tenant)], [token["id"]])
        self.known = {tenant: await self.state(tenant) for tenant in (self.other, self.hidden)}

    async def log(self, tenant):
        async with self.app.control.database.reading() as connection:
            row = await gateways.get(connection, tenant.account, tenant.gateway)
        assert row is not None
        body = json.dumps({"said": MARK}).encode()
        rows = [a_record(gateway=row.number, model=MARK, request=body, response=body, metadata=body.decode())] * 1
        rows += [a_record(gateway=row.number, model=MARK, request=None, response=None)]
        connection = opening.connect(self.app.place.url)
        LogTable(connection).write(rows)
        connection.close()
        return rows

    async def ask(self, method, path, body=None, headers=None):
        content = body if isinstance(body, str) or body is None else json.dumps(body)
        told = {"content-type": "application/json"} if content is not None else {}
        return await self.http.request(method, path, content=content, headers=told | (headers or {}))

    async def well(self, method, path, body, secret):
        answer = await self.ask(method, path, body, bearer(secret))
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    async def unchanged(self, tenant):
        """Whether all is as it was when this was last asked."""
        before, self.known[tenant] = self.known[tenant], await self.state(tenant)
        return before == self.known[tenant]

    async def state(self, tenant):
        """All that who may see everything gets to see."""
        told = []
        for path in everything(tenant):
            answer = await self.ask("GET", path, headers=bearer(tenant.secret))
            told.append((answer.status_code, answer.text))
        return tuple(told)


def at(tenant):
    return f"/client/v4/accounts/{tenant.account}"


def everything(tenant):
    """Every address that shows something of it."""
    gateway = f"{at(tenant)}/ai-gateway/gateways/{tenant.gateway}"
    yield gateway
    yield f"{gateway}/logs?per_page=50&meta_info=true"
    yield f"{gateway}/analytics?group_by=model"
    for log_id in tenant.logs:
        yield from (f"{gateway}/logs/{log_id}{part}" for part in ("", "/request", "/response"))
    if tenant.account == OTHER:
        yield from (f"{at(tenant)}/{part}?per_page=100" for part in ("ai-gateway/gateways", "tokens"))
        yield f"{at(tenant)}/ai-gateway/audit-logs?per_page=100"
        yield from (f"{at(tenant)}/tokens/{token_id}" for token_id in tenant.tokens)


def bearer(secret):
    return {"authorization": f"Bearer {secret}"}


@pytest.fixture(scope="module", params=EITHER)
def there(request, tmp_path_factory):
    """The world, and what runs something in it."""
    with database_of(request.param, tmp_path_factory.mktemp("there")) as url, asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def start():
            opened = house(gateways={}, accounts=[OTHER], tokens=TOKENS, database_url=url)
            served = await stack.enter_async_context(opened)
            http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{served.server.port}")
            made = World(served, await stack.enter_async_context(http))
            await made.furnish()
            return made

        yield runner.run(start()), runner.run
        runner.run(stack.aclose())


# Requests with another's ids in all places


def requests(tenant, mine):
    """Method, path, body. ``mine``: a gateway of the caller's own."""
    account, gateway = st.sampled_from([tenant.account, ACCOUNT]), tenant.gateway
    log_id, token_id = st.sampled_from([*tenant.logs, "1"]), st.sampled_from([*tenant.tokens, "1"])
    name = st.sampled_from([gateway, gateway[:-1], gateway.upper(), f"{gateway}%00", f"{mine}%2F..%2F{gateway}"])
    of = st.builds("/client/v4/accounts/{}/ai-gateway/gateways/{}".format, account, name | st.just(mine))
    query = st.sampled_from(
        [
            *("", "?page=2", "?page=10000000", "?per_page=50", f"?search={gateway}", f"?search={gateway[2:]}"),
            *(f"?model={MARK}", f"?model={MARK}&meta_info=true", f"?{gateway}=1", f"?account_id={tenant.account}"),
        ]
    )
    settings_ = st.fixed_dictionaries(
        dict.fromkeys([*OPEN, "authentication"], st.just(False))
        | {"cache_ttl": st.just(0)}
        | dict.fromkeys(["rate_limiting_interval", "rate_limiting_limit"], st.just(0)),
        optional={
            "id": st.just(gateway),
            "account_id": st.just(tenant.account),
            "store_id": st.just(gateway),
            "otel": st.just([{"url": f"https://{MARK}.example/x", "headers": {}, "authorization": "********"}]),
        },
    )
    token = st.fixed_dictionaries(
        {
            "name": st.just("x"),
            "scopes": st.just(["AI Gateway Run"]),
            "gateways": st.lists(name, min_size=1, max_size=2),
        },
        optional={"email": st.just("bea@example.com"), "account": st.just(tenant.account)},
    )
    below = st.builds("/client/v4/accounts/{}/{}".format, account, st.just("tokens"))
    trail = st.builds("/client/v4/accounts/{}/ai-gateway/audit-logs".format, account)
    listed = st.builds("/client/v4/accounts/{}/ai-gateway/gateways".format, account)
    method = st.sampled_from(["GET", "HEAD", "PUT", "DELETE", "POST", "PATCH", "OPTIONS"])
    part = st.sampled_from(["", "/request", "/response", "/", "/.."])
    return st.one_of(
        st.tuples(st.just("GET"), st.builds("{}{}".format, listed | below | trail, query), st.none()),
        st.tuples(method, st.builds("{}/logs{}".format, of, query), st.none()),
        st.tuples(method, st.builds("{}/logs/{}{}".format, of, log_id, part), st.none()),
        st.tuples(method, of, st.none()),
        st.tuples(st.just("PUT"), of, settings_),
        st.tuples(st.just("POST"), listed, settings_),
        st.tuples(st.just("POST"), below, token),
        st.tuples(method, st.builds("{}/{}".format, below, token_id), st.none()),
    )


STRANGE = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}|pst_\w+|\d{4}-\d\d-\d\dT[\d:.]+Z"
)


def shape(tenant, answer):
    """What an answer tells, ids and times aside."""
    kept = {name: value for name, value in answer.headers.items() if name != "date"}
    text = tenant.twin(answer.text)
    if '"gateways":[' in text:  # names stand in order, and so do the messages about them; a twin has another name
        told = json.loads(text)
        told["messages"].sort(key=lambda message: message["message"])
        told["result"]["gateways"].sort()
        text = json.dumps(told)
    return answer.status_code, kept, STRANGE.sub("*", text)


async def hold(there, tenant, asked, headers, mine):
    """The law, for some requests one after the other."""
    for method, path, sent in asked:
        body = None if sent is None else json.dumps(sent)
        real = await there.ask(method, path, body, headers)
        if path == tenant.twin(path) and body is None:  # the caller's own
            continue
        never = await there.ask(method, tenant.twin(path), None if body is None else tenant.twin(body), headers)
        assert shape(tenant, real) == shape(tenant, never), (method, path, body)
        told = real.text.replace(path, "")  # what was asked for may be said again
        assert MARK not in (told if body is None else told.replace(MARK, "", body.count(MARK)))
    assert await there.unchanged(tenant)


def test_the_other_finds_it_all_where_nobody_else_does(there):
    """Or else the laws below would say nothing."""
    world, run = there
    for tenant in (world.other, world.hidden):
        told = run(world.state(tenant))
        missing = [status for status, _ in told if status != 200]
        assert missing == [404, 404]  # the second row has no bodies
        assert all(MARK in text for status, text in told if status == 200)


CREDENTIALS = [
    bearer(SECRET),
    {"x-auth-key": "a-key", "x-auth-email": "ann@example.com"},
    {"x-auth-key": "a-key", "x-auth-email": "bea@example.com"},
    {"x-auth-user-service-key": SECRET},
    bearer(STRANGER),
    {},
]


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_nothing_of_another_account_is_shown_changed_or_confirmed(there, data):
    world, run = there
    asked = data.draw(st.lists(requests(world.other, "mine"), min_size=1, max_size=6))
    run(hold(world, world.other, asked, data.draw(st.sampled_from(CREDENTIALS)), "mine"))


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_nothing_of_another_gateway_is_either_to_a_token_that_is_limited(there, data):
    world, run = there
    asked = data.draw(st.lists(requests(world.hidden, "mine"), min_size=1, max_size=6))
    run(hold(world, world.hidden, asked, bearer(LIMITED), "mine"))


# The data plane


PLACES = ["cf-aig-authorization", "authorization", "x-api-key", "api-key"]


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_a_gateway_that_a_token_may_not_know_is_called_as_one_that_never_was(there, data):
    world, run = there
    secret, tenant = data.draw(
        st.sampled_from([(SECRET, world.other), ("a-key", world.other), (LIMITED, world.hidden)])
    )
    path = data.draw(st.sampled_from(["openai/chat/completions", "nobody/x", "x", ""]))
    gateways = [tenant.gateway, tenant.gateway.upper(), *(["default"] if tenant is world.other else [])]
    places = data.draw(st.sets(st.sampled_from(PLACES), min_size=1))
    asked = request(
        path, gateway=data.draw(st.sampled_from(gateways)), headers=dict.fromkeys(places, f"Bearer {secret}")
    ).decode()

    async def call():
        answers = []
        async with world.house.client() as client:
            for text in (
                asked.replace(ACCOUNT, tenant.account, 1),
                tenant.twin(asked.replace(ACCOUNT, tenant.account, 1)),
            ):
                answer = await client.ask(text.encode())
                answers.append(
                    (answer.status, *(STRANGE.sub("*", part.decode()) for part in (answer.head, answer.body)))
                )
        assert answers[0] == answers[1]
        assert answers[0][0] in {400, 401, 404}
        assert MARK not in str(answers)
        assert await world.unchanged(tenant)

    run(call())
