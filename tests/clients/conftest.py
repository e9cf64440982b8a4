"""A real server for the official SDKs, its tokens and gateways, and every setting that a gateway has."""

import itertools
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import cloudflare
import httpx
import openai
import pytest
import pytest_asyncio

from tests.kit import journey
from tests.kit.process import Serving, serving

ACCOUNT = "3ebbcb006d4d46d7bb6a8c7f14676cb0"  # of the SDKs' own samples
TOKEN = "a-token-of-the-first-start"  # has every permission
SCOPES = ["AI Gateway Read", "AI Gateway Metadata Read", "AI Gateway Write", "AI Gateway Run", "Workers AI Read"]
MESSAGES = [{"role": "user", "content": "Tell me of the sea."}]
REQUIRED = {
    "cache_invalidate_on_update": False,
    "cache_ttl": 0,
    "collect_logs": True,
    "rate_limiting_interval": 0,
    "rate_limiting_limit": 0,
}
VENDORS = ("ANTHROPIC_", "AWS_", "AZURE_", "CLOUDFLARE_", "GEMINI_", "GOOGLE_", "OPENAI_")  # whose variables SDKs read
_numbers = itertools.count()


class House(NamedTuple):
    """What a test needs to know of the server."""

    server: Serving
    origin: str
    account: str
    token: str

    @property
    def api(self) -> str:
        """The base URL for the ``cloudflare`` SDKs."""
        return f"{self.origin}/client/v4"

    def gateway(self, name: str = "") -> str:
        """The path of the gateways below ``api``, or of one."""
        return f"/accounts/{self.account}/ai-gateway/gateways" + (f"/{name}" if name else "")


class Everything(NamedTuple):
    """Every setting of a gateway, as on the wire, and the secrets among them."""

    settings: dict[str, Any]
    secrets: list[str]

    def masked(self, mask: str) -> dict[str, Any]:
        """The settings as they come back."""
        text = json.dumps(self.settings)
        for secret in self.secrets:
            text = text.replace(secret, mask)
        return json.loads(text)


class Sent(NamedTuple):
    """A client and the requests that it sent, retries included."""

    client: cloudflare.Cloudflare
    requests: list[httpx.Request]


@pytest.fixture(autouse=True, scope="session")
def _no_account_of_the_machine():
    """The SDKs read their credentials from the environment too; none of it is meant for us."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(VENDORS)]:
            patch.delenv(name)
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            patch.setenv(name, os.devnull)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")  # boto3 would ask the network
        yield


@pytest.fixture(scope="session")
def everything() -> Everything:
    return Everything(**json.loads((Path(__file__).parent / "everything.json").read_text("utf-8")))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory):
    environ = {"PENSTOCK_ACCOUNT_ID": ACCOUNT, "PENSTOCK_API_TOKEN": TOKEN}
    async with serving(tmp_path_factory.mktemp("clients") / "data", environ=environ, gateways=()) as server:
        yield House(server, server.origin, server.account, TOKEN)


@pytest.fixture(scope="module")
def walk(house):
    """Runs a journey in Node, given where the server is, and what else is named."""
    common = {"origin": house.origin, "api": house.api, "account": house.account, "token": house.token}

    def walk(script: str, environ: Mapping[str, str] = MappingProxyType({}), **plan: Any) -> journey.Journey:
        return journey.walk(script, environ, common | plan)

    return walk


@pytest.fixture(scope="module")
def connect(house):
    """Makes a ``cloudflare`` client that counts its requests: with a token, or with what is given instead."""
    with_clients = []

    def connect(**credentials: str) -> Sent:
        seen: list[httpx.Request] = []
        http = cloudflare.DefaultHttpxClient(event_hooks={"request": [seen.append]})
        given: dict[str, Any] = {**credentials} or {"api_token": TOKEN}
        client = cloudflare.Cloudflare(base_url=house.api, http_client=http, _strict_response_validation=True, **given)
        with_clients.append(client)
        return Sent(client, seen)

    yield connect
    for client in with_clients:
        client.close()


@pytest.fixture(scope="module")
def sdk(connect) -> cloudflare.Cloudflare:
    """The ``cloudflare`` SDK with every permission."""
    return connect().client


@pytest.fixture(scope="module")
def grant(house, sdk):
    """Makes a token by our API: what it answers, with the secret in ``value``. All scopes unless some are named."""

    def grant(*scopes: str, **more: Any) -> dict[str, Any]:
        body = {"name": f"token {next(_numbers)}", "scopes": list(scopes or SCOPES), **more}
        answer: Any = sdk.post(f"/accounts/{house.account}/tokens", body=body, cast_to=object)
        assert answer["success"] is True
        return answer["result"]

    return grant


@pytest.fixture
def name() -> str:
    """An id that no gateway has had."""
    return f"gateway-{next(_numbers)}"


@pytest.fixture
def make(house, sdk):
    """Makes a gateway of that id, without authentication unless asked for, and returns what the SDK got."""

    def make(gateway_id: str, **settings: Any):
        return sdk.ai_gateway.create(account_id=house.account, id=gateway_id, **(REQUIRED | settings))

    return make


@pytest.fixture
def change(house, sdk):
    """Updates a gateway: the required settings are as ``make`` sent them, unless given."""

    def change(gateway_id: str, **settings: Any):
        return sdk.ai_gateway.update(gateway_id, account_id=house.account, **(REQUIRED | settings))

    return change


@pytest.fixture
def gateway(make, name) -> str:
    """The id of a new gateway without authentication."""
    return make(name).id


@pytest.fixture(scope="module")
def compat(house, sdk) -> str:
    """The address of the unified API of a gateway without authentication."""
    sdk.ai_gateway.create(account_id=house.account, id="compat", **REQUIRED)
    return house.server.url("compat", "compat")


@pytest.fixture
def gpt(house):
    """Makes ``openai`` clients of a gateway: its own key is for the provider, headers are for us."""
    with_clients = []

    def gpt(gateway_id: str, key: str = "sk-of-nobody", **headers: str) -> openai.OpenAI:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        client = openai.OpenAI(
            base_url=house.server.url("openai", gateway_id), api_key=key, default_headers=named, max_retries=0
        )
        with_clients.append(client)
        return client

    yield gpt
    for client in with_clients:
        client.close()
