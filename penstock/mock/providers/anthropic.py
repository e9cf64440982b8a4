"""Anthropic: the provider's routes, models, headers and errors."""

from urllib.parse import unquote

from penstock.core import codec
from penstock.mock.answer import ERRORS, JSON, SERVER_ERRORS, Answer, Ask, Denial, Fault, Provider, Refusal, Route
from penstock.mock.controls import Pairs
from penstock.mock.providers.anthropic_messages import count_tokens, messages

MODELS = {
    "claude-opus-4-5-20251101": "Claude Opus 4.5",
    "claude-sonnet-4-6": "Claude Sonnet 4.6",
    "claude-haiku-4-5-20251001": "Claude Haiku 4.5",
}

_RESET = b"2025-01-01T00:01:00Z"
_HEADERS: Pairs = [
    (b"anthropic-organization-id", b"00000000-0000-4000-8000-000000000000"),
    (b"anthropic-ratelimit-requests-limit", b"4000"),
    (b"anthropic-ratelimit-requests-remaining", b"3999"),
    (b"anthropic-ratelimit-requests-reset", _RESET),
    (b"anthropic-ratelimit-input-tokens-limit", b"2000000"),
    (b"anthropic-ratelimit-input-tokens-remaining", b"1999000"),
    (b"anthropic-ratelimit-input-tokens-reset", _RESET),
    (b"anthropic-ratelimit-output-tokens-limit", b"400000"),
    (b"anthropic-ratelimit-output-tokens-remaining", b"399000"),
    (b"anthropic-ratelimit-output-tokens-reset", _RESET),
]

_ERRORS = {
    400: ("invalid_request_error", "The request is invalid."),
    401: ("authentication_error", "invalid x-api-key"),
    402: ("billing_error", "Your credit balance is too low."),
    403: ("permission_error", "Your API key may not use this resource."),
    404: ("not_found_error", "Not found"),
    405: ("invalid_request_error", "Method Not Allowed"),
    413: ("request_too_large", "Request exceeds the maximum size"),
    429: ("rate_limit_error", "This request would exceed your rate limit."),
    500: ("api_error", "Internal server error"),
    504: ("timeout_error", "Request timed out"),
    529: ("overloaded_error", "Overloaded"),
}


def headers(seed: str) -> Pairs:
    return [*_HEADERS, (b"request-id", _request_id(seed).encode())]


def error(status: int, message: str | None, seed: str) -> bytes:
    kind, sentence = _ERRORS.get(status) or _ERRORS[SERVER_ERRORS if status >= SERVER_ERRORS else ERRORS]
    told = {"type": kind, "message": message or sentence}
    return codec.encode({"type": "error", "error": told, "request_id": _request_id(seed)})


def models(ask: Ask) -> Answer:
    names = list(MODELS)
    page = {"data": [_model(name) for name in names], "has_more": False, "first_id": names[0], "last_id": names[-1]}
    return Answer(200, JSON, [codec.encode(page)])


def model(ask: Ask) -> Answer:
    name = unquote(ask.path.removeprefix("models/"))
    if name not in MODELS:
        raise Refusal(404, f"model: {name}")
    return Answer(200, JSON, [codec.encode(_model(name))])


def _model(name: str) -> dict[str, object]:
    return {
        "type": "model",
        "id": name,
        "display_name": MODELS[name],
        "created_at": "2025-01-01T00:00:00Z",
        "lifecycle": "active",
    }


def _request_id(seed: str) -> str:
    return f"req_{seed}"


ANTHROPIC = Provider(
    routes={
        "messages": Route("POST", messages, texts=True),
        "messages/count_tokens": Route("POST", count_tokens),
        "models": Route("GET", models),
        "models/*": Route("GET", model),
    },
    error=error,
    headers=headers,
    failing=529,
    denials={Fault.MISSING: Denial(message="x-api-key header is required")},
)
