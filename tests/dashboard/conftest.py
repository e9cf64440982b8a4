"""A running server with simulated providers, and a browser without scripts that is signed in to its dashboard."""

import html
import re
from html.parser import HTMLParser
from typing import Any, NamedTuple

import httpx
import pytest
import pytest_asyncio

from tests.kit.process import Serving, serving

ACCOUNT = "3ebbcb006d4d46d7bb6a8c7f14676cb0"
TOKEN = "a-token-of-the-first-start"  # has every permission
PRICES = """
[[prices]]
provider = "cohere"
model = "of-the-house"
tokens = { input = 2.5, output = 9 }
units = { web_search = 0.01 }
above = [{ input = 200_000, tokens = { input = 5 } }]
"""
MARKUPS = """
[[markups]]
provider = "cohere"
percent = 20
"""
_UNSEEN = {"script", "style", "title", "option", "datalist"}


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._unseen += tag in _UNSEEN

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in _UNSEEN

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.words.append(data)


class Shown(NamedTuple):
    """A page. ``said``: its visible text, on one line."""

    status: int
    html: str
    url: str
    headers: httpx.Headers

    @property
    def said(self) -> str:
        return " ".join("".join(self._read().words).split())

    def tags(self, name: str) -> list[dict[str, str | None]]:
        """The attributes of every element of that name."""
        return [attributes for tag, attributes in self._read().tags if tag == name]

    @property
    def links(self) -> list[str]:
        return [tag["href"] or "" for tag in self.tags("a") if "href" in tag]

    def _read(self) -> _Text:
        text = _Text()
        text.feed(self.html)
        text.close()
        return text


class Pages:
    """Somebody who is signed in with a token, and follows redirects."""

    def __init__(self, origin: str, token: str = TOKEN) -> None:
        self.http = httpx.Client(base_url=origin, follow_redirects=True, timeout=30)
        self.csrf = ""
        if token:
            answer = self.post("/ui/sign-in", {"token": token})
            assert answer.status < 500, answer.said

    def get(self, path: str, **headers: str) -> Shown:
        return self._shown(self.http.get(path, headers=headers))

    def part(self, path: str) -> Shown:
        """What htmx asks for."""
        return self.get(path, **{"hx-request": "true"})

    def post(self, path: str, fields: dict[str, Any] | None = None, **headers: str) -> Shown:
        """Sends a form with the token of the last page. A list among the fields: several of that name."""
        return self._shown(self.http.post(path, data={"csrf": self.csrf} | (fields or {}), headers=headers))

    def _shown(self, answer: httpx.Response) -> Shown:
        if found := re.search(r'name="csrf" value="(\w+)"', answer.text):
            self.csrf = html.unescape(found[1])
        return Shown(answer.status_code, answer.text, str(answer.url), answer.headers)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(tmp_path_factory):
    """One server for all tests of the dashboard: each makes the gateways that it needs, under names of its own."""
    environ = {"PENSTOCK_ACCOUNT_ID": ACCOUNT, "PENSTOCK_API_TOKEN": TOKEN}
    folder = tmp_path_factory.mktemp("dashboard")
    (folder / "prices.toml").write_text(PRICES)
    async with serving(folder / "data", environ=environ, config=MARKUPS) as server:
        yield server


@pytest.fixture(scope="session")
def site(house: Serving) -> Serving:
    """What browsers open."""
    return house


@pytest.fixture(scope="session")
def visit(house: Serving):
    """Signs in with a token of its own; an empty one: stays outside."""
    opened: list[Pages] = []

    def visit(token: str = TOKEN) -> Pages:
        opened.append(Pages(house.origin, token))
        return opened[-1]

    yield visit
    for pages in opened:
        pages.http.close()


@pytest.fixture(scope="session")
def pages(visit) -> Pages:
    """Signed in with every permission."""
    return visit()


class Api:
    """The control plane and the data plane, to make what pages show."""

    def __init__(self, house: Serving) -> None:
        self.house = house
        self.http = httpx.Client(base_url=house.origin, timeout=30, headers={"authorization": f"Bearer {TOKEN}"})

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        """The result of a call below ``/client/v4/accounts/{account}``."""
        answer = self.http.request(method, f"/client/v4/accounts/{ACCOUNT}{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    def gateway(self, name: str, **settings: Any) -> str:
        """Makes one, open to anybody."""
        body = {"id": name, "authentication": False, "cache_invalidate_on_update": False, "cache_ttl": 0}
        body |= {"collect_logs": True, "rate_limiting_interval": 0, "rate_limiting_limit": 0} | settings
        self("POST", "/ai-gateway/gateways", body)
        return name

    def token(self, *scopes: str, **more: Any) -> str:
        """The secret of a new one."""
        return self("POST", "/tokens", {"name": "of a test", "scopes": list(scopes)} | more)["value"]

    def chat(self, gateway: str, text: str = "Hello", model: str = "gpt-4o-mini", **more: Any) -> str:
        """Calls a simulated model of OpenAI's; the id of the call's row in the log. ``headers``: besides."""
        headers = {"authorization": "Bearer k"} | more.pop("headers", {})
        body = {"model": model, "messages": [{"role": "user", "content": text}]} | more
        answer = httpx.post(f"{self.house.url('openai', gateway)}/chat/completions", json=body, headers=headers)
        return answer.headers["cf-aig-log-id"]


@pytest.fixture(scope="session")
def api(house: Serving):
    made = Api(house)
    yield made
    made.http.close()
