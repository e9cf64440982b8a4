"""OpenAI embeddings. They have no streams."""

from penstock.providers.dialects._facets import Dialect
from penstock.providers.dialects._shapes import openai
from penstock.providers.dialects.openai_embeddings import request, usage

OPENAI_EMBEDDINGS = Dialect(
    "openai_embeddings",
    asked=request.asked,
    figures=openai.FIGURES,
    reported=usage.reported,
    reported_edges=usage.reported_edges,
)
