"""Those who speak OpenAI's format, each with its own usage, errors and further members: one row a provider."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from penstock.core import codec
from penstock.mock.answer import CREATED, JSON, SERVER_ERRORS, Answer, Ask, Provider, Route, Usage
from penstock.mock.controls import Pairs
from penstock.mock.providers.anthropic_messages import messages
from penstock.mock.providers.openai_chat import Style, Unasked, plainly, reported, speaking
from penstock.mock.providers.openai_embeddings import embeddings
from penstock.mock.providers.openai_responses import responses

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


class _Row(NamedTuple):
    models: tuple[str, ...]
    style: Style
    error: Error
    more: Mapping[str, Route] = MappingProxyType({})
    prefixes: tuple[str, ...] = ("v1/",)


_MESSAGES = Route("POST", messages, texts=True)
_RESPONSES = Route("POST", responses, texts=True)
_EMBEDDINGS = Route("POST", embeddings)
_FINGERPRINT = MappingProxyType({"system_fingerprint": "fp_mock"})
_NOTHING: Mapping[str, Any] = MappingProxyType({})

_ROWS: dict[str, _Row] = {
    "azure-openai": _Row(
        ("gpt-4o",),
        Style(),
        _azure,
        {"responses": _RESPONSES, "embeddings": _EMBEDDINGS},
        ("openai/v1/",),
    ),
    "cerebras": _Row(
        ("llama-3.3-70b",), Style(reported, more={**_FINGERPRINT, "time_info": {"total_time": 0.006}}), _flat
    ),
    "deepseek": _Row(
        ("deepseek-chat",),
        Style(_deepseek_usage, Unasked.LAST, more=_FINGERPRINT),
        _nested,
        {"anthropic/v1/messages": _MESSAGES},
    ),
    "fireworks": _Row(
        ("accounts/fireworks/models/llama-v3p1-8b-instruct",),
        Style(plainly, Unasked.LAST, more=_NOTHING),
        _nested,
        {"embeddings": _EMBEDDINGS, "messages": _MESSAGES},
    ),
    "grok": _Row(
        ("grok-4",),
        Style(_grok_usage, more=_FINGERPRINT),
        _grok,
        {"messages": _MESSAGES, "responses": _RESPONSES},
    ),
    "groq": _Row(
        ("llama-3.1-8b-instant",),
        Style(_groq_usage, more={**_FINGERPRINT, "x_groq": {"id": "req_mock"}}),
        _nested,
        {"responses": _RESPONSES},
        ("openai/v1/", "v1/"),
    ),
    "mistral": _Row(
        ("mistral-small-latest",),
        Style(plainly, Unasked.LAST, refuses=True, more=_NOTHING),
        _flat,
        {"embeddings": _EMBEDDINGS},
    ),
    "openrouter": _Row(
        ("openai/gpt-4o-mini",),
        Style(_openrouter_usage, Unasked.EXTRA, more={"provider": "OpenAI"}),
        _nested_number,
        {"messages": _MESSAGES, "embeddings": _EMBEDDINGS},
    ),
    "perplexity-ai": _Row(
        ("sonar",),
        Style(_perplexity_usage, Unasked.EACH, more={"citations": ["https://example.com/"], "search_results": []}),
        _nested_number,
    ),
}


def _headers(seed: str) -> Pairs:
    return [(b"x-request-id", seed.encode()), (b"x-ratelimit-remaining-requests", b"9999")]


def _provider(row: _Row) -> Provider:
    def models(ask: Ask) -> Answer:
        listed = [{"id": name, "object": "model", "created": CREATED, "owned_by": "mock"} for name in row.models]
        return Answer(200, JSON, [codec.encode({"object": "list", "data": listed})])

    routes = {
        "chat/completions": Route("POST", speaking(row.style), texts=True),
        "models": Route("GET", models),
        **row.more,
    }
    return Provider(routes, row.error, _headers, failing=500, prefixes=row.prefixes)


OPENAI_SHAPED: dict[str, Provider] = {name: _provider(row) for name, row in _ROWS.items()}
