"""Signing in with an identity provider, as a browser does it."""

import asyncio
import re
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio

from tests.dashboard.conftest import ACCOUNT, TOKEN, Pages
from tests.kit.idp import CLIENT, SECRET, identifying
from tests.kit.process import serving

CONFIG = """
[[oidc_grants]]
claim = "groups"
value = "ops"
scopes = ["read", "write", "run"]

[[oidc_grants]]
claim = "email"
value = "guest@example.org"
scopes = ["run"]
gateways = ["sandbox"]
"""
MIA = {"sub": "mia", "email": "mia@example.org", "email_verified": True, "groups": ["dev", "ops"]}
GUEST = {"sub": "guest", "email": "guest@example.org", "email_verified": True}

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory):
    """An identity provider, and a server whose people sign in with it."""
    async with identifying() as idp:
        environ = {
            "PENSTOCK_ACCOUNT_ID": ACCOUNT,
            "PENSTOCK_API_TOKEN": TOKEN,
            "PENSTOCK_OIDC_ISSUER": idp.url,
            "PENSTOCK_OIDC_CLIENT_ID": CLIENT,
            "PENSTOCK_OIDC_CLIENT_SECRET": SECRET,
        }
        data = tmp_path_factory.mktemp("sso") / "data"
        async with serving(data, config=CONFIG, environ=environ, gateways=()) as server:
            for gateway in ("sandbox", "main"):
                await server.make_gateway(gateway, authentication=True)
            yield idp, server
            await server.stop()
            assert SECRET not in server.said


@pytest.fixture
def there(place):
    idp, server = place
    idp.user, idp.changes = dict(MIA), {}
    there = There(idp, server)
    yield there
    for pages in there.opened:
        pages.http.close()


