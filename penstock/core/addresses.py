"""Which addresses may be called.

An address that somebody sets through the API could lead into the operator's own network. So it must be public, or lie
in a network that the operator allows. What the operator wrote into the configuration file is trusted and may be
private. Link-local addresses and those of the clouds' metadata services, which hand out credentials, are never called.

An IPv6 address that carries an IPv4 address leads there: both are judged.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

NOT_PUBLIC = "its address is not public"
NEVER = "its address is link-local or that of a metadata service"

# Names under which the clouds' metadata services are found, for where somebody else resolves them: a proxy.
_METADATA_NAMES = frozenset(
    {
        "instance-data",
        "instance-data.ec2.internal",
        "metadata",
        "metadata.azure.internal",
        "metadata.goog",
        "metadata.google.internal",
        "metadata.packet.net",
        "metadata.platformequinix.com",
        "metadata.tencentyun.com",
        "rancher-metadata",
    }
)


# Zones that no public name is in.
_PRIVATE_ZONES = (".home.arpa", ".internal", ".local", ".svc")


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(map(ipaddress.ip_network, texts))


_NEVER = _networks(
    "169.254.0.0/16",  # link-local; of nearly all clouds
    "100.100.100.200",  # Alibaba
    "168.63.129.16",  # Azure's fabric
    "192.0.0.192",  # Oracle, classic
    "fe80::/10",  # link-local
    "fd00:ec2::/112",  # AWS
    "fd00:c1::a9fe:a9fe",  # Oracle
    "fd20:ce::254",  # Google
    "fd00:42::42",  # Scaleway
    "fd00:a9fe:a9fe::1",  # Akamai
)
_SPECIAL_V4 = _networks(
    "0.0.0.0/8",  # this host
    "10.0.0.0/8",  # private
    "100.64.0.0/10",  # shared by the customers of a provider (CGNAT)
    "127.0.0.0/8",  # loopback
    "172.16.0.0/12",  # private
    "192.0.0.0/24",  # protocol assignments
    "192.0.2.0/24",  # documentation
    "192.88.99.0/24",  # relays of 6to4
    "192.168.0.0/16",  # private
    "198.18.0.0/15",  # benchmarks
    "198.51.100.0/24",  # documentation
    "203.0.113.0/24",  # documentation
    "224.0.0.0/4",  # multicast
    "240.0.0.0/4",  # reserved, and broadcast
)
_NAT64 = IPv6Network("64:ff9b::/96")
_PUBLIC_V6 = (IPv6Network("2000::/3"), _NAT64)  # in NAT64 the address within decides
_SPECIAL_V6 = _networks(
    "2001::/23",  # protocol assignments, Teredo among them
    "2001:db8::/32",  # documentation
    "2002::/16",  # 6to4
    "3fff::/20",  # documentation
)


class Rules:
    """``allowed``: networks that may be called although they are not public."""

    __slots__ = ("_allowed",)

    def __init__(self, allowed: Sequence[Network] = ()) -> None:
        self._allowed = tuple(allowed)

    def refusal(self, address: Address, *, trusted: bool) -> str:
        """Why the address may not be called; empty: it may."""
        carried = tuple(_carried(address))
        if any(_within(one, _NEVER) for one in (address, *carried)):
            return NEVER
        if trusted or _within(address, self._allowed):
            return ""
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address, carried = address.ipv4_mapped, ()
        for one in (address, *carried):
            if not (_public(one) or _within(one, self._allowed)):
                return NOT_PUBLIC
        return ""

    def host_refusal(self, host: str, *, trusted: bool) -> str:
        """The same for a host, as far as its name alone tells: a literal address, or a name that always means one."""
        name = _plain(host)
        if name in _METADATA_NAMES:
            return NEVER
        address = IPv4Address("127.0.0.1") if is_localhost(host) else literal(host)
        return "" if address is None else self.refusal(address, trusted=trusted)

    def plain(self, host: str) -> bool:
        """Whether it may be called without TLS: it lies in a network that the operator allows, or, where there is one,
        has a name that is never a public one.
        """
        name = _plain(host)
        address = IPv4Address("127.0.0.1") if is_localhost(host) else literal(host)
        if address is None:
            return bool(self._allowed) and ("." not in name or name.endswith(_PRIVATE_ZONES))
        return _within(address, self._allowed)


PUBLIC = Rules()


def literal(host: str) -> Address | None:
    """The address that ``host`` spells, in any way that resolvers understand; None: it is a name.

    Beside the usual forms these are IPv4 addresses with fewer than four parts, and with octal and hexadecimal ones.
    """
    name = _plain(host)
    try:
        return IPv6Address(name.removeprefix("[").removesuffix("]").partition("%")[0])
    except ValueError:
        return _ipv4(name)


def is_localhost(host: str) -> bool:
    """Whether a name means this very machine, whatever a resolver says (RFC 6761)."""
    name = _plain(host)
    return name == "localhost" or name.endswith(".localhost")


def is_here(host: str) -> bool:
    """Whether a host is this very machine, by its name or as a loopback address."""
    address = literal(host)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return is_localhost(host) if address is None else (mapped or address).is_loopback


_PART = re.compile(r"0x(?P<hex>[0-9a-f]*)|(?P<octal>0[0-7]*)|(?P<decimal>[1-9][0-9]*)")


def _ipv4(name: str) -> IPv4Address | None:
    parts = name.split(".")
    numbers = [number for part in parts if (number := _number(part)) is not None]
    if len(numbers) != len(parts) or len(parts) > 4:  # noqa: PLR2004  an address has four octets
        return None
    *heads, last = numbers  # the last part fills all octets that are left
    if any(head > 0xFF for head in heads) or last >= 256 ** (4 - len(heads)):  # noqa: PLR2004
        return None
    value = last
    for place, head in enumerate(heads):
        value |= head << (24 - 8 * place)
    return IPv4Address(value)


def _number(part: str) -> int | None:
    found = _PART.fullmatch(part) if len(part) < 64 else None  # noqa: PLR2004  more digits are no address
    if found is None:
        return None
    if found["hex"] is not None:
        return int(found["hex"] or "0", 16)
    return int(found["octal"], 8) if found["octal"] is not None else int(found["decimal"])


def _plain(host: str) -> str:
    """Lower case, without the dots at the end, and as IDNA reads digits and dots of other scripts."""
    return unicodedata.normalize("NFKC", host).replace("。", ".").lower().rstrip(".")


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not _within(address, _NEVER) and not _within(address, _SPECIAL_V4)
    return _within(address, _PUBLIC_V6) and not _within(address, _SPECIAL_V6)


_COMPATIBLE = IPv6Network("::/96")
_TRANSLATED = IPv6Network("::ffff:0:0:0/96")
_NAT64_LOCAL = IPv6Network("64:ff9b:1::/48")
_LOWEST = (_COMPATIBLE, IPv6Network("::ffff:0:0/96"), _TRANSLATED, _NAT64)
_ISATAP = (b"\x00\x00\x5e\xfe", b"\x02\x00\x5e\xfe")


def _carried(address: Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses to which an IPv6 address may be translated or tunnelled on its way."""
    if isinstance(address, IPv4Address):
        return
    octets = address.packed
    if _within(address, _LOWEST) or octets[8:12] in _ISATAP:
        yield IPv4Address(octets[12:])
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in _NAT64_LOCAL:  # its owner may have cut it at any of these lengths (RFC 6052, 2.2)
        for spread in (octets[6:8] + octets[9:11], octets[7:8] + octets[9:12], octets[9:13], octets[12:]):
            yield IPv4Address(spread)
