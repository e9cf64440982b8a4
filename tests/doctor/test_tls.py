"""The certificate."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from penstock.doctor import tls
from tests.kit.certificates import self_signed

URL = "https://gateway.example.com"


@pytest.fixture
def pair(subject, tmp_path):
    """Makes a certificate, and the settings that name it."""

    def make(*hosts, days=90, public_url=URL):
        certificate, key = self_signed(tmp_path, *hosts, days=days)
        key.chmod(0o600)
        return subject(tls_certificate=certificate, tls_key=key, public_url=public_url)

    return make


def test_without_tls_there_is_nothing_to_say(subject):
    assert list(tls.check(subject())) == []


def test_a_good_certificate_is_good(pair, levels):
    ((level, text),) = levels(tls.check(pair("gateway.example.com")))
    assert (level, "Certificate and key fit" in text, "89 days" in text) == ("ok", True, True)


@pytest.mark.parametrize(("days", "level", "said"), [(-1, "problem", "expired on"), (3, "warning", "2 days from now")])
def test_a_certificate_that_ends_is_told_in_time(pair, levels, days, level, said):
    ((found, text),) = levels(tls.check(pair("gateway.example.com", days=days)))
    assert (found, said in text) == (level, True)


def test_a_certificate_of_tomorrow_is_a_problem(pair):
    place = Path(pair("gateway.example.com").settings.tls_certificate)
    certificate = x509.load_pem_x509_certificate(place.read_bytes())
    (found,) = tls.dates(certificate, certificate.not_valid_before_utc - timedelta(hours=1))
    assert (found.level, "not yet" in found.text) == ("problem", True)


def test_the_key_of_another_certificate_is_a_problem(pair, tmp_path, levels):
    first = pair("gateway.example.com")
    shutil.copy(first.settings.tls_certificate, tmp_path / "kept.pem")
    second = pair("gateway.example.com")
    shutil.copy(tmp_path / "kept.pem", second.settings.tls_certificate)
    ((level, text),) = levels(tls.check(second))
    assert (level, "is not the key of the first certificate" in text) == ("problem", True)


def test_a_file_that_is_missing_is_a_problem(subject, tmp_path, levels):
    asked = subject(tls_certificate=tmp_path / "none.pem", tls_key=tmp_path / "none.key")
    ((level, text),) = levels(tls.check(asked))
    assert (level, "none.pem cannot be read" in text) == ("problem", True)


@pytest.mark.parametrize(
    ("hosts", "public_url", "good"),
    [
        (["gateway.example.com"], "https://gateway.example.com", True),
        (["GATEWAY.example.com"], "https://gateway.example.com:8443", True),
        (["*.example.com"], "https://gateway.example.com", True),
        (["*.example.com"], "https://a.gateway.example.com", False),
        (["*.example.com"], "https://example.com", False),
        (["other.example.com", "10.0.0.1"], "https://10.0.0.1", True),
        (["other.example.com"], "https://gateway.example.com", False),
    ],
)
def test_a_certificate_for_another_name_is_a_warning(pair, hosts, public_url, good):
    found = [one for one in tls.check(pair(*hosts, public_url=public_url)) if one.level == "warning"]
    assert bool(found) is not good


def test_a_key_that_everybody_may_read_is_a_problem(pair, tmp_path):
    asked = pair("gateway.example.com")
    (tmp_path / "key.pem").chmod(0o644)
    found = [one for one in tls.check(asked) if one.level == "problem"]
    assert ["Everybody on this machine can read" in one.text for one in found] == [True]
