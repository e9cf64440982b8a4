"""What all pages share."""

import pytest

from penstock.dashboard.navigation import PLACES
from penstock.dashboard.routes.ready import READY

ELEMENTS = READY["fallback"].elements


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


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("/ui/credit/topups", {"amount": "none"}),
        ("/ui/credit/automatic", {"by": "none"}),
        ("/ui/limits/account", {"amount": "none"}),
        ("/ui/routes", {"gateway": "{gateway}", "name": ""}),
        ("/ui/gateways/{gateway}/purge", {"older_than": "none"}),
        ("/ui/gateways/{gateway}/delete", {"confirm": "none"}),
        ("/ui/logs/{gateway}/{call}/edit", {"score": "none"}),
    ],
)
def test_a_wrong_form_shows_no_page_to_a_token_that_may_not_read(visit, api, written, path, wrong):
    gateway, call, _ = written
    writes, reads = (visit(api.token("AI Gateway Write", *more)) for more in ((), ("AI Gateway Read",)))
    fields = {name: value.format(gateway=gateway) for name, value in wrong.items()}
    address = path.format(gateway=gateway, call=call)
    for pages, forms in ((writes, False), (reads, True)):
        pages.get("/ui/providers/new")  # has the token for the form
        shown = pages.post(address, fields)
        assert shown.status == 400
        own = [form for form in shown.tags("form") if form.get("action") == address]
        assert bool(own) is forms


@pytest.mark.parametrize("path", ["/ui/routes/{gateway}/{route}/edit", "/ui/logs/delete?gateway={gateway}"])
def test_a_page_for_writers_that_shows_what_is_there_asks_for_reading_too(visit, api, written, path):
    gateway, _, route = written
    address = path.format(gateway=gateway, route=route)
    refused = visit(api.token("AI Gateway Write")).get(address)
    assert refused.status == 403
    assert "lacks the permission AI Gateway Read" in refused.said
    assert visit(api.token("AI Gateway Write", "AI Gateway Read")).get(address).status == 200


@pytest.fixture(scope="module")
def written(api) -> tuple[str, str, str]:
    """A gateway, a call of it, and a route."""
    gateway = api.gateway("written-alone")
    route = api("POST", f"/ai-gateway/gateways/{gateway}/routes", {"name": "written", "elements": ELEMENTS})
    return gateway, api.chat(gateway), route["id"]
