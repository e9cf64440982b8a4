"""Custom providers as clients see them: a real server, its control plane and its data plane."""

import base64
import ipaddress
import json
import re
from xml.etree import ElementTree as ET

import cloudflare
import pytest

from penstock.model.token import Scope
from tests.control.custom_providers.conftest import OTHER, PROVIDERS, serving
from tests.kit.store import ACCOUNT, SECRET, a_token

pytestmark = pytest.mark.asyncio(loop_scope="module")

MASK = "********"
AUDIT = "/audit-logs"


async def test_a_provider_is_answered_with_all_its_members(api):
    made = await api.make(enable=False, name="My own")
    assert (await api.ask("GET", f"{PROVIDERS}/{made['id']}"))[1]["result"] == made
    logo = base64.b64decode(made.pop("logo"))
    assert ET.fromstring(logo).tag.endswith("svg")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", made.pop("id"))
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", made["created_at"])
    assert made.pop("created_at") == made.pop("modified_at")
    assert made == {
        "account_id": ACCOUNT,
        "account_tag": ACCOUNT,
        "name": "My own",
        "slug": "mine",
        "base_url": f"{api.house.mock.url}/openai",
        "description": None,
        "link": None,
        "enable": False,
        "beta": False,
        "curl_example": None,
        "js_example": None,
        "headers": None,
        "position": None,
        "prices": None,
    }


async def test_an_update_changes_what_it_names(api):
    made = await api.make(description="first", position=2)
    changed = await api.change(made, description="second", beta=True, slug="yours")
    assert changed["modified_at"] >= made["modified_at"]
    differs = {name for name in made if made[name] != changed[name]} - {"modified_at"}
    assert differs == {"description", "beta", "slug", "logo"}
    assert (await api.change(made, position=None))["position"] is None
    lines = (await api.ask("GET", AUDIT))[1]["result"]
    await api.change(made, beta=True)  # changes nothing
    assert (await api.ask("GET", AUDIT))[1]["result"] == lines


async def test_a_deleted_one_is_answered_once_more(api):
    made = await api.make()
    at = f"{PROVIDERS}/{made['id']}"
    assert (await api.ask("DELETE", at))[1]["result"] == made
    for method, body in (("GET", None), ("PATCH", {"beta": True}), ("DELETE", None)):
        assert await api.refused(method, at, body) == (404, 1004, [])
    assert (await api.make())["id"] != made["id"]


async def test_lists_are_paged_filtered_and_ordered(api):
    for slug, more in (
        ("b", {"beta": True, "position": 1}),
        ("a", {"enable": False}),
        ("c", {"name": "Zebra", "position": 2}),
    ):
        await api.make(slug, **more)

    async def listed(**asked):
        _, body = await api.ask("GET", params=asked)
        return "".join(one["slug"] for one in body["result"]), body["result_info"]

    assert await listed() == ("bac", {"page": 1, "per_page": 20, "count": 3, "total_count": 3, "total_pages": 1})
    assert await listed(per_page=2, page=2) == (
        "c",
        {"page": 2, "per_page": 2, "count": 1, "total_count": 3, "total_pages": 2},
    )
    for asked, found in (
        ({"enable": "true"}, "bc"),
        ({"enable": "false"}, "a"),
        ({"beta": "true"}, "b"),
        ({"search": "ZEB"}, "c"),
        ({"search": "a"}, None),  # ids may hold it
        ({"order_by": "name ASC"}, "abc"),
        ({"order_by": "slug DESC"}, "cba"),
        ({"order_by": "beta DESC"}, "bac"),
        ({"order_by": "position"}, "bca"),
        ({"order_by": "position DESC"}, "cba"),
    ):
        if found is not None:
            assert (await listed(**asked))[0] == found, asked
    assert "c" in (await listed(search="zebra"))[0]
    for asked in ({"order_by": "headers"}, {"per_page": 101}, {"page": 0}, {"enable": "maybe"}, {"other": "1"}):
        assert (await api.ask("GET", params=asked))[0] == 400, asked


@pytest.mark.parametrize(
    ("base_url", "code"),
    [
        ("http://api.example.com", 1002),
        ("http://8.8.8.8/v1", 1002),
        ("https://10.0.0.1/v1", 1002),
        ("https://169.254.169.254/latest", 1002),
        ("https://api.example.com/{region}/v1", 1002),
        ("https://api.example.com/a/../b", 1002),
        ("https://api.example.com/v1?key=1", 1002),
        ("https://name:secret@api.example.com", 7001),
        ("ftp://api.example.com", 7001),
        ("api.example.com", 7001),
    ],
)
async def test_a_base_url_that_cannot_be_called_is_refused(refusing, base_url, code):
    refused = (400, code, ["body", "base_url"])
    body = {"name": "x", "slug": "x", "base_url": base_url}
    assert await refusing.refused("POST", body=body) == refused


