"""What all pages share."""

from penstock.dashboard.navigation import PLACES


def test_the_navigation_leads_to_pages_that_are_there(pages):
    for place in PLACES:
        shown = pages.get(place.address)
        assert shown.status == 200, place
        assert next(tag for tag in shown.tags("a") if tag.get("aria-current") == "page")["href"] == place.address


def test_an_address_that_is_none_answers_404(pages):
    assert pages.get("/ui/none").status == 404


def test_a_token_that_is_limited_to_gateways_sees_no_others(visit, api):
    own, other = api.gateway("limited-own"), api.gateway("limited-other")
    api.chat(other)
    pages = visit(api.token("AI Gateway Read", gateways=[own]))
    for address in ("/?gateway=", "/ui/tail?gateway="):
        assert pages.get(address + own).status == 200
        assert pages.get(address + other).status == 404
