"""The playground as far as it is a page; tests/dashboard/test_journey_playground.py calls models from it."""

import json

from tests.dashboard.conftest import ACCOUNT


def test_it_offers_gateways_surfaces_and_three_models(pages, api):
    api.gateway("playing")
    shown = pages.get("/ui/playground?gateway=playing")
    assert [tag["value"] for tag in shown.tags("option") if "selected" in tag][:1] == ["playing"]
    assert shown.tags("form")[-1]["data-base"] == f"/v1/{ACCOUNT}"
    assert len([tag for tag in shown.tags("section") if "data-column" in tag]) == 3
    assert "needs JavaScript" in shown.said


def test_a_call_of_the_log_is_taken_over(pages, api):
    api.gateway("playing-again")
    row = api.chat("playing-again", "Take <b>this</b>\nover & on")
    shown = pages.get(f"/ui/playground?from=playing-again/{row}")
    assert "openai/chat/completions" in [tag.get("value") for tag in shown.tags("input")]
    assert "Take &lt;b&gt;this&lt;/b&gt;\\nover &amp; on" in shown.html
    none = pages.get("/ui/playground?from=playing-again/0193b0c0-0000-7000-8000-000000000000")
    assert none.status == 404


def test_who_may_not_read_bodies_takes_nothing_over(visit, api):
    api.gateway("playing-closed")
    row = api.chat("playing-closed", "a secret thought")
    shown = visit(api.token("AI Gateway Metadata Read", "AI Gateway Run")).get(
        f"/ui/playground?from=playing-closed/{row}"
    )
    assert "may not read bodies" in shown.said
    assert "a secret thought" not in shown.html


def test_it_says_what_a_call_came_to(pages, api):
    api.gateway("playing-cost")
    row = api.chat("playing-cost", "Hello")
    said = pages.part(f"/ui/playground/result/playing-cost/{row}").said
    assert "Cost$0.0000" in said
    assert "openai/gpt-4o-mini" in said


def test_it_shows_what_it_sends_as_code(pages):
    body = {"model": "openai/gpt-4o-mini", "messages": [{"role": "user", "content": "it's <me>"}]}
    fields = {
        "gateway": "default",
        "path": "compat/chat/completions",
        "body": json.dumps(body),
        "headers": "cf-aig-cache-ttl: 5",
    }
    pages.get("/ui/playground")
    shown = pages.post("/ui/playground/code", fields, **{"hx-request": "true"})
    assert "from openai import OpenAI" in shown.said
    assert "cf-aig-cache-ttl: 5" in shown.said
    assert "&lt;me&gt;" in shown.html
    refused = pages.post("/ui/playground/code", fields | {"body": "{"}, **{"hx-request": "true"})
    assert (refused.status, "not JSON" in refused.said) == (400, True)
