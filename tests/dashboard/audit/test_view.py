"""The audit trail in the browser."""

from penstock.dashboard import paging


def test_changes_are_shown_with_their_difference_newest_first(pages, api):
    gateway = api.gateway("audited")
    settings = {"cache_invalidate_on_update": False, "cache_ttl": 300, "collect_logs": True, "authentication": False}
    settings |= {"rate_limiting_interval": 0, "rate_limiting_limit": 0}
    api("PUT", f"/ai-gateway/gateways/{gateway}", settings)
    said = pages.get(f"/ui/audit?subject={gateway}").said
    assert "~ cache_ttl: 0 → 300" in said
    assert said.index("gateway.update audited PENSTOCK_API_TOKEN") < said.index("gateway.create audited")
    assert "gateway.create" not in pages.get(f"/ui/audit?subject={gateway}&action=gateway.update").said
    assert "No changes like that" in pages.get(f"/ui/audit?subject={gateway}&action=token").said
    assert "gateway.update" in pages.get(f"/ui/audit?subject={gateway}&actor=PENSTOCK_API_TOKEN").said


def test_pages_are_turned_and_keep_what_was_asked(pages, api):
    for number in range(paging.PER_PAGE + 1):
        made = api("POST", "/tokens", {"name": f"audited {number}", "scopes": ["AI Gateway Run"]})
        api("DELETE", f"/tokens/{made['id']}")  # other tests read the list of tokens of this server
    first = pages.get("/ui/audit?action=token.create&subject=")
    (onward,) = [link for link in first.links if "page=2" in link]
    assert onward == "/ui/audit?action=token.create&page=2"
    assert "Page 2 of" in pages.get(onward).said
    assert f"audited {paging.PER_PAGE}" in first.said
    assert pages.get("/ui/audit?page=999999999999999").status == 200
    assert pages.get("/ui/audit?page=x").said == pages.get("/ui/audit").said


def test_what_cannot_be_asked_is_told_and_who_may_not_is_refused(visit, pages, api):
    assert "must be 64 characters long at most" in pages.get(f"/ui/audit?action={'x' * 65}").said
    limited = visit(api.token("AI Gateway Read", gateways=["default"]))
    assert "cannot read the audit trail" in limited.get("/ui/audit").said
    assert "/ui/audit" not in limited.get("/").links
