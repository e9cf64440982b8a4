"""Texts that would run, sent through every field of calls and configuration: each page shows them, and none runs."""

import json
import re
from urllib.parse import quote

import httpx
import pytest
import pytest_asyncio

from tests.kit.crawl import crawl
from tests.kit.hostile_text import BREAKOUT, LONE_SURROGATES, TEXTS, assert_harmless, breakout, everything
from tests.kit.process import serving
from tests.kit.provider import Peer, providing
from tests.kit.routes import conditional, end, model, percentage, start
from tests.kit.store import OPEN

ALL = everything()
AI = "/accounts/{account}/ai-gateway"
GATEWAY = "hostile"
EACH, MORE = 3, {"/ui/logs/{gateway}/{id}": 12}  # addresses of a page that are opened
AT = "https://hostile.example/?"  # addresses may hold any visible sign behind their query

LINK, HOOK, PATTERN = (breakout(field).replace(" ", "") for field in ("link", "hook", "pattern"))

SETTINGS = dict(OPEN) | {
    "id": GATEWAY,
    "analytics_metadata_keys": [breakout("key")],
    "dlp": {"enabled": True, "action": "FLAG", "profiles": [breakout("profile")]},
    "otel": [{"url": AT + quote(breakout("collector"), safe="'\"><="), "headers": {"x-a": breakout("header")}}],
    "spend_limits": {"enabled": True, "rules": [{
        "id": breakout("rule"), "limit": 5.0, "limitType": "cost", "window": 60,
        "metadata": {breakout("dimension"): {"mode": "filter", "values": [breakout("value")]}},
        "model": {"mode": "filter", "values": [breakout("limited")]},
    }]},
    "store_id": breakout("store"),
    "stripe": {"authorization": "sk_secret", "usage_events": [{"payload": breakout("payload")}]},
}  # fmt: skip
GRAPH = [
    start("fork"),
    conditional("fork", {f"metadata.{breakout('condition')}": {"$eq": breakout("operand")}}, "split", "ask"),
    percentage("split", {f"60%{breakout('share')}": "ask", "40%": "end"}),
    model("ask", breakout("element"), model=breakout("routed")),
    end(breakout("element")),
    end(),
]
BROKEN = [start(breakout("nowhere"))]
RESOURCES = [
    (f"{AI}/gateways", SETTINGS),
    (f"{AI}/gateways/{GATEWAY}/provider_configs", {
        "alias": breakout("al"), "default_config": True, "provider_slug": "openai", "secret": "sk-of-nobody",
        "secret_id": breakout("secretid")}),
    (f"{AI}/custom-providers", {
        "name": breakout("custom") + ALL[:150], "slug": "hostile", "base_url": "https://hostile.example/v1",
        "description": ALL[:4000], "link": AT + LINK,
        "curl_example": ALL, "js_example": ALL}),
    (f"{AI}/alerts", {
        "name": breakout("alert"), "kind": "error_rate", "threshold": 0.5, "url": AT + HOOK}),
    (f"{AI}/gateways/{GATEWAY}/routes", {"name": "graph", "elements": GRAPH}),
    (f"{AI}/gateways/{GATEWAY}/routes", {"name": "broken", "elements": BROKEN}),
    ("/accounts/{account}/tokens", {
        "name": breakout("token"), "scopes": ["AI Gateway Run"],
        "models": [f"openai/{PATTERN}"]}),
]  # fmt: skip

TURNS = [
    {"role": "system", "content": breakout("system")},
    {"role": "user", "content": ALL},
    {"role": "assistant", "content": None, "tool_calls": [{
        "id": breakout("callid"), "type": "function",
        "function": {"name": breakout("function"), "arguments": json.dumps({breakout("argument"): ALL})}}]},
    {"role": "tool", "tool_call_id": breakout("callid"), "content": breakout("result")},
    {"role": breakout("role"), "name": breakout("speaker"), "content": [
        {"type": "text", "text": breakout("part")},
        {"type": "image_url", "image_url": {"url": "javascript:window.__penstock_pwned=1"}},
        {"type": "image_url", "image_url": {"url": "data:text/html,<script>window.__penstock_pwned=1</script>"}},
        {"type": "image_url", "image_url": {"url": f"https://hostile.example/{breakout('picture')}"}},
        {"type": breakout("kind"), "text": "x"},
    ]},
]  # fmt: skip
ANSWER = {
    "id": breakout("answerid"), "model": breakout("answered"),
    "choices": [
        {"index": 0, "finish_reason": breakout("finish"), "message": {
            "role": "assistant", "content": breakout("answer") + ALL, "reasoning_content": breakout("thought"),
            "refusal": breakout("refusal"),
            "tool_calls": [{"id": "1", "type": "function", "function": {
                "name": breakout("asked"), "arguments": breakout("brokenjson")}}]}}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 4},
}  # fmt: skip
METADATA = json.dumps({breakout("metakey"): breakout("metavalue"), "user": breakout("person")})
HEADERS = {
    "authorization": "Bearer sk",
    "user-agent": breakout("agent"),
    "cf-aig-metadata": METADATA,
    "cf-aig-session-id": breakout("session"),
}
CALLS = [
    ("openai/chat/completions", {"model": "gpt-4o", "messages": TURNS}, {}),
    ("openai/chat/completions", {"model": breakout("model"), "messages": TURNS, "stream": True}, {}),
    ("openai/chat/completions", f'{{"model":"{LONE_SURROGATES}","messages":[{{"content":"{LONE_SURROGATES}"}}]}}', {}),
    ("openai/chat/completions", breakout("nojson") + ALL, {"content-type": "text/html"}),
    ("openai/fails", {"model": "gpt-4o"}, {}),
    (f"openai/{quote(breakout('path'))}?{quote(breakout('query'), safe='=')}", {}, {}),
    (f"{quote(breakout('provider'))}/x", {}, {}),
    ("compat/chat/completions", {"model": breakout("unified/model"), "messages": TURNS}, {}),
    ("compat/chat/completions", {"model": "dynamic/graph", "messages": TURNS}, {"cf-aig-metadata": "{}"}),
    ("openai/chat/completions", {"model": "gpt-4o", "messages": TURNS}, {"cf-aig-byok-alias": breakout("noalias")}),
]  # fmt: skip

