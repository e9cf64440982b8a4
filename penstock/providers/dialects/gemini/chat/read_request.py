"""A request of a client that speaks Gemini. Its path names the model, and whether the answer is to be a stream.

https://ai.google.dev/api/generate-content
"""

from typing import Any

from penstock.core.errors import MalformedChat
from penstock.model.chat import ChatRequest, Effort, Format, Function, NativeTool, Tool, ToolChoice
from penstock.providers.dialects._shapes.members import Members, members_of
from penstock.providers.dialects.gemini.chat.read_turns import system_of, turns_of
from penstock.providers.dialects.gemini.chat.schema import json_schema
from penstock.providers.dialects.gemini.chat.spelling import Told
from penstock.providers.dialects.gemini.chat.words import NAME

_MODES = {"AUTO": "auto", "NONE": "none", "ANY": "required", "VALIDATED": "auto"}


def read_request(body: bytes) -> ChatRequest:
    """Raises MalformedChat."""
    try:
        return _read(Told(members_of(body).left))
    except RecursionError as error:
        raise MalformedChat("the body: has too many levels of objects and lists within each other.") from error


def _read(told: Told) -> ChatRequest:
    turns = turns_of(told)
    if not turns:
        raise MalformedChat("contents: must be a list of at least one content.")
    config = told.object("generationConfig") or Told({})
    tools = told.object("toolConfig") or Told({})
    calling = tools.object("functionCallingConfig")
    request = ChatRequest(
        NAME,
        "",
        [*system_of(told.any("systemInstruction")), *turns],
        tools=[one for tool in told.objects("tools") for one in _tools(tool)] or None,
        tool_choice=None if calling is None else _tool_choice(calling),
        format=_format(config),
        effort=_effort(config.object("thinkingConfig")),
        max_tokens=config.whole("maxOutputTokens"),
        temperature=config.number("temperature"),
        top_p=config.number("topP"),
        top_k=config.whole("topK"),
        stop=_stop(config),
        seed=config.whole("seed"),
        candidates=config.whole("candidateCount"),
        presence_penalty=config.number("presencePenalty"),
        frequency_penalty=config.number("frequencyPenalty"),
        logprobs=(config.whole("logprobs") or 0) if config.truth("responseLogprobs") else None,
        service_tier=told.text("serviceTier"),
    )
    if told.left.get("cachedContent"):
        request.bound = "cachedContent: is known to Google alone, send what is in it."
    request.extra = {
        **(told.rest() or {}),
        **{f"generationConfig.{name}": value for name, value in (config.rest() or {}).items()},
        **{f"toolConfig.{name}": value for name, value in (tools.rest() or {}).items()},
    } or None
    return request


def _tools(tool: Members) -> list[Tool]:
    functions: list[Tool] = [_function(one) for one in tool.objects("functionDeclarations")]
    return [*functions, *[NativeTool(NAME, {name: value}) for name, value in (tool.rest() or {}).items()]]


def _function(told: Members) -> Function:
    name = told.text("name")
    if not name:
        raise MalformedChat(f"{told.at('name')}: is missing.")
    schema: Any = told.any("parametersJsonSchema")
    if (older := told.left.get("parameters")) is not None:  # stays in what Gemini alone has
        schema = json_schema(older)
    return Function(name, told.text("description"), schema, extra=told.rest())


def _tool_choice(told: Members) -> ToolChoice | None:
    word, allowed = told.text("mode"), told.items("allowedFunctionNames") or None
    mode = _MODES.get(word)
    if mode is None:
        return None
    if mode == "required" and allowed is not None and len(allowed) == 1:
        return ToolChoice("function", str(allowed[0]), extra=told.rest())
    extra = told.rest()
    if word == "VALIDATED":
        extra = {**(extra or {}), "mode": word}
    return ToolChoice(mode, extra=extra, allowed=allowed)


def _format(config: Members) -> Format | None:
    """Of JSON. What else there is stays what Gemini alone has."""
    kind = config.left.get("responseMimeType")
    if kind == "text/plain":
        del config.left["responseMimeType"]
        return Format("text")
    if kind != "application/json":
        return None
    del config.left["responseMimeType"]
    older = config.any("responseSchema")
    schema: Any = config.any("responseJsonSchema")
    if older is not None:
        return Format("schema", schema=json_schema(older), extra={"responseSchema": older})
    return Format("json") if schema is None else Format("schema", schema=schema)


def _effort(told: Members | None) -> Effort | None:
    if told is None:
        return None
    level, budget = told.text("thinkingLevel").lower(), told.whole("thinkingBudget")
    return Effort(
        "" if level == "thinking_level_unspecified" else level, budget, told.truth("includeThoughts"), told.rest()
    )


def _stop(config: Members) -> list[str] | None:
    sequences = config.items("stopSequences")
    if sequences is not None and any(type(one) is not str for one in sequences):
        raise MalformedChat(f"{config.at('stopSequences')}: must be a list of texts.")
    return sequences