class There:
    """What is done here is done in a thread: the provider lives in the loop of the test."""

    def __init__(self, idp, server):
        self.idp = idp
        self.server = server
        self.opened = []

    def browser(self, token=""):
        self.opened.append(Pages(self.server.origin, token))
        return self.opened[-1]

    def sign_in(self, pages, wanted="/"):
        """What the browser sees in the end."""
        left = pages.http.get(f"/ui/sign-in/oidc?next={wanted}", follow_redirects=False)
        assert (left.status_code, left.headers["cache-control"]) == (303, "no-store")
        assert left.headers["location"].startswith(f"{self.idp.url}/authorize?")
        return pages.get(self.idp.authorize(left.headers["location"]))

    def signed_in(self, **user):
        self.idp.user = dict(MIA) | user
        pages = self.browser()
        shown = self.sign_in(pages)
        assert shown.status == 200, shown.said
        pages.get("/")
        return pages

    def api(self, method, path):
        answer = httpx.request(
            method,
            f"{self.server.origin}/client/v4/accounts/{ACCOUNT}{path}",
            headers={"authorization": f"Bearer {TOKEN}"},
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    def tokens(self, name):
        return [one for one in self.api("GET", "/tokens?per_page=100") if one["name"].startswith(name)]


def is_in(pages):
    return not pages.get("/").url.endswith("/ui/sign-in")


async def run(work):
    return await asyncio.to_thread(work)


async def test_whoever_the_provider_knows_is_signed_in_with_what_is_granted(there):
    def work():
        pages = there.browser()
        door = pages.get("/?span=7d")
        assert "/ui/sign-in/oidc?next=/%3Fspan%3D7d" in door.links
        shown = there.sign_in(pages, "/%3Fspan%3D7d")
        assert shown.tags("meta")[-1] == {"http-equiv": "refresh", "content": "0; url=/?span=7d"}
        assert "mia@example.org (single sign-on)" in pages.get("/?span=7d").said
        (token,) = there.tokens("mia@example.org")
        assert token["scopes"] == ["AI Gateway Read", "AI Gateway Write", "AI Gateway Run"]
        assert (token["gateways"], token["expires_on"], token["email"]) == (None, None, None)
        done = there.api("GET", "/ai-gateway/audit-logs?per_page=2")
        assert [(one["action"], one["actor"]) for one in done] == [
            ("dashboard.sign_in", token["id"]),
            ("token.create", token["id"]),
        ]
        there.sign_in(there.browser())
        assert len(there.tokens("mia@example.org")) == 1

    await run(work)


async def test_the_cookies_are_for_those_who_need_them(there):
    def work():
        pages = there.browser()
        left = pages.http.get("/ui/sign-in/oidc", follow_redirects=False)
        cookie = r"penstock_oidc=v1\.[\w=-]+; HttpOnly; Max-Age=600; Path=/ui/sign-in/oidc; SameSite=lax"
        assert re.fullmatch(cookie, left.headers["set-cookie"])
        back = pages.http.get(there.idp.authorize(left.headers["location"]))
        session, gone = back.headers.get_list("set-cookie")
        assert re.fullmatch(r"penstock_session=v1\.[\w=-]+; HttpOnly; Max-Age=\d+; Path=/; SameSite=strict", session)
        assert 'penstock_oidc=""; HttpOnly; Max-Age=0' in gone

    await run(work)


async def test_a_pass_of_theirs_opens_the_gateways_that_are_granted(there):
    def work():
        pages = there.signed_in(**GUEST, groups=None)
        made = pages.http.post("/ui/pass", headers={"x-csrf-token": pages.csrf}).json()["pass"]
        statuses = []
        for gateway in ("sandbox", "main"):
            headers = {"cf-aig-authorization": f"Bearer {made}", "authorization": "Bearer k"}
            answer = httpx.get(f"{there.server.url('openai', gateway)}/models", headers=headers)
            statuses.append(answer.status_code)
        return statuses

    assert await run(work) == [200, 400]  # to them, the other one is not there


async def test_whoever_is_granted_less_has_less_in_every_session(there):
    def work():
        first = there.signed_in()
        assert first.get("/").status == 200
        there.signed_in(groups=[], email="guest@example.org")
        assert first.get("/").status == 403  # signed in, and no longer to read
        there.idp.user = dict(MIA) | {"groups": ["secret-group"]}
        refused = there.sign_in(there.browser())
        assert refused.status == 403
        assert "looked at: groups, email." in refused.said
        assert "secret-group" not in refused.html
        assert not is_in(first)

    await run(work)


async def test_signing_out_everywhere_ends_the_sessions_of_that_person_alone(there):
    def work():
        here, elsewhere, other = there.signed_in(), there.signed_in(), there.signed_in(sub="ann", email=None)
        assert is_in(here)
        here.post("/ui/sign-out-everywhere")
        return is_in(here), is_in(elsewhere), is_in(other)

    assert await run(work) == (False, False, True)


async def test_revoking_the_token_signs_the_person_out(there):
    def work():
        pages = there.signed_in(sub="bob", email="bob@example.org")
        (token,) = there.tokens("bob@")
        there.api("DELETE", f"/tokens/{token['id']}")
        assert not is_in(pages)
        there.sign_in(pages)  # the provider still knows them, and the grants are as they were
        return is_in(pages)

    assert await run(work)


@pytest.mark.parametrize("changes", [{"nonce": "another"}, {"aud": "somebody else"}, {"exp": 1}])
async def test_a_provider_that_says_the_wrong_thing_signs_nobody_in(there, changes):
    def work():
        there.idp.changes = changes
        pages = there.browser()
        shown = there.sign_in(pages)
        assert shown.status == 502
        assert "failed at the identity provider" in shown.said
        return is_in(pages)

    assert not await run(work)


async def test_what_comes_back_to_another_browser_or_is_refused_there_signs_nobody_in(there):
    def work():
        pages, other = there.browser(), there.browser()
        left = pages.http.get("/ui/sign-in/oidc", follow_redirects=False)
        address = there.idp.authorize(left.headers["location"])
        assert other.get(address).status == 400
        path, state = urlsplit(address).path, re.findall(r"state=([\w-]+)", address)[0]
        shown = pages.get(f"{path}?error=access_denied&state={state}")
        assert (shown.status, "access_denied" in shown.said) == (403, True)
        for forged in ("", "?code=x", "?error=%3Cscript%3E&state=x", f"?{'a=1&' * 900}"):
            assert other.get(f"{path}{forged}").status == 400
        return is_in(pages) or is_in(other)

    assert not await run(work)


async def test_where_no_provider_is_set_nobody_is_sent_to_one(visit):
    pages = visit("")
    assert "single sign-on" not in pages.get("/ui/sign-in").said
    for path in ("/ui/sign-in/oidc", "/ui/sign-in/oidc/callback?code=x&state=y"):
        assert pages.get(path).status == 404
