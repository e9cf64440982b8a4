"""The page of one call."""

import json
import re

import pytest

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.fixture(scope="module")
def gateway(api):
    return api.gateway(
        "shown-calls", rate_limiting_interval=60, rate_limiting_limit=1000, rate_limiting_technique="fixed"
    )


def test_it_shows_the_conversation_with_its_tools_and_pictures(pages, api, gateway):
    call = {"id": "1", "type": "function", "function": {"name": "look_up", "arguments": '{"city": "Oslo"}'}}
    row = api.chat(
        gateway,
        messages=[
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Where is \u202ethis?"},
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
                    {"type": "image_url", "image_url": {"url": "https://pictures.example/x.png"}},
                ],
            },
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "1", "content": "fine"},
        ],
    )
    shown = pages.get(f"/ui/logs/{gateway}/{row}")
    assert shown.status == 200
    for said in (
        "Result of look_up",
        "Be brief.",
        "Where is [U+202E]this?",
        "look_up",
        '"city": "Oslo"',
        "pictures.example/x.png",
    ):
        assert said in shown.said
    assert [tag["src"] for tag in shown.tags("img")] == [f"data:image/png;base64,{PNG}"]
    assert "Let in as call" in shown.said
    assert re.search(r"What was paid for.*input\d+.*output\d+", shown.said)
    assert "in 60 seconds" in shown.said


def test_an_answer_that_was_streamed_is_shown_whole(pages, api, gateway):
    row = api.chat(gateway, "Say something", stream=True)
    shown = pages.get(f"/ui/logs/{gateway}/{row}")
    assert "assistant" in shown.said
    assert "As it was streamed" in shown.said


def test_whole_bodies_are_served_so_that_no_browser_runs_them(pages, api, gateway):
    row = api.chat(gateway, "<script>alert(1)</script>")
    shown = pages.get(f"/ui/logs/{gateway}/{row}/request")
    assert json.loads(shown.html)["messages"][0]["content"] == "<script>alert(1)</script>"
    assert shown.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert pages.get(f"/ui/logs/{gateway}/{row}/neither").status == 404


def test_who_may_not_read_bodies_is_told_so_and_sees_none(visit, api, gateway):
    row = api.chat(gateway, "the secret of it")
    pages = visit(api.token("AI Gateway Metadata Read"))
    shown = pages.get(f"/ui/logs/{gateway}/{row}")
    assert shown.status == 200
    assert "secret of it" not in shown.html
    assert "lacks the permission AI Gateway Read" in shown.said
    assert "Thumbs up" not in shown.said
    assert pages.get(f"/ui/logs/{gateway}/{row}/request").status == 403
    assert pages.post(f"/ui/logs/{gateway}/{row}/vote", {"feedback": "up"}).status == 403


def test_people_say_what_they_think_of_it(pages, api, gateway):
    row = api.chat(gateway)
    assert "thumbs up" in pages.post(f"/ui/logs/{gateway}/{row}/vote", {"feedback": "up"}).said
    fields = {"score": "80.5", "metadata": '{"user": "ann"}'}
    shown = pages.post(f"/ui/logs/{gateway}/{row}/edit", fields)
    assert "The call was changed." in shown.said
    told = api("GET", f"/ai-gateway/gateways/{gateway}/logs/{row}")
    assert (told["feedback"], told["score"], json.loads(told["metadata"])) == (1, 80.5, {"user": "ann"})
    for wrong in ({"score": "101"}, {"score": "x"}, {"metadata": "{"}, {"metadata": "[]"}, {"metadata": '{"a": [1]}'}):
        shown = pages.post(f"/ui/logs/{gateway}/{row}/edit", fields | wrong)
        assert shown.status == 400, wrong
        assert f"{next(iter(wrong))}: " in shown.said


def test_rows_of_the_same_event_lead_to_each_other(pages, api, gateway, house):
    first, second = (api.chat(gateway, headers={"cf-aig-event-id": "an-event"}) for _ in range(2))
    assert f"/ui/logs/{gateway}/{second}" in pages.get(f"/ui/logs/{gateway}/{first}").links


def test_a_row_that_is_not_there_is_not_found(pages, gateway):
    assert pages.get(f"/ui/logs/{gateway}/nothing").status == 404
    assert pages.get("/ui/logs/no-such/0190163d-8694-739b-aea5-966c26f8ad91").status == 404


def test_it_is_shown_as_code_that_makes_it_again(pages, api, gateway):
    row = api.chat(gateway, "it's <b>", headers={"cf-aig-metadata": '{"user": "ann"}'})
    said = pages.get(f"/ui/logs/{gateway}/{row}").said
    assert f"/{gateway}/openai/chat/completions" in said
    assert 'authorization: Bearer ${OPENAI_API_KEY:-unused}"' in said
    assert """cf-aig-metadata: {"user":"ann"}""" in said


@pytest.mark.parametrize("kind", ["text/html", "Application/XHTML+xml; charset=utf-8", "image/svg+xml"])
def test_a_body_that_is_a_document_is_shown_as_its_text(pages, api, gateway, kind):
    row = api.chat(gateway, "<h1>Sign in</h1>", headers={"content-type": kind})
    shown = pages.get(f"/ui/logs/{gateway}/{row}/request")
    assert (shown.status, shown.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert "<h1>Sign in</h1>" in shown.html
