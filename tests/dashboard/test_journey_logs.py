"""Somebody looks for a call, reads what was said in it, and says what they think of it."""

import json

import httpx

from tests.kit.axe import axe
from tests.kit.browser import NARROW
from tests.kit.hostile_text import assert_harmless, everything

TOOL = {"id": "1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}


async def calls(site):
    body = {"id": "journey-logs", "authentication": False, "cache_invalidate_on_update": False, "cache_ttl": 0}
    body |= {"collect_logs": True, "rate_limiting_interval": 60, "rate_limiting_limit": 1000}
    await site.ask("POST", f"/accounts/{site.account}/ai-gateway/gateways", body)
    turns = [
        {"role": "system", "content": "You answer briefly."},
        {"role": "user", "content": "How warm is it in Oslo?"},
        {"role": "assistant", "content": None, "tool_calls": [TOOL]},
        {"role": "tool", "tool_call_id": "1", "content": '{"celsius": -3}'},
    ]
    async with httpx.AsyncClient(headers={"authorization": "Bearer k"}, timeout=30) as client:
        address = f"{site.url('openai', 'journey-logs')}/chat/completions"
        for model, text in (("gpt-4o", "Good morning"), ("gpt-4o-mini", everything(2000)), ("gpt-4o", None)):
            said = turns if text is None else [{"role": "user", "content": text}]
            sent = {"cf-aig-metadata": json.dumps({"user": "ann" if text is None else "bob"})}
            answer = await client.post(address, json={"model": model, "messages": said}, headers=sent)
            assert answer.status_code == 200


async def test_a_call_is_found_and_read(signed_in, site):
    page = signed_in
    await calls(site)
    await page.goto("/ui/logs?gateway=journey-logs")
    await page.get_by_text("More filters").click()
    await page.get_by_text("Columns", exact=True).click()
    await page.locator("#f-model").fill("gpt-4o")
    await page.get_by_role("button", name="Show", exact=True).first.click()
    await page.wait_for_url("**/ui/logs?gateway=journey-logs&model=gpt-4o")
    assert await page.locator("#found tbody tr").count() == 2
    await page.get_by_role("link", name="Follow").click()
    await page.get_by_role("link", name="Stop following").wait_for()
    await axe(page)
    await page.locator("#found tbody a").first.click()
    await page.get_by_text("How warm is it in Oslo?", exact=True).wait_for()
    await page.get_by_text("Calls weather").click()
    await page.get_by_text('"city": "Oslo"').first.wait_for()
    await axe(page)
    await page.get_by_role("button", name="Thumbs up").click()
    await page.get_by_text("Feedback: thumbs up").wait_for()

    await page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    await page.goto("/ui/logs?gateway=journey-logs&model=gpt-4o-mini")
    await page.locator("#found tbody a").first.click()
    await page.get_by_text("Request as it was stored").wait_for()
    await assert_harmless(page)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
