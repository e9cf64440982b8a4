"""The error that is told to the client of a broken stream of Cohere."""

import json

from penstock.core.errors import ProviderBroke
from penstock.providers.dialects import DIALECTS
from tests.kit.dialects import read

COHERE = DIALECTS["cohere"]


def test_a_broken_stream_ends_as_a_failed_one_does() -> None:
    frame = COHERE.error_frame(ProviderBroke("The provider broke off."))
    assert frame.startswith(b"event: message-end\ndata: ")
    told = json.loads(frame.partition(b"data: ")[2])
    assert told["delta"] == {"finish_reason": "ERROR", "error": "The provider broke off."}
    assert read(COHERE, frame).error
