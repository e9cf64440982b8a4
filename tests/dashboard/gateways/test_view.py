"""Gateways in the browser: listed, made, shown with how to call them, purged, deleted."""

import re

import pytest


@pytest.fixture(scope="module")
def gateway(api):
    name = api.gateway("gw-shown", cache_ttl=300, rate_limiting_limit=1000, rate_limiting_interval=60)
    for _ in range(2):
        api.chat(name)
    return name


def test_the_list_says_what_matters_of_each(pages, api, gateway):
    api.gateway("gw-shown-closed", authentication=True, collect_logs=False)
    shown = pages.get("/ui/gateways?search=gw-shown")
    assert f"/ui/gateways/{gateway}" in shown.links
    rows = re.findall(r"gw-shown\S* .*?(?=gw-shown|$)", shown.said)
    assert re.search(r"gw-shown 2 ?0 ?\$0\.\d+ ?open to anybody ?with bodies ?300 s ?1,000 in 60 s", shown.said), rows
    assert re.search(r"gw-shown-closed 0 ?0 ?\$0\.00 ?on ?off ?off ?none", shown.said), rows
    assert "2 in all" in shown.said


def test_a_search_that_finds_nothing_and_one_that_is_too_long(pages):
    assert "No gateway has this in its id" in pages.get("/ui/gateways?search=gw-none").said
    shown = pages.get("/ui/gateways?page=0&search=" + "x" * 65)
    assert shown.status == 400
    assert "64 characters long at most" in shown.said


def test_a_gateway_is_made_with_what_is_chosen(pages, api):
    shown = pages.get("/ui/gateways/-/new")
    assert shown.status == 200
    wrong = {"id": "No Such", "cache_ttl": "long"}
    shown = pages.post("/ui/gateways/-/new", wrong)
    assert shown.status == 400
    assert "an id is 1 to 64 of a-z" in shown.said
    assert "cache_ttl: must be a whole number" in shown.said
    assert 'value="No Such"' in shown.html
    right = {"id": "gw-made", "authentication": "true", "collect_logs": "true", "cache_ttl": "60"}
    right |= {"rate_limiting_limit": "", "rate_limiting_interval": "60"}
    shown = pages.post("/ui/gateways/-/new", right)
    assert shown.url.endswith("/ui/gateways/gw-made")
    assert "Gateway gw-made was created" in shown.said
    made = api("GET", "/ai-gateway/gateways/gw-made")
    assert (made["authentication"], made["collect_logs"], made["collect_log_payloads"]) == (True, True, False)
    assert (made["cache_ttl"], made["rate_limiting_limit"]) == (60, None)
    assert "there is a gateway gw-made already" in pages.post("/ui/gateways/-/new", right).said


def test_its_page_has_its_addresses(pages, house, gateway):
    shown = pages.get(f"/ui/gateways/{gateway}?provider=anthropic")
    assert f"{house.url('anthropic', gateway)}" in shown.said
    assert "https://api.anthropic.com" in shown.said
    assert f"{house.url('compat', gateway)}" in shown.said
    assert "There is no provider nobody" in pages.get(f"/ui/gateways/{gateway}?provider=nobody").said
    assert pages.get("/ui/gateways/gw-none").status == 404


def test_what_is_spent_of_its_limits_is_shown(pages, api):
    rule = {"id": "all", "limit": 10, "limitType": "cost", "window": 86400}
    name = api.gateway("gw-limited", spend_limits={"rules": [rule]})
    api.chat(name)
    assert "of $10.00" in pages.get(f"/ui/gateways/{name}").said


def test_its_cache_is_purged(pages, api, gateway):
    shown = pages.post(f"/ui/gateways/{gateway}/purge", {"older_than": "long"})
    assert shown.status == 400
    assert "older_than: must be a whole number" in shown.said
    shown = pages.post(f"/ui/gateways/{gateway}/purge", {"cache_key": "", "older_than": ""})
    assert "The cache was purged: 1 answer was dropped" in shown.said


def test_it_is_deleted_once_its_id_was_typed(pages, api):
    name = api.gateway("gw-deleted")
    api.token("AI Gateway Run", gateways=[name])
    shown = pages.post(f"/ui/gateways/{name}/delete", {"confirm": "gw"})
    assert (shown.status, "Type gw-deleted to delete it" in shown.said) == (400, True)
    shown = pages.post(f"/ui/gateways/{name}/delete", {"confirm": name})
    assert "Gateway gw-deleted was deleted. 1 token is limited to gw-deleted" in shown.said
    assert pages.get(f"/ui/gateways/{name}").status == 404


def test_a_token_sees_and_does_what_it_may(visit, api, gateway):
    api.gateway("gw-shown-other")
    pages = visit(api.token("AI Gateway Read", gateways=[gateway]))
    shown = pages.get("/ui/gateways")
    assert f"/ui/gateways/{gateway}" in shown.links
    assert "gw-shown-other" not in shown.said
    assert "/ui/gateways/-/new" not in shown.links
    for part in ("", "/settings"):
        assert pages.get(f"/ui/gateways/gw-shown-other{part}").status == 404
    shown = pages.get(f"/ui/gateways/{gateway}")
    assert "Purge" not in shown.said
    assert pages.post(f"/ui/gateways/{gateway}/delete", {"confirm": gateway}).status == 403
    assert visit(api.token("AI Gateway Run")).get("/ui/gateways").status == 403
