"""What OpenAI's chat and embeddings have in common, and what all its dialects call their figures."""

from penstock.core.codec import Raw, Struct
from penstock.providers.accounting import Figures
from penstock.providers.dialects._shapes.values import NOTHING, present

_IN = ("prompt_tokens_details", "input_tokens_details")
_OUT = ("completion_tokens_details", "output_tokens_details")
_MEDIA = ("audio", "image", "video")

FIGURES = Figures(  # chat and embeddings name them by prompt and completion, responses by input and output
    ("prompt_tokens", "input_tokens"),
    ("completion_tokens", "output_tokens"),
    "total_tokens",
    {
        **{f"{details}.cached_tokens": "cache_read" for details in _IN},
        **{f"{details}.cache_write_tokens": "cache_write" for details in _IN},
        **{f"{details}.{medium}_tokens": f"input_{medium}" for details in _IN for medium in _MEDIA},
        **{f"{details}.reasoning_tokens": "output_reasoning" for details in _OUT},
        **{f"{details}.{medium}_tokens": f"output_{medium}" for details in _OUT for medium in _MEDIA},
    },
)

MEMBERS = (b"model", b"usage", b"error", b"service_tier")  # of an answer: those that count wherever they stand


class Answer(Struct):
    """An answer."""

    model: Raw = NOTHING
    usage: Raw = NOTHING
    error: Raw = NOTHING
    service_tier: Raw = NOTHING
    object: Raw = NOTHING  # of an error, as the next two
    message: Raw = NOTHING
    detail: Raw = NOTHING


def is_error(answer: Answer) -> bool:
    """Whether an answer is an error in one of the forms that providers give it."""
    if len(answer.error) and present(answer.error):
        return True
    if len(answer.usage):
        return False
    return bytes(answer.object) == b'"error"' or present(answer.message) or present(answer.detail)
