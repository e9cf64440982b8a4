import json
from datetime import date

import pytest

from penstock.core import codec
from penstock.mock import dispatch
from penstock.mock.controls import NONE, Controls
from penstock.mock.providers import PROVIDERS, WRITTEN
from penstock.mock.providers.dialects import simulated
from penstock.model.endpoint import Endpoint
from penstock.providers import catalog

CHAT = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
CHATTING = [slug for slug in PROVIDERS.keys() - WRITTEN.keys() if "chat/completions" in PROVIDERS[slug].routes]
UNASKED = {"deepseek", "fireworks", "mistral", "openrouter", "perplexity-ai"}


def ask(slug, body=CHAT, path="chat/completions", controls=NONE):
    return dispatch.answer("POST", f"/{slug}/{path}".encode(), json.dumps(body).encode(), controls)


def read(answer):
    return codec.decode(answer.known()[0])


def chunks(answer):
    return [codec.decode(event.removeprefix(b"data: ")) for event in answer.known() if b"[DONE]" not in event]


@pytest.mark.parametrize("slug", sorted(CHATTING))
def test_a_chat_is_openais_with_more_beside_it(slug):
    told = read(ask(slug))
    assert told["choices"][0]["message"]["content"] == "You said: hello"
    assert (told["usage"]["prompt_tokens"], told["usage"]["total_tokens"]) == (2, 6)


@pytest.mark.parametrize("slug", sorted(CHATTING))
def test_who_tells_the_usage_of_a_stream_unasked_does_and_others_do_not(slug):
    told = [chunk for chunk in chunks(ask(slug, CHAT | {"stream": True})) if chunk.get("usage")]
    assert bool(told) == (slug in UNASKED)
    assert (
        chunks(ask(slug, CHAT | {"stream": True}, controls=Controls(usage="none")))[-1].get("usage") is None
        or slug == "openrouter"
    )


def test_each_chunk_of_perplexity_and_the_last_of_mistral_has_the_usage():
    every = chunks(ask("perplexity-ai", CHAT | {"stream": True}))
    assert all(chunk["usage"]["total_tokens"] == 6 for chunk in every)
    assert all(chunk["citations"] for chunk in every)
    *others, last = chunks(ask("mistral", CHAT | {"stream": True}))
    assert last["usage"] == {"prompt_tokens": 2, "completion_tokens": 4, "total_tokens": 6}
    assert last["choices"][0]["finish_reason"] == "stop"
    assert not any("usage" in chunk for chunk in others)


def test_mistral_refuses_to_be_asked():
    refused = ask("mistral", CHAT | {"stream": True, "stream_options": {"include_usage": True}})
    assert refused.status == 422
    assert read(refused)["object"] == "error"


@pytest.mark.parametrize(
    ("slug", "names"),
    [
        ("deepseek", {"prompt_cache_hit_tokens", "prompt_cache_miss_tokens"}),
        ("groq", {"queue_time", "total_time"}),
        ("grok", {"num_sources_used"}),
        ("openrouter", {"cost", "is_byok"}),
        ("perplexity-ai", {"search_context_size", "cost"}),
    ],
)
def test_the_usage_has_the_providers_own_members(slug, names):
    assert names <= read(ask(slug, controls=Controls(cached_tokens=100)))["usage"].keys()


def test_reasoning_of_grok_stands_beside_the_completion():
    usage = read(ask("grok", controls=Controls(reasoning_tokens=50)))["usage"]
    assert (usage["completion_tokens"], usage["completion_tokens_details"]["reasoning_tokens"]) == (4, 50)


@pytest.mark.parametrize(
    ("slug", "names"),
    [
        ("azure-openai", {"error"}),
        ("cerebras", {"object", "message", "type", "param", "code"}),
        ("grok", {"code", "error"}),
        ("groq", {"error"}),
        ("mistral", {"object", "message", "type", "param", "code"}),
        ("openrouter", {"error"}),
    ],
)
def test_errors_have_the_shape_of_the_provider(slug, names):
    assert read(ask(slug, controls=Controls(status=429))).keys() == names


@pytest.mark.parametrize(
    ("slug", "path"),
    [
        ("grok", "v1/messages"),
        ("openrouter", "v1/messages"),
        ("deepseek", "anthropic/v1/messages"),
        ("fireworks", "messages"),
    ],
)
def test_anthropics_messages_are_understood(slug, path):
    assert read(ask(slug, CHAT | {"max_tokens": 9}, path))["type"] == "message"


@pytest.mark.parametrize("path", ["chat/completions", "v1/chat/completions", "openai/v1/chat/completions"])
def test_the_prefix_of_groq_may_be_left_out(path):
    assert ask("groq", path=path).status == 200


def test_a_row_alone_makes_a_provider(monkeypatch):
    row = catalog.Provider(
        id="newcomer",
        base_url="https://newcomer.example/api/v1",
        docs="https://newcomer.example",
        checked=date(2026, 1, 1),
        credential_headers=["x-api-key"],
        endpoints=[
            Endpoint(path="{project}/messages", request_type="messages", dialect="anthropic"),
            Endpoint(path="messages/{message}", request_type="messages.get", dialect="anthropic", again=True),
            Endpoint(path="v1/models", request_type="models"),
        ],
        examples=[catalog.Example(path="p/messages", url="https://newcomer.example/api/v1/p/messages", model="large")],
    )
    monkeypatch.setitem(PROVIDERS, row.id, simulated(row))
    assert PROVIDERS[row.id].routes.keys() == {"*/messages", "models"}
    for path in ("p/messages", "v1/p/messages", "api/v1/p/messages"):
        assert read(ask(row.id, CHAT | {"max_tokens": 9}, path))["type"] == "message"
    assert read(ask(row.id, controls=Controls(status=429)))["type"] == "error"  # in Anthropic's shape
    listed = dispatch.answer("GET", b"/newcomer/models", b"", NONE)
    assert [model["id"] for model in read(listed)["data"]] == ["large"]
