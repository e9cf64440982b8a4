"""Providers in the browser: those of the catalogue, and the account's own."""

import re


def test_the_catalogue_says_where_calls_lead(pages):
    said = pages.get("/ui/providers").said
    assert re.search(r"anthropic claude|anthropic – http://127\.0\.0\.1:\d+/\S* overridden anthropic docs", said)
    assert "azure" in said


def test_a_provider_is_made_changed_and_deleted(pages, api):
    fields = {"name": "Of ours", "slug": "ours", "base_url": "https://llm.example.com/v1", "enable": "true"}
    fields |= {"headers": "x-org: one\nX-Key: secret-of-ours", "price_input": "0.5", "price_output": "1.25"}
    fields |= {"position": "3", "curl_example": "curl <b>"}
    said = pages.post("/ui/providers/new", fields).said
    assert "The provider Of ours was made: call it as custom-ours." in said
    (made,) = [one for one in api("GET", "/ai-gateway/custom-providers?per_page=100") if one["slug"] == "ours"]
    assert (made["enable"], made["beta"], made["position"]) == (True, False, 3)
    assert made["prices"] == {"input": 0.5, "output": 1.25}
    assert made["headers"] == '{"x-org":"********","X-Key":"********"}'
    address = f"/ui/providers/{made['id']}"
    shown = pages.get(address)
    assert "x-org: ******** X-Key: ********" in shown.said
    assert "secret-of-ours" not in shown.html
    kept = fields | {"headers": "x-org: ********\nX-Key: ********", "name": "Ours", "position": "", "price_output": ""}
    assert "The provider Ours was saved." in pages.post(address, kept).said
    after = api("GET", f"/ai-gateway/custom-providers/{made['id']}")
    assert (after["name"], after["position"], after["prices"]) == ("Ours", None, {"input": 0.5})
    assert after["headers"] == made["headers"]
    assert "was deleted" in pages.post(f"{address}/delete").said
    assert pages.get(address).status == 404


def test_what_is_wrong_is_told_at_its_field(pages):
    good = {"name": "Bad", "slug": "bad", "base_url": "https://llm.example.com"}
    for wrong, field, sentence in (
        ({"slug": "b_d"}, "slug", "a slug is letters, digits and inner hyphens"),
        ({"base_url": "ftp://a.example"}, "base_url", "base_url: "),
        ({"headers": "x-a: 1\nX-A: 2"}, "headers", "one is given twice"),
        ({"headers": "no header"}, "headers", "is no name of a header"),
        ({"position": "first"}, "position", "must be a whole number"),
    ):
        shown = pages.post("/ui/providers/new", good | wrong)
        assert shown.status == 400, wrong
        told = re.search(rf'<ul class="wrong" id="f-{field}-wrong">(.*?)</ul>', shown.html, re.DOTALL)
        assert told and sentence in told[1]
    assert "must be a number" in pages.post("/ui/providers/new", good | {"price_input": "cheap"}).said


def test_a_limited_token_sees_the_catalogue_alone(visit, api):
    limited = visit(api.token("AI Gateway Read", "AI Gateway Write", gateways=["default"]))
    shown = limited.get("/ui/providers")
    assert "aws-bedrock" in shown.said
    assert "Your own" not in shown.said
    assert "/ui/providers/new" not in shown.links
    assert limited.post("/ui/providers/new", {"name": "x", "slug": "x", "base_url": "https://a.example"}).status == 403
