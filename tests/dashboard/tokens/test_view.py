"""Tokens in the browser: made, shown once, changed, revoked."""

import re

import pytest


def made(pages, **fields):
    """The page that follows, the secret on it, and the field that lets a form make one token only."""
    (once,) = re.findall(r'name="once" value="(\w+)"', pages.get("/ui/tokens/new").html)
    shown = pages.post("/ui/tokens/new", {"once": once, "scopes": ["AI Gateway Run"]} | fields)
    return shown, "".join(re.findall(r"pst_[\w-]+", shown.html)), once


def the(pages, name):
    """The id of the token of that name."""
    return re.findall(rf'/ui/tokens/(\w{{32}})">{name}<', listed(pages))[0]


def listed(pages):
    """Every page of the list: other tests make tokens on this server, too."""
    shown = [pages.get("/ui/tokens")]
    while onward := [link for link in shown[-1].links if f"page={len(shown) + 1}" in link]:
        shown.append(pages.get(onward[0]))
    return "".join(page.html for page in shown)


def test_a_token_is_made_as_the_form_says_and_its_secret_shown_once(pages, api):
    fields = {"name": "of the form", "other_gateways": "not-yet", "expires_on": "2099-01-31T12:00"}
    fields |= {"budget_amount": "12.5", "budget_window": "seconds", "budget_seconds": "3600"}
    fields |= {"rate_limit": "60", "rate_window": "60", "rate_technique": "sliding", "models": "openai/*\nxai/*"}
    shown, secret, once = made(pages, **fields)
    assert "shown this once" in shown.said
    assert "not-yet: there is no such gateway yet" in shown.said
    assert secret not in shown.url + str(pages.http.cookies)
    again = pages.post("/ui/tokens/new", {"once": once, "scopes": ["AI Gateway Run"]} | fields)  # a page loaded again
    assert "cannot be shown again" in again.said
    (token,) = [one for one in api("GET", "/tokens?per_page=100") if one["name"] == "of the form"]
    assert token["gateways"] == ["not-yet"]
    assert token["expires_on"] == "2099-01-31T12:00:00.000Z"
    assert (token["budget"]["amount"], token["budget"]["window"]) == (12.5, 3600)
    assert token["rate_limit"] == {"limit": 60, "window": 60, "technique": "sliding"}
    assert token["models"] == ["openai/*", "xai/*"]
    told = listed(pages)
    assert "$0.00 of $12.50 an hour" in told
    assert secret not in told + pages.get(f"/ui/tokens/{token['id']}").html


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": " "}, "must be 1 or more characters long"),
        ({"name": "x", "scopes": []}, "must have 1 or more entries"),
        ({"name": "x", "budget_amount": "ten"}, "must be a number"),
        ({"name": "x", "budget_amount": "10", "budget_window": "seconds"}, "must be day, week, month, forever"),
        ({"name": "x", "models": "gpt-4o"}, "must be provider/model"),
        ({"name": "x", "expires_on": "1999-01-01"}, "must be in the future"),
    ],
)
def test_what_is_wrong_is_told_in_the_form_and_what_was_typed_stays(pages, fields, sentence):
    shown, secret, _ = made(pages, **fields)
    assert shown.status == 400
    assert sentence in shown.said
    assert not secret
    assert any(tag.get("value") == fields["name"].strip() for tag in shown.tags("input"))


def test_a_change_changes_what_was_changed_alone(pages, api):
    api(
        "POST", "/tokens", {"name": "to change", "scopes": ["AI Gateway Run"], "expires_on": "2099-01-01T00:00:00.123Z"}
    )
    token = the(pages, "to change")
    shown = pages.get(f"/ui/tokens/{token}")
    typed = {tag["name"]: tag["value"] for tag in shown.tags("input") if tag.get("type") not in ("hidden", "checkbox")}
    assert typed["expires_on"] == "2099-01-01T00:00:00"
    said = pages.post(f"/ui/tokens/{token}", typed | {"name": "changed", "budget_amount": "3"}).said
    assert "The token to change was changed." in said
    after = api("GET", f"/tokens/{token}")
    assert (after["name"], after["budget"]["amount"]) == ("changed", 3)
    assert after["expires_on"] == "2099-01-01T00:00:00.123Z"
    assert pages.post(f"/ui/tokens/{token}", typed | {"models": "nonsense"}).status == 400


def test_a_revoked_token_is_gone_and_ones_own_signs_out(visit, pages, api):
    own = visit(api.token("AI Gateway Read", "AI Gateway Write", name="to revoke"))
    token = the(own, "to revoke")
    assert "You are signed in with this token" in own.get(f"/ui/tokens/{token}").said
    assert own.post(f"/ui/tokens/{token}/revoke").url.endswith("/ui/sign-in")
    assert "Not found" in pages.get(f"/ui/tokens/{token}").said
    api.token("AI Gateway Run", name="another")
    assert "The token another was revoked" in pages.post(f"/ui/tokens/{the(pages, 'another')}/revoke").said


def test_nobody_gives_what_they_lack_nor_sees_what_they_may_not(visit, api):
    api.token("AI Gateway Run", name="somebody's")
    writer = visit(api.token("AI Gateway Read", "AI Gateway Write"))
    boxes = [tag["value"] for tag in writer.get("/ui/tokens/new").tags("input") if tag.get("name") == "scopes"]
    assert boxes == ["AI Gateway Read", "AI Gateway Write"]
    assert "you cannot give what your token lacks" in made(writer, name="more")[0].said
    reader = visit(api.token("AI Gateway Read"))
    assert "/ui/tokens/new" not in reader.get("/ui/tokens").links
    assert reader.post(f"/ui/tokens/{the(reader, 'somebody&#39;s')}/revoke").status == 403
    limited = visit(api.token("AI Gateway Read", "AI Gateway Write", gateways=["default"]))
    refused = limited.get("/ui/tokens")
    assert (refused.status, "limited to gateways cannot manage tokens" in refused.said) == (403, True)
    assert "/ui/tokens" not in refused.links
    bound = visit(api.token("AI Gateway Read", "AI Gateway Write", budget={"amount": 1, "window": "day"}))
    assert "/ui/tokens/new" not in bound.get("/ui/tokens").links
