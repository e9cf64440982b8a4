"""What predictions used: each vector tells the tokens of its text, and pictures are counted."""

import re

from penstock.core.codec import encode
from penstock.model.usage import Reported, Used
from penstock.providers.accounting import Figures
from penstock.providers.kinds import IMAGE

# Within a text the quotes would be escaped.
_TOKENS = re.compile(rb'"token_count"\s{0,9}:\s{0,9}(\d{1,9})(?:\.0)?\s{0,9}[,}]')
_PICTURE = re.compile(rb'"bytesBase64Encoded"\s{0,9}:\s{0,9}"')
_ERROR = re.compile(rb'\s{0,9}\{\s{0,9}"error"')

FIGURES = Figures(("token_count",), (), "", {})


def reported(body: bytes) -> Reported:
    """What a complete, decoded answer says of itself."""
    tokens = [int(match[1]) for match in _TOKENS.finditer(body)]
    told = Reported(raw=encode({"token_count": sum(tokens)}) if tokens else b"", error=bool(_ERROR.match(body)))
    if pictures := sum(1 for _ in _PICTURE.finditer(body)):
        told.fees = [Used(IMAGE, pictures)]
    return told


def reported_edges(head: bytes, tail: bytes) -> Reported:
    """Nothing: what is in between counts as well."""
    return Reported()
