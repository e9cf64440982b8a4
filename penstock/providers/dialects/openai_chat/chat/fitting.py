"""Requests for providers that take less of OpenAI chat than OpenAI does, as their rows say (``lacks``)."""

from typing import Any

from msgspec.structs import replace

from penstock.core.codec import encode
from penstock.model.chat import ChatRequest, Format, Notes, Text, Turn

DEVELOPER, MAX_TOKENS, SCHEMA = "developer", "max_completion_tokens", "json_schema"


def fitted(request: ChatRequest) -> tuple[list[Turn], Format | None]:
    """Turns without a role that is not taken, and a form that is: of a schema, any object, and the schema in words."""
    turns, form = request.turns, request.format
    if DEVELOPER in request.lacks:
        turns = [replace(turn, role="system") if turn.role == DEVELOPER else turn for turn in turns]
    if SCHEMA in request.lacks and form is not None and form.kind == "schema":
        words = (
            f"Answer with one JSON object that fits this JSON schema, and nothing else: {encode(form.schema).decode()}"
        )
        turns, form = [Turn("system", [Text(words)]), *turns], Format("json")
    return turns, form


def leave_out(body: dict[str, Any], lacks: frozenset[str], notes: Notes) -> None:
    """Takes out of a body what is not taken; its length has an older name."""
    if MAX_TOKENS in lacks:
        body["max_tokens"] = body.pop(MAX_TOKENS)
    for name in lacks & body.keys():
        if body.pop(name) is not None:
            notes.lost(name)
