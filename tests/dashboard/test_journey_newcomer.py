"""The whole way of somebody new: a gateway, a token, a call, its row and cost, a route, and the token's end."""

import re

import httpx
from playwright.async_api import expect

GATEWAY = "newcomer"


async def test_from_the_first_gateway_to_a_revoked_token(signed_in, site):
    page = signed_in
    await page.goto("/")
    await page.get_by_role("link", name="Gateways", exact=True).click()
    await page.get_by_role("link", name="New gateway").click()
    await page.get_by_label("Id").fill(GATEWAY)
    await page.get_by_label("Calls need a token").check()
    await page.get_by_role("button", name="Create").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(f"Gateway {GATEWAY}")

    await page.get_by_role("link", name="Tokens", exact=True).click()
    await page.get_by_role("link", name="New token").click()
    await page.get_by_label("Name").fill("Of a newcomer")
    await page.get_by_label("AI Gateway Run").check()
    await page.get_by_role("button", name="Make").click()
    secret = (await page.locator("pre").inner_text()).strip()

    async def call(model):
        body = {"model": model, "messages": [{"role": "user", "content": "Which seas are there?"}]}
        headers = {"cf-aig-authorization": f"Bearer {secret}", "user-agent": "a newcomer"}
        async with httpx.AsyncClient(timeout=30, headers=headers) as client:
            return await client.post(f"{site.url('compat', GATEWAY)}/chat/completions", json=body)

    assert (await call("openai/gpt-4o-mini")).status_code == 200
    await page.get_by_role("link", name="Logs", exact=True).click()
    await page.get_by_label("Gateway").select_option(GATEWAY)
    await page.get_by_role("button", name="Show", exact=True).first.click()
    rows = page.locator("#found tbody tr")
    await expect(rows).to_have_count(1)
    await rows.get_by_role("link").first.click()
    await expect(page.get_by_text("Which seas are there?", exact=True)).to_be_visible()
    await expect(page.locator(".tile", has_text="Cost")).to_have_text(re.compile(r"\$0\.0000\d+"))

    await page.goto(f"/ui/routes?gateway={GATEWAY}")
    await page.get_by_label("Name").fill("first")
    await page.get_by_label("By metadata").check()
    await page.get_by_role("button", name="Create").click()
    await page.get_by_role("region", name="Graph as it is edited").get_by_role("link", name="Model free").click()
    await page.get_by_label("Model 1").fill("gpt-4.1-nano")
    await page.get_by_role("button", name="Apply", exact=True).click()
    await page.get_by_role("textbox", name="Metadata").fill("plan=free")
    await page.get_by_role("button", name="Show the way").click()
    await expect(page.get_by_text("openai/gpt-4.1-nano would answer")).to_be_visible()
    await page.get_by_role("button", name="Save and deploy").click()
    await expect(page.get_by_text("is deployed; calls take its way now")).to_be_visible()
    answer = await call("dynamic/first")
    assert (answer.status_code, answer.headers["cf-aig-model"]) == (200, "gpt-4.1-nano")

    await page.get_by_role("link", name="Tokens", exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Tokens")
    theirs = page.get_by_role("link", name="Of a newcomer")
    further = page.get_by_role("link", name="Next")
    while not await theirs.count() and await further.count():  # oldest first; other tests make some too
        await page.goto(await further.get_attribute("href"))
    await theirs.click()
    await page.get_by_text("Revoke…").click()
    await page.get_by_role("button", name="Revoke", exact=True).click()
    await expect(theirs).to_have_count(0)
    assert (await call("openai/gpt-4o-mini")).status_code == 401
