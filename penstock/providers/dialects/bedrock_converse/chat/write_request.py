"""A request as Converse has it. Its path names the model, and whether the answer is a stream.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from typing import Any

from penstock.core.codec import encode
from penstock.core.errors import MalformedChat
from penstock.model.chat import ChatRequest, Notes
from penstock.providers.dialects._shapes.asking import JSON, schema_words
from penstock.providers.dialects._shapes.claude.schemas import fitted
from penstock.providers.dialects._shapes.members import written
from penstock.providers.dialects.bedrock_converse.chat.inference import inference_of
from penstock.providers.dialects.bedrock_converse.chat.models import Takes, takes_of
from penstock.providers.dialects.bedrock_converse.chat.words import Json
from penstock.providers.dialects.bedrock_converse.chat.write_blocks import Blocks
from penstock.providers.dialects.bedrock_converse.chat.write_messages import messages_of, thought
from penstock.providers.dialects.bedrock_converse.chat.write_tools import tool_config

_LEFT_OUT = ("seed", "presence_penalty", "frequency_penalty", "logprobs", "user")  # Converse has nothing like them
_TIERS = {"default", "flex", "priority", "reserved"}


def write_request(request: ChatRequest, notes: Notes) -> bytes:
    """Raises MalformedChat for what cannot be said."""
    if request.candidates is not None and request.candidates > 1:
        raise MalformedChat("n: Converse gives one answer a request, ask several times for several answers.")
    takes = takes_of(request.model)
    blocks = Blocks(takes, notes)
    system, messages = messages_of(request.turns, blocks, notes)
    form, words = _format(request, takes, notes)
    tools = tool_config(request, messages, takes, blocks, notes, words)
    free = "toolChoice" not in (tools or {})
    may_think = free and (takes.claude is None or takes.claude.adaptive or thought(messages))
    inference = inference_of(request, takes, may_think=may_think, notes=notes)
    for name in _LEFT_OUT:
        if getattr(request, name):
            notes.lost(name)
    for name in request.extra or ():
        notes.lost(name)
    body = {
        "messages": messages,
        "system": [*system, *[{"text": one} for one in words]] or None,
        "inferenceConfig": inference.config or None,
        "toolConfig": tools,
        "additionalModelRequestFields": inference.fields or None,
        "outputConfig": written({"textFormat": form, "effort": inference.effort}) or None,
        "serviceTier": _tier(request, notes),
    }
    return encode(written(body))


def _format(request: ChatRequest, takes: Takes, notes: Notes) -> tuple[Json | None, list[str]]:
    """The form of the answer, or words that ask for it where the model has none."""
    form = request.format
    if form is None or form.kind == "text":
        return None, []
    if form.kind == "json" or (form.kind == "schema" and form.schema is None):
        return None, [JSON]
    if form.kind != "schema":
        notes.lost("response_format")
        return None, []
    schema: Any = fitted(form.schema) if takes.formats else None
    if schema is None:
        notes.lost("response_format")
        return None, [schema_words(form.schema)]
    told = {"name": form.name or None, "description": form.description or None, "schema": encode(schema).decode()}
    return {"type": "json_schema", "structure": {"jsonSchema": written(told)}}, []


def _tier(request: ChatRequest, notes: Notes) -> Json | None:
    tier = request.service_tier
    if tier in _TIERS:
        return {"type": tier}
    if tier not in ("", "auto"):
        notes.lost("service_tier")
    return None
