"""What the headers of an answer of Bedrock say of it."""

from penstock.core.codec import encode
from penstock.core.headers import Headers
from penstock.model.usage import Reported

_COUNTS = {
    b"x-amzn-bedrock-input-token-count": "inputTokenCount",
    b"x-amzn-bedrock-output-token-count": "outputTokenCount",
    b"x-amzn-bedrock-cache-read-input-token-count": "cacheReadInputTokenCount",
    b"x-amzn-bedrock-cache-write-input-token-count": "cacheWriteInputTokenCount",
}
_DIGITS = 16
_TIER, _LATENCY = b"x-amzn-bedrock-service-tier", b"x-amzn-bedrock-performanceconfig-latency"
_NAME = 64  # bytes of a tier's name


def completed(reported: Reported, headers: Headers) -> None:
    """Fills in the tier and, where the answer itself told none, the counts."""
    counts: dict[str, int] = {}
    for lower, _, value in headers:
        if lower == _TIER:
            reported.tier = value[:_NAME].decode("latin-1")
        elif lower == _LATENCY:
            reported.terms = ("latency=" + value[:_NAME].decode("latin-1"),)
        elif (member := _COUNTS.get(lower)) and value.isdigit() and len(value) <= _DIGITS:
            counts[member] = int(value)
    if counts and not reported.raw:
        reported.raw, reported.unread = encode(counts), ""
