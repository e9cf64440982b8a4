"""OpenAI's speech. The sound tells nothing of itself: the request tells how many characters are spoken. A stream of
events ends in its usage, as one of a transcription does.
"""

from penstock.model.usage import Reported
from penstock.providers.dialects._facets import Dialect
from penstock.providers.dialects.openai_speech import request


def openai_speech(media: Dialect) -> Dialect:
    """The dialect, made of that of images and transcriptions."""
    return Dialect(
        "openai_speech",
        asked=request.asked,
        figures=media.figures,
        reported=_nothing,
        reported_edges=_nothing,
        reader=media.reader,
        silent=True,
    )


def _nothing(*_: bytes) -> Reported:
    return Reported()
