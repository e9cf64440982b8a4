"""What a request of OpenAI responses asks for."""

from penstock.model.usage import Asked
from penstock.providers.dialects import DIALECTS

RESPONSES = DIALECTS["openai_responses"]


def test_what_a_request_asks() -> None:
    assert RESPONSES.asked(b'{"model":"m","input":"x","stream":true}') == Asked("m", stream=True, wants_usage=True)
    assert RESPONSES.usage_frame is None
