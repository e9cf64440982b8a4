"""Official SDKs call dynamic routes: what a graph decides, and what they are told of it.

Elements are written in both spellings: that of the published types, and that of the page that tells of them.
"""

import ipaddress
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

import anthropic
import cloudflare
import openai
import pytest
import pytest_asyncio

from penstock.core.codec import decode, encode
from penstock.model.credential import StoredKey
from tests.kit import routes
from tests.kit.house import House, house
from tests.kit.provider import Peer, answering, providing
from tests.kit.store import ACCOUNT, SECRET

pytestmark = pytest.mark.asyncio(loop_scope="module")

HELLO: Any = [{"role": "user", "content": "hello"}]
SAID = "You said: hello"
ROUTES = "ai-gateway/gateways/default/routes"
FAILS = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


async def silent(peer: Peer) -> None:
    """A provider that takes a call, and never answers."""
    await peer.request()
    await peer.gone()


class Clients(NamedTuple):
    gpt: openai.AsyncOpenAI
    claude: anthropic.AsyncAnthropic


class Told(NamedTuple):
    """An answer as an SDK reads it."""

    text: str
    provider: str
    model: str
    step: str


def _told(raw: Any, text: str) -> Told:
    return Told(text, *(raw.headers[f"cf-aig-{name}"] for name in ("provider", "model", "step")))


async def chat(clients: Clients, model: str, **more: Any) -> Told:
    raw = await clients.gpt.chat.completions.with_raw_response.create(model=model, messages=HELLO, **more)
    return _told(raw, raw.parse().choices[0].message.content or "")


async def chat_stream(clients: Clients, model: str, **more: Any) -> Told:
    ask = clients.gpt.chat.completions.with_raw_response.create
    raw = await ask(model=model, messages=HELLO, stream=True, **more)
    parts = [chunk.choices[0].delta.content or "" async for chunk in raw.parse() if chunk.choices]
    return _told(raw, "".join(parts))


async def responses(clients: Clients, model: str, **more: Any) -> Told:
    raw = await clients.gpt.responses.with_raw_response.create(model=model, input="hello", **more)
    return _told(raw, raw.parse().output_text)


async def responses_stream(clients: Clients, model: str, **more: Any) -> Told:
    raw = await clients.gpt.responses.with_raw_response.create(model=model, input="hello", stream=True, **more)
    events = [event async for event in raw.parse()]
    return _told(raw, "".join(event.delta for event in events if event.type == "response.output_text.delta"))


async def messages(clients: Clients, model: str, **more: Any) -> Told:
    ask = clients.claude.messages.with_raw_response.create
    raw = await ask(model=model, messages=HELLO, max_tokens=99, **more)
    answer = await raw.parse()
    return _told(raw, "".join(block.text for block in answer.content if block.type == "text"))


async def messages_stream(clients: Clients, model: str, **more: Any) -> Told:
    ask = clients.claude.messages.with_raw_response.create
    raw = await ask(model=model, messages=HELLO, max_tokens=99, stream=True, **more)
    events = [event async for event in await raw.parse()]
    deltas = [event.delta for event in events if event.type == "content_block_delta"]
    return _told(raw, "".join(delta.text for delta in deltas if delta.type == "text_delta"))


WAYS = [chat, chat_stream, responses, responses_stream, messages, messages_stream]


def of_the_types(elements: list[Any]) -> list[Any]:
    return elements


def of_the_page(elements: list[Any]) -> list[Any]:
    """The same elements with the other names."""
    names = {"conditions": "condition", "window": "interval"}
    return [
        element
        | {"type": "rate_limit" if element["type"] == "rate" else element["type"]}
        | {"properties": {names.get(name, name): value for name, value in element.get("properties", {}).items()}}
        for element in elements
    ]


LARGE = routes.model("large", model="gpt-4o")
SMALL = routes.model("small", provider="anthropic", model="claude-haiku-4-5")
QUOTA: dict[str, Any] = {"limit": 1, "window": 3600, "technique": "fixed"}
BUDGET = QUOTA | {"limitType": "cost", "limit": 0.000_000_001}


