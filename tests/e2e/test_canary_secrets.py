"""Secrets that are stored everywhere a secret can be stand nowhere else: in no answer, log row, line of the process,
metric, line of the audit trail or of a command, copy of the database, or call to another origin than their own.

What a provider itself says goes to its client as it is, also where it repeats the key.
"""

import asyncio
import json
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.kit.client import Answer, connected
from tests.kit.command import command
from tests.kit.house import ACCOUNT, request
from tests.kit.process import PATIENCE, Refused, Serving, serving
from tests.kit.provider import Peer, Provider, providing

PEM = rsa.generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
MASTER_KEY = "ca9a12ee" * 8
API_TOKEN, METRICS_TOKEN = "canary-api-token-0123456789", "canary-metrics-token-012345"
STORED, STORED_AWAY, STORED_MISTRAL = (f"canary-stored-{name}-0123456789" for name in ("plain", "away", "moved"))
AWS_SECRET, AWS_SESSION = "canary/aws/secret/0123456789", "canary+aws+session+0123456789"
HEADER, OTEL, STRIPE = "canary-header-0123456789", "canary-otel-0123456789", "canary-stripe-0123456789"
BY_FILE, BY_VARIABLE = "canary-by-file-0123456789", "canary-by-variable-0123456789"
OIDC = "canary-oidc-0123456789"
USER, REFUSED = "canary-user-0123456789", "canary-refused-0123456789"
AWS = {"accessKeyId": "AKIAIOSFODNN7EXAMPLE", "secretAccessKey": AWS_SECRET, "sessionToken": AWS_SESSION}
GATEWAY = "/accounts/{account}/ai-gateway/gateways/default"
KEYS, CUSTOM = f"{GATEWAY}/provider_configs", "/accounts/{account}/ai-gateway/custom-providers"

ROWS = 14  # of all calls, one a step

# What must stand nowhere, by name; parts of secrets where more of one could be shown.
CANARIES = {
    "the master key": MASTER_KEY.encode(),
    "the bytes of the master key": bytes.fromhex(MASTER_KEY)[:8],
    "the private key": PEM.splitlines()[12].encode(),
    **{
        secret: secret.removesuffix("0123456789").encode()
        for secret in (
            *(API_TOKEN, STORED, STORED_AWAY, STORED_MISTRAL, AWS_SECRET, AWS_SESSION, HEADER, OTEL, STRIPE),
            *(METRICS_TOKEN.removesuffix("012345"), BY_FILE, BY_VARIABLE, USER, REFUSED, OIDC),
        )
    },
}


class Origin:
    """A provider that keeps what it got, and answers with ``status`` and the request's own head."""

    def __init__(self, name: str, status: str = "200 OK", more: str = "") -> None:
        self.name = name
        self.status = status
        self.more = more
        self.got = b""

    async def serve(self, peer: Peer) -> None:
        while True:
            sent = await peer.request()
            self.got += sent
            body = json.dumps({"error": {"message": f"you sent {sent.decode('latin-1')}"}}).encode()
            head = f"HTTP/1.1 {self.status}\r\n{self.more}content-type: application/json\r\nx-echo: {_keys(sent)}\r\n"
            await peer.say(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)


def _keys(sent: bytes) -> str:
    lines = sent.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    return ", ".join(line for line in lines if "canary" in line)


