"""What a request of OpenAI chat asks for."""

from penstock.model.usage import Asked
from penstock.providers.dialects import DIALECTS

CHAT = DIALECTS["openai_chat"]


def test_what_a_request_asks() -> None:
    assert CHAT.asked(b'{"model":"m","messages":[]}') == Asked("m")
    assert CHAT.asked(b'{"model":"m","stream":true}') == Asked("m", stream=True)
    asked = CHAT.asked(b'{"model":"m","stream":true,"stream_options":{"include_usage":true}}')
    assert asked == Asked("m", stream=True, wants_usage=True)
    assert CHAT.asked(b'{"model":5,"stream":"yes"}') == Asked()
    assert CHAT.asked(b"--multipart") == Asked()
