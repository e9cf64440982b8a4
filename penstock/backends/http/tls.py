"""TLS towards providers: the system's trust, sessions taken up again, and what is wrong in words."""

import ssl
from typing import Self, cast

REMEMBERED = 256  # hosts whose sessions are kept


class Secured(ssl.SSLObject):
    """One connection's TLS. ``incoming``: where what it reads is put, still encrypted."""

    incoming: ssl.MemoryBIO


class Context(ssl.SSLContext):
    """A client's context that takes up the last session with a host again: shorter handshakes, no certificates.

    ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` replace the system's trust store.
    """

    def __new__(cls) -> Self:
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(self) -> None:
        super().__init__()
        self.sslobject_class = Secured
        self.load_default_certs()
        self.set_alpn_protocols(["http/1.1"])
        self._sessions: dict[str, ssl.SSLSession] = {}

    def wrap_bio(  # what asyncio and uvloop make every connection by; neither takes a session
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,  # noqa: FBT001, FBT002
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """See ``ssl.SSLContext.wrap_bio``."""
        if session is None and isinstance(server_hostname, str):
            session = self._sessions.get(server_hostname)
        made = super().wrap_bio(incoming, outgoing, server_side, server_hostname, session)
        cast("Secured", made).incoming = incoming
        return made

    def remember(self, connection: ssl.SSLObject) -> None:
        """Keeps the session of a connection that has read something: with TLS 1.3 there is none before."""
        host, session = connection.server_hostname, connection.session
        if host is not None and session is not None:
            self._sessions.pop(host, None)
            self._sessions[host] = session
            if len(self._sessions) > REMEMBERED:
                del self._sessions[next(iter(self._sessions))]

    def forget(self) -> None:
        """Drops every session; each holds this context."""
        self._sessions.clear()


def closed(connection: ssl.SSLObject) -> bool:
    """Whether the other side said that it ends, once the connection has; else somebody may have cut it."""
    try:
        return not connection.read(1)
    except ssl.SSLZeroReturnError:
        return True
    except ssl.SSLError:
        return False


_EXPIRED, _NOT_YET, _OTHER_HOST, _OTHER_ADDRESS = 10, 9, 62, 64
_UNKNOWN = frozenset({2, 18, 19, 20, 21})  # no issuer, self-signed, self-signed in the chain, and the like
_WORDS = {
    _EXPIRED: "its certificate has expired",
    _NOT_YET: "its certificate is not valid yet",
    _OTHER_HOST: "its certificate is that of another host",
    _OTHER_ADDRESS: "its certificate is not that of this address",
}


def reason(error: ssl.SSLError) -> str:
    """What went wrong in a handshake, for whoever runs the gateway."""
    if isinstance(error, ssl.SSLCertVerificationError):
        code = error.verify_code
        if code in _UNKNOWN:
            return (
                f"its certificate is signed by nobody this machine trusts ({error.verify_message}); see SSL_CERT_FILE"
            )
        return _WORDS.get(code, f"its certificate does not hold ({error.verify_message})")
    if error.reason == "WRONG_VERSION_NUMBER":
        return "it does not speak TLS on this port"
    return (error.reason or str(error)).replace("_", " ").lower()
