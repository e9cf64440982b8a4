"""What a step may cost, before the provider is asked. Tokens of the prompt by its length, those of the answer as far as
the request allows, or as many as the model's answers usually have; by the caller's prices, or the list's.
"""

from collections.abc import Iterator

from penstock.core import ids
from penstock.model.step import Step
from penstock.model.usage import Usage, Used
from penstock.providers.charge import came
from penstock.providers.kinds import (
    AUDIO_SECONDS,
    CHARACTERS,
    CLASSIFICATION,
    IMAGE,
    INPUT,
    MEDIA,
    OUTPUT,
    SEARCH_UNIT,
)
from penstock.providers.prices import PriceBook
from penstock.providers.pricing import Vector, cost, custom_cost

TOKEN = 4  # bytes of a prompt
USUAL = 1_000  # tokens of an answer, as long as none was seen
MEDIUM = 1_500  # tokens of a picture, a document or a sound that a prompt holds
SEEN = 4_096  # models remembered; of more, those that were used least lately are forgotten
SECONDS = 60  # of a sound whose length is not known
_WEIGHT = 8  # answers that the moving average is made of
_SHORT = 1_024  # bytes of base64 that count as text
_PIECES = 256  # places in a prompt where each mark is looked for
_OUTPUTS = (OUTPUT, *(f"output_{medium}" for medium in MEDIA))  # the first that has a price
_COUNTED = frozenset({IMAGE, AUDIO_SECONDS, CHARACTERS, SEARCH_UNIT, CLASSIFICATION})  # that are no tokens
_MARKS = (b";base64,", b'"data":"', b'"data": "')  # what stands before base64 in the dialects' bodies


class Estimates:
    """Of all calls of a process: the usual lengths of answers are learnt here."""

    def __init__(self, prices: PriceBook) -> None:
        self._prices = prices
        self._usual: dict[tuple[str, str], float] = {}

    def of(self, step: Step) -> int | None:
        """Nano-dollars; None: no price is known, or nothing that has one is asked for."""
        custom = step.options.cost
        if custom is None:
            return self.listed(step)
        if not _is_metered(step):
            return None
        if custom.total is not None:
            return custom_cost(None, custom)
        tokens, output = prompt(step), self._output(step)
        return custom_cost(Usage(tokens, output, [Used(INPUT, tokens), Used(OUTPUT, output)]), custom)

    def listed(self, step: Step) -> int | None:
        """The same, whatever prices the caller gave."""
        if step.target is None or not _is_metered(step):
            return None
        tokens, output = prompt(step), self._output(step)
        own: Vector | None = step.target.upstream.vector
        vector = own or self._prices.price(*_model(step), ids.millis(step.id))
        return None if vector is None else cost([*_used(step, vector, tokens, output)], vector)[0]

    def learn(self, step: Step) -> None:
        """The step has ended: how long the answer was."""
        usage = step.reported.usage if step.reported is not None else None
        if usage is None or not usage.tokens_out:
            return
        key, long = _model(step), usage.tokens_out / step.request.asked.choices
        known = self._usual.pop(key, long)
        if len(self._usual) >= SEEN:
            del self._usual[next(iter(self._usual))]
        self._usual[key] = known + (long - known) / _WEIGHT

    def _output(self, step: Step) -> int:
        asked = step.request.asked
        output = (asked.most or int(self._usual.get(_model(step), USUAL)) + 1) * asked.choices
        return max(output, came(step)) if step.answer_size else output


def _is_metered(step: Step) -> bool:
    return step.target is not None and bool(step.target.endpoint.dialect) and step.request.method == b"POST"


def _model(step: Step) -> tuple[str, str]:
    assert step.target is not None
    return step.target.provider, step.target.model or step.request.asked.model


def _used(step: Step, vector: Vector, tokens: int, output: int) -> Iterator[Used]:
    """What the model has a price for; the call's own fee is counted anyway."""
    asked, rates = step.request.asked, vector.base
    if asked.used:
        yield from (used for used in asked.used if used.kind in rates)
        return
    if INPUT in rates and tokens:
        yield Used(INPUT, tokens)
    kind = OUTPUT if OUTPUT in rates else next((kind for kind in _OUTPUTS if kind in rates), "")
    if kind and output:
        yield Used(kind, output)
    if not _COUNTED.isdisjoint(rates):
        counts = {IMAGE: asked.choices, AUDIO_SECONDS: SECONDS, CHARACTERS: tokens * TOKEN}
        counts |= {SEARCH_UNIT: 1, CLASSIFICATION: 1}
        yield from (Used(kind, count) for kind, count in counts.items() if count and kind in rates)


def prompt(step: Step) -> int:
    """Tokens of what is sent. Of a body that streams, its declared length counts."""
    body, request = step.sends, step.request
    if body is None:
        body = request.body.whole()
    if (request.first.get(b"content-type") or b"").startswith(b"multipart/"):
        return MEDIUM
    if body is None:
        return (request.body.length or request.body.size) // TOKEN
    size, pieces = len(body), 0
    for long in _media(body) if size > _SHORT else ():
        size, pieces = size - long, pieces + 1
    return size // TOKEN + pieces * MEDIUM


def _media(body: bytes) -> Iterator[int]:
    """Lengths of the base64 in a body. A few searches for a few bytes each, however long it is."""
    for mark in _MARKS:
        end = 0
        for _ in range(_PIECES):
            if (at := body.find(mark, end)) < 0:
                break
            begun = at + len(mark)
            if (end := body.find(b'"', begun)) < 0:
                break
            if end - begun > _SHORT and body.find(b" ", begun, begun + _SHORT) < 0:
                yield end - begun
