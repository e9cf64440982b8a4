"""Stored keys as clients see them: a real server, a real socket."""

import json
import re
from itertools import pairwise

from tests.control.provider_configs.conftest import FOREIGNER, LIMITED, OTHER, READER, a_key
from tests.kit.house import request
from tests.kit.store import ACCOUNT, SECRET

CANARY = "canary-of-a-secret-0123456789-last"
TOKEN = {"cf-aig-authorization": f"Bearer {SECRET}"}


def refusal(answer):
    """Status, path and message of a refusal with one error."""
    told = answer.json()
    assert (told["success"], told["result"]) == (False, None)
    (error,) = told["errors"]
    return answer.status_code, error.get("path"), error["message"]


async def travelled(api, gateway="a", **headers):
    """The key that the provider gets, or what the call is refused with."""
    headers = TOKEN | {"x-mock-echo": "1"} | {name.replace("_", "-"): value for name, value in headers.items()}
    async with api.house.client() as client:
        answer = await client.ask(request(gateway=gateway, headers=headers))
    told = json.loads(answer.body)
    return dict(told["headers"]).get("authorization") if answer.status == 200 else told["message"]


async def test_a_key_is_answered_without_its_secret_and_travels_at_once(api):
    made = await api.make(secret="sk-0123456789abcdef", secret_id="s1", rate_limit=5.0, rate_limit_period=60)
    assert re.fullmatch(r"[0-9a-f]{32}", made["id"])
    assert made == {
        "id": made["id"],
        "gateway_id": "a",
        "provider_slug": "openai",
        "alias": "default",
        "default_config": True,
        "secret_id": "s1",
        "secret_preview": "cdef",
        "rate_limit": 5,
        "rate_limit_period": 60,
        "created_at": made["created_at"],
        "modified_at": made["created_at"],
        "last_used_at": None,
        "last_refused_at": None,
        "last_refused_status": None,
    }
    assert (await api.ask("GET", made["id"])).json()["result"] == made
    listed = (await api.ask("GET")).json()
    assert listed["result"] == [made]
    assert listed["result_info"]["total_count"] == 1
    assert await travelled(api) == "Bearer sk-0123456789abcdef"
    assert await travelled(api, gateway="b") is None


async def test_lists_come_in_pages_oldest_first(api):
    made = [await api.make(alias=f"k{number}") for number in range(3)]
    page = (await api.ask("GET", "?page=2&per_page=2")).json()
    assert [key["id"] for key in page["result"]] == [made[2]["id"]]
    assert page["result_info"] == {"page": 2, "per_page": 2, "count": 1, "total_count": 3, "total_pages": 2}


async def test_a_change_acts_on_the_next_call_and_leaves_out_what_it_does_not_name(api):
    made = await api.make(rate_limit=100, rate_limit_period=60)
    assert (await api.ask("PUT", made["id"], made)).json()["result"] == made  # what was read can be sent back
    changed = (await api.ask("PUT", made["id"], {"secret": "sk-another-0123456789"})).json()["result"]
    assert changed.pop("modified_at") > made["modified_at"]
    assert changed == {name: made[name] for name in changed} | {"secret_preview": "6789"}
    assert await travelled(api) == "Bearer sk-another-0123456789"
    cleared = (await api.ask("PUT", made["id"], {"rate_limit": None, "rate_limit_period": None})).json()["result"]
    assert "rate_limit" not in cleared


async def test_an_alias_is_changed_without_the_secret_at_hand(api):
    made = await api.make(alias="old")
    assert (await api.ask("PUT", made["id"], {"alias": "new"})).json()["result"]["alias"] == "new"
    assert await travelled(api, cf_aig_byok_alias="new") == "Bearer sk-0123456789abcdef"
    assert await travelled(api, cf_aig_byok_alias="old") == (
        "Provider 'openai' has no BYOK credential named 'old'. Configured aliases: 'new'"
    )


async def test_another_default_takes_that_from_the_first(api):
    first = await api.make(alias="first")
    second = await api.make(alias="second", secret="sk-of-the-second")
    elsewhere = await api.make(alias="first", provider_slug="anthropic")
    shown = {key["id"]: key["default_config"] for key in (await api.ask("GET")).json()["result"]}
    assert shown == {first["id"]: False, second["id"]: True, elsewhere["id"]: True}
    assert await travelled(api) == "Bearer sk-of-the-second"


async def test_a_deleted_key_does_not_travel(api):
    made = await api.make()
    assert (await api.ask("DELETE", made["id"])).json()["result"] == made
    assert await travelled(api) is None
    assert (await api.ask("DELETE", made["id"])).status_code == 404
    await api.make()  # its alias is free again


