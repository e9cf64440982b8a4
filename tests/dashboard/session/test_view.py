"""Who gets in, with what, and how one leaves."""

import re

import pytest

from tests.dashboard.conftest import TOKEN


def test_a_token_signs_in_and_leads_to_where_one_wanted_to_go(visit):
    pages = visit("")
    asked = pages.get("/?span=7d")
    assert asked.url.endswith("/ui/sign-in?next=%2F%3Fspan%3D7d")
    shown = pages.post("/ui/sign-in", {"token": f" {TOKEN} ", "next": "/?span=7d"})
    assert shown.url.endswith("/?span=7d")
    assert "Overview" in shown.said
    assert pages.get("/ui/sign-in").url.endswith("/")  # nothing to sign in to


@pytest.mark.parametrize(
    "after", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "//["]
)
def test_signing_in_leads_to_no_other_site(visit, after):
    assert "Overview" in visit("").post("/ui/sign-in", {"token": TOKEN, "next": after}).said


@pytest.mark.parametrize("token", ["", "pst_unknown", "\x00", "ü" * 5000])
def test_what_is_no_token_is_refused_in_a_sentence_and_not_shown_again(visit, token):
    shown = visit("").post("/ui/sign-in", {"token": token})
    assert shown.status == 401
    assert "No token of this installation is written like that" in shown.said
    assert not token or token not in shown.html


def test_the_cookie_is_sealed_and_for_pages_of_the_same_site_alone(visit):
    pages = visit("")
    pages.http.follow_redirects = False
    cookie = pages.http.post("/ui/sign-in", data={"token": TOKEN}).headers["set-cookie"]
    assert re.fullmatch(r"penstock_session=v1\.[\w=-]+; HttpOnly; Max-Age=\d+; Path=/; SameSite=strict", cookie)
    pages.http.cookies.set("penstock_session", cookie[len("penstock_session=") :].partition(";")[0][:-3] + "abc")
    assert pages.http.get("/").headers["location"] == "/ui/sign-in"


def test_signing_out_ends_the_session_and_not_only_the_cookie(visit):
    pages = visit()
    pages.get("/")
    stolen = pages.http.cookies["penstock_session"]
    assert "Sign in" in pages.post("/ui/sign-out").said
    pages.http.cookies.set("penstock_session", stolen)
    assert "Sign in" in pages.get("/").said


def test_signing_out_everywhere_ends_every_session_of_the_token_and_no_other(visit, api):
    token = api.token("AI Gateway Read")
    here, there, other = visit(token), visit(token), visit()
    assert "Overview" in there.get("/").said
    here.get("/")
    here.post("/ui/sign-out-everywhere")
    assert "Sign in" in there.get("/").said
    assert "Overview" in other.get("/").said


def test_a_token_that_is_revoked_is_signed_out(visit, api):
    token = api.token("AI Gateway Read", name="short-lived")
    pages = visit(token)
    assert "Overview" in pages.get("/").said
    made = next(one for one in api("GET", "/tokens?per_page=100") if one["name"] == "short-lived")
    api("DELETE", f"/tokens/{made['id']}")
    assert "Sign in" in pages.get("/").said


def test_a_write_from_elsewhere_is_refused(visit):
    pages = visit()
    pages.get("/")
    for headers in (
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "http://["},
        {"origin": "null"},
    ):
        assert pages.post("/ui/sign-out", **headers).status == 403
        assert pages.http.post("/ui/sign-in", data={"token": TOKEN}, headers=headers).status_code == 403
    pages.csrf = "0" * 64
    refused = pages.post("/ui/sign-out")
    assert refused.status == 403
    assert "Load it again" in refused.said
    assert "Overview" in pages.get("/").said


def test_a_page_says_what_the_token_lacks(visit, api):
    pages = visit(api.token("AI Gateway Run"))
    shown = pages.get("/")
    assert shown.status == 403
    assert "lacks the permission AI Gateway Read or AI Gateway Metadata Read" in shown.said
    assert "/" not in [link for link in shown.links if "Overview" in link]


def test_a_link_from_another_site_finds_the_session(visit):
    pages = visit("")
    shown = pages.get("/?span=7d", **{"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"})
    assert shown.tags("meta")[-1]["content"] == "0; url=/?span=7d"


def test_every_page_tells_the_browser_to_run_nothing_from_elsewhere(visit):
    for pages in (visit(""), visit()):
        headers = pages.get("/").headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
        assert headers["x-frame-options"] == "DENY"


def test_htmx_is_led_to_sign_in_too(visit):
    assert visit("").http.get("/ui/tail", headers={"hx-request": "true"}).headers["hx-redirect"] == "/ui/sign-in"


@pytest.mark.parametrize("text", ["", "v1.AAAA", "%00", "x" * 3000])
def test_a_link_that_was_tampered_with_signs_nobody_in(visit, text):
    shown = visit("").get(f"/ui/sign-in?once={text}")
    assert shown.status == 401
    assert "This link is not good, or no longer" in shown.said
