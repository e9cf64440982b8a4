"""What an answer of Cohere used, and what it calls its figures."""

from penstock.model.usage import Reported, Used
from penstock.providers.accounting import Figures, Said, members_of
from penstock.providers.dialects._shapes.bodies import read, read_edges
from penstock.providers.dialects._shapes.values import NO_OBJECT, name, present, usage_of
from penstock.providers.dialects.cohere.errors import is_error
from penstock.providers.dialects.cohere.shapes import Answer, decode_answer
from penstock.providers.kinds import CLASSIFICATION, IMAGE, SEARCH_UNIT

_MEMBERS = (b"usage", b"meta", b"finish_reason")
_SECTIONS = ("billed_units", "tokens")  # of the two, that counts which is told first here
_IMAGE_TOKENS = "input_image"


def reported(body: bytes) -> Reported:
    """What a complete, decoded answer says of itself."""
    return told(read(body, decode_answer, _MEMBERS))


def reported_edges(head: bytes, tail: bytes) -> Reported:
    """The same of an answer of which only the beginning and the end are here."""
    return told(read_edges(head, tail, decode_answer, _MEMBERS))


def told(answer: Answer | None) -> Reported:
    """The same of the members that are read."""
    if answer is None:
        return Reported(unread=NO_OBJECT)
    raw, unread = usage_of(answer.usage if present(answer.usage) else answer.meta)
    if not present(answer.usage) and not any(b'"%b"' % section.encode() in raw for section in _SECTIONS):
        raw = b""  # a version alone
    return Reported(name(answer.model), raw, is_error(answer), unread=unread)


def _billed(said: Said) -> list[Used]:
    """Fills in what is billed, which may be less than the tokens that the model saw; these, where nothing else is told.

    Images that are billed by their tokens are not billed by their number.
    """
    for section in _SECTIONS:
        if units := members_of(said.get(section)):
            said.update(units)
            break
    if said.get("image_tokens"):
        said.pop("images", None)
    return []


FIGURES = Figures(
    ("input_tokens",),
    ("output_tokens",),
    "total_tokens",  # of those who speak it too
    {
        "image_tokens": _IMAGE_TOKENS,
        "images": IMAGE,
        "search_units": SEARCH_UNIT,
        "classifications": CLASSIFICATION,
    },
    beside=frozenset({_IMAGE_TOKENS}),
    more=_billed,
)
