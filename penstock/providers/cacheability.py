"""Which calls may be cached: those whose answer depends on nothing but the request.

The catalogue names the endpoints (``Endpoint.cacheable``). Even there a request may refer to what the provider has
stored and may change meanwhile (a conversation, a container, a search index), or ask for a job or an object of its own:
the members that do so are named here. What is immutable under its id, as an uploaded file is, is not state; nor is the
web.
"""

import re
from collections.abc import Iterator

from penstock.core.codec import DecodeError, Raw, Struct, decoder
from penstock.providers.catalog import Endpoint

_DECODED = 1 << 19  # bytes of the largest body that is decoded in one go: some milliseconds at most
_SLICE = 1 << 16  # bytes of a larger one that are searched in one go
_TOOLS = 1 << 15  # bytes of the largest list of tools that becomes objects
_OVERLAP = 64  # bytes by which the slices overlap, so that no name is cut in two
_CALLBACK = re.compile(rb"[?&]callback=").search  # Deepgram: the answer goes there, later
_NOTHING = Raw(b"")
_EMPTY = frozenset({b"", b"null", b"[]", b"{}", b'""'})

# The same in a body that is not decoded, anywhere in it: some without state are found, too.
_HINT = re.compile(
    rb'"(?=[bcdfmprs])(?:p(?:revious_(?:response|interaction)_id"|reset"|rompt(?:Variables"|"\s{0,16}:\s{0,16}\{))'
    rb'|c(?:on(?:versation(?:_id)?|tainer|nectors)|ollections_search|ode_(?:interpreter|execution\w{0,16}))"'
    rb'|(?:data_?[sS]ources|mcp(?:_servers|_toolset)?|file_?[sS]earch|retrieval|shell)"'
    rb'|(?:background|deferred|store)"\s{0,16}:\s{0,16}true)'
).search
_OBJECT = re.compile(rb'[ \t\r\n]{0,64}\{[ \t\r\n]{0,64}"[^\x00]').match
_ESCAPED = re.compile(rb"\\u00[4-7]").search  # a letter of a name, as no encoder writes it
_PRESET = re.compile(rb"@preset|\\u0040").search  # within the name of a model, at OpenRouter
_TOOL = re.compile(
    rb'"(?:file_search|collections_search|code_interpreter|code_execution\w*|mcp|mcp_toolset|shell)"'
).fullmatch


_SEARCHES = (_HINT, _ESCAPED, _PRESET)


class _Body(Struct):
    """The members of a request that refer to state where they hold anything; the last four are looked into."""

    previous_response_id: Raw = _NOTHING  # OpenAI responses
    conversation: Raw = _NOTHING
    conversation_id: Raw = _NOTHING  # Cohere v1
    previous_interaction_id: Raw = _NOTHING  # Parallel
    container: Raw = _NOTHING  # Anthropic
    mcp_servers: Raw = _NOTHING
    connectors: Raw = _NOTHING  # Cohere v1
    data_sources: Raw = _NOTHING  # Azure
    dataSources: Raw = _NOTHING  # noqa: N815
    preset: Raw = _NOTHING  # OpenRouter
    promptVariables: Raw = _NOTHING  # noqa: N815  Bedrock
    background: Raw = _NOTHING  # OpenAI responses: true; a colour of images
    deferred: Raw = _NOTHING  # xAI: true
    store: Raw = _NOTHING  # OpenAI: true, which asks for an object of its own
    prompt: Raw = _NOTHING  # OpenAI responses: an object; elsewhere the text
    tools: Raw = _NOTHING


class _Tool(Struct, gc=False):
    type: Raw = _NOTHING
    fileSearch: Raw = _NOTHING  # noqa: N815  Google; the names in both spellings that it takes
    file_search: Raw = _NOTHING
    retrieval: Raw = _NOTHING


class _Models(Struct, gc=False):
    model: Raw = _NOTHING
    models: Raw = _NOTHING


_PLAIN = _Body()
_decode_body = decoder(_Body).decode
_decode_models = decoder(_Models).decode
_decode_tools = decoder(list[_Tool]).decode
_TRUE = ("background", "deferred", "store")
_STATE = tuple(name for name in _Body.__struct_fields__ if name not in (*_TRUE, "prompt", "tools"))


def may_be_cached(method: bytes, endpoint: Endpoint, query: bytes) -> bool:
    """Whether the answer depends on the request alone, as far as its address tells."""
    return endpoint.cacheable and method == b"POST" and not (query and _CALLBACK(query))


def uses_state(body: bytes) -> Iterator[bool]:
    """Whether a body refers to state, or may, being no JSON object in UTF-8 without a content coding. Works in short
    steps, and yields False after each but the last: its user may pause there. A body too large to be decoded is
    searched for the names alone.
    """
    if len(body) <= _DECODED:
        yield _refers(body)
        return
    if not _OBJECT(body):
        yield True
        return
    for at in range(0, len(body), _SLICE):
        until = at + _SLICE + _OVERLAP
        if any(found(body, at, until) is not None for found in _SEARCHES):
            yield True
            return
        yield False


def _names_preset(body: bytes) -> bool:
    said = _decode_models(body)
    return _PRESET(said.model) is not None or _PRESET(said.models) is not None


def _refers(body: bytes) -> bool:
    try:
        said = _decode_body(body)
        if _PRESET(body) is not None and _names_preset(body):
            return True
        if said == _PLAIN:
            return False
        listed = bytes(said.tools)
        if len(listed) > _TOOLS:
            return _HINT(body) is not None
        tools = _decode_tools(listed) if listed not in _EMPTY else ()
    except DecodeError:
        return True
    return (
        any(bytes(getattr(said, name)) not in _EMPTY for name in _STATE)
        or any(bytes(getattr(said, name)) == b"true" for name in _TRUE)
        or bytes(said.prompt).startswith(b"{")
        or any(map(_acts, tools))
    )


def _acts(tool: _Tool) -> bool:
    """Whether a tool reads what is stored, or keeps something, or acts on others."""
    own = tool.fileSearch != _NOTHING or tool.file_search != _NOTHING or tool.retrieval != _NOTHING
    return own or _TOOL(bytes(tool.type)) is not None