async def test_nor_can_it_take_the_place_of_another(api):
    at = f"{PROVIDERS}/{(await api.make())['id']}"
    plain = {"base_url": "http://api.example.com"}
    assert await api.refused("PATCH", at, plain) == (400, 1002, ["body", "base_url"])


async def test_without_allowed_networks_nothing_private_and_nothing_plain():
    async with serving(allowed_networks=()) as api:
        for base_url in ("http://127.0.0.1:9", "https://127.0.0.1:9", "https://localhost", "http://ollama:11434"):
            body = {"name": "x", "slug": "x", "base_url": base_url}
            assert await api.refused("POST", body=body) == (400, 1002, ["body", "base_url"]), base_url


@pytest.mark.parametrize("slug", ["", "a b", "ä", "-a", "a_b", "a/b", "a" * 65])
async def test_a_slug_is_letters_digits_and_hyphens(refusing, slug):
    body = {"name": "x", "slug": slug, "base_url": "https://api.example.com"}
    assert await refusing.refused("POST", body=body) == (400, 7001, ["body", "slug"])


async def test_a_slug_is_taken_once_an_account():
    theirs = a_token("theirs", account=OTHER)
    async with serving(tokens=[theirs]) as api:
        await api.make("a")
        second = await api.make("b")
        taken = (409, 1003, ["body", "slug"])
        body = {"name": "x", "slug": "a", "base_url": "https://api.example.com"}
        assert await api.refused("POST", body=body) == taken
        assert await api.refused("PATCH", f"{PROVIDERS}/{second['id']}", {"slug": "a"}) == taken
        assert (await api.ask("POST", body=body, secret=theirs.name, account=OTHER))[0] == 200


async def test_those_of_other_accounts_are_not_there():
    theirs = a_token("theirs", account=OTHER)
    async with serving(tokens=[theirs]) as api:
        at = f"{PROVIDERS}/{(await api.make())['id']}"
        for method, body in (("GET", None), ("PATCH", {"beta": True}), ("DELETE", None)):
            assert await api.refused(method, at, body, secret=theirs.name, account=OTHER) == (404, 1004, [])
        assert (await api.ask("GET", secret=theirs.name, account=OTHER))[1]["result"] == []


async def test_who_may():
    known = {
        "limited": a_token("limited", gateways=frozenset({"default"})),
        "read": a_token("read", scopes=frozenset({Scope.READ})),
        "run": a_token("run", scopes=frozenset({Scope.RUN})),
    }
    async with serving(tokens=known.values()) as api:
        at = f"{PROVIDERS}/{(await api.make())['id']}"
        body = {"name": "x", "slug": "x", "base_url": "https://api.example.com"}
        calls = [("GET", PROVIDERS, None), ("GET", at, None), ("POST", PROVIDERS, body)]
        calls += [("PATCH", at, {"beta": True}), ("DELETE", at, None)]
        for call in calls:
            assert (await api.ask(*call, secret="limited"))[0] == 403
            assert (await api.ask(*call, secret="run"))[0] == 403
            assert (await api.ask(*call, secret="read"))[0] == (200 if call[0] == "GET" else 403)


@pytest.mark.parametrize(
    "fields",
    [
        {"headers": "no json"},
        {"headers": '["a"]'},
        {"headers": '{"a": 1}'},
        {"headers": '{"host": "x"}'},
        {"headers": '{"cf-aig-authorization": "x"}'},
        {"headers": '{"accept-encoding": "gzip"}'},
        {"headers": '{"a": "x", "A": "y"}'},
        {"headers": '{"a": ""}'},
        {"headers": '{"a": "x\\ny"}'},
        {"headers": f'{{"a": "Bearer {SECRET}"}}'},
        {"headers": {"a": "b"}},
        {"headers": f'{{"a": "{MASK}"}}'},
        {"prices": {"words": 1}},
        {"prices": {"input": -1}},
        {"prices": {"input": "1"}},
        {"position": -1},
        {"link": "nowhere"},
        {"logo": "mine"},
    ],
)
async def test_what_is_wrong_is_named(refusing, fields):
    (field,) = fields
    status, body = await refusing.ask("POST", body={"name": "x", "slug": "x", "base_url": "https://a.example"} | fields)
    assert status == 400
    assert body["errors"][0]["code"] == 7001
    assert body["errors"][0]["path"][:2] == ["body", field]
    assert SECRET not in json.dumps(body)