class Told:
    """All that was said, by where."""

    def __init__(self, server: Serving) -> None:
        self.server = server
        self.said: dict[str, bytes] = {}
        self.token = b""  # that the API made, and answered once

    async def api(self, method: str, path: str, body: object = None, *, fails: bool | None = False) -> Any:
        """``fails`` None: perhaps."""
        status, answer = await self.server.ask(method, path, body)
        assert fails is None or (status >= 400) is fails, (path, status, answer)
        self.add(f"{method} {path} {status}", json.dumps(answer, ensure_ascii=False).encode())
        return answer

    async def call(self, path: str, *, token: str = API_TOKEN, echoes: bool = False, body: bytes = b"{}") -> Answer:
        """``echoes``: the provider repeats what it got, which is its own affair."""
        headers = {"cf-aig-authorization": f"Bearer {token}", "content-type": "application/json"}
        async with connected(self.server.port) as client:
            answer = await client.ask(request(path, headers=headers, body=body))
        if not echoes:
            self.add(f"call {path}", answer.head + answer.body)
        return answer

    async def say(self, *words: str, status: int = 0, stdin: str = "") -> None:
        environ = dict(self.server.environ) | {"PENSTOCK_DATA_DIR": str(self.server.data_dir)}
        done = await asyncio.to_thread(command, *words, environ=environ, stdin=stdin)
        assert done.status == status, done
        self.add(" ".join(words), (done.out + done.err).encode())

    def add(self, where: str, data: bytes) -> None:
        self.said[where] = self.said.get(where, b"") + data


@asynccontextmanager
async def there(folder: Path, origins: dict[str, Origin]) -> AsyncGenerator[tuple[Told, dict[str, Provider]]]:
    async with AsyncExitStack() as stack:
        at = {name: await stack.enter_async_context(providing(one.serve)) for name, one in origins.items()}
        origins["mistral"].more = f"location: {at['elsewhere'].url}/v1/chat/completions\r\n"
        origins["moved"].more = origins["mistral"].more
        slugs = ("openai", "mistral", "groq", "deepseek", "aws-bedrock")
        config = "".join(f'[providers.{slug}]\nbase_url = "{at[slug].url}"\n' for slug in slugs)
        config += f'[providers.anthropic]\nbase_url = "http://127.0.0.1:1"\n[providers.cohere]\napi_key = "{BY_FILE}"\n'
        config += f'base_url = "{at["cohere"].url}"\n'
        config += "[[oidc_grants]]\nclaim = 'sub'\nvalue = '*'\nscopes = ['read']\n"
        environ = {
            "PENSTOCK_OIDC_ISSUER": "http://127.0.0.1:1",
            "PENSTOCK_OIDC_CLIENT_ID": "penstock",
            "PENSTOCK_OIDC_CLIENT_SECRET": OIDC,
            "PENSTOCK_ACCOUNT_ID": ACCOUNT,
            "PENSTOCK_API_TOKEN": API_TOKEN,
            "PENSTOCK_METRICS_TOKEN": METRICS_TOKEN,
            "PENSTOCK_MASTER_KEY": MASTER_KEY,
            "PENSTOCK_GROQ_API_KEY": BY_VARIABLE,
            "PENSTOCK_ALLOWED_NETWORKS": "127.0.0.0/8",
            "PENSTOCK_ACCESS_LOG": "true",
        }
        settings = {"simulate": False, "config": config, "environ": environ}
        yield Told(await stack.enter_async_context(serving(folder / "data", **settings))), at


