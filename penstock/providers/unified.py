"""How the unified API reaches a provider: which of its operations answers, in which dialect, under which path. Pure."""

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote

import msgspec

from penstock.core.errors import InvalidProvider, MalformedChat, UnknownPath
from penstock.model.endpoint import Name
from penstock.providers.dialects import DIALECTS

CHAT = "chat"
MODELS = "models"  # the list of them
COMPAT = "compat"  # in the place of a provider: the unified API

# What clients of each dialect ask below ``compat/``. What is no chat is passed on as it is.
_CHATS = {
    b"chat/completions": "openai_chat",
    b"responses": "openai_responses",
    b"messages": "anthropic",
}
_OTHERS = frozenset(
    {
        b"audio/speech",
        b"audio/transcriptions",
        b"audio/translations",
        b"completions",
        b"embeddings",
        b"images/edits",
        b"images/generations",
        b"models",
    }
)
GEMINI = "gemini"
_GEMINI = re.compile(rb"v1(?:beta)?/models/(.+):(?:generateContent|(streamGenerateContent))")
_OTHERS_OF_REST = frozenset({b"embeddings", b"models"})
_V1 = b"v1/"


class InPath(NamedTuple):
    """What the path of a client tells in its body's place."""

    model: str
    stream: bool


def in_path(path: bytes) -> InPath | None:
    """Of a path below ``compat/`` as Gemini's clients have it; None: it is none."""
    told = _GEMINI.fullmatch(path)
    return None if told is None else InPath(unquote(told[1]), told[2] is not None)


def compat(path: bytes) -> tuple[str, str]:
    """Kind and client's dialect of a path below ``compat/``, with or without ``v1/``. Raises UnknownPath."""
    if _GEMINI.fullmatch(path) is not None:
        return CHAT, GEMINI
    return _asked(path.removeprefix(_V1), _OTHERS, "compat/")


def rest(path: bytes) -> tuple[str, str]:
    """The same of a path below ``ai/``. SDKs that add ``v1/`` to a base that has it double it. Raises UnknownPath."""
    below = path.removeprefix(_V1)
    if below == path:
        raise UnknownPath("Not found: below ai/ there are run, run/{author}/{model} and v1/.")
    return _asked(below.removeprefix(_V1), _OTHERS_OF_REST, "ai/v1/")


def _asked(path: bytes, others: frozenset[bytes], where: str) -> tuple[str, str]:
    if (dialect := _CHATS.get(path)) is not None:
        return CHAT, dialect
    if path not in others:
        known = ", ".join(sorted(one.decode() for one in (*_CHATS, *others)))
        raise UnknownPath(f"Not found: below {where} there are {known}.")
    return path.decode(), ""


class Unified(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One operation, as a client of the provider's own would call it. The first of a kind is taken, unless another one
    is in the client's dialect.

    ``path``, and ``stream`` for streams where it differs, may have a query; in both ``{model}`` is the model's name as
    one segment, ``{model*}`` with its slashes; without either the name goes into the body. ``headers`` are sent where
    the client sends none of that name. Only what is translated is fitted to ``lacks``.

    ``base`` stands before both; in its place ``keyed``, where a stored key that is JSON travels, which tells its parts.
    """

    kind: Name  # chat, or the path below ``compat/`` of what is passed on as it is: embeddings, audio/speech
    path: Name
    dialect: str = ""  # of a chat
    stream: str = ""
    base: str = ""
    keyed: str = ""
    publisher: str = ""  # what a model's name may begin with, and the path does not repeat
    headers: dict[str, str] = {}
    lacks: frozenset[str] = frozenset()  # what the provider does not take of the dialect (``ChatRequest.lacks``)


class Place(NamedTuple):
    """A path below the provider, and a query with its question mark."""

    path: bytes
    query: bytes


def place(way: Unified, model: str, *, stream: bool, keyed: bool = False) -> Place:
    """Where the call goes. ``keyed``: with parts that the key tells."""
    base = way.keyed if keyed else way.base
    path = way.stream if stream and way.stream else way.path
    return _place(f"{base}/{path}" if base else path, model)


@lru_cache(maxsize=1024)
def _place(template: str, model: str) -> Place:
    path, mark, query = template.partition("?")
    path = path.replace("{model}", quote(model, safe="")).replace("{model*}", quote(model, safe="/"))
    return Place(path.encode(), (mark + query).encode())


def names_model(way: Unified) -> bool:
    """Whether the path names the model, so that the body need not."""
    return "{model" in way.path


def split(name: str) -> tuple[str, str]:
    """Provider and model of a ``model``. Raises MalformedChat where it names no provider."""
    provider, slash, model = name.partition("/")
    if not slash or not provider or not model:
        raise MalformedChat(
            f"Chat completion bad format: model {name[:_SHOWN]!r} must be {{provider}}/{{model}}, as openai/gpt-5."
            if name
            else "Chat completion bad format: model is missing; write it as {provider}/{model}, as openai/gpt-5."
        )
    return provider, model


def way(ways: tuple[Unified, ...], kind: str, dialect: str, provider: str) -> Unified:
    """The operation that answers a client of that dialect. Raises InvalidProvider where there is none."""
    found: Unified | None = None
    for one in ways:
        if one.kind == kind:
            if one.dialect == dialect or kind != CHAT:
                return one
            if found is None and DIALECTS[one.dialect].provider is not None:
                found = one
    if found is None:
        raise InvalidProvider(f"Invalid provider {provider[:_SHOWN]!r}: the unified API has no {kind} of it.")
    return found


_SHOWN = 128
