"""The tables of docs/compatibility.md, from what the calls between all dialects find."""

from collections.abc import Iterable, Iterator

from tests.kit.pairs.outcomes import ARRIVES, Outcome, answered, asked, failed, signed
from tests.kit.pairs.situations import ASKED, TOLD
from tests.kit.pairs.speakers import CLIENTS, PROVIDERS

NAMES = {
    "openai_chat": "OpenAI chat",
    "openai_responses": "OpenAI responses",
    "anthropic": "Anthropic messages",
    "gemini": "Gemini",
    "bedrock_converse": "Bedrock Converse",
    "cohere": "Cohere",
    "workers_ai": "Workers AI",
}
CLIENT_NAMES = [NAMES[client] for client in CLIENTS]
PROVIDER_NAMES = [NAMES[provider] for provider in PROVIDERS]


def asked_rows() -> Iterator[list[str]]:
    """A feature of a request, the clients that can ask for it, and a cell for each provider."""
    for name, (words, _) in ASKED.items():
        found = {(client, provider): asked(name, client, provider) for client in CLIENTS for provider in PROVIDERS}
        can = [client for client in CLIENTS if found[client, PROVIDERS[0]] is not None]
        cells = [
            _cell({client: found[client, provider] for client in can if client != provider}) for provider in PROVIDERS
        ]
        yield [words, "all" if can == CLIENTS else ", ".join([NAMES[client] for client in can]), *cells]


def told_rows() -> Iterator[list[str]]:
    """What an answer tells, and a cell for each client."""
    for name, (words, _) in TOLD.items():
        yield [
            words,
            *[_told(client, lambda pair, name=name: answered(name, *pair, stream=False)) for client in CLIENTS],
        ]
    yield ["signed thinking, which is sent back", *[_told(client, lambda pair: signed(*pair)) for client in CLIENTS]]
    yield ["an error's words", *[_told(client, lambda pair: failed(*pair)) for client in CLIENTS]]


def _told(client, find) -> str:
    return _cell({provider: find((client, provider)) for provider in PROVIDERS if provider != client})


def _cell(found: dict[str, Outcome | None]) -> str:
    """One word where all agree; else the word of most, and then those of others."""
    words: dict[str, list[str]] = {}
    for name, outcome in found.items():
        if outcome is not None:
            words.setdefault(outcome.word, []).append(NAMES[name])
    ordered = sorted(words, key=lambda word: (word != ARRIVES, -len(words[word])))
    if len(ordered) < 2:
        return ordered[0] if ordered else ARRIVES
    return "; ".join([ordered[0], *[f"from {_and(words[word])}: {word}" for word in ordered[1:]]])


def _and(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
