"""Invoices: the month that runs, and top-ups as documents."""

import pytest


@pytest.fixture(scope="module")
def topup(pages, api):
    """The id of one that waits."""
    pages.post("/ui/credit/topups", {"amount": "31"})
    return api("GET", "/ai-gateway/billing/topups")[0]["id"]


def test_top_ups_are_listed_with_their_documents(pages, topup):
    shown = pages.get("/ui/invoices")
    assert "This month so far" in shown.said
    assert "Credit Top-upopen $31.00$0.00$31.00" in shown.said
    assert {f"/ui/invoices/{topup}.{kind}" for kind in ("html", "pdf", "csv")} <= set(shown.links)
    assert f"/ui/invoices/{topup}.pdf" not in pages.get("/ui/invoices?type=auto").links


@pytest.mark.parametrize(("kind", "begins"), [("html", "<!doctype html>"), ("csv", "number,"), ("pdf", "%PDF")])
def test_a_document_runs_nothing(pages, topup, kind, begins):
    shown = pages.get(f"/ui/invoices/{topup}.{kind}")
    assert shown.html.startswith(begins)
    assert "script-src" not in shown.headers["content-security-policy"]
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    assert shown.headers["x-content-type-options"] == "nosniff"


def test_what_is_none_is_a_page_that_says_so(pages):
    assert pages.get("/ui/invoices/none.html").status == 404
    assert "a document is {id}.pdf" in pages.get("/ui/invoices/none.exe").said
