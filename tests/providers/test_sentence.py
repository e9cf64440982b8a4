"""The sentence in an error's body, in the shapes that providers have."""

import pytest

from penstock.providers.sentence import sentence


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": {"message": "Bad temperature", "type": "invalid_request_error"}}', "Bad temperature"),
        (b'{"type": "error", "error": {"type": "x", "message": "Overloaded"}}', "Overloaded"),
        (b'[{"error": {"code": 400, "message": "API key not valid"}}]', "API key not valid"),
        (b'{"error": [{"code": 2005, "message": "Failed"}]}', "Failed"),
        (b'{"detail": "Not found"}', "Not found"),
        (b'{"error": {"code": 1}}', ""),
        (b"<html>502</html>", ""),
        (b"\xff", ""),
        (b"", ""),
    ],
)
def test_the_providers_words_are_found(body, said):
    assert sentence(body) == said
