"""A connection to a proxy that forwards requests in the clear (RFC 9112, 3.2.2)."""

from penstock.backends.http.connection import Connection
from penstock.backends.http.tunnel import refused_credentials
from penstock.core.errors import ProviderUnreachable
from penstock.core.proxies import Proxy, authority
from penstock.model.outgoing import Outgoing

_CREDENTIALS = 407


class ForwardedConnection(Connection):
    """Names the whole address in each request, and gives the proxy its credentials. ``proxy`` is set before use.

    An error status of the proxy cannot be told from one of the provider and is handed on as an answer, but for 407.
    """

    __slots__ = ("proxy",)

    proxy: Proxy

    def head(self, outgoing: Outgoing) -> list[bytes]:
        """See ``Connection.head``."""
        host, port = self.origin.host, self.origin.port
        place = authority(host, port).removesuffix(":80") if ":" not in host or port != 80 else f"[{host}]"  # noqa: PLR2004
        return [*outgoing.head(b"http://" + place.encode()), self.proxy.credentials]

    def on_headers_complete(self) -> None:
        if self._parser.get_status_code() == _CREDENTIALS:
            self._fail(ProviderUnreachable(reason=refused_credentials(self.proxy)))
        super().on_headers_complete()
