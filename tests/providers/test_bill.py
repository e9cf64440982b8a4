"""What calls cost by their providers' bills is what the log says, row by row, and what the metrics add up to."""

import gzip
import json
from typing import Any, NamedTuple

import pytest

from penstock.core import codec
from tests.kit.house import house, request
from tests.kit.provider import Peer, providing

BOM = b"\xef\xbb\xbf"
JSON, EVENTS = "application/json", "text/event-stream"


class Call(NamedTuple):
    """An answer, and what it costs in nano-dollars: counts times dollars for a million, times a thousand."""

    name: str
    path: str
    body: bytes
    cost: int | None
    kind: str = JSON
    coding: str = ""
    method: str = "POST"


def chat(usage: dict[str, Any], model: str = "gpt-4o-mini", text: str = "ok") -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return json.dumps({"id": "c", "model": model, "choices": [choice], "usage": usage}).encode()


def events(*told: dict[str, Any], end: bytes = b"\n\n") -> bytes:
    return b"".join(b"data: " + codec.encode(one) + end for one in told)


def chunk(**members: Any) -> dict[str, Any]:
    return {"id": "c", "model": "gpt-4o-mini", "choices": [{"index": 0, "delta": {"content": "ok"}}], **members}


def response(status: str, usage: dict[str, Any] | None) -> dict[str, Any]:
    return {"id": "resp_7", "status": status, "model": "gpt-5-mini", "output": [], "error": None, "usage": usage}


CHAT, POLL = "openai/chat/completions", "openai/responses/resp_7"
USAGE = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
MINI = 100 * 150 + 50 * 600
STOP = chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
STREAM = events(chunk(), STOP, chunk(choices=[], usage=USAGE)) + b"data: [DONE]\n\n"
START = {"model": "claude-haiku-4-5", "usage": {"input_tokens": 9, "output_tokens": 1}}
MESSAGE = [
    {"type": "message_start", "message": START},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 40}},
    {"type": "message_stop"},
]
WORK = {"input_tokens": 10_000, "output_tokens": 500, "total_tokens": 10_500}
CALLS = [
    Call("plain", CHAT, chat(USAGE), MINI),
    Call("coded", CHAT, gzip.compress(chat(USAGE)), MINI, coding="gzip"),
    Call("half a character", CHAT, chat(USAGE, text="cut \ud83d"), MINI),
    Call("a byte order mark", CHAT, BOM + chat(USAGE), MINI, "Application/JSON"),
    Call("a stream", CHAT, STREAM, MINI, EVENTS),
    Call("a stream in capitals", CHAT, STREAM, MINI, "Text/Event-Stream; Charset=UTF-8"),
    Call("other line ends", CHAT, STREAM.replace(b"\n", b"\r\n"), MINI, EVENTS),
    Call("a marked stream", CHAT, BOM + STREAM, MINI, EVENTS),
    Call("half a stream", CHAT, events(chunk(), chunk(usage=USAGE)), MINI, EVENTS),
    Call("no usage", CHAT, events(chunk(), STOP), None, EVENTS),
    Call("an error within", CHAT, events(chunk()) + b'{"error":{"message":"x"}}\n\n', None, EVENTS),
    Call("unpriced audio", CHAT, chat(USAGE | {"prompt_tokens_details": {"audio_tokens": 9}}), None),
    Call("messages", "anthropic/v1/messages", events(*MESSAGE), 9 * 1000 + 40 * 5000, EVENTS),
    Call("stated", "xai/chat/completions", chat(USAGE | {"cost_in_usd_ticks": 12_340}, "grok-4.20"), 1234),
    Call("begun", "openai/responses", json.dumps(response("queued", None)).encode(), None),
    Call("polled", POLL, json.dumps(response("in_progress", None)).encode(), None, method="GET"),
    Call("done", POLL, json.dumps(response("completed", WORK)).encode(), 3_500_000, method="GET"),
    Call("asked again", POLL, json.dumps(response("completed", WORK)).encode(), None, method="GET"),
]  # fmt: skip
FAILED = {"half a stream", "an error within"}


async def serve(peer: Peer) -> None:
    while head := await peer.request():
        call = CALLS[int(head.lower().partition(b"x-call: ")[2].partition(b"\r\n")[0])]
        lines = [b"HTTP/1.1 200 OK", b"content-type: " + call.kind.encode(), b"content-length: %d" % len(call.body)]
        if call.coding:
            lines.append(b"content-encoding: " + call.coding.encode())
        await peer.say(b"\r\n".join([*lines, b"", call.body]))


@pytest.mark.asyncio
async def test_the_sum_of_what_is_told_is_the_sum_of_what_is_charged() -> None:
    async with providing(serve) as away:
        places: dict[str, str] = dict.fromkeys(("openai", "anthropic", "grok"), away.url)
        async with house(providers=places) as made, made.client() as client:
            for number, call in enumerate(CALLS):
                body = b'{"model":"m","stream":true}' if call.kind.lower().startswith(EVENTS) else b'{"model":"m"}'
                headers = {"x-call": str(number)}
                asked = request(
                    call.path,
                    headers=headers,
                    event=call.name,
                    method=call.method,
                    body=b"" if call.method == "GET" else body,
                )
                answer = await client.ask(asked)
                assert answer.status == 200
                assert b'"choices":[],' not in answer.body, f"{call.name}: a frame that its client did not ask for"
            rows = {call.name: await made.row(call.name) for call in CALLS}
            assert {name: row.cost for name, row in rows.items()} == {call.name: call.cost for call in CALLS}
            assert {name for name, row in rows.items() if not row.success} == FAILED
            counted = sum(made.server.app.telemetry.cost.values.values())
            assert counted == sum(call.cost or 0 for call in CALLS)
            tokens = sum((row.tokens_in or 0) + (row.tokens_out or 0) for row in rows.values())
            assert sum(made.server.app.telemetry.tokens.values.values()) == tokens
