"""Somebody asks three models side by side, on three surfaces, and reads what that came to."""

from playwright.async_api import expect


async def test_three_models_answer_side_by_side(signed_in, shot):
    page = signed_in
    await page.goto("/ui/playground?gateway=default")
    await page.get_by_label("Text").fill("Say <b>hello</b>")
    for place, (model, surface) in enumerate(
        [("anthropic/claude-haiku-4-5", "messages"), ("google-ai-studio/gemini-2.5-flash", "gemini")], 2
    ):
        await page.get_by_role("button", name="Compare with another model").click()
        await page.get_by_label(f"Model {place}", exact=True).last.fill(model)
        await page.locator(f"#surface-{place}").select_option(surface)
    await page.get_by_role("button", name="Run").click()
    columns = page.locator("[data-column]")
    for place in range(3):
        column = columns.nth(place)
        await expect(column.locator("[data-said]")).to_contain_text("Say <b>hello</b>")
        await expect(column.locator("[data-facts]")).to_contain_text("$0.0000")
    await columns.nth(0).get_by_role("button", name="As code").click()
    await expect(columns.nth(0).locator("[data-code]")).to_contain_text('"stream":true')
    await shot(page, "playground")
    await page.locator("#surface-1").select_option("own")
    await page.locator("#path-1").fill("openai/chat/completions")
    await page.locator("#body-1").fill('{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "own"}]}')
    await page.get_by_role("button", name="Run").click()
    await expect(columns.nth(0).locator("[data-said]")).to_contain_text("own")
    await page.locator("#body-1").fill("{")
    await page.get_by_role("button", name="Run").click()
    await expect(columns.nth(0).locator("[data-said]")).to_contain_text("The body: not JSON")
