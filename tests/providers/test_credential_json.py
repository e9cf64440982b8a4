"""Keys that are JSON: what is taken, and which member is named where one is not."""

import json

import pytest

from penstock.providers.credential_json import is_json, read

AWS = {"accessKeyId": "AKIAIOSFODNN7EXAMPLE", "secretAccessKey": "wJalrXUtnFEMI", "region": "us-east-1"}
GOOGLE = {
    "type": "service_account",
    "project_id": "p",
    "private_key_id": "0123456789abcdef",
    "private_key": "-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----\n",
    "client_email": "a@p.iam.gserviceaccount.com",
    "universe_domain": "googleapis.com",
}


@pytest.mark.parametrize(
    ("shape", "credential", "name"),
    [
        ("aws", AWS, "AKIAIOSFODNN7EXAMPLE"),
        ("aws", AWS | {"sessionToken": "t"}, "AKIAIOSFODNN7EXAMPLE"),
        ("google", GOOGLE, "0123456789abcdef"),
        ("google", GOOGLE | {"region": "europe-west1"}, "0123456789abcdef"),
    ],
)
def test_a_credential(shape, credential, name):
    text = json.dumps(credential, indent=2)
    assert is_json(shape, text)
    assert read(shape, text).name == name


@pytest.mark.parametrize(
    ("shape", "text", "named"),
    [
        ("aws", json.dumps({name: AWS[name] for name in ("accessKeyId", "region")}), "`secretAccessKey`"),
        ("aws", json.dumps(AWS | {"region": 1}), "`$.region`"),
        ("aws", json.dumps(AWS | {"region": " "}), "lacks region"),
        ("aws", json.dumps(AWS | {"colour": "red"}), "`colour`"),
        ("aws", '{"accessKeyId":}', "malformed"),
        ("google", json.dumps(GOOGLE | {"type": "authorized_user"}), "lacks type: service_account"),
        ("google", json.dumps(GOOGLE | {"private_key": "none"}), "lacks private_key: a key in PEM"),
        ("google", json.dumps(GOOGLE).replace("\\n", "\\\\n"), "lacks private_key: a key in PEM"),
        ("google", json.dumps(GOOGLE | {"token_uri": "http://x"}), "lacks token_uri: an https address"),
        ("google", json.dumps(GOOGLE | {"token_uri": "http://127.0.0.1:80@x/"}), "lacks token_uri"),
        ("google", json.dumps(GOOGLE | {"token_uri": "http://localhost.example/"}), "lacks token_uri"),
        ("google", json.dumps(GOOGLE | {"client_email": ""}), "lacks client_email"),
        ("google", json.dumps({"type": "service_account"}), "`project_id`"),
    ],
)
def test_another_shape_is_refused_and_the_member_named(shape, text, named):
    with pytest.raises(ValueError, match="is not the JSON of") as refused:
        read(shape, text)
    assert named in str(refused.value)
    assert "authorized_user" not in str(refused.value)


def test_a_plain_key_is_none_nor_is_any_of_a_provider_without_a_shape():
    assert not is_json("aws", "bedrock-api-key-0123")
    assert not is_json("", json.dumps(AWS))
