"""A request for images or a transcription."""

from penstock.model.usage import Asked
from penstock.providers.dialects import DIALECTS

MEDIA = DIALECTS["openai_media"]


def form(*fields: tuple[bytes, bytes]) -> bytes:
    head = b"--b\r\nContent-Disposition: form-data; name="
    return b"".join(head + b'"%b"\r\n\r\n%b\r\n' % field for field in fields) + b"--b--\r\n"


def test_json_and_forms_name_their_model() -> None:
    assert MEDIA.asked(b'{"model":"gpt-image-1","stream":true}') == Asked("gpt-image-1", stream=True, wants_usage=True)
    file = (b"file", b"x" * 1_000_000)
    for fields in ([(b"model", b"whisper-1"), file], [file, (b"model", b"whisper-1")]):
        assert MEDIA.asked(form(*fields)) == Asked("whisper-1")
    assert MEDIA.asked(form((b"model", b"m"), (b"stream", b"True"))).stream
    assert MEDIA.asked(form(file)) == Asked()


def test_quality_and_size_of_pictures_are_told() -> None:
    terms = ("quality=hd", "size=1792x1024")
    assert MEDIA.asked(b'{"model":"dall-e-3","prompt":"x","size":"1792x1024","quality":"hd","n":1}').terms == terms
    assert MEDIA.asked(form((b"model", b"dall-e-2"), (b"size", b"1792x1024"), (b"quality", b"hd"))).terms == terms
    assert MEDIA.asked(b'{"model":"dall-e-3","size":7,"quality":null}').terms == ()