def failing(name: str, provider: str, fallback: str | None = None) -> Any:
    return routes.model(name, fallback=fallback, provider=provider, model="m")


def graph(*elements: Any) -> list[Any]:
    return [routes.start(elements[0]["id"]), *elements, routes.end()]


class Place(NamedTuple):
    """The server, and SDKs of it. ``at``: the account's address in the API."""

    house: House
    clients: Clients
    sdk: cloudflare.AsyncCloudflare
    at: str
    made: list[str]

    @property
    def below(self) -> Clients:
        """The same SDKs at the address of the API."""
        at: Any = {"base_url": f"{self.at}/ai/v1", "api_key": SECRET}
        return Clients(self.clients.gpt.copy(**at), self.clients.claude.copy(**at))

    async def stored(self, name: str, elements: list[Any]) -> Any:
        """Makes a route, which is gone after the test."""
        body = {"name": name, "elements": elements}
        made: Any = await self.sdk.post(f"{self.at}/{ROUTES}", body=body, cast_to=object)
        self.made.append(made["result"]["id"])
        return made

    async def route(self, name: str, elements: list[Any]) -> str:
        """Makes a route that is deployed; the name of its model."""
        made = await self.stored(name, elements)
        assert made["result"]["version"]["active"] == "true", made
        return f"dynamic/{name}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place() -> AsyncIterator[Place]:
    """``groq`` and ``cohere`` fail, and ``mistral`` never answers."""
    async with AsyncExitStack() as stack:
        broken = await stack.enter_async_context(providing(answering(FAILS)))
        hanging = await stack.enter_async_context(providing(silent))
        providers = {"groq": broken.url, "cohere": broken.url, "mistral": hanging.url}
        networks = (ipaddress.ip_network("127.0.0.0/8"),)
        made = await stack.enter_async_context(house(providers=providers, allowed_networks=networks))
        common: Any = {"base_url": made.server.url("default", "compat"), "api_key": "sk-of-nobody", "max_retries": 0}
        gpt = await stack.enter_async_context(openai.AsyncOpenAI(_strict_response_validation=True, **common))
        claude = await stack.enter_async_context(anthropic.AsyncAnthropic(_strict_response_validation=True, **common))
        api = f"http://127.0.0.1:{made.server.port}/client/v4"
        sdk = await stack.enter_async_context(cloudflare.AsyncCloudflare(base_url=api, api_token=SECRET))
        yield Place(made, Clients(gpt, claude), sdk, f"{api}/accounts/{ACCOUNT}", [])


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def _no_route_stays(place: Place) -> AsyncIterator[None]:
    yield
    while place.made:
        await place.sdk.delete(f"{place.at}/{ROUTES}/{place.made.pop()}", cast_to=object)


every_way = pytest.mark.parametrize("say", WAYS, ids=[way.__name__ for way in WAYS])
both = pytest.mark.parametrize("spelt", [of_the_types, of_the_page], ids=["types", "page"])
Say = Callable[..., Any]
Spelt = Callable[[list[Any]], list[Any]]


def of(**metadata: str) -> Any:
    return {"extra_headers": {"cf-aig-metadata": encode(metadata).decode()}}


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """Of a route that no other test has."""
    return "".join(each if each.isalnum() else "-" for each in request.node.name)[-64:].strip("-")


@every_way
async def test_an_experiment_divides_users_and_keeps_each_where_it_was(place, name, say):
    shares = routes.percentage("share", {"50% new": "small", "else": "large"}, stickyBy="metadata.user")
    model = await place.route(name, graph(shares, LARGE, SMALL))
    users = [f"u{number}" for number in range(24)]
    first = {user: (await say(place.clients, model, **of(user=user))).model for user in users}
    assert set(first.values()) == {"gpt-4o", "claude-haiku-4-5"}
    assert {
        user: (await say(place.clients, model, **of(user=user))).model for user in users[:6]
    }.items() <= first.items()


