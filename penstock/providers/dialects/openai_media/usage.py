"""What images or a transcription used, and what OpenAI calls these figures."""

import math
import re

from penstock.core.codec import Raw
from penstock.model.usage import Reported, Used
from penstock.providers.accounting import Figures, Said
from penstock.providers.dialects._shapes import openai
from penstock.providers.dialects._shapes.bodies import read, read_edges
from penstock.providers.dialects._shapes.values import NO_OBJECT, name, present, usage_of
from penstock.providers.dialects.openai_media.shapes import MEMBERS, Answer, decode_answer
from penstock.providers.kinds import AUDIO_SECONDS, IMAGE

_DURATION = re.compile(rb"\d{1,9}(?:\.\d{1,32})?")
_PICTURE = re.compile(rb'"(?:url|b64_json)"\s{0,9}:\s{0,9}"')  # within a text the quotes would be escaped


def reported(body: bytes) -> Reported:
    """What a complete, decoded answer says of itself. Images without tokens (DALL·E) are counted."""
    told = _told(read(body, decode_answer, MEMBERS))
    if not (told.raw or told.unread or told.error) and (images := sum(1 for _ in _PICTURE.finditer(body))):
        told.fees = [Used(IMAGE, images)]
    return told


def reported_edges(head: bytes, tail: bytes) -> Reported:
    """The same of an answer of which only the beginning and the end are here."""
    return _told(read_edges(head, tail, decode_answer, MEMBERS))


def _told(answer: Answer | None) -> Reported:
    if answer is None:
        return Reported(unread=NO_OBJECT)
    raw, unread = usage_of(answer.usage)
    told = Reported(name(answer.model), raw, present(answer.error), unread=unread)
    if not (raw or unread) and (seconds := _seconds(answer.duration)):
        told.fees = [Used(AUDIO_SECONDS, seconds)]
    return told


def _seconds(raw: Raw) -> int:
    """A second that began counts whole."""
    seconds = float(raw) if _DURATION.fullmatch(raw) else 0.0
    return math.ceil(seconds)


def _more(said: Said) -> list[Used]:
    """Makes the object one as ``FIGURES`` has it: what comes out is images, and a second that began counts whole."""
    if "input_tokens_details" in said and "output_tokens_details" not in said:  # not those of a transcription
        said["output_tokens_details"] = {"image_tokens": said.get("output_tokens")}
    seconds = said.get("seconds")
    if type(seconds) is float and math.isfinite(seconds):
        said["seconds"] = math.ceil(seconds)
    return []


FIGURES = Figures(
    openai.FIGURES.tokens_in,
    openai.FIGURES.tokens_out,
    openai.FIGURES.total,
    {**openai.FIGURES.members, "input_token_details.audio_tokens": "input_audio", "seconds": AUDIO_SECONDS},
    more=_more,
)
