"""Providers that speak known dialects. Their paths are those of their catalogue rows.

A provider whose usage, errors or further members differ has them here.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from penstock.core import codec
from penstock.mock.answer import CREATED, JSON, SERVER_ERRORS, Answer, Ask, Denial, Fault, Provider, Route, Usage, json
from penstock.mock.controls import Pairs
from penstock.mock.providers import anthropic
from penstock.mock.providers.anthropic_messages import messages
from penstock.mock.providers.openai_chat import Style, Unasked, plainly, reported, speaking
from penstock.mock.providers.openai_embeddings import embeddings
from penstock.mock.providers.openai_media import media, speech
from penstock.mock.providers.openai_responses import responses
from penstock.providers import catalog
from penstock.providers.templates import PART, names
from penstock.providers.upstream import base_paths

Error = Callable[[int, str | None, str], bytes]

_SENTENCES = {
    401: ("invalid_api_key", "Invalid API Key"),
    403: ("permission_denied", "You are not allowed to use this resource."),
    404: ("not_found", "Not found"),
    405: ("method_not_allowed", "Method not allowed"),
    422: ("unprocessable_entity", "The request cannot be processed."),
    429: ("rate_limit_exceeded", "Rate limit reached. Please try again later."),
    500: ("internal_server_error", "Internal server error"),
    503: ("service_unavailable", "The service is overloaded. Please try again later."),
}


def _told(status: int, message: str | None) -> tuple[str, str, str]:
    """Type, code and sentence of an error."""
    failed = status >= SERVER_ERRORS
    code, sentence = _SENTENCES.get(status) or (
        _SENTENCES[500] if failed else ("bad_request", "The request is invalid.")
    )
    return "server_error" if failed else "invalid_request_error", code, message or sentence


def _nested(status: int, message: str | None, seed: str) -> bytes:
    kind, code, sentence = _told(status, message)
    return codec.encode({"error": {"message": sentence, "type": kind, "code": code}})


def _nested_number(status: int, message: str | None, seed: str) -> bytes:
    kind, _, sentence = _told(status, message)
    return codec.encode({"error": {"message": sentence, "type": kind, "code": status}})


def _flat(status: int, message: str | None, seed: str) -> bytes:
    kind, code, sentence = _told(status, message)
    return codec.encode({"object": "error", "message": sentence, "type": kind, "param": None, "code": code})


def _grok(status: int, message: str | None, seed: str) -> bytes:
    _, code, sentence = _told(status, message)
    return codec.encode({"code": code, "error": sentence})


def _azure(status: int, message: str | None, seed: str) -> bytes:
    _, _, sentence = _told(status, message)
    return codec.encode({"error": {"code": str(status), "message": sentence}})


def _deepseek_usage(used: Usage) -> dict[str, Any]:
    hits = {"prompt_cache_hit_tokens": used.cached, "prompt_cache_miss_tokens": used.input - used.cached}
    details = {"prompt_tokens_details": {"cached_tokens": used.cached}}
    return plainly(used) | hits | details | {"completion_tokens_details": {"reasoning_tokens": used.reasoning}}


def _groq_usage(used: Usage) -> dict[str, Any]:
    return plainly(used) | {"queue_time": 0.001, "prompt_time": 0.002, "completion_time": 0.004, "total_time": 0.006}


def _grok_usage(used: Usage) -> dict[str, Any]:
    """Reasoning stands beside the completion here, not in it."""
    told = reported(used)
    told["completion_tokens"] = used.output - used.reasoning
    told["prompt_tokens_details"] |= {"text_tokens": used.input, "image_tokens": 0}
    return told | {"num_sources_used": 0}


def _openrouter_usage(used: Usage) -> dict[str, Any]:
    return reported(used) | {"cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": None}}


def _perplexity_usage(used: Usage) -> dict[str, Any]:
    cost = {"input_tokens_cost": 0.0, "output_tokens_cost": 0.0, "request_cost": 0.005, "total_cost": 0.005}
    return plainly(used) | {"search_context_size": "low", "cost": cost}


class _Own(NamedTuple):
    """What a provider has of its own."""

    style: Style
    error: Error
    denials: Mapping[Fault, Denial] = MappingProxyType({})
    routes: Mapping[str, Route] = MappingProxyType({})


_FINGERPRINT = MappingProxyType({"system_fingerprint": "fp_mock"})
_NOTHING: Mapping[str, Any] = MappingProxyType({})

_AZURE_DENIED = Denial(
    401,
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an"
    " active subscription and use a correct regional API endpoint for your resource.",
)
_GROK_DENIED = Denial(
    400,
    body=codec.encode(
        {
            "code": "Client specified an invalid argument",
            "error": "Incorrect API key provided: mo***ck. You can obtain an API key from https://console.x.ai.",
        }
    ),
)


def _openrouter_key(ask: Ask) -> Answer:
    return json({"data": {"label": "sk-or-v1-mock...", "usage": 0, "limit": None, "is_free_tier": False}})


def _perplexity_jobs(ask: Ask) -> Answer:
    return json({"requests": [], "next_token": None})


_OWN: dict[str, _Own] = {  # a provider that is not here answers as OpenAI does, or as Anthropic
    "azure-openai": _Own(Style(), _azure, dict.fromkeys(Fault, _AZURE_DENIED)),
    "cerebras": _Own(Style(reported, more={**_FINGERPRINT, "time_info": {"total_time": 0.006}}), _flat),
    "deepseek": _Own(Style(_deepseek_usage, Unasked.LAST, more=_FINGERPRINT), _nested),
    "fireworks": _Own(Style(plainly, Unasked.LAST, more=_NOTHING), _nested),
    "grok": _Own(Style(_grok_usage, more=_FINGERPRINT), _grok, {Fault.WRONG: _GROK_DENIED}),
    "groq": _Own(Style(_groq_usage, more={**_FINGERPRINT, "x_groq": {"id": "req_mock"}}), _nested),
    "mistral": _Own(Style(plainly, Unasked.LAST, refuses=True, more=_NOTHING), _flat),
    "openrouter": _Own(
        Style(_openrouter_usage, Unasked.EXTRA, more={"provider": "OpenAI"}),
        _nested_number,
        routes={"key": Route("GET", _openrouter_key)},
    ),
    "perplexity-ai": _Own(
        Style(_perplexity_usage, Unasked.EACH, more={"citations": ["https://example.com/"], "search_results": []}),
        _nested_number,
        routes={"async/chat/completions": Route("GET", _perplexity_jobs)},
    ),
}


def simulated(row: catalog.Provider) -> Provider:
    """The provider of a catalogue row: its endpoints whose dialect is known, and a list of its examples' models."""
    dialects = {endpoint.dialect for endpoint in row.endpoints if endpoint.dialect}
    usual = _Own(Style(), anthropic.error if dialects == {"anthropic"} else _nested)
    own = _OWN.get(row.id, usual)
    prefixes = _prefixes(row)
    handlers = {
        "anthropic": Route("POST", messages, texts=True),
        "openai_chat": Route("POST", speaking(own.style), texts=True),
        "openai_embeddings": Route("POST", embeddings),
        "openai_media": Route("POST", media),
        "openai_responses": Route("POST", responses, texts=True),
        "openai_speech": Route("POST", speech),
    }
    routes: dict[str, Route] = {}
    for endpoint in row.endpoints:
        path = _path(endpoint.path, prefixes)
        if endpoint.dialect and not endpoint.again:
            routes.setdefault(path, handlers[endpoint.dialect])
        elif endpoint.request_type == "models":
            routes.setdefault(path, Route("GET", _models(row)))
    routes |= own.routes
    return Provider(routes, own.error, _headers, failing=500, prefixes=prefixes, denials=own.denials)


def _prefixes(row: catalog.Provider) -> tuple[str, ...]:
    """What clients may leave out of a path: the version, and what the row adds or drops itself."""
    added = [route.moved_to or route.to for route in row.routes]
    known = {"v1", *added, *(path.decode().removeprefix("/") for path in base_paths(row.base_url))}
    return tuple(sorted((f"{one}/" for one in known if one and not names(one)), key=len, reverse=True))


def _path(path: str, prefixes: tuple[str, ...]) -> str:
    """The path of an endpoint as a `Route` has it."""
    prefix = next(filter(path.startswith, prefixes), "")
    return PART.sub(lambda part: "**" if part[2] else "*", path.removeprefix(prefix))


def _models(row: catalog.Provider) -> Callable[[Ask], Answer]:
    listed = [
        {"id": name, "object": "model", "created": CREATED, "owned_by": "mock"}
        for name in dict.fromkeys(example.model for example in row.examples if example.model)
    ]
    body = codec.encode({"object": "list", "data": listed})
    return lambda _: Answer(200, JSON, [body])


def _headers(seed: str) -> Pairs:
    return [(b"x-request-id", seed.encode()), (b"x-ratelimit-remaining-requests", b"9999")]
