"""Whose key a call travels with: what a stored key, a signature and a provider of the account's own cost."""

import httpx

from bench import targets
from bench.figures import Budget, median, paired_difference, verdict
from bench.procs import Server
from bench.session import Session
from bench.table import Table
from bench.throughput import Round, Target, run
from penstock.core import codec
from tests.kit.store import ACCOUNT

STORED = Budget("≤", 3, "µs")
API = f"/client/v4/accounts/{ACCOUNT}/ai-gateway"
CONFIG = """
allowed_networks = ["127.0.0.0/8"]
{openai}
[providers.aws-bedrock]
base_url = "http://127.0.0.1:{upstream}"
"""
AWS = {"accessKeyId": "AKIABENCH00000000000", "secretAccessKey": "bench" * 8, "region": "us-east-1"}
NONE = targets.WITH_TOKEN | {"authorization": "Bearer unused"}  # as SDKs send it that cannot do without a key
CUSTOM = f"/v1/{ACCOUNT}/default/custom-own/chat/completions"
BEDROCK = f"/v1/{ACCOUNT}/default/aws-bedrock/bedrock-runtime/us-east-1/openai/v1/chat/completions"
HEADING = ("log on, 1 KB", "requests/s", "CPU µs", "µs more", "than", "budget", "")


def measure(session: Session) -> Table:
    """Rounds beside calls with the client's own key; all have a token of the gateway."""
    table = Table("Keys", HEADING)
    with session.alone() as part:
        ours, own = furnished(part), targets.WITH_TOKEN
        store = part.store(ours)
        openai = Target("the client's own key", ours, (targets.LOGGED,), store, headers=own)
        bedrock = Target("Bedrock, the client's own key", ours, (BEDROCK,), store, headers=own)
        plan: list[tuple[Target, Target | None, Budget | None]] = [
            (openai, None, None),
            (Target("a stored key", ours, (targets.LOGGED,), store, headers=NONE), openai, STORED),
            (Target("a custom provider, the client's own key", ours, (CUSTOM,), store, headers=own), openai, None),
            (bedrock, None, None),
            (Target("Bedrock, signed with a stored key", ours, (BEDROCK,), store, headers=NONE), bedrock, None),
        ]
        rounds = dict(zip((target.name for target, _, _ in plan), run(part, [row[0] for row in plan]), strict=True))
    for target, beside, budget in plan:
        _fill(table, target, rounds[target.name], beside, rounds[(beside or target).name], budget)
    table.notes.append("A call without a key of its own has `Authorization: Bearer unused`.")
    return table


def furnished(session: Session) -> Server:
    """A Penstock with a key for OpenAI, one that signs for Bedrock, and a custom provider, all before the upstream."""
    upstream = session.upstream.port
    server = session.serving("keys", CONFIG.format(openai=targets.config(upstream), upstream=upstream), {"default": {}})
    for provider, secret in (
        ("openai", "sk-bench-stored-0123456789abcdef"),
        ("aws-bedrock", codec.encode(AWS).decode()),
    ):
        key = {"alias": "default", "default_config": True, "provider_slug": provider, "secret": secret}
        _make(server, f"{API}/gateways/default/provider_configs", key)
    own = {"name": "own", "slug": "own", "base_url": f"http://127.0.0.1:{upstream}/v1", "enable": True}
    _make(server, f"{API}/custom-providers", own)
    return server


def _make(server: Server, path: str, body: dict[str, object]) -> None:
    headers = {"authorization": f"Bearer {targets.TOKEN}"}
    httpx.post(f"http://127.0.0.1:{server.port}{path}", json=body, headers=headers, timeout=60).raise_for_status()


def _fill(
    table: Table, target: Target, found: list[Round], beside: Target | None, others: list[Round], budget: Budget | None
) -> None:
    more = paired_difference([one.cpu for one in found], [one.cpu for one in others])
    table.add(
        target.name,
        f"{median([one.rate for one in found]):,.0f}",
        f"{median([one.cpu for one in found]):.1f}",
        f"{more:+.1f}" if beside else "",
        beside.name if beside else "",
        budget.text() if budget else "",
        verdict((budget, more)),
    )
