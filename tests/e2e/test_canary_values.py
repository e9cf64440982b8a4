"""Values that a gateway's owner does not want stored stand nowhere in the log, whatever the calls that had them."""

import json
from typing import Any

from tests.kit.client import connected
from tests.kit.house import ACCOUNT, request
from tests.kit.process import Serving, serving
from tests.kit.provider import Peer, providing

CANARY = "canary-value-0123456789"
PATHS = [
    *("metadata.email", "request.user", "request.messages[*].content", "request.steps"),
    *("response.choices[*].message.content", "response.content[*].text", "response.error.message"),
]
CHAT: dict[str, Any] = {"model": "gpt-4o", "user": CANARY, "messages": [{"role": "user", "content": f"I am {CANARY}."}]}
ANSWER = {"model": "gpt-4o", "choices": [{"index": 0, "message": {"role": "assistant", "content": f"So, {CANARY}!"}}]}
CHUNK = {"model": "gpt-4o", "choices": [{"index": 0, "delta": {"role": "assistant", "content": CANARY}}]}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5",
    "stop_reason": "end_turn",
    "content": [{"type": "text", "text": CANARY}],
    "usage": {"input_tokens": 3, "output_tokens": 4},
}
EVENTS = [
    {"type": "message_start", "message": MESSAGE | {"content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": CANARY}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}},
    {"type": "message_stop"},
]
METADATA = {"cf-aig-metadata": json.dumps({"email": CANARY, "team": "search"})}


async def provide(peer: Peer) -> None:
    """Answers as the path and the body ask, and quotes what it was sent."""
    while True:
        sent = await peer.request()
        anthropic, streams = b"/messages" in sent.partition(b"\r\n")[0], b'"stream":true' in sent.replace(b" ", b"")
        if b'"fail"' in sent:
            await say(peer, "400 Bad Request", {"error": {"message": f"{CANARY} is no user", "type": "bad"}})
        elif not streams:
            await say(peer, "200 OK", MESSAGE if anthropic else ANSWER)
        else:
            events: list[Any] = EVENTS if anthropic else [CHUNK, CHUNK | {"choices": []}]
            data = "".join(f"event: {e.get('type', 'x')}\ndata: {json.dumps(e)}\n\n" for e in events)
            await say(peer, "200 OK", data + ("" if anthropic else "data: [DONE]\n\n"), "text/event-stream")


async def say(peer: Peer, status: str, body: Any, kind: str = "application/json") -> None:
    data = (body if isinstance(body, str) else json.dumps(body)).encode()
    await peer.say(f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(data)}\r\n\r\n".encode() + data)


def asked(gateway: str) -> list[bytes]:
    """Calls of every kind."""
    key = {"authorization": "Bearer sk", "x-api-key": "sk", "content-type": "application/json"} | METADATA
    claude = CHAT | {"model": "anthropic/claude-sonnet-4-5"}
    steps = [
        {"provider": "openai", "endpoint": "chat/completions", "headers": {"authorization": "Bearer sk"}, "query": q}
        for q in (CHAT | {"metadata": "fail"}, CHAT)
    ]
    calls: list[tuple[str, Any, dict[str, str]]] = [
        ("openai/chat/completions", CHAT, {}),
        ("openai/chat/completions", CHAT, {"cf-aig-cache-key": "k"}),
        ("openai/chat/completions", CHAT, {"cf-aig-cache-key": "k"}),  # a hit
        ("openai/chat/completions", CHAT | {"stream": True}, {}),
        ("openai/chat/completions", CHAT | {"metadata": "fail"}, {}),
        ("openai/chat/completions", f'{{"user": "{CANARY}"', {}),  # no JSON
        ("openai/audio/transcriptions", f"--b\r\n\r\n{CANARY}", {"content-type": "multipart/form-data; boundary=b"}),
        ("anthropic/v1/messages", CHAT, {}),
        ("anthropic/v1/messages", CHAT | {"stream": True}, {}),
        ("compat/chat/completions", claude, {}),
        ("compat/chat/completions", claude | {"stream": True}, {}),
        ("compat/chat/completions", CHAT | {"model": f"dynamic/{gateway}"}, {}),  # there is none
        ("", steps, {}),
    ]
    return [
        request(
            path,
            gateway=gateway,
            headers=key | more,
            body=(body if isinstance(body, str) else json.dumps(body)).encode(),
        )
        for path, body, more in calls
    ]


ROWS = 14  # of the calls, one a step


async def everything(server: Serving, gateway: str) -> dict[str, bytes]:
    """All that the API and the command line show of a gateway's log."""
    base = f"/accounts/{{account}}/ai-gateway/gateways/{gateway}/logs"
    shown: dict[str, bytes] = {}
    status, listed = await server.ask("GET", f"{base}?per_page=50")
    assert (status, len(listed["result"])) == (200, ROWS), listed
    shown["list"] = json.dumps(listed).encode()
    for row in listed["result"]:
        for part in ("", "/request", "/response"):
            shown[f"{part or 'row'} of {row['path']} {row['status_code']}"] = await _get(
                server, f"{base}/{row['id']}{part}"
            )
    shown["tail"] = json.dumps(await server.rows(100, "--gateway", gateway)).encode()
    return shown


async def test_a_value_is_stored_nowhere(tmp_path):
    async with providing(provide) as provider:
        config = "".join(f'[providers.{slug}]\nbase_url = "{provider.url}"\n' for slug in ("openai", "anthropic"))
        environ = {"PENSTOCK_ACCOUNT_ID": ACCOUNT, "PENSTOCK_CACHE_MEMORY": "1000000"}
        data_dir = tmp_path / "data"
        async with serving(data_dir, simulate=False, config=config, environ=environ, gateways=()) as server:
            await server.make_gateway("private", log_redact=PATHS, analytics_metadata_keys=["email"])
            await server.make_gateway("open")
            answers = [await _call(server.port, call) for call in asked("private")]
            assert answers.count(200) == ROWS - 3, answers
            private = await everything(server, "private")
            files = {file.name: file.read_bytes() for file in data_dir.glob("penstock.db*")}
            for call in asked("open"):
                await _call(server.port, call)
            opened = await everything(server, "open")
            await server.stop()
            files |= {"standard error": server.said.encode()}
    assert {name for name, data in (private | files).items() if CANARY.encode() in data} == set()
    assert {name for name, data in opened.items() if CANARY.encode() in data} > {"list", "tail"}
    assert b"not kept" in private["row of audio/transcriptions 200"]


async def _get(server: Serving, path: str) -> bytes:
    head = f"GET /client/v4{path.format(account=server.account)} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
    async with connected(server.port) as client:
        return (await client.ask(f"{head}authorization: Bearer {server.token}\r\n\r\n".encode())).body


async def _call(port: int, call: bytes) -> int:
    async with connected(port) as client:
        return (await client.ask(call)).status