@both
@every_way
async def test_a_plan_chooses_the_model(place, name, say, spelt):
    plan = routes.conditional("plan", {"metadata.plan": {"$in": ["free", "trial"]}}, "small", "large")
    model = await place.route(name, spelt(graph(plan, LARGE, SMALL)))
    assert await say(place.clients, model, **of(plan="free")) == (SAID, "anthropic", "claude-haiku-4-5", "0")
    assert await say(place.clients, model, **of(plan="team")) == (SAID, "openai", "gpt-4o", "0")
    assert await say(place.clients, model) == (SAID, "openai", "gpt-4o", "0")


@both
@every_way
async def test_a_user_over_the_quota_gets_the_smaller_model(place, name, say, spelt):
    quota = routes.rate("quota", "large", "small", **QUOTA)
    model = await place.route(name, spelt(graph(quota, LARGE, SMALL)))
    told = [(await say(place.clients, model, **of(user=user))).model for user in ("ada", "ada", "bob")]
    assert told == ["gpt-4o", "claude-haiku-4-5", "gpt-4o"]


@both
@every_way
async def test_a_user_over_a_budget_gets_the_smaller_model(place, name, say, spelt):
    budget = routes.rate("budget", "large", "small", **BUDGET)
    model = await place.route(name, spelt(graph(budget, LARGE, SMALL)))
    given = of(user="ada")
    given["extra_headers"]["cf-aig-event-id"] = name
    first = await say(place.clients, model, **given)
    assert (await place.house.row(name)).cost  # it has counted by now
    later = [await say(place.clients, model, **of(user=user)) for user in ("ada", "bob")]
    assert [told.model for told in (first, *later)] == ["gpt-4o", "claude-haiku-4-5", "gpt-4o"]


@every_way
async def test_a_model_that_does_not_begin_in_time_gives_way(place, name, say):
    slow = routes.model("slow", fallback="small", provider="mistral", model="m", timeout=50)
    model = await place.route(name, graph(slow, SMALL))
    assert await say(place.clients, model) == (SAID, "anthropic", "claude-haiku-4-5", "1")


async def test_a_model_is_asked_again_before_the_next_one_is(place, name):
    first = routes.model("first", fallback="small", provider="groq", model="m", retries=2)
    model = await place.route(name, graph(first, SMALL))
    asked = {"cf-aig-event-id": name, "cf-aig-retry-delay": "1"}
    assert (await chat(place.clients, model, extra_headers=asked)).step == "1"
    rows = {row.step: decode(row.detail)["attempts"] for row in await place.house.rows(name, 2)}
    assert [len(rows[step]) for step in (0, 1)] == [3, 1]


@every_way
async def test_a_model_that_fails_is_left_out_for_a_while(place, name, say):
    first = routes.model("first", fallback="small", provider="groq", model=name, health={"failures": 2, "pause": 3600})
    model = await place.route(name, graph(first, SMALL))
    steps = [(await say(place.clients, model)).step for _ in range(3)]
    assert steps == ["1", "1", "0"]  # models that were asked before


GEMINI = routes.model("gemini", provider="google-ai-studio", model="gemini-2.5-flash")


@every_way
@pytest.mark.parametrize("last", [LARGE, SMALL, GEMINI], ids=lambda element: element["id"])
async def test_the_answer_is_in_the_clients_dialect_whoever_gives_it(place, name, say, last):
    elements = graph(failing("first", "groq", "second"), failing("second", "cohere", last["id"]), last)
    model = await place.route(name, elements)
    asked = last["properties"]
    assert await say(place.clients, model) == (SAID, asked["provider"], asked["model"], "2")


EMBEDS = routes.model("last", provider="openai", model="text-embedding-3-small")


async def test_embeddings_go_along_a_route(place):
    model = await place.route("embeddings", graph(failing("first", "groq", "last"), EMBEDS))
    create = place.clients.gpt.embeddings.with_raw_response.create
    raw = await create(model=model, input=["one", "two"], encoding_format="float")
    assert [len(one.embedding) for one in raw.parse().data] == [1536] * 2
    assert (raw.headers["cf-aig-model"], raw.headers["cf-aig-step"]) == ("text-embedding-3-small", "1")


