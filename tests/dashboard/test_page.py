"""What all pages share."""

from penstock.dashboard.navigation import PLACES


def test_the_navigation_leads_to_pages_that_are_there(pages):
    for place in PLACES:
        shown = pages.get(place.address)
        assert shown.status == 200, place
        assert next(tag for tag in shown.tags("a") if tag.get("aria-current") == "page")["href"] == place.address


def test_an_address_that_is_none_answers_404(pages):
    assert pages.get("/ui/none").status == 404
