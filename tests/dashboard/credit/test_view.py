"""Credit: the balance, what raised and lowered it, and top-ups by hand."""

from penstock.dashboard.rendering import dollars


def _topup(pages):
    return next(tag["action"] for tag in pages.get("/ui/credit").tags("form") if "/cancel" in (tag["action"] or ""))


def test_a_top_up_waits_until_it_is_marked_paid(pages, api):
    before = api("GET", "/ai-gateway/billing/credit-balance")["balance"]
    said = pages.post("/ui/credit/topups", {"amount": "25"}).said
    assert "The top-up waits until an operator marks it paid." in said
    path = _topup(pages).removesuffix("/cancel")
    assert "The top-up of $25.00 is paid" in pages.post(f"{path}/paid").said
    shown = pages.get("/ui/credit")
    assert f"Credit {dollars(before / 100 + 25)}left" in shown.said
    assert "topup+$25.00" in shown.said
    assert f"/ui/invoices/{path.rpartition('/')[2]}.html" in shown.links
    assert "completed already" in pages.post(f"{path}/cancel").said


def test_one_that_waits_is_canceled(pages):
    pages.post("/ui/credit/topups", {"amount": "10.50"})
    assert "The top-up of $10.50 is canceled." in pages.post(_topup(pages)).said


def test_what_cannot_be_topped_up_is_told_at_the_field(pages):
    shown = pages.post("/ui/credit/topups", {"amount": "9.99"})
    assert shown.status == 400
    assert "amount: must be dollars, from $10.00" in shown.said
    shown = pages.post("/ui/credit/automatic", {"threshold": "1", "by": "20"})
    assert "threshold: must be dollars, from $5.00" in shown.said
    assert shown.html.count(" open>") == 1


def test_the_automatic_top_up_is_set_and_taken_away(pages, api):
    said = pages.post("/ui/credit/automatic", {"threshold": "5", "by": "20"}).said
    assert "Whenever the credit is below $5.00, $20.00 are asked for" in said
    assert api("GET", "/ai-gateway/billing/topup/config")["threshold"] == 500
    assert "Credit is not topped up automatically." in pages.post("/ui/credit/automatic/remove").said


def test_what_calls_were_charged_is_a_chart_with_its_table(pages):
    for window, parts in (("day", 30), ("hour", 168)):
        shown = pages.get(f"/ui/credit?window={window}&entries=all")
        assert len([tag for tag in shown.tags("td") if "data-value" in tag]) in {parts, parts + 1}


def test_who_may_mark_a_top_up_paid_and_who_may_not(visit, pages, api):
    pages.post("/ui/credit/topups", {"amount": "12"})
    customer = visit(api.token("AI Gateway Read", "AI Gateway Write"))
    path = _topup(customer)
    assert "Mark as paid" not in customer.get("/ui/credit").said
    assert customer.post(path.replace("/cancel", "/paid")).status == 403
    assert customer.post(path).status == 200
    limited = visit(api.token("AI Gateway Read", gateways=["another"]))
    assert limited.get("/ui/credit").status == 403
