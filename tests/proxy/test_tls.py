"""The certificate and its key: what can be used, and what is said of what cannot."""

import ssl
import subprocess

import pytest

from penstock.core.settings import Settings
from penstock.proxy.tls import TlsError, context
from tests.kit.certificates import self_signed


@pytest.fixture
def files(tmp_path):
    return self_signed(tmp_path, "localhost")


def refusal(certificate, key):
    with pytest.raises(TlsError) as refused:
        context(Settings(tls_certificate=str(certificate), tls_key=str(key)))
    return str(refused.value)


def test_without_files_plain_http_is_served():
    assert context(Settings()) is None


def test_good_files_serve_https_of_a_version_that_is_safe(files):
    certificate, key = files
    made = context(Settings(tls_certificate=str(certificate), tls_key=str(key)))
    assert made is not None
    assert made.minimum_version == ssl.TLSVersion.TLSv1_2
    assert made.verify_mode == ssl.CERT_NONE


def test_one_file_may_hold_both(files, tmp_path):
    both = tmp_path / "both.pem"
    both.write_bytes(files[1].read_bytes() + files[0].read_bytes())
    assert context(Settings(tls_certificate=str(both), tls_key=str(both))) is not None


@pytest.mark.parametrize("setting", ["tls_certificate", "tls_key"])
@pytest.mark.parametrize(("fault", "words"), [
    ("missing", "cannot be read: No such file or directory"),
    ("folder", "cannot be read: Is a directory"),
    ("empty", "in PEM"),
    ("the other", "in PEM"),
    ("DER", "in PEM"),
    ("torn", "cannot be used"),
])  # fmt: skip
def test_a_bad_file_is_refused_by_the_name_of_its_setting(files, tmp_path, setting, fault, words):
    given = dict(zip(("tls_certificate", "tls_key"), files, strict=True))
    good, bad = given[setting], tmp_path / "bad.pem"
    if fault == "folder":
        bad.mkdir()
    elif fault != "missing":
        text = good.read_bytes()
        other = next(file for name, file in given.items() if name != setting).read_bytes()
        bad.write_bytes(
            {"empty": b"", "the other": other, "DER": b"\x30\x82\x01\x00", "torn": text[: len(text) // 2]}[fault]
        )
    said = refusal(*(given | {setting: bad}).values())
    assert said.startswith("tls_certificate, tls_key: " if fault == "torn" else f"{setting}: ")
    assert words in said
    assert str(bad) in said


def test_a_key_of_another_certificate_is_refused(files, tmp_path):
    (tmp_path / "other").mkdir()
    _, other = self_signed(tmp_path / "other", "localhost")
    assert refusal(files[0], other).startswith(f"tls_key: {other} is not the key of")


def test_a_key_with_a_password_is_refused_and_nobody_is_asked_for_it(files, tmp_path):
    sealed = tmp_path / "sealed.pem"
    command = ["openssl", "pkcs8", "-topk8", "-in", files[1], "-out", sealed, "-passout", "pass:secret"]
    subprocess.run(command, check=True, capture_output=True)
    assert "protected by a password" in refusal(files[0], sealed)
