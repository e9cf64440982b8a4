"""What somebody may do of whom an identity provider says something: what the first grant says that matches, no more.

Grants are not added up: the permissions of one would meet the gateways of another.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from penstock.core.settings_sections import OidcGrant
from penstock.model.token import SCOPES, SHORT

ANY = "*"
_BY_NAME = {scope.lower(): scope for scope in SCOPES} | SHORT


class Rights(NamedTuple):
    """As in ``model.token.Token``."""

    scopes: frozenset[str]
    gateways: frozenset[str] | None


def check(grants: Sequence[OidcGrant]) -> None:
    """Raises ValueError for a permission that there is not."""
    for word in (word for grant in grants for word in grant.scopes):
        if word.lower() not in _BY_NAME:
            known = ", ".join(f"{short} ({scope})" for short, scope in SHORT.items())
            raise ValueError(f"[[oidc_grants]]: there is no permission {word!r}; there are: {known}.")


def granted(grants: Sequence[OidcGrant], claims: Mapping[str, Any]) -> Rights | None:
    """None: no grant matches."""
    for grant in grants:
        if _matches(grant, claims):
            scopes = frozenset(_BY_NAME[word.lower()] for word in grant.scopes)
            return Rights(scopes, None if grant.gateways is None else frozenset(grant.gateways))
    return None


def _matches(grant: OidcGrant, claims: Mapping[str, Any]) -> bool:
    """An address that the provider did not verify could be anybody's."""
    if grant.claim == "email" and claims.get("email_verified") not in (True, "true"):
        return False
    said = claims.get(grant.claim)
    members = cast("list[object]", said) if isinstance(said, list) else [said]
    return any(grant.value in (ANY, text) for member in members if (text := _text(member)))


def _text(value: object) -> str:
    """Of an object, and of what is not there or false: nothing."""
    if isinstance(value, bool):
        return "true" if value else ""
    return str(value) if isinstance(value, str | int) else ""