async def stored(told: Told, at: dict[str, Provider]) -> None:
    """A secret everywhere the API takes one, and what is answered where it takes none."""
    google = {"type": "service_account", "client_email": "a@b.example", "private_key": PEM, "private_key_id": "k1"}
    google |= {"token_uri": "https://127.0.0.1:1/token", "project_id": "p"}
    made = {"openai": STORED, "anthropic": STORED_AWAY, "mistral": STORED_MISTRAL}
    made |= {"aws-bedrock": json.dumps(AWS | {"region": "us-east-1"}), "google-vertex-ai": json.dumps(google)}
    for slug, secret in made.items():
        body = {"alias": "default", "default_config": True, "provider_slug": slug, "secret": secret}
        key = (await told.api("POST", KEYS, body))["result"]
        await told.api("POST", KEYS, body, fails=True)  # the alias is taken
        await told.api("GET", f"{KEYS}/{key['id']}")
        await told.api("PUT", f"{KEYS}/{key['id']}", {"secret": secret, "rate_limit": 100}, fails=True)
        await told.api("PUT", f"{KEYS}/{key['id']}", {"secret": secret, "default_config": True})
    status, token = await told.server.ask(
        "POST", "/accounts/{account}/tokens", {"name": "made", "scopes": ["AI Gateway Run"]}
    )
    assert status == 200, token
    told.token = token["result"]["value"].encode()
    bad = {"alias": "bad", "default_config": False, "provider_slug": "aws-bedrock", "secret": f"{REFUSED}\n\u00e9"}
    wrong = (
        *(bad, bad | {"secret": {"of": REFUSED}}, bad | {"secret": [REFUSED]}, bad | {"secret": REFUSED * 9999}),
        *(bad | {"secret": json.dumps(AWS | {"region": 1, "secretAccessKey": REFUSED})},),
        *({"secrets": REFUSED} | bad, bad | {"secret": "good", "rate_limit": REFUSED}),
    )
    for body in wrong:
        await told.api("POST", KEYS, body, fails=True)
    collector = {"url": "https://collector.example/v1", "headers": {}, "authorization": OTEL}
    settings = (await told.api("GET", GATEWAY))["result"] | {
        "otel": [collector],
        "stripe": {"authorization": STRIPE, "usage_events": []},
    }
    settings = (await told.api("PUT", GATEWAY, settings))["result"]
    await told.api("PUT", GATEWAY, settings | {"cache_ttl": 3})
    for otel in (
        collector | {"authorization": f"{REFUSED}\n"},
        collector | {"authorization": [REFUSED]},
        collector | {"url": f"https://{USER}:{USER}@collector.example/"},
    ):
        await told.api("PUT", GATEWAY, settings | {"otel": [otel]}, fails=True)
    for slug in ("mine", "moved"):
        headers = json.dumps({"x-key": HEADER, "authorization": f"Bearer {HEADER}"})
        body = {"name": slug, "slug": slug, "base_url": at[slug].url, "headers": headers, "enable": True}
        own = (await told.api("POST", CUSTOM, body))["result"]
        await told.api("GET", f"{CUSTOM}/{own['id']}")
        for more in (
            {"headers": json.dumps({"x-key": f"{REFUSED}\u00e9"})},
            {"headers": REFUSED},
            {"headers": json.dumps({"host": REFUSED})},
            {"base_url": f"https://{USER}:{USER}@a.example"},
        ):
            await told.api("PATCH", f"{CUSTOM}/{own['id']}", more, fails=True)


async def called(told: Told) -> None:
    """Calls that go well, and all that can go wrong with a provider."""
    assert STORED.encode() in (await told.call("openai/chat/completions", echoes=True)).body
    for path in ("groq/chat/completions", "mistral/v1/chat/completions", "cohere/v2/chat"):
        assert b"canary" in (await told.call(path, echoes=True)).body
    bedrock = "aws-bedrock/bedrock-runtime/us-east-1/model/m/converse"
    assert AWS_SESSION.encode() in (await told.call(bedrock, echoes=True)).body
    for slug in ("mine", "moved"):
        assert HEADER.encode() in (await told.call(f"custom-{slug}/chat/completions", echoes=True)).body
    vertex = "google-vertex-ai/v1/projects/p/locations/us-east1/publishers/google/models/m:generateContent"
    for path in ("anthropic/v1/messages", vertex):
        assert (await told.call(path)).status >= 500
    await told.call("anthropic/v1/messages", token=told.token.decode())
    await told.call("deepseek/chat/completions", echoes=True)  # for which there is no key
    assert (await told.call("openai/chat/completions", token="pst_" + "wrong" * 6)).status == 401
    steps = [{"provider": slug, "endpoint": "chat/completions", "query": {}} for slug in ("anthropic", "deepseek")]
    await told.call("", echoes=True, body=json.dumps(steps).encode())


