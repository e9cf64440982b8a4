"""The error that is told to the client of a broken stream of Workers AI."""

import json

from penstock.core.errors import ProviderBroke
from penstock.providers.dialects import DIALECTS
from tests.kit.dialects import read

WORKERS = DIALECTS["workers_ai"]


def test_a_broken_stream_ends_with_an_envelope() -> None:
    frame = WORKERS.error_frame(ProviderBroke("The provider broke off."))
    told = json.loads(frame.removeprefix(b"data: "))
    assert (told["success"], told["errors"][0]["message"]) == (False, "The provider broke off.")
    assert read(WORKERS, frame).error
