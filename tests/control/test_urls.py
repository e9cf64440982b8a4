"""The addresses that are told are those that are served."""

import pytest
import pytest_asyncio

from tests.control.custom_providers.conftest import serving
from tests.kit.store import ACCOUNT

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api():
    async with serving() as made:
        await made.make()
        yield made


async def url(api, provider, gateway="default", **given):
    status, body = await api.ask("GET", f"/gateways/{gateway}/url/{provider}", **given)
    return body["result"] if status == 200 else status


@pytest.mark.parametrize("provider", ["openai", "workers-ai", "azure", "azure-openai", "custom-mine"])
async def test_of_every_name_of_a_provider(api, provider):
    told = await url(api, provider)
    assert told == f"{str(api.client.base_url).rstrip('/')}/v1/{ACCOUNT}/default/{provider}"


async def test_where_there_is_nothing_no_address_is_told(api):
    assert await url(api, "custom-other") == 404
    assert await url(api, "mine") == 404
    assert await url(api, "openai", "none") == 404


async def test_an_address_of_the_operators_goes_before_that_of_the_request():
    async with serving(public_url="https://ai.example.com/") as api:
        assert await url(api, "openai") == f"https://ai.example.com/v1/{ACCOUNT}/default/openai"
