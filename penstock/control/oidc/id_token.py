"""ID tokens: who signed one, for whom, for which sign-in, and until when (OpenID Connect Core, 3.1.3.7)."""

import hmac
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

LEEWAY = 60  # seconds that clocks may differ
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")

_KINDS = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}  # of keys, by what an algorithm begins with
_MOST_TRIED = 10
_LONGEST = 255  # characters of a subject, by the standard


class Unsound(Exception):
    """An ID token that must not be believed; the message says why."""


class NoKey(Unsound):
    """It is signed with a key that is not among those that are known."""


class Expected(NamedTuple):
    issuer: str
    client_id: str
    nonce: str


def verified(token: str, keys: Sequence[Mapping[str, Any]], expected: Expected) -> dict[str, Any]:
    """Its claims. ``keys``: the provider's JSON Web Keys. Raises Unsound."""
    import jwt  # noqa: PLC0415  an extra, and of no use to who does not sign in so

    try:
        head = jwt.get_unverified_header(token)
        algorithm = head.get("alg")
        if algorithm not in ALGORITHMS:
            raise Unsound(f"the algorithm {ascii(algorithm)[:20]} is not taken")
        claims = _signed(token, list(_fitting(keys, algorithm, head.get("kid"))), algorithm, expected)
    except jwt.InvalidTokenError as error:
        raise Unsound(str(error)) from None
    _check(claims, expected)
    return claims


def _signed(token: str, keys: Sequence[Mapping[str, Any]], algorithm: str, expected: Expected) -> dict[str, Any]:
    """Raises NoKey, and InvalidTokenError."""
    import jwt  # noqa: PLC0415  as above

    for key in keys[:_MOST_TRIED]:
        try:
            return jwt.decode(
                token,
                jwt.PyJWK(dict(key), algorithm),
                algorithms=[algorithm],
                audience=expected.client_id,
                issuer=expected.issuer,
                leeway=LEEWAY,
                options={"require": ["iss", "sub", "aud", "exp", "iat"]},
            )
        except jwt.InvalidSignatureError:
            continue
        except jwt.exceptions.PyJWKError:  # a key of a kind that is not known
            continue
    raise NoKey("no key of the provider has signed it")


def _fitting(keys: Sequence[Mapping[str, Any]], algorithm: str, kid: object) -> Iterator[Mapping[str, Any]]:
    """Those that may have signed it."""
    for key in keys:
        named = kid is None or key.get("kid") == kid
        meant = key.get("use", "sig") == "sig" and key.get("alg", algorithm) == algorithm
        if named and meant and key.get("kty") == _KINDS[algorithm[:2]]:
            yield key


def _check(claims: Mapping[str, Any], expected: Expected) -> None:
    """Raises Unsound."""
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise Unsound("it is for another sign-in: the nonce is not ours")
    alone = claims["aud"] in (expected.client_id, [expected.client_id])
    if claims.get("azp", expected.client_id if alone else None) != expected.client_id:
        raise Unsound("it is for another client: azp is not ours")
    if not 0 < len(claims["sub"]) <= _LONGEST:
        raise Unsound("it names nobody, or somebody by a name that is too long")