async def test_the_generation_is_raised_with_the_secret_alone(api):
    made = await api.make()

    async def generation():
        (row,) = await api.rows()
        return row.generation

    assert await generation() == 1
    await api.ask("PUT", made["id"], {"alias": "new", "secret": "sk-0123456789abcdef"})  # the same secret
    assert await generation() == 1
    await api.ask("PUT", made["id"], {"secret": "sk-another"})
    assert await generation() == 2


async def test_a_secret_is_in_no_answer_no_audit_and_no_row(api):
    made = await api.make(secret=CANARY)
    answers = [
        await api.ask("GET"),
        await api.ask("GET", made["id"]),
        await api.ask("POST", body=a_key(secret=CANARY)),
        await api.ask("POST", body=a_key(secret=f"{CANARY}\n")),
        await api.ask("POST", body=a_key(secret=[CANARY])),
        await api.ask("POST", body=a_key(secret=json.dumps({"accessKeyId": CANARY}), provider_slug="bedrock")),
        await api.ask("PUT", made["id"], {"secret": f"{CANARY}2"}),
        await api.ask("DELETE", made["id"]),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 409, 400, 400, 400, 200, 200]
    kept = repr([await api.rows(), await api.audited()])
    assert not [text for text in (kept, *(answer.text for answer in answers)) if "canary" in text]


async def test_changes_are_audited_and_say_where_the_secret_was_another(api):
    made = await api.make()
    await api.ask("PUT", made["id"], {"alias": "new"})
    await api.ask("PUT", made["id"], {"secret": "sk-another"})
    await api.ask("PUT", made["id"], {"secret": "sk-another"})  # changes nothing
    await api.ask("DELETE", made["id"])
    rows = await api.audited()
    assert {row.subject for row in rows} == {made["id"]}
    assert [row.action for row in rows] == [
        *("provider_config.create", "provider_config.update", "provider_config.update", "provider_config.delete")
    ]
    traits = {"gateway_id": "a", "provider_slug": "openai", "alias": "default", "default_config": True}
    assert (rows[0].before, rows[0].after) == (None, traits | {"secret_id": "", "secret": "********"})
    assert [row.after and row.after["secret"] for row in rows] == ["********", "********", "******** (changed)", None]
    assert all(earlier.after["alias"] == later.before["alias"] for earlier, later in pairwise(rows))


async def test_the_first_key_of_the_gateway_default_makes_it(api):
    for given in ({"secret": READER}, {"secret": LIMITED}, {"secret": FOREIGNER}):
        assert (await api.ask("POST", body=a_key(), gateway="default", **given)).status_code in {403, 404}
    assert (await api.ask("GET", gateway="default")).status_code == 404
    await api.make("default")
    await api.make("default", alias="second")
    assert await travelled(api, "default") == "Bearer sk-0123456789abcdef"
    assert [row.action for row in await api.audited()] == ["gateway.create", *["provider_config.create"] * 2]


async def test_who_may(api):
    made = await api.make()
    assert (await api.ask("GET", secret=READER)).status_code == 200
    assert (await api.ask("GET", made["id"], secret=READER)).status_code == 200
    for method, path, body in [("POST", "", a_key()), ("PUT", made["id"], {}), ("DELETE", made["id"], None)]:
        assert (await api.ask(method, path, body, secret=READER)).status_code == 403
        assert (await api.ask(method, path, body, secret=LIMITED)).status_code == 404
        assert (await api.ask(method, path, body, secret=FOREIGNER)).status_code == 404
        assert (await api.ask(method, path, body, secret=FOREIGNER, account=OTHER)).status_code == 404
        if path:  # of another gateway of the same account
            assert (await api.ask(method, path, body, gateway="b")).status_code == 404
    for secret in (LIMITED, FOREIGNER):
        assert (await api.ask("GET", secret=secret)).status_code == 404
        assert (await api.ask("GET", made["id"], secret=secret)).status_code == 404
    assert (await api.ask("GET", gateway="none")).status_code == 404
    assert len(await api.audited()) == 1