@pytest.mark.parametrize("last", [LARGE, SMALL, GEMINI], ids=lambda element: element["id"])
async def test_run_of_the_api(place, name, last):
    model = await place.route(name, graph(failing("first", "groq", last["id"]), last))
    raw = await place.sdk.ai.with_raw_response.run(model, account_id=ACCOUNT, messages=HELLO)
    told: Any = await raw.parse()
    assert told["choices"][0]["message"]["content"] == SAID
    assert (raw.headers["cf-aig-provider"], raw.headers["cf-aig-step"]) == (last["properties"]["provider"], "1")


@every_way
async def test_inference_at_the_address_of_the_api(place, name, say):
    model = await place.route(name, graph(failing("first", "groq", "small"), SMALL))
    assert await say(place.below, model) == (SAID, "anthropic", "claude-haiku-4-5", "1")


@every_way
async def test_a_provider_of_the_accounts_own(place, name, say):
    slug = name[-20:].strip("-_").replace("_", "-")
    own = {"name": slug, "slug": slug, "base_url": f"{place.house.mock.url}/openai", "enable": True}
    await place.sdk.post(f"{place.at}/ai-gateway/custom-providers", body=own, cast_to=object)
    last = routes.model("last", provider=f"custom-{slug}", model="ours")
    model = await place.route(name, graph(failing("first", "groq", "last"), last))
    for clients in (place.clients, place.below):
        assert await say(clients, model) == (SAID, f"custom-{slug}", "ours", "1")


# With stored keys

