"""Predictions of Google's models at Vertex AI: vectors of texts, and pictures. There are no streams of them. The model
stands in the path.
"""

from penstock.model.usage import Asked
from penstock.providers.dialects._facets import Dialect
from penstock.providers.dialects.vertex_predict import usage


def _asked(_: bytes) -> Asked:
    return Asked()


VERTEX_PREDICT = Dialect(
    "vertex_predict",
    asked=_asked,
    figures=usage.FIGURES,
    reported=usage.reported,
    reported_edges=usage.reported_edges,
)