WRONG = [
    ({"secret": ""}, "secret", "visible ASCII"),
    ({"secret": " sk"}, "secret", "visible ASCII"),
    ({"secret": "sk\u00e9"}, "secret", "visible ASCII"),
    ({"secret": '{"a":\n1}'}, "secret", "visible ASCII"),  # JSON is no key of this provider
    ({"secret": "x" * 16385}, "secret", "16384 characters long at most"),
    ({"secret": None}, "secret", "is needed"),
    ({"alias": ""}, "alias", "visible ASCII"),
    ({"provider_slug": "openly"}, "provider_slug", "there is no provider 'openly'; known are adobe-firefly, anthropic"),
    ({"provider_slug": "custom-x"}, "provider_slug", "there is no provider 'custom-x'"),
    ({"rate_limit": 5}, "rate_limit_period", "is needed where rate_limit is set"),
    ({"rate_limit_period": 5, "rate_limit": 0}, "rate_limit", "is needed where"),
    ({"rate_limit": -1}, "rate_limit", "must be 0 or more"),
    ({"colour": "red"}, "colour", "there is no such field"),
]


async def test_what_is_refused_names_its_field(api):
    for fields, name, message in WRONG:
        status, path, told = refusal(await api.ask("POST", body=a_key(**fields)))
        assert (status, path) == (400, ["body", name])
        assert message in told
    assert await api.rows() == []


async def test_one_alias_of_one_provider_is_one_key(api):
    await api.make(provider_slug="bedrock")
    status, path, _ = refusal(await api.ask("POST", body=a_key(provider_slug="aws-bedrock")))  # the same provider
    assert (status, path) == (409, ["body", "alias"])
    other = await api.make(alias="other", provider_slug="bedrock")
    assert other["provider_slug"] == "aws-bedrock"
    assert refusal(await api.ask("PUT", other["id"], {"alias": "default"}))[:2] == (409, ["body", "alias"])
    assert refusal(await api.ask("PUT", other["id"], {"provider_slug": "openai"}))[:2] == (
        400,
        ["body", "provider_slug"],
    )


async def test_a_key_without_a_secret_is_kept_and_says_that_it_cannot_travel(api):
    answer = (await api.ask("POST", body=a_key(secret=None, secret_id="elsewhere"))).json()
    assert "has no secret" in answer["messages"][0]["message"]
    assert answer["result"]["secret_preview"] == ""
    assert await travelled(api) == "The key 'default' of provider 'openai' cannot be used: store it again."


# Gateways with one store


async def in_store(api, gateway, store, secret=SECRET):
    """The status of writing ``store_id``."""
    at = f"/client/v4/accounts/{ACCOUNT}/ai-gateway/gateways/{gateway}"
    headers = {"authorization": f"Bearer {secret}"}
    settings = (await api.client.get(at, headers=headers)).json()["result"] | {"store_id": store}
    return (await api.client.put(at, json=settings, headers=headers)).status_code


async def test_gateways_with_one_store_use_one_anothers_keys_of_providers_of_which_they_have_none(api):
    kept = await api.make(secret="sk-of-a", rate_limit=100, rate_limit_period=60)
    assert [await in_store(api, gateway, "s") for gateway in ("a", "b")] == [200, 200]
    assert await travelled(api, "b") == "Bearer sk-of-a"
    assert (await api.ask("GET", gateway="b")).json()["result"] == []
    await api.ask("PUT", kept["id"], {"secret": "sk-another"})
    assert await travelled(api, "b") == "Bearer sk-another"
    other = await api.make(secret="sk-other", alias="other", default_config=False)
    assert await travelled(api, "b", cf_aig_byok_alias="other") == "Bearer sk-other"

    own = await api.make("b", alias="own", secret="sk-of-b")
    assert (await travelled(api, "b"), await travelled(api, "a")) == ("Bearer sk-of-b", "Bearer sk-another")
    assert "Configured aliases: 'own'" in str(await travelled(api, "b", cf_aig_byok_alias="other"))
    await api.ask("DELETE", own["id"], gateway="b")
    await api.ask("DELETE", other["id"])
    assert await travelled(api, "b") == "Bearer sk-another"

    assert await in_store(api, "a", "another") == 200
    assert await travelled(api, "b") is None
    assert await in_store(api, "a", "s") == 200
    assert await travelled(api, "b") == "Bearer sk-another"
    at = f"/client/v4/accounts/{ACCOUNT}/ai-gateway/gateways/a"
    assert (await api.client.delete(at, headers={"authorization": f"Bearer {SECRET}"})).status_code == 200
    assert await travelled(api, "b") is None


async def test_a_token_limited_to_a_gateway_cannot_reach_for_the_keys_of_another(api):
    await api.make(secret="sk-of-a")
    assert await in_store(api, "a", "s") == 200
    assert await in_store(api, "b", "s", LIMITED) == 403
    assert await travelled(api, "b") is None
    assert await in_store(api, "b", "t") == 200
    assert [await in_store(api, "b", store, LIMITED) for store in ("t", None)] == [200, 403]
