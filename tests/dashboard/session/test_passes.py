"""Passes, as a page's JavaScript asks for them and uses them."""

import time

import httpx

from tests.dashboard.conftest import ACCOUNT


def call(house, secret):
    """The status of a call of a model with it."""
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}
    headers = {"cf-aig-authorization": f"Bearer {secret}", "authorization": "Bearer k"}
    return httpx.post(f"{house.url('openai', 'passes')}/chat/completions", json=body, headers=headers)


def test_a_pass_calls_models_for_the_token_and_opens_no_api(visit, api, house):
    api.gateway("passes", authentication=True)
    made = api("POST", "/tokens", {"name": "of a page", "scopes": ["AI Gateway Run"]})
    pages = visit(made["value"])
    pages.get("/")  # refused, with the token that writes need
    answer = pages.http.post("/ui/pass", headers={"x-csrf-token": pages.csrf})
    told = answer.json()
    assert (answer.status_code, set(told)) == (200, {"pass", "expires_at"})
    assert 0 < told["expires_at"] - time.time_ns() // 1_000_000 <= 300_000
    assert call(house, told["pass"]).status_code == 200
    assert call(house, told["pass"] + "x").status_code == 401
    asked = {"authorization": f"Bearer {told['pass']}"}
    verified = httpx.get(f"{house.origin}/client/v4/user/tokens/verify", headers=asked)
    assert verified.status_code == 401
    api("DELETE", f"/tokens/{made['id']}")
    assert call(house, told["pass"]).status_code == 401


def test_a_pass_needs_a_session_its_token_of_writes_and_the_permission_to_call(visit, api):
    assert visit("").post("/ui/pass").url.endswith("/ui/sign-in")
    pages = visit()
    pages.get("/")
    assert pages.http.post("/ui/pass").status_code == 403
    reader = visit(api.token("AI Gateway Read"))
    reader.get("/")
    refused = reader.post("/ui/pass")
    assert refused.status == 403
    assert "lacks the permission AI Gateway Run" in refused.said
    assert ACCOUNT not in refused.html