KEYS = [
    StoredKey(f"key-{slug}", slug, "default", True, f"sk-stored-{slug}", 1) for slug in ("openai", "anthropic", "groq")
]
CLOSED = {
    "openai": graph(routes.model("m", model="gpt-4o")),
    "anthropic": graph(routes.model("m", provider="anthropic", model="claude-haiku-4-5")),
    "first": graph(routes.model("first", fallback="m", provider="mistral"), routes.model("m", provider="groq")),
    "second": graph(routes.model("first", fallback="small", provider="mistral"), SMALL),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place_of_keys() -> AsyncIterator[House]:
    """A gateway that caches, and lets only stored keys travel; ``mistral`` has none."""
    gateways = {"closed": {"authentication": True, "byok_only": True, "cache_ttl": 60}}
    async with house(gateways=gateways, keys=KEYS, adjust=routes.deployed(CLOSED)) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def closed(place_of_keys: House) -> AsyncIterator[Clients]:
    """SDKs whose key is a token."""
    common: Any = {"base_url": place_of_keys.server.url("closed", "compat"), "api_key": SECRET, "max_retries": 0}
    async with openai.AsyncOpenAI(**common) as gpt, anthropic.AsyncAnthropic(**common) as claude:
        yield Clients(gpt, claude)


ECHO = {"x-mock-echo": "1"}


async def test_the_stored_key_of_each_provider_travels_and_the_token_does_not(closed):
    chats, claudes = closed.gpt.chat.completions.with_raw_response, closed.claude.messages.with_raw_response
    one = await chats.create(model="dynamic/openai", messages=HELLO, extra_headers=ECHO)
    other = await claudes.create(model="dynamic/anthropic", messages=HELLO, max_tokens=9, extra_headers=ECHO)
    for raw, header, key in (
        (one, "authorization", "Bearer sk-stored-openai"),
        (other, "x-api-key", "sk-stored-anthropic"),
    ):
        sent = raw.http_response.json()
        assert dict(sent["headers"])[header] == key
        assert SECRET not in raw.http_response.text


@every_way
async def test_a_model_without_a_key_gives_way(closed, say):
    told = await say(closed, "dynamic/first")
    assert (told.text, told.provider, told.step) == (SAID, "groq", "1")


async def test_the_list_of_models_has_the_routes(closed):
    listed = await closed.gpt.models.list()
    assert {f"dynamic/{name}" for name in CLOSED} <= {model.id for model in listed.data}


@every_way
async def test_an_answer_comes_from_the_cache_whichever_model_it_is_of(place_of_keys, closed, name, say):
    cached: list[bool] = []
    for event in (f"{name}-1", f"{name}-2"):
        told = await say(closed, "dynamic/second", extra_headers={"cf-aig-event-id": event})
        assert (told.text, told.provider, told.step) == (SAID, "anthropic", "1")
        cached += [row.cached for row in await place_of_keys.rows(event, 2) if row.step == 1]
    assert cached == [False, True]


# Errors


@pytest.fixture(params=WAYS, ids=[way.__name__ for way in WAYS])
def refused(place, request):
    """What an SDK raises of a call: its class, and the body of the answer."""

    async def refused(model: str, **more: Any) -> tuple[str, Any]:
        with pytest.raises((openai.APIStatusError, anthropic.APIStatusError)) as caught:
            await request.param(place.clients, model, **more)
        error = caught.value
        body: Any = error.body
        (told,) = body["error"] if isinstance(error, anthropic.APIStatusError) else body
        return type(error).__name__, told | dict(error.response.headers)

    return refused


@both
async def test_a_user_over_a_quota_without_a_fallback_is_told_when_to_come_again(place, name, refused, spelt):
    model = await place.route(name, spelt(graph(routes.rate("quota", "large", **QUOTA), LARGE)))
    await chat(place.clients, model, **of(user="ada"))
    kind, told = await refused(model, **of(user="ada"))
    assert (kind, told["code"]) == ("RateLimitError", 2003)
    assert "'quota'" in told["message"]
    assert "1 of 1 calls in 3600 seconds" in told["message"]
    assert 0 < int(told["retry-after"]) <= 3600


async def test_a_route_whose_models_all_failed_tells_each_element_and_its_cause(place, name, refused):
    steps = [
        failing("first", "groq", "second"),
        routes.model("second", fallback="third", provider="mistral", model="m", timeout=50),
        failing("third", "nobody", "fourth"),
        failing("fourth", "deepgram", "fifth"),
        failing("fifth", "custom-none"),
    ]
    kind, told = await refused(await place.route(name, graph(*steps)))
    assert (kind, told["code"]) == ("BadRequestError", 2005)
    for says in (
        f"route {name!r}",
        "element 'first': status 503",
        "element 'second': Request timed out",
        "element 'third': Invalid provider 'nobody'",
        "element 'fourth': Invalid provider 'deepgram': the unified API has no chat of it",
        "element 'fifth': Invalid provider 'custom-none'",
    ):
        assert says in told["message"]
    assert told["message"].count(".") == 1  # at its end


async def test_a_budget_without_a_fallback_tells_what_is_spent(place, name, refused):
    model = await place.route(name, graph(routes.rate("budget", "large", **BUDGET), LARGE))
    await chat(place.clients, model, extra_headers={"cf-aig-event-id": name})
    assert (await place.house.row(name)).cost
    kind, told = await refused(model)
    assert (kind, told["code"]) == ("RateLimitError", 2003)
    assert "element 'budget'" in told["message"]
    assert "dollars in 3600 seconds" in told["message"]


@pytest.mark.parametrize("stored", [False, True])
async def test_a_name_without_a_route_that_is_deployed_is_told(place, name, refused, stored):
    if stored:
        await place.stored(name, graph(LARGE)[:-1])
    kind, told = await refused(f"dynamic/{name}")
    assert (kind, told["code"]) == ("BadRequestError", 2005)
    assert f"no route {name!r} that is deployed" in told["message"]


async def test_a_route_that_ends_without_a_model_tells_which_element_led_there(place, name, refused):
    plan = routes.conditional("plan", {"metadata.plan": "free"}, "quota", "large")
    quota = routes.rate("quota", "large", "end", **QUOTA)
    model = await place.route(name, graph(plan, quota, LARGE))
    await chat(place.clients, model, **of(plan="free"))
    kind, told = await refused(model, **of(plan="free"))
    assert (kind, told["code"]) == ("BadRequestError", 2005)
    led = "element 'quota' leads there by its output 'fallback' (1 of 1 calls in 3600 seconds)"
    assert f"route {name!r} ends without a model: {led}" in told["message"]
