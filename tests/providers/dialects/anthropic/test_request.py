"""What a request of Anthropic messages asks for."""

from penstock.model.usage import Asked
from penstock.providers.dialects import DIALECTS

ANTHROPIC = DIALECTS["anthropic"]


def test_what_a_request_asks() -> None:
    assert ANTHROPIC.asked(b'{"model":"claude","stream":true}') == Asked("claude", stream=True, wants_usage=True)
    assert ANTHROPIC.asked(b'{"model":"claude"}') == Asked("claude")
    assert ANTHROPIC.usage_frame is None
