"""What comes of a situation between two dialects: found by translating, with nothing known of how."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from penstock.core.errors import MalformedChat
from penstock.providers.translating import Streamed, Translation
from penstock.wire.framing import cutter_of
from penstock.wire.sse import CAP
from tests.kit.pairs.plain import Json, NoPlaceError, Plain
from tests.kit.pairs.situations import ASKED, SIGNED, TIME, TOLD, WEATHER
from tests.kit.pairs.speakers import SPEAKERS

ARRIVES, LEFT_OUT, REFUSED, DIFFERS = "yes", "left out", "refused", "differs"
WITHOUT_TOOLS, WITHOUT_OTHERS = "without the tools", "without the other tools"


def _uncounted(told: Plain) -> Plain:
    return told | {"usage": told["usage"] | {"reasoning": 0}}


READ_AS: dict[str, Callable[[Plain], Plain]] = {
    ARRIVES: dict,
    "without the reasoning tokens": _uncounted,
    "as an ordinary end": lambda told: told | {"stop": "end"},
    "as a refusal": lambda told: _without(told, "text") | {"refusal": told.get("text"), "stop": "refusal"},
    "as text that was filtered": lambda told: (
        _without(told, "refusal") | {"text": told.get("refusal"), "stop": "filter"}
    ),
}
HELLO: Plain = {"turns": [["user", ("text", "Hello")]], "max_tokens": 500}


def _without(told: Plain, *names: str) -> Plain:
    return {other: value for other, value in told.items() if other not in names}


class Outcome(NamedTuple):
    """``lost``: the members that the log row names; ``was``: what arrived instead, where it is something else."""

    word: str
    lost: tuple[str, ...] = ()
    was: Any = None


class Call:
    """One call between two dialects: a request that was translated."""

    def __init__(self, client: str, provider: str, told: Plain = HELLO, *, stream: bool = False) -> None:
        """Raises MalformedChat and NoPlaceError."""
        self.client, self.provider = SPEAKERS[client], SPEAKERS[provider]
        asked = self.client.ask(told)
        if stream and client.startswith("openai_chat"):
            asked |= {"stream": True, "stream_options": {"include_usage": True}}
        self.translation = Translation(client, provider, self.provider.MODEL)
        self.translation.read(json.dumps(asked).encode())
        sent, lost = self.translation.write(stream=stream, ask_usage=True)
        self.sent: Json = json.loads(sent)
        self.lost = tuple(lost)

    def answer(self, answer: Json) -> Json:
        """The provider's answer, as the client gets it."""
        return json.loads(self.translation.answer(json.dumps(answer).encode()))

    def streamed(self) -> Streamed:
        """What translates a stream."""
        cutter = cutter_of(getattr(self.provider, "STREAM", b"text/event-stream"))
        assert cutter is not None
        return self.translation.stream(cutter(CAP))

    def stream(self, frames: list[bytes]) -> bytes:
        """A stream of the provider's, as the client gets it."""
        streamed = self.streamed()
        return b"".join([*[streamed.feed(frame) for frame in frames], streamed.end()])


def asked(name: str, client: str, provider: str) -> Outcome | None:
    """Of a request; None: the client's dialect has no words for it."""
    told = ASKED[name][1]
    try:
        call = Call(client, provider, told)
    except NoPlaceError:
        return None
    except MalformedChat:
        return Outcome(REFUSED)
    got = call.provider.understood(call.sent)
    wanted, had = _unusual(told), _unusual(got)
    missing = wanted.keys() - had.keys()
    if name == "named" and had == wanted | {"choice": "required", "tools": [TIME]}:
        return Outcome(WITHOUT_OTHERS, call.lost)
    if had != _without(wanted, *missing):
        return Outcome(DIFFERS, call.lost, got)
    word = LEFT_OUT if missing else ARRIVES
    return Outcome(WITHOUT_TOOLS if name == "none" and "tools" in missing else word, call.lost)


def _unusual(told: Plain) -> Plain:
    """Without what is so anyway."""
    return _without(told, "choice") if told.get("choice") == "auto" else told


def answered(name: str, client: str, provider: str, *, stream: bool) -> Outcome | None:
    """Of an answer; None: the provider's dialect never says it."""
    told = TOLD[name][1]
    call = Call(client, provider, stream=stream)
    if name != "usage" and not getattr(call.provider, "TELLS_REASONING", True):
        told = _uncounted(told)
    try:
        if stream:
            answer = call.client.whole(call.stream(call.provider.stream(told)))
            assert answer is not None
        else:
            answer = call.answer(call.provider.say(told))
    except NoPlaceError:
        return None
    got = call.client.told_by(answer)
    words = (word for word, change in READ_AS.items() if change(told) == got)
    return Outcome(next(words, DIFFERS), was=got)


def signed(client: str, provider: str, *, to: str = "", stream: bool = False) -> Outcome | None:
    """Of signed thinking that the client sends back, or on ``to`` another provider; None: the provider signs none."""
    asking: Plain = {**HELLO, "tools": [WEATHER]}
    call = Call(client, provider, asking, stream=stream)
    try:
        if stream:
            answer = call.client.whole(call.stream(call.provider.stream(SIGNED)))
        else:
            answer = call.answer(call.provider.say(SIGNED))
    except NoPlaceError:
        return None
    again = Call(client, to or provider, {**asking, "replayed": call.client.replayed(answer)})
    sent = json.dumps(again.sent)
    if SIGNED["signature"] not in sent:
        return Outcome(LEFT_OUT, again.lost, again.sent)
    whole = not call.provider.SIGNS_TEXT or SIGNED["thought"] in sent
    return Outcome(ARRIVES if whole else DIFFERS, again.lost, again.sent)


def failed(client: str, provider: str) -> Outcome:
    """Of an error."""
    call = Call(client, provider)
    body = call.translation.failure(400, json.dumps(call.provider.fail("It is too long.")).encode())
    words = call.client.words_of_error(json.loads(body))
    return Outcome(ARRIVES) if words == "It is too long." else Outcome(DIFFERS, was=words)
