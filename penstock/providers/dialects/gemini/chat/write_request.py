"""A request as Gemini has it. Its path names the model, and whether the answer is a stream.

https://ai.google.dev/api/generate-content
"""

from typing import Any

from penstock.core.codec import encode
from penstock.core.errors import MalformedChat
from penstock.model.chat import ChatRequest, Effort, Notes
from penstock.providers.dialects._shapes.members import written
from penstock.providers.dialects.gemini.chat.models import thinking
from penstock.providers.dialects.gemini.chat.words import NAME
from penstock.providers.dialects.gemini.chat.write_tools import tool_config, tools_of
from penstock.providers.dialects.gemini.chat.write_turns import contents_of

Json = dict[str, Any]
_STOPS = 5
_SEEDS = 1 << 31
_TIERS = {"flex": "flex", "priority": "priority"}  # of those that others have too


def write_request(request: ChatRequest, notes: Notes) -> bytes:
    """Raises MalformedChat for what cannot be said."""
    own = request.dialect == NAME
    system, contents = contents_of(request, notes)
    told: Json = {
        "systemInstruction": {"parts": system} if system else None,
        "contents": contents,
        "tools": tools_of(request, notes),
        "toolConfig": tool_config(request, notes),
        "generationConfig": (_own_config(request) if own else _config(request, notes)) or None,
    }
    if own:
        told["serviceTier"] = request.service_tier or None
        for path, value in (request.extra or {}).items():
            _put(told, path, value)
        return encode(written(told))
    told["serviceTier"] = _TIERS.get(request.service_tier)
    for name in request.extra or ():
        notes.lost(name)
    if request.user:
        notes.lost("user")
    return encode(written(told))


def _put(told: Json, path: str, value: Any) -> None:
    """``path``: the member's name, after that of the object that it stands in and a dot."""
    name, dot, inner = path.partition(".")
    if not dot:
        told[name] = value
    else:
        told[name] = (told.get(name) or {}) | {inner: value}


def _own_config(request: ChatRequest) -> Json:
    config = _common(request)
    effort = request.effort or Effort()
    thought = {
        "thinkingBudget": effort.budget,
        "thinkingLevel": effort.level.upper() or None,
        "includeThoughts": effort.shown,
    }
    config["thinkingConfig"] = written(thought, effort.extra) if request.effort else None
    if (form := request.format) is not None:
        config["responseMimeType"] = "text/plain" if form.kind == "text" else "application/json"
        config |= form.extra or {"responseJsonSchema": form.schema}
    return written(config)


def _config(request: ChatRequest, notes: Notes) -> Json:
    """For a request of another dialect."""
    config = _common(request)
    if len(request.stop or ()) > _STOPS:
        raise MalformedChat(f"stop: Gemini takes at most {_STOPS} sequences, leave some out.")
    if request.seed is not None and not -_SEEDS <= request.seed < _SEEDS:
        notes.lost("seed")
        config["seed"] = None
    if request.effort is not None:
        config["thinkingConfig"] = thinking(request.model, request.effort)
        if config["thinkingConfig"] is None and (request.effort.level or request.effort.budget):
            notes.lost("reasoning effort")
    form = request.format
    if form is not None and form.kind in ("json", "schema"):
        config["responseMimeType"] = "application/json"
        config["responseJsonSchema"] = form.schema
    elif form is not None and form.kind != "text":
        notes.lost("response_format")
    return written(config)


def _common(request: ChatRequest) -> Json:
    return {
        "maxOutputTokens": request.max_tokens,
        "temperature": request.temperature,
        "topP": request.top_p,
        "topK": request.top_k,
        "stopSequences": request.stop,
        "seed": request.seed,
        "candidateCount": request.candidates,
        "presencePenalty": request.presence_penalty,
        "frequencyPenalty": request.frequency_penalty,
        "responseLogprobs": None if request.logprobs is None else True,
        "logprobs": request.logprobs or None,
    }
