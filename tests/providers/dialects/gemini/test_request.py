"""A request of Gemini."""

from penstock.model.usage import Asked
from penstock.providers.dialects import DIALECTS

GEMINI = DIALECTS["gemini"]


def test_the_model_may_be_in_the_body_too() -> None:
    assert GEMINI.asked(b'{"contents":[],"stream":true}') == Asked()
    assert GEMINI.asked(b'{"model":"models/gemini-embedding-001","content":{}}') == Asked("models/gemini-embedding-001")
