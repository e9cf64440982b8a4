"""Whether the server can listen where it should, or already does."""

import errno
import http.client
import socket
import ssl

from penstock.core import codec
from penstock.core.settings import url_of
from penstock.doctor.finding import Findings, Subject, ok, problem, warning

_PATIENCE = 3.0  # seconds that whoever holds the port has to answer
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_OK = 200

_REMEDIES = {
    errno.EACCES: "Choose a port from 1024 on, or give the service the capability CAP_NET_BIND_SERVICE.",
    errno.EADDRNOTAVAIL: "Set host to an address of this machine; 0.0.0.0 or :: is all of them.",
}


def check(subject: Subject) -> Findings:
    """The port: free, held by a Penstock that answers, or a problem."""
    settings = subject.settings
    where = f"{settings.host} port {settings.port}"
    if not settings.port:
        yield ok("port", f"Any free port of {settings.host} will do.")
    else:
        try:
            family, *_, place = socket.getaddrinfo(
                settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            socket.create_server(place[:2], family=family).close()
            yield ok("port", f"{where} is free.")
        except OSError as error:
            yield from _taken(subject, where, error)
    yield from _plain(subject)


def _taken(subject: Subject, where: str, error: OSError) -> Findings:
    if error.errno == errno.EADDRINUSE:
        if _is_penstock(subject):
            yield ok("port", f"{where} is held by a Penstock that answers /healthz.")
        else:
            remedy = "Stop that process (`ss -ltnp` shows it), or choose another port."
            yield problem("port", f"{where} is taken by a process that does not answer as Penstock does.", remedy)
        return
    remedy = _REMEDIES.get(error.errno or 0, "Set host to an address of this machine, and port to one that is free.")
    reason = (error.strerror or str(error)).partition(" (while")[0]
    yield problem("port", f"Penstock cannot listen on {where}: {reason}.", remedy)


def _is_penstock(subject: Subject) -> bool:
    """Whether whoever holds the port answers as we do."""
    settings = subject.settings
    host = url_of(settings.host, settings.port).removeprefix("http://").rpartition(":")[0]
    for connection in _connections(host, settings.port):
        try:
            connection.request("GET", "/healthz")
            answer = connection.getresponse()
            body = answer.read(1024)
            if answer.status == _OK and codec.decode(body).get("status") == "ok":
                return True
        except (OSError, http.client.HTTPException, AttributeError, *codec.DecodeError):
            continue
        finally:
            connection.close()
    return False


def _connections(host: str, port: int) -> list[http.client.HTTPConnection]:
    """In plain and with TLS: the server that runs may have been started with other settings."""
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE  # what it is, not who
    host = host.strip("[]")
    return [
        http.client.HTTPConnection(host, port, timeout=_PATIENCE / 2),
        http.client.HTTPSConnection(host, port, timeout=_PATIENCE / 2, context=trusting),
    ]


def _plain(subject: Subject) -> Findings:
    settings = subject.settings
    if not (settings.host in _LOOPBACK or settings.tls_certificate or settings.public_url.startswith("https://")):
        text = f"{settings.host} can be reached from outside this machine, and tokens and prompts travel unencrypted."
        remedy = "Set tls_certificate and tls_key, or put a proxy with TLS in front and set public_url to its address."
        yield warning("port", text, remedy)
