"""Limits: what may be spent, and what of it is."""

import json

RULES = [
    {"id": "all", "limit": 4, "limitType": "cost", "window": 86400},
    {
        "id": "each",
        "limit": 5,
        "limitType": "cost",
        "window": 7200,
        "technique": "sliding",
        "metadata": {"user": {"mode": "partition"}, "team": {"mode": "filter", "values": ["red", "blue"]}},
        "model": {"mode": "filter", "values": ["gpt-4o-mini"]},
    },
]


def _spend(api, gateway, dollars):
    headers = {"cf-aig-custom-cost": json.dumps({"total_cost": dollars})}
    api.chat(gateway, headers=headers | {"cf-aig-metadata": json.dumps({"user": "ann", "team": "red"})})


def test_each_rule_of_a_gateway_is_a_sentence_with_its_fill(pages, api):
    name = api.gateway("limited-by-rules", spend_limits={"rules": RULES})
    _spend(api, name, 3)
    pages.get("/ui/spend")  # waits for the log
    said = pages.get("/ui/limits").said
    assert "At most $4.00 each day: all calls." in said
    assert "$3.00 of $4.00" in said
    assert (
        "At most $5.00 in any 2 hours: calls to gpt-4o-mini with team blue or red, for each value of user by itself."
        in said
    )
    assert "user = ann$3.00 of $5.00" in said
    assert f"/ui/gateways/{name}/settings" in pages.get("/ui/limits").links


def test_the_limit_of_the_account_is_set_shown_and_removed(pages, api):
    assert "Nothing limits what all calls of the account may cost" in pages.get("/ui/limits").said
    wrong = pages.post("/ui/limits/account", {"amount": "0.5", "duration": "daily", "strategy": "fixed"})
    assert wrong.status == 400
    assert "amount: must be dollars, from $1.00 to $1,000,000,000.00" in wrong.said
    assert 'value="0.5"' in wrong.html
    said = pages.post("/ui/limits/account", {"amount": "1,250.50", "duration": "weekly", "strategy": "sliding"}).said
    assert "The account's spending limit is set." in said
    assert "may cost $1,250.50 in any 7 days" in said
    assert api("GET", "/ai-gateway/billing/spending-limit")["config"]["amount"] == 125050
    assert "Nothing limits" in pages.post("/ui/limits/account/remove").said


def test_budgets_of_tokens_are_shown_with_what_is_left(pages, api):
    budget = {"amount": 2.5, "window": "month", "technique": "sliding"}
    api.token("AI Gateway Run", name="a holder", budget=budget)
    said = pages.get("/ui/limits").said
    assert "a holder$2.50 in any 30 days$0.00 of $2.50 bit by bit" in said


def test_who_may_not_write_is_offered_no_form(visit, api):
    reader = visit(api.token("AI Gateway Read"))
    assert "/ui/limits/account" not in reader.get("/ui/limits").html
    assert reader.post("/ui/limits/account", {"amount": "5"}).status == 403
    limited = visit(api.token("AI Gateway Read", gateways=["another"])).get("/ui/limits")
    assert "The account" not in limited.said
    assert "No gateway limits what its calls spend." in limited.said
