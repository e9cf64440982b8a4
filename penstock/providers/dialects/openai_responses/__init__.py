"""OpenAI responses. Its streams always report usage, in the event that ends them."""

from penstock.providers.dialects._facets import Dialect
from penstock.providers.dialects._shapes import openai
from penstock.providers.dialects.openai_responses import errors, message, request, stream, usage
from penstock.providers.dialects.openai_responses.chat import CLIENT, PROVIDER

OPENAI_RESPONSES = Dialect(
    "openai_responses",
    asked=request.asked,
    figures=openai.FIGURES,
    reported=usage.reported,
    reported_edges=usage.reported_edges,
    reader=stream.Reader,
    error_frame=errors.error_frame,
    message=message.message,
    pieces=message.PIECES,
    client=CLIENT,
    provider=PROVIDER,
)
