"""Who comes in and goes out, as a person does it; and what is to be seen without JavaScript."""

import re

from playwright.async_api import expect

from tests.kit.axe import axe


async def test_a_token_opens_the_overview_until_its_owner_signs_out(page, site):
    await page.goto("/")
    await expect(page).to_have_title(re.compile("Sign in"))
    await axe(page)
    await page.get_by_label("API token").fill("pst_no_such_token")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_text("or it was revoked or has expired")).to_be_visible()
    await page.get_by_label("API token").fill(site.token)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    await axe(page)
    await page.get_by_text("Sign out", exact=True).click()
    await page.get_by_role("button", name="Sign out here").click()
    await expect(page).to_have_title(re.compile("Sign in"))
    await page.goto("/")
    await expect(page).to_have_title(re.compile("Sign in"))


async def test_the_overview_needs_no_javascript(browse, site):
    page = await browse(javascript=False)
    await page.goto("/")
    await page.get_by_label("API token").fill(site.token)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    await expect(page.get_by_role("region", name="Last calls").get_by_role("table")).to_be_visible()
