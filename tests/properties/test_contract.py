"""The document of the control plane is kept, and so is the server: schemathesis finds nothing wrong with either."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.control.routes.conftest import a_graph
from tests.kit.client import connected
from tests.kit.house import ACCOUNT, request
from tests.kit.process import serving

TOKEN = "a-token-of-my-own-choice"
# Any address may be set: which ones may be called is no matter of the schema.
ANYWHERE = {"PENSTOCK_ALLOWED_NETWORKS": "0.0.0.0/0,::/0"}
ENVIRON = {"PENSTOCK_ACCOUNT_ID": ACCOUNT, "PENSTOCK_API_TOKEN": TOKEN} | ANYWHERE
HOOKS = Path(__file__).with_name("contract_hooks.py")
# Examples of each address, and where chance begins; by hand, take more of them and another one.
EXAMPLES, SEED = (int(os.environ.get(f"CONTRACT_{name}", least)) for name, least in (("EXAMPLES", 8), ("SEED", 20)))

CONFIG = """
continue-on-failure = true
max-redirects = 0
seed = {seed}

[headers]
Authorization = "Bearer {token}"

[dictionaries]
gateways = {{ values = ["default", "g1", "g2", "none"] }}
logs = {{ values = {logs} }}
tokens = {{ values = {tokens} }}
keys = {{ values = {keys} }}
routes = {{ values = {routes} }}
versions = {{ values = {versions} }}
alerts = {{ values = {alerts} }}

[parameters]
account_id = "{account}"
"path.gateway_id" = {{ dictionary = "gateways", probability = 0.7 }}
"path.log_id" = {{ dictionary = "logs", probability = 0.9 }}
"path.token_id" = {{ dictionary = "tokens", probability = 0.5 }}
"path.config_id" = {{ dictionary = "keys", probability = 0.9 }}
"path.route_id" = {{ dictionary = "routes", probability = 0.9 }}
"path.alert_id" = {{ dictionary = "alerts", probability = 0.9 }}
"path.version_id" = {{ dictionary = "versions", probability = 0.9 }}

[generation]
max-examples = {examples}
database = "none"
"""


async def store_key(server, gateway, alias):
    """Its id."""
    body = {"provider_slug": "openai", "alias": alias, "default_config": True, "secret": "sk-of-nobody"}
    path = f"/accounts/{{account}}/ai-gateway/gateways/{gateway}/provider_configs"
    _, made = await server.ask("POST", path, body)
    return made["result"]["id"]


async def store_route(server, name):
    """Its id and that of its version."""
    path = "/accounts/{account}/ai-gateway/gateways/default/routes"
    _, made = await server.ask("POST", path, {"name": name, "elements": a_graph()})
    return made["result"]["id"], made["result"]["version"]["version_id"]


async def store_alert(server):
    """Its id."""
    body = {"name": "x", "kind": "credential_refused", "url": "https://hooks.example/a"}
    _, made = await server.ask("POST", "/accounts/{account}/ai-gateway/alerts", body)
    return made["result"]["id"]


@pytest.mark.hunt
@pytest.mark.timeout(240 + EXAMPLES)
async def test_schemathesis_finds_nothing(tmp_path):
    async with serving(tmp_path / "data", environ=ENVIRON, gateways=("default", "g1", "g2")) as server:
        async with connected(server.port) as client:
            for event in ("one", "two", "three"):
                assert (await client.ask(request(event=event))).status == 200
        _, logs = await server.ask("GET", "/accounts/{account}/ai-gateway/gateways/default/logs")
        assert len(logs["result"]) == 3
        _, made = await server.ask("POST", "/accounts/{account}/tokens", {"name": "x", "scopes": ["AI Gateway Run"]})
        _, own = await server.ask("GET", "/user/tokens/verify")
        keys = [await store_key(server, gateway, alias) for gateway in ("default", "g1") for alias in ("one", "two")]
        routes = [await store_route(server, name) for name in ("one", "two")]
        alerts = [await store_alert(server) for _ in range(2)]
        config = tmp_path / "schemathesis.toml"
        config.write_text(
            CONFIG.format(
                token=TOKEN,
                account=ACCOUNT,
                logs=[row["id"] for row in logs["result"]],
                tokens=[made["result"]["id"], own["result"]["id"]],
                keys=keys,
                routes=[route for route, _ in routes],
                alerts=alerts,
                versions=[version for _, version in routes],
                examples=EXAMPLES,
                seed=SEED,
            )
        )
        run = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run"),
            *(f"{server.origin}/openapi.json", "--checks", "all", "--no-color"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=tmp_path,
            env=os.environ
            | {
                "SCHEMATHESIS_HOOKS": str(HOOKS),
                "CONTRACT_ACCOUNT": ACCOUNT,
                "CONTRACT_TOKEN_ID": own["result"]["id"],
                "CONTRACT_ROUTE": "/".join(routes[0]),
            },
        )
        told = (await run.communicate())[0].decode()
        print(told)
        assert run.returncode == 0
        assert "Traceback" not in server.said
