"""The official ``cloudflare`` SDK for Python, answers validated strictly: keys that a gateway stores."""

import json
from datetime import timedelta
from typing import Any, get_type_hints

import cloudflare
import pytest
from cloudflare.types.ai_gateway import ProviderConfigCreateResponse, ProviderConfigListResponse
from cloudflare.types.ai_gateway.provider_config_create_params import ProviderConfigCreateParams

SECRET = "sk-of-the-team-0123456789"
KEY: dict[str, Any] = {"provider_slug": "openai", "alias": "main", "default_config": True, "secret": SECRET}
EVERYTHING = KEY | {"secret_id": "vault-7", "rate_limit": 100, "rate_limit_period": 60}
LIMITS = {"rate_limit", "rate_limit_period"}
AWS = {"accessKeyId": "AKIAIOSFODNN7EXAMPLE", "secretAccessKey": "of-nobody", "region": "eu-west-1"}


@pytest.fixture
def configs(house, sdk, gateway):
    """What the SDK does with the keys of a new gateway: ``create`` and ``list``."""

    class Configs:
        def create(self, client: cloudflare.Cloudflare = sdk, **fields: Any) -> ProviderConfigCreateResponse:
            return client.ai_gateway.provider_configs.create(gateway, account_id=house.account, **(KEY | fields))

        def list(self, client: cloudflare.Cloudflare = sdk, **query: Any):
            return client.ai_gateway.provider_configs.list(gateway, account_id=house.account, **query)

    return Configs()


def refused(caught: Any) -> tuple[int, list[Any]]:
    """Code and path of the one error."""
    assert (caught.value.body["success"], caught.value.body["result"]) == (False, None)
    (error,) = caught.value.body["errors"]
    return error["code"], error.get("path")


def test_every_field_comes_back_but_for_the_secret(gateway, configs):
    assert set(EVERYTHING) == set(get_type_hints(ProviderConfigCreateParams)) - {"account_id"}
    made = configs.create(**EVERYTHING)
    told = made.to_dict()
    sent = {name: value for name, value in EVERYTHING.items() if name != "secret"}
    assert told.items() >= (sent | {"gateway_id": gateway, "secret_preview": SECRET[-4:]}).items()
    assert set(told) >= set(ProviderConfigCreateResponse.model_fields)
    assert made.modified_at.utcoffset() == timedelta(0)
    (listed,) = configs.list()
    assert isinstance(listed, ProviderConfigListResponse)
    assert listed.to_dict() == told
    assert SECRET not in repr(told)


def test_what_was_not_sent_is_absent_or_empty(configs):
    told = configs.create(secret="short").to_dict()
    assert set(ProviderConfigCreateResponse.model_fields) - set(told) == LIMITS
    assert (told["secret_id"], told["secret_preview"]) == ("", "")


def test_a_document_of_aws_is_shown_by_the_name_of_its_key(configs):
    made = configs.create(provider_slug="bedrock", secret=json.dumps(AWS))
    assert (made.provider_slug, made.secret_preview) == ("aws-bedrock", "MPLE")


def test_a_reference_alone_is_stored_and_says_that_calls_cannot_use_it(house, sdk, gateway):
    told = sdk.ai_gateway.provider_configs.with_raw_response.create(
        gateway, account_id=house.account, provider_slug="openai", alias="a", default_config=False, secret_id="vault-7"
    )
    assert told.parse().secret_id == "vault-7"
    assert "has no secret" in told.http_response.json()["messages"][0]["message"]


def test_the_sdk_pages_through_all_keys_oldest_first(configs, connect):
    aliases = [f"key-{number}" for number in range(5)]
    for alias in aliases:
        configs.create(alias=alias)
    counted = connect()
    assert [key.alias for key in configs.list(counted.client, per_page=2)] == aliases
    assert len(counted.requests) == 4  # the last one is empty
    assert [key.default_config for key in configs.list()] == [False] * 4 + [True]
    assert configs.list(page=9).result == []


async def test_the_asynchronous_client(house, gateway):
    async with cloudflare.AsyncCloudflare(
        base_url=house.api, api_token=house.token, _strict_response_validation=True
    ) as client:
        configs = client.ai_gateway.provider_configs
        made = await configs.create(gateway, account_id=house.account, **KEY)
        assert [key.id async for key in configs.list(gateway, account_id=house.account)] == [made.id]


def test_an_alias_that_is_taken_is_a_conflict_and_not_asked_again(configs, connect):
    configs.create()
    counted = connect()
    with pytest.raises(cloudflare.ConflictError) as caught:
        configs.create(counted.client)
    assert (refused(caught), len(counted.requests)) == ((7009, ["body", "alias"]), 1)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"provider_slug": "nobody"}, "provider_slug"),
        ({"provider_slug": "custom-nobody"}, "provider_slug"),
        ({"secret": cloudflare.omit}, "secret"),
        ({"provider_slug": "aws-bedrock", "secret": json.dumps({"accessKeyId": SECRET})}, "secret"),
        ({"rate_limit": 5}, "rate_limit_period"),
        ({"rate_limit": 1.5, "rate_limit_period": 60}, "rate_limit"),
    ],
)
def test_what_is_wrong_is_refused_with_the_name_of_its_field(configs, wrong, field):
    with pytest.raises(cloudflare.BadRequestError) as caught:
        configs.create(**wrong)
    assert refused(caught) == (7001, ["body", field])
    assert field in str(caught.value)
    assert SECRET not in str(caught.value)
    assert configs.list().result == []


def test_a_gateway_that_is_not_there(house, sdk):
    for act in (
        lambda: sdk.ai_gateway.provider_configs.create("nowhere", account_id=house.account, **KEY),
        lambda: sdk.ai_gateway.provider_configs.list("nowhere", account_id=house.account),
    ):
        with pytest.raises(cloudflare.NotFoundError) as caught:
            act()
        assert refused(caught) == (7002, None)


def test_a_token_that_may_read_stores_nothing(configs, connect, grant):
    configs.create()
    reader = connect(api_token=grant("AI Gateway Read")["value"]).client
    assert [key.alias for key in configs.list(reader)] == ["main"]
    with pytest.raises(cloudflare.PermissionDeniedError):
        configs.create(reader, alias="other")
    runner = connect(api_token=grant("AI Gateway Run")["value"]).client
    with pytest.raises(cloudflare.PermissionDeniedError):
        configs.list(runner)
