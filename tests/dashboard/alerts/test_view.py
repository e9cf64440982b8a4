"""Alerts: made, looked at, changed, tested and deleted."""

import re

import pytest

from penstock.control.alerts.kinds import KINDS
from penstock.dashboard.alerts.words import WORDS, threshold

URL = "https://127.0.0.1:1/hook"


def _made(pages, **fields):
    """The page that answers, and the address of the alert."""
    given = {"kind": "error_rate", "name": "mine", "threshold": "0.05", "url": URL, "window_seconds": "300"}
    shown = pages.post("/ui/alerts/new", {**given, "enabled": "true", **fields})
    found = [link for link in shown.links if re.fullmatch("/ui/alerts/[0-9a-f]{32}", link)]
    return shown, found[0] if found else ""


def test_each_kind_has_its_words_and_its_form(pages):
    assert list(WORDS) == list(KINDS)
    links = pages.get("/ui/alerts/new").links
    for kind, row in KINDS.items():
        assert f"/ui/alerts/new?kind={kind}" in links
        shown = pages.get(f"/ui/alerts/new?kind={kind}")
        names = {tag.get("name") for tag in shown.tags("input")}
        assert ("threshold" in names) is (row.threshold is not None)
        assert ("minimum_calls" in names) is row.counts


def test_a_new_one_shows_its_secret_this_once(pages):
    shown, at = _made(pages, name="with <b>markup</b>")
    secret = re.search(r"whsec_[\w+/]+=*", shown.html)
    assert secret
    page = pages.get(at)
    assert secret[0] not in page.html
    assert "with <b>markup</b>" in page.said
    assert "5 %" in page.said
    assert at in pages.get("/ui/alerts").links


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"threshold": "7"}, "threshold: of error_rate must be 0.001 to 1"),
        ({"threshold": "many"}, "threshold: must be a number"),
        ({"url": "http://hooks.example/x"}, "url:"),
        ({"name": ""}, "name: must be 1 or more characters long"),
        ({"gateway_id": "no-such-gateway"}, "gateway_id: there is no such gateway"),
        ({"window_seconds": "1"}, "window_seconds:"),
        ({"secret": "mine"}, "secret: must be whsec_"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(pages, fields, sentence):
    shown, _ = _made(pages, **fields)
    assert shown.status == 400
    assert sentence in shown.said
    assert any(tag.get("aria-invalid") for name in ("input", "select") for tag in shown.tags(name))


def test_it_is_changed_tested_and_deleted(pages, api):
    _, at = _made(pages)
    changed = {"name": "other", "threshold": "0.5", "url": URL, "window_seconds": "900", "minimum_calls": "3"}
    assert "The alert other was changed." in pages.post(at, changed).said
    told = api("GET", f"/ai-gateway/alerts/{at.rpartition('/')[2]}")
    assert (told["threshold"], told["minimum_calls"], told["enabled"]) == (0.5, 3, False)
    said = pages.post(f"{at}/test").said
    assert "The test was not delivered: the call failed" in said
    assert "test" in said
    assert "The alert other was deleted." in pages.post(f"{at}/delete").said
    assert pages.get(at).status == 404


def test_who_only_reads_is_offered_nothing_to_write(visit, pages, api):
    _, at = _made(pages)
    reader = visit(api.token("AI Gateway Read"))
    assert not [tag for tag in reader.get(at).tags("form") if at in (tag["action"] or "")]
    assert reader.post(f"{at}/delete").status == 403
    assert reader.get("/ui/alerts/new").status == 403


def test_thresholds_are_told_in_their_units():
    told = [("log_cap", 0.075), ("latency", 2500), ("credit_low", 10), ("credential_refused", None)]
    assert [threshold(*one) for one in told] == ["7.5 % or more", "2.5 s or more", "$10.00 or less", ""]
