"""The overview: what calls come to, and the last of them."""

import pytest


@pytest.fixture(scope="module")
def gateway(api):
    name = api.gateway("overviewed")
    for text in ("one", "two", "three"):
        api.chat(name, text)
    return name


def test_it_sums_up_the_calls_of_a_gateway(pages, gateway):
    said = pages.get(f"/?span=1h&gateway={gateway}").said
    assert "Calls3in 1 hour" in said.replace(" ", "").replace("in1hour", "in 1 hour")
    assert "gpt-4o-mini" in said
    assert "openai" in said


def test_each_chart_has_its_table(pages, gateway):
    shown = pages.get(f"/?span=1h&gateway={gateway}")
    assert len(shown.tags("figure")) == 6
    values = [tag.get("data-value") for tag in shown.tags("td") if "data-value" in tag]
    assert "3" in values


def test_the_last_calls_lead_to_their_rows(pages, api, gateway):
    row = api.chat(gateway, "the last one")
    assert f"/ui/logs/{gateway}/{row}" in pages.part(f"/ui/tail?gateway={gateway}").links


def test_without_calls_it_shows_how_to_make_one(pages, api):
    name = api.gateway("overviewed-empty")
    shown = pages.get(f"/?gateway={name}")
    assert "No calls yet" in shown.said
    assert f"/{name}/compat/chat/completions" in shown.html


def test_a_name_that_no_gateway_can_have_is_refused_in_a_sentence(pages):
    shown = pages.get("/?gateway=%00")
    assert shown.status == 400
    assert "gateway: must not hold NUL characters" in shown.said
