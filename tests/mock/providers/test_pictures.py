import json

import pytest

from penstock.core import codec
from penstock.mock import dispatch
from penstock.mock.answer import Refusal
from penstock.mock.controls import NONE
from penstock.mock.providers.pictures import PNG, field

FORM = (
    b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n'
    b"Content-Type: image/png\r\n\r\n\x89PNG\r\n"
    b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nA \xc3\xa9 dot\r\n--b--\r\n'
)


def ask(path, body, method="POST"):
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return codec.decode(dispatch.answer(method, f"/{path}".encode(), sent, NONE).known()[0])


def test_fal_paints_at_once_and_tells_of_what_was_queued():
    told = ask("fal/fal-ai/flux/dev", {"prompt": "a dot"})
    assert (told["prompt"], len(told["images"])) == ("a dot", 1)
    assert ask("fal/fal-ai/flux/requests/1-2/status", b"", "GET")["status"] == "COMPLETED"
    assert ask("fal/fal-ai/flux/requests/1-2", b"", "GET")["images"]
    assert ask("fal/fal-ai/flux/dev", {}).keys() == {"detail"}


def test_ideogram_takes_a_form_and_on_older_paths_json():
    for told in (
        ask("ideogram/v1/ideogram-v3/generate", FORM),
        ask("ideogram/generate", {"image_request": {"prompt": "A é dot"}}),
    ):
        (image,) = told["data"]
        assert (image["prompt"], image["is_image_safe"]) == ("A é dot", True)
    assert "no such field" in ask("ideogram/v1/ideogram-v3/generate", b"--b--")["error"]


def test_firefly_names_its_error():
    assert ask("adobe-firefly/v3/images/generate", {"prompt": "a dot"})["outputs"]
    assert ask("adobe-firefly/v3/images/generate", {})["error_code"] == "validation_error"


def test_a_field_is_found_behind_files_and_one_that_is_missing_is_refused():
    assert field(FORM, b"prompt") == "A é dot"
    with pytest.raises(Refusal, match="other"):
        field(FORM, b"other")


def test_the_picture_is_one():
    assert PNG.startswith(b"\x89PNG\r\n\x1a\n")
    assert PNG.endswith(b"IEND\xaeB`\x82")
