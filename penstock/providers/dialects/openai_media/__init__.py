"""OpenAI's images and transcriptions. Their streams report usage in the event that ends them."""

from penstock.providers.dialects._facets import Dialect
from penstock.providers.dialects.openai_media import request, stream, usage

OPENAI_MEDIA = Dialect(
    "openai_media",
    asked=request.asked,
    figures=usage.FIGURES,
    reported=usage.reported,
    reported_edges=usage.reported_edges,
    reader=stream.Reader,
)
