"""What an answer of an invoked model used, and what its families call their figures."""

from penstock.core.codec import Raw, encode
from penstock.model.usage import Reported, Used
from penstock.providers.accounting import Figures, Said
from penstock.providers.dialects._shapes.bodies import read, read_edges
from penstock.providers.dialects._shapes.values import NO_OBJECT, items_of, name, present, usage_of
from penstock.providers.dialects.bedrock_invoke.shapes import Answer, decode_answer, decode_results

UNKNOWN = "neither the answer, whose format is its model's own, nor its headers tell any that is known"
_MEMBERS = (b"usage", b"type", b"prompt_token_count", b"generation_token_count", b"inputTextTokenCount", b"error")
_COUNTS = ("prompt_token_count", "generation_token_count", "inputTextTokenCount")
_DIGITS = 16
_RESULTS = "tokenCount"  # of Titan's, all together


def reported(body: bytes) -> Reported:
    """What a complete, decoded answer says of itself."""
    return _told(read(body, decode_answer, _MEMBERS), body)


def reported_edges(head: bytes, tail: bytes) -> Reported:
    """The same of an answer of which only the beginning and the end are here."""
    return _told(read_edges(head, tail, decode_answer, _MEMBERS), head)


def _told(answer: Answer | None, body: bytes) -> Reported:
    if answer is None:
        return Reported(unread=NO_OBJECT if body.lstrip().startswith(b"{") else UNKNOWN)
    raw, unread = usage_of(answer.usage)
    if not raw and not unread:
        raw = counts_of(answer)
        unread = "" if raw else UNKNOWN
    return Reported("", raw, is_error(answer) and not raw, unread=unread)


def is_error(answer: Answer) -> bool:
    """Whether an answer, or an event, is an error of its model."""
    return name(answer.type) == "error" or present(answer.error) or name(answer.message) != ""


def counts_of(answer: Answer) -> bytes:
    """A usage object of the counts that stand in the answer itself; empty where there are none."""
    counts = {member: told for member in _COUNTS if 0 < len(told := getattr(answer, member)) <= _DIGITS}
    if not any(map(present, counts.values())):
        return b""
    if len(answer.results):
        counts[_RESULTS] = Raw(b"%d" % _texts(answer.results))
    return encode(counts)


def _texts(results: Raw) -> int:
    counts = [bytes(result.tokenCount) for result in items_of(results, decode_results) or []]
    return sum(int(count) for count in counts if len(count) <= _DIGITS and count.isdigit())


def figures(*families: Figures) -> Figures:
    """What the families call their figures, and Bedrock. No two use one name for two things."""

    def more(said: Said) -> list[Used]:
        """Completes the object as each family does; where they name the total otherwise, that is one name here."""
        if (total := said.get("totalTokens")) is not None:
            said["total_tokens"] = total
        return [used for one in families if one.more is not None for used in one.more(said)]

    return Figures(
        (*_names(families, 0), "inputTokenCount", *_COUNTS[::2]),
        (*_names(families, 1), "outputTokenCount", _COUNTS[1], _RESULTS),
        "total_tokens",
        {path: kind for one in families for path, kind in one.members.items()},
        frozenset[str]().union(*(one.beside for one in families)),
        tuple(term for one in families for term in one.terms),
        more,
    )


def _names(families: tuple[Figures, ...], side: int) -> list[str]:
    return [name for one in families for name in (one.tokens_in, one.tokens_out)[side]]
