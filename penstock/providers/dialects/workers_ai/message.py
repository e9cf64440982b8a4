"""The message that the events of a stored stream of Workers AI make together."""

import re
from typing import Any

from penstock.providers.dialects._shapes.message import Members, Texts, take_each

_PIECE = re.compile(rb'"response"\s{0,9}:\s{0,9}"')  # of a text, in each event
_PADDING = "p"  # hides how long a piece is
PIECES = (("result", ""),)


def message(chunks: list[bytes]) -> Members | None:
    """``chunks``: the data of each event. None: this is no such stream."""
    if not any(_PIECE.search(chunk) for chunk in chunks):
        return None
    made = Texts()

    def take(event: Any) -> None:
        for member, value in event.items():
            if member == "response":
                made.grow(member, value if isinstance(value, str) else "")
            elif member != _PADDING and value:
                made[member] = value

    take_each(chunks, take)
    return made.joined() if "response" in made else None
