"""Somebody makes a gateway, calls it by the code on its page, limits what it may spend, and deletes it."""

import re

import httpx

from tests.kit.axe import axe
from tests.kit.browser import NARROW, watch


async def test_a_gateway_is_made_called_limited_and_deleted(signed_in, site):
    page = signed_in
    watch(page).allow("status: 400 of POST")
    await page.goto("/ui/gateways")
    await page.get_by_role("link", name="New gateway").click()
    await page.get_by_label("Id").fill("journey-gateways")
    await page.get_by_role("button", name="Create").click()
    await page.get_by_text("Gateway journey-gateways was created").wait_for()

    await page.get_by_text("Other tools", exact=True).click()
    (base,) = re.findall(r'OPENAI_BASE_URL="(.*)"', await page.get_by_text("export OPENAI_BASE_URL").inner_text())
    async with httpx.AsyncClient(timeout=30, headers={"authorization": f"Bearer {site.token}"}) as client:
        body = {"model": "openai/gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}
        assert (await client.post(f"{base}/chat/completions", json=body)).status_code == 200
    await page.get_by_label("A provider's own API").select_option("anthropic")
    await page.get_by_text("https://api.anthropic.com", exact=True).wait_for()

    await page.get_by_role("link", name="Settings").click()
    await page.get_by_text("Rules not set").click()
    await page.get_by_role("button", name="Add one more").first.click()
    first = page.locator('[name="spend_limits.rules.0.limit"]')
    await first.fill("10")  # it is open
    await page.locator('[name="spend_limits.rules.0.window"]').fill("a day")
    await page.get_by_role("button", name="Save").click()
    await page.get_by_text("Nothing was saved").wait_for()
    await axe(page)
    await page.locator('[name="spend_limits.rules.0.window"]').fill("86400")
    await page.locator('[name="spend_limits.rules.0.window"]').press("Enter")
    await page.get_by_text("Saved: Rules.").wait_for()
    await page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    await page.get_by_role("link", name="Back to the gateway").click()
    await page.get_by_text("of $10.00").wait_for()

    await page.get_by_text("Delete journey-gateways…").click()
    await page.get_by_label("Type its id").fill("journey-gateways")
    await page.get_by_role("button", name="Delete it").click()
    await page.get_by_text("Gateway journey-gateways was deleted").wait_for()