# What is sent and never shown, each with the reason.
UNSEEN = {
    "noalias": "the refusal does not repeat it",
    "session": "decides on the way through a route alone",
}

SAID = """() => {
  document.querySelectorAll("details").forEach(one => one.open = true);
  const typed = [...document.querySelectorAll("input, textarea, option")].map(one => one.value);
  const named = [...document.querySelectorAll("[aria-label], [title]")].map(one => one.ariaLabel + " " + one.title);
  return [document.title, document.body.innerText, ...typed, ...named].join("\\n");
}"""


async def provide(peer: Peer):
    """Answers what nobody should trust."""
    while True:
        sent = await peer.request()
        fails = b"/fails" in sent.partition(b"\r\n")[0]
        status = "418 " + breakout("reason") if fails else "200 OK"
        body = json.dumps({"error": {"message": breakout("error") + ALL}} if fails else ANSWER)
        kind, data = "application/json", body.encode()
        if b'"stream": true' in sent or b'"stream":true' in sent:
            chunk = {"model": breakout("chunk"), "choices": [{"index": 0, "delta": {"content": breakout("streamed")}}]}
            kind, data = "text/event-stream", f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode()
        head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\nx-request-id: {breakout('requestid')}\r\n"
        await peer.say(f"{head}content-length: {len(data)}\r\n\r\n".encode() + data)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(tmp_path_factory):
    async with providing(provide) as provider:
        config = f'[providers.openai]\nbase_url = "{provider.url}"\n'
        async with serving(tmp_path_factory.mktemp("hostile") / "data", config=config) as server:
            for path, body in RESOURCES:
                status, told = await server.ask("POST", path, body)
                assert status in {200, 201}, (path, told)
            async with httpx.AsyncClient(timeout=30) as client:
                for path, body, headers in CALLS:
                    data = body if isinstance(body, str) else json.dumps(body)
                    url = server.url(path, GATEWAY)
                    kind = {"content-type": "application/json"}
                    await client.post(url, content=data.encode(), headers=HEADERS | kind | headers)
            yield server


def sent():
    """The names of all fields that a text was sent through."""
    alone = [breakout(field) for field in ("error", "streamed", "view", "refused", "nomodel", "searched")]
    told = json.dumps([RESOURCES, CALLS, HEADERS, ANSWER, alone])
    return {*re.findall(rf"(\w+) {re.escape(BREAKOUT)}", told.replace("\\", ""))}


@pytest.mark.timeout(300)
async def test_whatever_is_sent_is_shown_and_none_of_it_runs(signed_in):
    page, said, faults = signed_in, [], []

    async def look(path):
        said.append(await page.evaluate(SAID))
        try:
            await assert_harmless(page)
        except AssertionError as found:
            faults.append(str(found))

    await page.goto(f"/ui/logs?gateway={GATEWAY}")
    await page.get_by_text("Save this view").click()
    await page.get_by_label("Name").fill(breakout("view"))
    await page.get_by_role("button", name="Save", exact=True).click()
    await page.get_by_text("was saved").wait_for()
    await look("a sentence about what was done")
    await page.goto("/ui/tokens/new")
    await page.get_by_label("Name").fill(breakout("refused"))
    await page.get_by_label("Models").fill(breakout("nomodel"))
    await page.get_by_role("button", name="Make").click()
    await page.get_by_text("must be provider/model").wait_for()
    await look("a form that is shown again")
    search = "&".join(f"{name}={quote(breakout('searched'))}" for name in ("search", "model", "provider", "meta.x"))
    begin = [
        "/",
        f"/ui/routes?gateway={GATEWAY}",
        f"/ui/logs?gateway={GATEWAY}",
        f"/ui/logs?gateway={GATEWAY}&{search}",
    ]
    await crawl(page, look, begin=begin, each=EACH, more=MORE)
    assert not faults, "\n\n".join(faults)
    text = "\n".join(said).replace("\\", "")  # as JSON writes quotes
    assert [name for name in TEXTS if f"hostile-{name}" not in text] == []
    assert sorted(name for name in sent() if breakout(name) not in text) == sorted(UNSEEN)