async def test_values_of_headers_are_shown_nowhere(api):
    canary, other = "canary-one-0123456789", "canary-two-0123456789"
    made = await api.make(headers=json.dumps({"Authorization": f"Bearer {canary}", "X-Org": other}))
    assert json.loads(made["headers"]) == {"Authorization": MASK, "X-Org": MASK}
    changed = await api.change(made, headers=json.dumps({"Authorization": f"Bearer {other}", "X-Org": MASK}))
    assert json.loads(changed["headers"]) == {"Authorization": MASK, "X-Org": MASK}
    await api.ask("DELETE", f"{PROVIDERS}/{made['id']}")
    trail = json.dumps((await api.ask("GET", AUDIT))[1])
    assert canary not in trail
    assert other not in trail
    assert f"{MASK} (changed)" in trail


async def test_a_mask_keeps_the_value_for_the_same_origin_alone(api):
    made = await api.make(headers='{"x-org": "one", "x-team": "two"}')
    await api.change(made, base_url=f"{api.house.mock.url}/groq", headers=made["headers"])
    target, sent = await api.sent()
    assert (target, sent["x-org"], sent["x-team"]) == ("/groq/chat/completions", "one", "two")
    at = f"{PROVIDERS}/{made['id']}"
    elsewhere = {"base_url": "https://elsewhere.example"}
    for body in (elsewhere, elsewhere | {"headers": made["headers"]}):
        assert await api.refused("PATCH", at, body) == (400, 7001, ["body", "headers"])
    await api.change(made, **elsewhere, headers='{"x-org": "three"}')
    assert (await api.change(made, headers=None))["headers"] is None


async def test_the_sdk_drives_them(api):
    sdk = cloudflare.AsyncCloudflare(
        api_token=SECRET, base_url=f"http://127.0.0.1:{api.house.server.port}/client/v4", max_retries=0,
        _strict_response_validation=True,
    )  # fmt: skip
    customs = sdk.ai_gateway.custom_providers
    made = await customs.create(
        account_id=ACCOUNT,
        name="Mine",
        slug="mine",
        base_url="https://api.example.com",
        headers='{"a":"b"}',
        position=1,
    )
    assert (made.slug, made.enable, made.headers) == ("mine", False, f'{{"a":"{MASK}"}}')
    assert (await customs.get(made.id, account_id=ACCOUNT)).to_dict() == made.to_dict()
    assert [one.id async for one in customs.list(account_id=ACCOUNT, search="min", enable=False)] == [made.id]
    with pytest.raises(cloudflare.ConflictError):
        await customs.create(account_id=ACCOUNT, name="x", slug="mine", base_url="https://api.example.com")
    assert (await customs.delete(made.id, account_id=ACCOUNT)).id == made.id
    with pytest.raises(cloudflare.NotFoundError):
        await customs.get(made.id, account_id=ACCOUNT)
    url = await sdk.ai_gateway.urls.get("openai", account_id=ACCOUNT, gateway_id="default")
    assert url == f"http://127.0.0.1:{api.house.server.port}/v1/{ACCOUNT}/default/openai"
    await sdk.close()


async def test_names_that_are_never_public_may_be_plain_where_the_operator_allows_a_network():
    async with serving(allowed_networks=(ipaddress.ip_network("10.0.0.0/8"),)) as api:
        for slug, base_url in (
            ("a", "http://ollama:11434"),
            ("b", "http://llm.models.svc/v1"),
            ("c", "http://10.1.1.1"),
        ):
            body = {"name": "x", "slug": slug, "base_url": base_url}
            assert (await api.ask("POST", body=body))[0] == 200


async def test_a_key_is_stored_for_a_slug_in_capitals(api):
    await api.make("MyModels")
    body = {"provider_slug": "custom-MyModels", "alias": "default", "default_config": True, "secret": "sk-for-capitals"}
    status, told = await api.ask("POST", "/gateways/default/provider_configs", body)
    assert (status, told["result"]["provider_slug"]) == (200, "custom-MyModels")


async def test_a_stored_key_is_led_to_no_other_place(api):
    made = await api.make(headers='{"authorization": "Bearer sk-configured"}')
    keys = "/gateways/default/provider_configs"
    body = {"provider_slug": "custom-mine", "alias": "default", "default_config": True, "secret": "sk-stored-for-mine"}
    assert (await api.ask("POST", keys, body))[0] == 200
    assert (await api.sent())[1]["authorization"] == "Bearer sk-stored-for-mine"
    at = f"{PROVIDERS}/{made['id']}"
    elsewhere = {"base_url": "https://elsewhere.example", "headers": None}
    assert await api.refused("PATCH", at, elsewhere) == (400, 7001, ["body", "base_url"])
    assert await api.refused("PATCH", at, {"slug": "yours"}) == (400, 7001, ["body", "slug"])
    await api.change(made, base_url=made["base_url"] + "/v1", name="still there")
    assert (await api.ask("DELETE", at))[0] == 200
    assert (await api.ask("GET", keys))[1]["result"] == []
    await api.make()
    assert "authorization" not in (await api.sent())[1]
