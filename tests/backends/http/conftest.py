"""Transports with short limits."""

import asyncio
import datetime as dt
import ipaddress
import ssl

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from penstock.backends.http.dialer import Dialer
from penstock.backends.http.limits import Limits
from penstock.backends.http.resolver import Unresolved
from penstock.backends.http.transport import HttpTransport
from penstock.core.addresses import Rules
from penstock.core.budget import Budget
from penstock.core.deadlines import Deadlines
from penstock.core.outbox import Outbox
from penstock.core.proxies import Proxies
from penstock.model.body import Bounds, RequestBody
from penstock.model.outgoing import Outgoing
from penstock.model.plan import Origin
from tests.kit import loops
from tests.kit.client import until

DIFFER = {"test_dialer", "test_tls", "test_transport", "test_tunnel"}  # on transports, as each loop makes them


def pytest_asyncio_loop_factories(config, item):
    return loops.BOTH if item.path.stem in DIFFER else loops.SERVING


class Flow:
    """A client that sends when told by the test; ``paused`` as it was asked."""

    paused = False

    def pause(self):
        self.paused = True

    def resume(self):
        self.paused = False

    def proceed(self):
        pass


class Caught:
    """Takes an answer's body."""

    def __init__(self):
        self.data = b""
        self.error = None
        self.ended = asyncio.get_running_loop().create_future()

    def on_frame(self, data):
        self.data += data

    def on_end(self):
        self.ended.set_result(None)

    def on_error(self, error):
        self.error = error
        self.ended.set_result(None)


class Way:
    """A transport with short limits, and what tests do with it."""

    def __init__(
        self, *, between=5.0, idle=5.0, connect=5.0, unread=5.0, pool=10, allowed=(), proxies=None, resolve=None
    ):
        loop = asyncio.get_running_loop()
        self.deadlines = Deadlines(loop)
        self.dialer = Dialer(loop, connect, Rules(allowed), proxies or Proxies(), resolve)
        limits = Limits(between, idle, unread=unread)
        self.transport = HttpTransport(self.deadlines, Outbox(loop, []), limits, self.dialer, pool)

    def outgoing(self, port, *, method=b"POST", body=b"hello", stream=None, **origin):
        place = Origin(**({"tls": False, "host": "127.0.0.1", "port": port, "trusted": True} | origin))
        sent = Outgoing(place, method, b"h", b"/x")
        sent.body, sent.stream, sent.told = b"" if stream else body, stream, True
        return sent

    async def send(self, port, *, first_byte=5.0, **outgoing):
        """The reply, when its head is here."""
        return await self.transport.send(self.outgoing(port, **outgoing), first_byte)

    async def ask(self, port, **outgoing):
        """The status and the body, read to its end. Raises what broke it."""
        reply = await self.send(port, **outgoing)
        return reply.status, await self.read(reply), reply.body.reused

    async def read(self, reply):
        """The body, read to its end. Raises what broke it."""
        caught = Caught()
        reply.body.send_to(caught)
        reply.body.resume()
        async with asyncio.timeout(5):
            await caught.ended
        if caught.error is not None:
            raise caught.error
        return caught.data

    def stop(self):
        self.transport.close()
        self.deadlines.stop()


@pytest_asyncio.fixture
async def a_way():
    """Makes transports; all their connections must have ended with the test."""
    made = []

    def make(**limits):
        made.append(Way(**limits))
        return made[-1]

    yield make
    for way in made:
        way.stop()
        await until(lambda way=way: way.transport.counts() == (0, 0))


@pytest_asyncio.fixture
async def way(a_way):
    return a_way()


@pytest.fixture
def flow():
    return Flow()


@pytest.fixture
def stream(flow):
    """Makes request bodies that are too large to be held whole."""

    def make(*chunks, length=5, complete=True, keep=1000):
        body = RequestBody(flow, Bounds(hold=1, keep=keep, limit=10**9, budget=Budget(10**9)), length)
        for chunk in chunks:
            body.feed(chunk)
        if complete:
            body.finish()
        return body

    return make


# TLS


class Authority:
    """Signs certificates. ``file``: its own, for those who trust it."""

    def __init__(self, folder, name="Test CA"):
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = _name(name)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(_pem(self._sign(self.name, self.key, x509.BasicConstraints(ca=True, path_length=None))))

    def server(self, *hosts, begins=-1, ends=1):
        """The context of a server that is known by these names and addresses; days from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [
            x509.IPAddress(ipaddress.ip_address(h)) if h[0].isdigit() or ":" in h else x509.DNSName(h) for h in hosts
        ]
        certificate = self._sign(_name("server"), key, x509.SubjectAlternativeName(names), begins, ends)
        file = self.folder / "server.pem"
        file.write_bytes(_pem(certificate) + _private(key))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _sign(self, name, key, extension, begins=-1, ends=1):
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + dt.timedelta(days=begins))
            .not_valid_after(now + dt.timedelta(days=ends))
            .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        )
        return builder.sign(self.key, hashes.SHA256())


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key):
    encoding = serialization.Encoding.PEM
    return key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def trusting(authority, monkeypatch):
    """The authority, in the place of the system's trust store."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return authority


@pytest.fixture
def resolving():
    """Makes resolvers that know these names alone; a list has an answer for each time. ``asked``: what they were."""

    def make(names):
        async def resolve(host, port):
            resolve.asked.append(host)
            found = names.get(host, "")
            addresses = found.pop(0) if isinstance(found, list) else found
            if not addresses:
                raise Unresolved("the name does not resolve (nobody knows it)")
            return [(one, port, 0, 0) if ":" in one else (one, port) for one in addresses.split()]

        resolve.asked = []
        return resolve

    return make
