"""Assertions of service accounts, made by Google's own library, and what is wrong with others."""

import json
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from google.auth import crypt, jwt

from penstock.mock.assertions import exchange, public_key, token

EMAIL, HERE = "me@project.example", "127.0.0.1:8788/oauth2/token"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
PRIVATE, OTHER = (rsa.generate_private_key(65537, 2048) for _ in range(2))
ACCOUNTS = {EMAIL: PRIVATE.public_key()}


def asserted(key=PRIVATE, **changes):
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    now = int(time.time())
    claims = {"iss": EMAIL, "scope": "cloud", "aud": f"http://{HERE}", "iat": now, "exp": now + 3600} | changes
    return jwt.encode(crypt.RSASigner.from_string(pem), claims).decode()


def answered(assertion, grant=GRANT):
    answer = exchange(urlencode({"grant_type": grant, "assertion": assertion}).encode(), HERE, ACCOUNTS)
    return answer.status, json.loads(b"".join(answer.known()))


def test_the_assertion_of_a_known_account_is_exchanged_for_its_token():
    status, told = answered(asserted())
    assert status == 200
    assert told == {"access_token": token(EMAIL, ACCOUNTS[EMAIL]), "expires_in": 3599, "token_type": "Bearer"}
    assert told["access_token"] != token(EMAIL, OTHER.public_key())


def unsigned():
    """As the first of the known attacks on such assertions has it: nothing signs them."""
    return f"eyJhbGciOiJub25lIn0.{asserted().split('.')[1]}."


@pytest.mark.parametrize(
    ("assertion", "error", "says"),
    [
        (asserted(OTHER), "invalid_grant", "Invalid JWT Signature."),
        (asserted() + "AA", "invalid_grant", "Invalid JWT Signature."),
        (unsigned(), "invalid_grant", "Invalid JWT Signature."),
        (asserted(iss="other@project.example"), "invalid_grant", "account not found"),
        (asserted(iat=1, exp=3601), "invalid_grant", "reasonable timeframe"),
        (asserted(exp=int(time.time()) + 7200), "invalid_grant", "reasonable timeframe"),
        (asserted(aud="https://oauth2.googleapis.com/token"), "invalid_grant", "audience"),
        (asserted(scope=""), "invalid_scope", "scope"),
        ("", "invalid_grant", "Bad Request"),
        ("a.b.c", "invalid_grant", "Bad Request"),
        ("\u00e9.\u00e9.\u00e9", "invalid_grant", "Bad Request"),
    ],
)
def test_what_is_wrong_with_others_is_said_as_google_says_it(assertion, error, says):
    status, told = answered(assertion)
    assert (status, told["error"]) == (400, error)
    assert says in told["error_description"]


def test_other_grants_are_not_given():
    assert answered(asserted(), "password")[1]["error"] == "unsupported_grant_type"


def test_the_key_of_an_account_is_a_public_key_or_a_certificate():
    name = x509.Name([])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(1)
    now = datetime.now(UTC)
    made = made.not_valid_before(now).not_valid_after(now + timedelta(1)).public_key(PRIVATE.public_key())
    for pem in (
        made.sign(PRIVATE, SHA256()).public_bytes(Encoding.PEM),
        PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    ):
        assert public_key(pem) == PRIVATE.public_key()
    wrong = ec.generate_private_key(ec.SECP256R1()).public_key()
    for pem in (b"nothing", wrong.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)):
        with pytest.raises(ValueError):
            public_key(pem)
