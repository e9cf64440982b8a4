"""Rules of stored keys that no single request shows."""

import dataclasses
import json

import pytest

from penstock.control.context import Context
from penstock.control.provider_configs import service
from penstock.control.provider_configs.schema import ProviderConfigCreate, ProviderConfigUpdate
from penstock.core.errors import Invalid, NotAuthenticated
from penstock.core.sealing import Vault
from penstock.storage import tokens
from tests.control.provider_configs.conftest import a_key
from tests.kit.house import request
from tests.kit.store import ACCOUNT, SECRET, a_token

AWS = {"accessKeyId": "AKIAIOSFODNN7EXAMPLE", "secretAccessKey": "wJalrXUtnFEMI", "region": "us-east-1"}


async def test_json_of_a_credential_is_stored_and_shown_by_the_name_of_its_key(api):
    made = await api.make(provider_slug="bedrock", secret=json.dumps(AWS, indent=2) + "\n")
    assert made["secret_preview"] == "MPLE"
    answer = await api.ask("PUT", made["id"], {"secret": json.dumps(AWS | {"region": 1})})
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["path"]) == (400, ["body", "secret"])
    assert error["message"] == (
        "secret: is not the JSON of an AWS credential: Expected `str`, got `int` - at `$.region`"
    )


async def test_a_credential_that_signs_is_never_sent_as_it_is(api):
    await api.make(provider_slug="aws-bedrock", secret=json.dumps(AWS))
    headers = {"cf-aig-authorization": f"Bearer {SECRET}"}
    async with api.house.client() as client:
        path = "aws-bedrock/bedrock-runtime/us-east-1/model/m/converse"
        answer = await client.ask(request(path, gateway="a", headers=headers | {"x-mock-echo": "1"}))
    assert answer.status == 200
    assert AWS["secretAccessKey"].encode() not in answer.body
    assert dict(json.loads(answer.body)["headers"])["authorization"].startswith("AWS4-HMAC-SHA256 ")


async def test_a_token_that_was_revoked_while_its_change_waited_changes_nothing(api):
    control = api.house.server.app.control
    async with control.database.writing() as connection:
        assert await tokens.revoke(connection, ACCOUNT, a_token().id, 1, 1)
    with pytest.raises(NotAuthenticated):
        await service.create(Context(control, ACCOUNT, a_token()), "a", ProviderConfigCreate.model_validate(a_key()))
    assert await api.rows() == []


async def test_the_end_of_a_short_secret_is_not_shown(api):
    assert (await api.make(alias="short", secret="x" * 11 + "last"))["secret_preview"] == ""
    assert (await api.make(alias="long", secret="x" * 12 + "last"))["secret_preview"] == "last"


async def test_a_key_of_another_master_key_gets_another_alias_with_its_secret_alone(api):
    made = await api.make()
    control = api.house.server.app.control
    other = Context(dataclasses.replace(control, vault=Vault(bytes(32))), ACCOUNT, a_token())
    renamed = ProviderConfigUpdate.model_validate({"alias": "new"})
    with pytest.raises(Invalid, match="cannot be opened; send it again"):
        await service.update(other, "a", made["id"], renamed)
    again = ProviderConfigUpdate.model_validate({"alias": "new", "secret": "sk-another"})
    assert (await service.update(other, "a", made["id"], again))["alias"] == "new"
