"""What a provider sent before its connection broke, read where the event loop reads no more."""

import contextlib
import socket
import ssl
from collections.abc import Iterator

from penstock.backends.http.tls import Secured

_PIECE = 1 << 16


def remains(sock: socket.socket, secured: ssl.SSLObject | None) -> Iterator[bytes]:
    """What ``sock`` and the TLS above it still hold. A socket that was reset gives what came before the reset."""
    with contextlib.suppress(OSError):  # nothing more has come, or the reset itself, or no TLS of ours
        if secured is None:
            while data := sock.recv(_PIECE):
                yield data
        elif isinstance(secured, Secured):
            yield from _decrypted(sock, secured)


def _decrypted(sock: socket.socket, secured: Secured) -> Iterator[bytes]:
    while True:
        try:
            if not (data := secured.read(_PIECE)):
                return
            yield data
        except ssl.SSLWantReadError:
            if not (data := sock.recv(_PIECE)):
                return
            secured.incoming.write(data)