async def shown(told: Told) -> None:
    """Everything that shows something."""
    server = told.server
    rows: list[Any] = []
    async with asyncio.timeout(PATIENCE):
        while len(rows) < ROWS:
            rows = (await told.api("GET", f"{GATEWAY}/logs?per_page=50"))["result"]
    for row in rows:
        for part in ("", "/request", "/response"):
            await told.api("GET", f"{GATEWAY}/logs/{row['id']}{part}", fails=None)  # not all have an answer
    for path in (KEYS, CUSTOM, GATEWAY, "/accounts/{account}/ai-gateway/gateways", "/accounts/{account}/tokens"):
        await told.api("GET", path)
    trail = await told.api("GET", "/accounts/{account}/ai-gateway/audit-logs?per_page=50")
    assert len(trail["result"]) > 9
    for path in ("/metrics", "/readyz", "/openapi.json", "/ui/sign-in"):
        async with connected(server.port) as client:
            head = (
                f"GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {METRICS_TOKEN}\r\nconnection: close\r\n\r\n"
            )
            answer = await client.ask(head.encode())
        assert answer.status == 200
        told.add(path, answer.head + answer.body)
    for words in (("keys", "list"), ("token", "list"), ("audit",), ("logs", "tail", "-n", "99")):
        await told.say(*words)
        await told.say(*words, "--json")
    told.add("/ui/sign-in/oidc", (await server.get("/ui/sign-in/oidc"))[1])
    await told.say("keys", "set", "openai", "--alias", "bad", status=2, stdin=f"{REFUSED} \u00e9")
    await told.say("keys", "rotate-master", status=2)
    told.add("greeting", server.greeting.encode())


def copied(told: Told) -> None:
    """The files of the data directory, and a copy of the database as a backup makes one."""
    data_dir = told.server.data_dir
    with closing(sqlite3.connect(data_dir / "penstock.db")) as database:
        database.execute("VACUUM INTO ?", (str(data_dir / "copy.db"),))
    files = list(data_dir.iterdir())
    assert {"penstock.db", "penstock.db-wal", "copy.db"} <= {file.name for file in files}
    for file in files:
        told.add(file.name, file.read_bytes())


async def test_a_secret_is_where_it_belongs_and_nowhere_else(tmp_path):
    names = ("openai", "mistral", "groq", "deepseek", "aws-bedrock", "cohere", "mine", "moved", "elsewhere")
    status = {"groq": "401 Unauthorized", "mine": "401 Unauthorized", "cohere": "500 No"}
    status |= dict.fromkeys(("mistral", "moved"), "307 Temporary Redirect")
    origins = {name: Origin(name, status.get(name, "200 OK")) for name in names}
    async with there(tmp_path, origins) as (told, at):
        await stored(told, at)
        await called(told)
        await shown(told)
        copied(told)
        await told.server.stop()
        told.add("standard error", told.server.said.encode())
    own = {"openai": [STORED], "mistral": [STORED_MISTRAL], "groq": [BY_VARIABLE], "cohere": [BY_FILE]}
    own |= {"aws-bedrock": [AWS_SESSION], "mine": [HEADER], "moved": [HEADER]}
    for name, origin in origins.items():
        came = {secret for secret, part in CANARIES.items() if part in origin.got}
        assert came == set(own.get(name, [])), name
    assert not origins["elsewhere"].got
    nowhere = CANARIES | {"a token that was made": told.token}
    found = {(secret, where) for secret, part in nowhere.items() for where, data in told.said.items() if part in data}
    assert found == set()


async def test_a_start_that_is_refused_says_nothing_of_a_password_in_an_address(tmp_path):
    config = f'[providers.openai]\nbase_url = "https://{USER}:{USER}@a.example"\napi_key = "{BY_FILE}\\n"\n'
    environ = {"PENSTOCK_MASTER_KEY": f"{MASTER_KEY}x", "PENSTOCK_DATABASE_URL": f"mysql://{USER}@x/y"}
    with pytest.raises(Refused) as refused:
        async with serving(tmp_path / "data", config=config, environ=environ, gateways=()):
            pass
    assert "master_key" in refused.value.said
    assert not [secret for secret, part in CANARIES.items() if part in refused.value.said.encode()]
