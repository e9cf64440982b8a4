"""The certificate that HTTPS is served with."""

import ipaddress
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from penstock.doctor.finding import Findings, Subject, ok, problem, warning
from penstock.proxy.tls import TlsError, context

SOON = timedelta(days=14)
_RENEW = "Renew the certificate, then restart: it is read at the start."


def check(subject: Subject) -> Findings:
    """Readable, a pair, in force, for the public name; nothing where HTTPS is not served."""
    settings = subject.settings
    if not settings.tls_certificate:
        return
    try:
        context(settings)
    except TlsError as error:
        remedy = "Set tls_certificate to the chain, the server's certificate first, and tls_key to that one's key."
        yield problem("tls", str(error).rstrip(".") + ".", remedy)
        return
    certificate = x509.load_pem_x509_certificates(Path(settings.tls_certificate).expanduser().read_bytes())[0]
    yield from dates(certificate, datetime.now(UTC))
    yield from _names(certificate, settings.public_url)
    key = Path(settings.tls_key).expanduser()
    if key.stat().st_mode & stat.S_IRWXO:
        yield problem("tls", f"Everybody on this machine can read the private key {key}.", f"chmod 640 {key}")


def dates(certificate: x509.Certificate, now: datetime) -> Findings:
    """Whether it is in force, and for how long."""
    since, until = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now < since:
        remedy = "Check this machine's clock, or wait."
        yield problem("tls", f"The certificate is valid from {since:%Y-%m-%d %H:%M} UTC on, not yet.", remedy)
    elif now >= until:
        yield problem("tls", f"The certificate expired on {until:%Y-%m-%d %H:%M} UTC.", _RENEW)
    elif until - now < SOON:
        yield warning("tls", f"The certificate expires on {until:%Y-%m-%d}, {_days(until - now)} from now.", _RENEW)
    else:
        yield ok("tls", f"Certificate and key fit; it expires on {until:%Y-%m-%d}, {_days(until - now)} from now.")


def _days(left: timedelta) -> str:
    return "1 day" if left.days == 1 else f"{left.days} days"


def _names(certificate: x509.Certificate, public_url: str) -> Findings:
    """Whether it is for the name under which clients come."""
    host = urlsplit(public_url).hostname or ""
    names, addresses = _held(certificate)
    try:
        fits = ipaddress.ip_address(host) in addresses
    except ValueError:
        fits = any(_matches(name.lower(), host) for name in names)
    if not fits:
        shown = ", ".join([*names, *map(str, addresses)]) or "no name"
        remedy = "Get a certificate for that name, or set public_url to a name that it holds."
        yield warning("tls", f"Clients come to {host}, and the certificate is for {shown}.", remedy)


def _held(certificate: x509.Certificate) -> tuple[list[str], list[ipaddress.IPv4Address | ipaddress.IPv6Address]]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return [], []
    addresses = names.get_values_for_type(x509.IPAddress)
    single = [one for one in addresses if isinstance(one, ipaddress.IPv4Address | ipaddress.IPv6Address)]
    return names.get_values_for_type(x509.DNSName), single


def _matches(name: str, host: str) -> bool:
    """Whether a name of a certificate covers a host; a star stands for one label."""
    return name == host or (name.startswith("*.") and name[2:] == host.partition(".")[2])
