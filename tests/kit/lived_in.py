"""An installation that people use: gateways, keys, routes, tokens, limits, credit, and the calls of a day."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx

from penstock.storage import opening
from penstock.storage.log.table import LogTable
from tests.kit.logsink import a_record
from tests.kit.process import Serving, serving
from tests.kit.routes import conditional, end, model, percentage, start
from tests.kit.store import MASTER_KEY, OPEN, SECRET, a_token, furnish

_AI = "/accounts/{account}/ai-gateway"
_MINUTES = range(24 * 60, 5, -7)  # before now, in which there was a call
_MODELS = (
    ("openai", "gpt-4o", 2_500, 10_000, 900),
    ("openai", "gpt-4o-mini", 150, 600, 420),
    ("anthropic", "claude-sonnet-4-5", 3_000, 15_000, 1_400),
    ("google-ai-studio", "gemini-2.5-flash", 300, 2_500, 610),
)  # nano-dollars for a token in and out, milliseconds
TOOL = {
    "type": "function",
    "function": {
        "name": "find_order",
        "description": "Looks up an order by its number.",
        "parameters": {"type": "object", "properties": {"number": {"type": "string"}}, "required": ["number"]},
    },
}


@asynccontextmanager
async def lived_in(folder: Path) -> AsyncGenerator[Serving]:
    """A server with all of that; its data goes into ``folder``."""
    folder.mkdir(mode=0o700)
    place = await furnish(folder, {"default": {}}, [a_token(name="Everything")])
    await asyncio.to_thread(_a_day, place.url)
    environ = {"PENSTOCK_MASTER_KEY": MASTER_KEY.hex(), "PENSTOCK_API_TOKEN": SECRET}
    async with serving(folder, environ=environ) as server:
        for path, body in _RESOURCES:
            await _make(server, path, body)
        await _a_route(server)
        await _credit(server)
        async with httpx.AsyncClient(timeout=30) as client:
            for call in (_CALLS[0], *_CALLS):  # the first one again, from the cache
                await _call(client, server, *call)
        yield server


_RESOURCES: tuple[tuple[str, Any], ...] = (
    (f"{_AI}/gateways", dict(OPEN) | {
        "id": "support", "cache_ttl": 3600, "rate_limiting_limit": 600, "rate_limiting_interval": 60,
        "retry_max_attempts": 3, "retry_delay": 200, "retry_backoff": "exponential", "log_retention_days": 30,
        "spend_limits": {"enabled": True, "rules": [
            {"limit": 25.0, "limitType": "cost", "window": 86_400, "technique": "fixed"},
            {"limit": 2.5, "limitType": "cost", "window": 86_400, "metadata": {"user": {"mode": "partition"}}},
        ]},
    }),
    (f"{_AI}/gateways", dict(OPEN) | {"id": "research", "authentication": True, "collect_log_payloads": False}),
    (f"{_AI}/gateways/default/provider_configs", {
        "alias": "production", "default_config": True, "provider_slug": "openai", "secret": "sk-simulated-0001"}),
    (f"{_AI}/gateways/default/provider_configs", {
        "alias": "production", "default_config": True, "provider_slug": "anthropic", "secret": "sk-ant-simulated"}),
    (f"{_AI}/custom-providers", {
        "name": "Acme models", "slug": "acme", "base_url": "https://models.acme.example/v1", "enable": True,
        "description": "The models of our own data centre.", "prices": {"input": 0.1, "output": 0.4}}),
    (f"{_AI}/alerts", {
        "name": "Many errors", "kind": "error_rate", "threshold": 0.2, "url": "https://hooks.acme.example/penstock"}),
    (f"{_AI}/billing/spending-limit", {"amount": 50_000, "strategy": "fixed", "duration": "monthly"}),
    ("/accounts/{account}/tokens", {
        "name": "Support desk", "scopes": ["AI Gateway Run"], "gateways": ["default"],
        "budget": {"amount": 20, "window": "month"}, "rate_limit": {"limit": 100, "window": 60}}),
    ("/accounts/{account}/tokens", {
        "name": "Reports", "scopes": ["AI Gateway Read"], "expires_on": "2099-01-31T12:00:00Z"}),
)  # fmt: skip

GRAPH = [
    start("plan"),
    conditional("plan", {"metadata.plan": {"$eq": "paid"}}, "large", "half"),
    percentage("half", {"80%": "small", "20%": "claude"}),
    model("large", fallback="small", model="gpt-4o", timeout=8000, retries=1),
    model("small", model="gpt-4o-mini"),
    model("claude", fallback="small", provider="anthropic", model="claude-sonnet-4-5"),
    end(),
]
ROUTE = "by-plan"


async def _a_route(server: Serving) -> None:
    """With two versions, of which the second is deployed."""
    routes = f"{_AI}/gateways/default/routes"
    made = await _make(server, routes, {"name": ROUTE, "elements": [start("small"), GRAPH[4], end()]})
    version = await _make(server, f"{routes}/{made['id']}/versions", {"elements": GRAPH})
    await _make(server, f"{routes}/{made['id']}/deployments", {"version_id": version["version_id"]})


async def _credit(server: Serving) -> None:
    topup = await _make(server, f"{_AI}/billing/topup", {"amount": 5000})
    status, told = await server.ask("GET", f"{_AI}/billing/topups")
    assert status == 200, (topup, told)
    await _make(server, f"{_AI}/billing/topups/{told['result'][0]['id']}/paid", {})


def _a_day(url: str) -> None:
    """Calls of the hours before the server begins, which only ever logs the present."""
    chance, now = random.Random(7), time.time_ns() // 1_000_000
    with closing(opening.connect(url)) as connection:
        ((gateway,),) = connection.execute("SELECT number FROM gateways", ())
        LogTable(connection).write([_earlier(chance, gateway, now - minute * 60_000) for minute in _MINUTES])


def _earlier(chance: random.Random, gateway: int, at: int) -> Any:
    provider, name, price_in, price_out, millis = chance.choice(_MODELS)
    tokens_in, tokens_out, failed = chance.randint(80, 2_400), chance.randint(20, 700), chance.random() < 0.04
    cached = not failed and chance.random() < 0.15
    cost = tokens_in * price_in + tokens_out * price_out
    duration = 3 if cached else round(millis * chance.lognormvariate(0, 0.35))
    return a_record(
        id=(at << 80 | 0x7000 << 64 | 1 << 63 | chance.getrandbits(62)).to_bytes(16, "big"),
        gateway=gateway, provider=provider, model=name, duration=duration,
        latency=duration // 3, cached=cached, success=not failed, status_code=529 if failed else 200,
        tokens_in=0 if failed else tokens_in, tokens_out=0 if failed else tokens_out,
        cost=0 if cached or failed else cost, saved=(tokens_in, tokens_out, cost) if cached else None,
        metadata=f'{{"user":"user-{chance.randint(1, 9)}"}}',
    )  # fmt: skip


def _chat(text: str, name: str = "gpt-4o-mini", **more: Any) -> dict[str, Any]:
    return {"model": name, "messages": [{"role": "user", "content": text}], **more}


_SAID = [
    {"role": "system", "content": "You answer for the shop Acme. Be brief."},
    {"role": "user", "content": "Where is my order 1042?"},
    {"role": "assistant", "content": None, "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "find_order", "arguments": '{"number":"1042"}'}}]},
    {"role": "tool", "tool_call_id": "call_1", "content": '{"status":"shipped","carrier":"Post"}'},
    {"role": "user", "content": "And when does it arrive?"},
]  # fmt: skip
_DOT = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)
_PICTURE = [{"type": "text", "text": "What is on it?"}, {"type": "image_url", "image_url": {"url": _DOT}}]

_CHAT = "openai/chat/completions"
# Gateway, path, body, headers.
_CALLS: tuple[tuple[str, str, Any, dict[str, str]], ...] = (
    ("support", _CHAT, _chat("How do I return a parcel?"), {"cf-aig-metadata": '{"user":"user-3"}'}),
    ("research", _CHAT, _chat("Who calls so is refused."), {"cf-aig-authorization": "none"}),
    ("default", _CHAT, _chat("Find order 7.", "gpt-4o", tools=[TOOL]), {}),
    ("default", _CHAT, {"model": "gpt-4o", "messages": [{"role": "user", "content": _PICTURE}]}, {}),
    ("default", _CHAT, _chat("Tell me of the sea.", stream=True), {}),
    ("default", _CHAT, _chat("Say something."), {"x-mock-status": "429"}),
    ("default", "openai/embeddings", {"model": "text-embedding-3-small", "input": "sea"}, {}),
    ("default", "anthropic/v1/messages", _chat("Name three seas.", "claude-sonnet-4-5", max_tokens=99), {}),
    ("default", "compat/chat/completions", _chat("Hello.", f"dynamic/{ROUTE}"), {"cf-aig-metadata": '{"plan":"paid"}'}),
    ("default", _CHAT, {"model": "gpt-4o", "messages": _SAID, "tools": [TOOL]}, {}),
)  # fmt: skip


async def _call(
    client: httpx.AsyncClient, server: Serving, gateway: str, path: str, body: Any, headers: dict[str, str]
) -> None:
    url = server.url(path, gateway)
    await client.post(url, json=body, headers={"cf-aig-authorization": f"Bearer {server.token}"} | headers)


async def _make(server: Serving, path: str, body: Any) -> Any:
    status, told = await server.ask("POST", path, body)
    assert status in {200, 201}, (path, told)
    return told["result"]
