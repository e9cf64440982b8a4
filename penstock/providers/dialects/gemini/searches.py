"""What searches of the web cost that an answer of Gemini is grounded on."""

import re

from penstock.core.codec import DecodeError, decoder
from penstock.model.usage import Used
from penstock.providers.dialects._shapes.values import SHORT
from penstock.providers.dialects.gemini.shapes import Candidate, Grounding
from penstock.providers.kinds import UNREAD_FEES, WEB_SEARCH

NAME = b'"webSearchQueries"'
_EACH_PROMPT = re.compile(r"gemini-[12]\.")  # models that pay for a call that searched; later ones for each search

_decode = decoder(Grounding).decode
_decode_queries = decoder(list[str]).decode


class Searches:
    """Collects the queries of an answer. A query that is told twice is one, and an empty one is none."""

    __slots__ = ("_queries", "_unread")

    def __init__(self) -> None:
        self._queries: set[str] = set()
        self._unread = False

    def take(self, candidates: list[Candidate]) -> None:
        """``candidates`` of an answer that has the name in it; empty: they could not be read."""
        self._unread = self._unread or not candidates
        for candidate in candidates:
            self._take(candidate)

    def fees(self, model: str) -> list[Used]:
        if self._unread:
            return [Used(UNREAD_FEES, 1)]
        if not self._queries:
            return []
        return [Used(WEB_SEARCH, 1 if _EACH_PROMPT.search(model) else len(self._queries))]

    def _take(self, candidate: Candidate) -> None:
        if not len(candidate.groundingMetadata):
            return
        try:
            queries = _decode(candidate.groundingMetadata).webSearchQueries
            if len(queries):
                self._queries.update(_decode_queries(queries) if len(queries) <= SHORT else ("",))
                self._unread = self._unread or len(queries) > SHORT
        except DecodeError:
            self._unread = True
        self._queries.discard("")
