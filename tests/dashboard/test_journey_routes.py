"""A route is edited by pointing at its graph, tried, and deployed."""

import asyncio

from playwright.async_api import expect

from penstock.dashboard.routes.ready import READY
from tests.kit.axe import axe

ASKED = "() => !dispatchEvent(new Event('beforeunload', {cancelable: true}))"  # whether leaving is asked about


async def held(page, pattern):
    """The event that lets the next request of this pattern go on."""
    let = asyncio.Event()

    async def wait(route):
        await let.wait()
        await route.continue_()

    await page.route(pattern, wait, times=1)
    return let


async def test_a_route_is_edited_tried_and_deployed(signed_in, site):
    page = signed_in
    await page.goto("/ui/routes")
    await page.get_by_label("Name *").fill("journey")
    await page.get_by_label("By metadata").check()
    await page.get_by_role("button", name="Create").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Edit route journey")
    assert not await page.evaluate(ASKED)

    graph = page.get_by_role("region", name="Graph as it is edited")
    await graph.get_by_role("link", name="Model free").click()
    await expect(page.get_by_role("heading", name="Element free")).to_be_visible()
    await page.get_by_label("Model 1").fill("gpt-4.1-nano-of-a-long-name")
    await page.keyboard.press("Enter")
    await expect(graph.get_by_role("link", name="Model free: openai/gpt-4.1-nano-of-a-long-name")).to_be_visible()
    await expect(page.get_by_label("Model 1")).to_be_focused()
    assert await page.evaluate(ASKED)

    fallback = graph.locator('g[data-output="fallback"]')
    await graph.get_by_role("link", name="Model paid").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Element paid")).to_be_visible()
    await page.get_by_label("Where fallback leads").select_option("free")
    answer = await held(page, "**/edit")
    await page.get_by_role("button", name="Apply", exact=True).click()
    await expect(page.get_by_role("textbox", name="Metadata")).to_be_disabled()  # or what is typed now would be lost
    answer.set()
    await expect(fallback).to_have_count(1)
    await expect(page.get_by_role("textbox", name="Metadata")).to_be_enabled()
    await page.get_by_role("button", name="Undo").click()
    await expect(fallback).to_have_count(0)
    await page.get_by_role("button", name="Redo").click()
    await expect(fallback).to_have_count(1)

    label, box = graph.locator('g[data-output="false"] text'), graph.get_by_role("link", name="End end")
    await label.hover()
    await page.mouse.down()
    await box.hover()
    await page.mouse.up()
    await expect(page.get_by_label("Where false leads")).to_have_value("end")
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_label("Where false leads")).to_have_value("free")

    await page.get_by_role("textbox", name="Metadata").fill("plan=paid")
    await page.get_by_text("Suppose that …").click()
    await page.get_by_role("combobox", name="paid", exact=True).select_option("fallback")
    await page.get_by_role("button", name="Show the way").click()
    await expect(page.get_by_text("openai/gpt-4.1-nano-of-a-long-name would answer")).to_be_visible()
    await expect(graph.locator("a.passed")).to_have_count(5)
    await axe(page)

    await page.get_by_role("button", name="Save and deploy").click()
    await expect(page.get_by_text("Version 2 is deployed; calls take its way now.")).to_be_visible()
    await page.get_by_role("textbox", name="Metadata").fill("plan=free")
    await page.get_by_role("button", name="Show the way").click()
    await expect(page.get_by_role("region", name="Graph of version 2").locator("a.passed")).to_have_count(4)
    await expect(
        page.locator("details[open] pre", has_text="dynamic/journey")
    ).to_be_visible()  # the code that calls it is as it was
    status, told = await site.ask("GET", "/accounts/{account}/ai-gateway/gateways/default/routes")
    assert status == 200
    made = next(one for one in told["result"] if one["name"] == "journey")
    elements = {each["id"]: each for each in made["elements"]}
    assert elements["free"]["properties"]["model"] == "gpt-4.1-nano-of-a-long-name"
    assert elements["paid"]["outputs"]["fallback"] == {"elementId": "free"}
    assert elements["plan"] == READY["metadata"].elements[1]
