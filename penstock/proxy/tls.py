"""HTTPS: the certificate and its key. Imports little: the command looks at them before it does anything else."""

import ssl
from pathlib import Path

from penstock.core.settings import Settings


class TlsError(ValueError):
    """Certificate and key cannot be used; the message names the setting and says why."""


def context(settings: Settings) -> ssl.SSLContext | None:
    """What HTTPS is served with; None: HTTPS is not asked for. Raises TlsError."""
    if not settings.tls_certificate:
        return None
    certificate, key = Path(settings.tls_certificate).expanduser(), Path(settings.tls_key).expanduser()
    _expect("tls_certificate", certificate, b"-----BEGIN CERTIFICATE-----", "certificate")
    _expect("tls_key", key, b"PRIVATE KEY-----", "private key")
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.options |= ssl.OP_NO_RENEGOTIATION
    made.set_alpn_protocols(["http/1.1"])
    try:
        made.load_cert_chain(certificate, key, _no_password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise TlsError(f"tls_key: {key} is not the key of the first certificate in {certificate}") from error
        reason = (error.reason or str(error)).replace("_", " ").lower()
        raise TlsError(f"tls_certificate, tls_key: {certificate} and {key} cannot be used: {reason}") from error
    except _Password as error:
        raise TlsError(f"tls_key: {key} is protected by a password; store it without one") from error
    return made


class _Password(Exception):
    """The key wants one."""


def _no_password() -> str:
    """Without it, OpenSSL would ask at the terminal."""
    raise _Password


def _expect(setting: str, path: Path, words: bytes, what: str) -> None:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TlsError(f"{setting}: {path} cannot be read: {error.strerror}") from error
    if words not in data:
        raise TlsError(f"{setting}: {path} holds no {what} in PEM")
