"""Gemini's generateContent and embedContent, of Google AI Studio and Vertex AI. Streams report usage unasked.

Without ``alt=sse`` a stream is one JSON list that grows by an answer at a time.
"""

from penstock.providers.dialects._facets import Dialect
from penstock.providers.dialects.gemini import chat, errors, message, request, stream, usage

GEMINI = Dialect(
    "gemini",
    asked=request.asked,
    figures=usage.FIGURES,
    reported=usage.reported,
    reported_edges=usage.reported_edges,
    reader=stream.Reader,
    error_frame=errors.error_frame,
    message=message.message,
    client=chat.CLIENT,
    provider=chat.PROVIDER,
)
