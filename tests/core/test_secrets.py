import hashlib
import re
import zlib

from penstock.core import secrets


def test_a_secret_has_its_form_and_no_other_has_it():
    found = {secrets.new() for _ in range(1000)}
    assert len(found) == 1000
    for secret in found:
        assert re.fullmatch(r"pst_[A-Za-z0-9]{40}[0-9a-f]{8}", secret)
        assert int(secret[-8:], 16) == zlib.crc32(secret[:-8].encode())


def test_what_is_stored_is_its_sha_256():
    assert secrets.digest(b"a secret") == hashlib.sha256(b"a secret").digest()
