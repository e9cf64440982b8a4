"""What Gemini answers, whole and in the pieces of a stream."""

from collections.abc import Iterator
from typing import Any

from penstock.mock.answer import Ask, Usage, pieces, usage
from penstock.mock.conversation import Heard, Saying, say, sign
from penstock.mock.providers.gemini_request import NAME, Generate, heard, read, signs, text

Json = dict[str, Any]


def whole(ask: Ask) -> Json:
    given, known, saying = _said(ask)
    return _body(ask, _used(ask, given, saying), _parts(ask, known, saying, saying.text), last=True)


def chunks(ask: Ask) -> Iterator[Json]:
    """The text word by word; a thought and all calls come whole."""
    given, known, saying = _said(ask)
    used = _used(ask, given, saying)
    if saying.calls:
        yield _body(ask, used, _parts(ask, known, saying, ""), last=True)
        return
    texts = pieces(saying.text, ask.controls.frames)
    if saying.thought:
        yield _body(ask, used, [_thought(saying)], last=False)
    for number, piece in enumerate(texts, 1):
        last = number == len(texts)
        part: Json = {"text": piece}
        yield _body(ask, used, [part | _signature(ask, known) if last else part], last=last)


def prompt(given: Generate) -> str:
    contents = [*([given.systemInstruction] if given.systemInstruction else []), *given.contents]
    return "".join(map(text, contents))


def reported(used: Usage) -> Json:
    """The usage object. Thoughts are beside the candidates' tokens; what is none is left out."""
    told = {
        "promptTokenCount": used.input,
        "candidatesTokenCount": used.output - used.reasoning,
        "totalTokenCount": used.input + used.output,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": used.input}],
    }
    more = {"cachedContentTokenCount": used.cached, "thoughtsTokenCount": used.reasoning}
    return told | {name: figure for name, figure in more.items() if figure}


def _said(ask: Ask) -> tuple[Generate, Heard, Saying]:
    given = read(ask.body)
    known = heard(given, ask.named[-1])
    return given, known, say(known, ask.controls)


def _used(ask: Ask, given: Generate, saying: Saying) -> Usage:
    return usage(prompt(given), saying.spoken, ask.controls, thought=saying.thought)


def _parts(ask: Ask, known: Heard, saying: Saying, said: str) -> list[Json]:
    parts: list[Json] = [_thought(saying)] if saying.thought else []
    if not saying.calls:
        return [*parts, {"text": said} | _signature(ask, known)]
    for index, call in enumerate(saying.calls):
        told: Json = {"name": call.name, "args": call.arguments}
        if signs(ask.named[-1]):
            told = {"id": f"call_{index}{ask.seed}", **told}
        parts.append({"functionCall": told} | ({} if index else _signature(ask, known)))
    return parts


def _thought(saying: Saying) -> Json:
    return {"text": saying.thought, "thought": True}


def _signature(ask: Ask, known: Heard) -> Json:
    """Of the first call, or of the text; only where there was thinking."""
    return {"thoughtSignature": sign(NAME, ask.seed)} if known.thinks or signs(ask.named[-1]) else {}


def _body(ask: Ask, used: Usage, parts: list[Json], *, last: bool) -> Json:
    candidate: Json = {"content": {"parts": parts, "role": "model"}, "index": 0}
    body: Json = {"candidates": [candidate | ({"finishReason": "STOP"} if last else {})]}
    if ask.controls.usage != "none" and (last or ask.controls.usage != "last-text"):
        body["usageMetadata"] = reported(used)
    return body | {"modelVersion": ask.named[-1], "responseId": ask.seed}
