"""Secrets inside settings: sealed where they are stored, a mask wherever they are shown (docs/gateways.md).

A write that carries the mask keeps what is stored, for the address it was given for: whoever may change a gateway but
does not know its secrets must not be able to have them sent elsewhere.
"""

from collections.abc import Mapping
from typing import Any

from penstock.control.gateways.schema import MASK, Held, secrets
from penstock.core import codec
from penstock.core.errors import Invalid
from penstock.core.sealing import NotOpened, Vault

CHANGED = f"{MASK} (changed)"


def setting_place(row: tuple[str, str], secret: Held) -> tuple[str, ...]:
    """What a secret is bound to (``core.sealing``). ``row``: account and id of the gateway, here and below."""
    return "gateways", *row, secret.field


def masked(settings: dict[str, Any]) -> dict[str, Any]:
    """The same settings without secrets."""
    if next(secrets(settings), None) is None:
        return settings
    shown = _copy(settings)
    for secret in secrets(shown):
        secret.holder[secret.name] = MASK
    return shown


def audited(
    vault: Vault, row: tuple[str, str], before: dict[str, Any], after: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both as the audit trail keeps them: without secrets, but a secret that took another's place says so after.

    ``row``: account and id of the gateway. Both hold sealed secrets, as they are stored.
    """
    shown = _copy(after)
    known = list(secrets(before))
    for secret in secrets(shown):
        old = _stored(secret, known) or next((held.value for held in known if held.path == secret.path), None)
        same = old is None or _same(vault, old, secret.value, setting_place(row, secret))
        secret.holder[secret.name] = MASK if same else CHANGED
    return masked(before), shown


def sealed(vault: Vault, row: tuple[str, str], sent: dict[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """What was sent, as it is to be stored. ``row``: account and id of the gateway.

    A secret that is no other than the stored one stays as it is stored. Raises Invalid for a mask that stands for
    nothing.
    """
    if next(secrets(sent), None) is None:
        return sent
    kept = _copy(sent)
    known = list(secrets(stored))
    for secret in secrets(kept):
        value, place = secret.value, setting_place(row, secret)
        old = _stored(secret, known)
        if value == MASK and old is None:
            raise Invalid(
                f"{secret.name}: {MASK} stands for the stored value, but none is stored for this address; "
                "send the value itself",
                path=("body", *secret.path),
            )
        same = old is not None and (value == MASK or _opens_to(vault, old, value, place))
        secret.holder[secret.name] = old if same else vault.seal(value, *place)
    return kept


def _stored(secret: Held, known: list[Held]) -> str | None:
    """The stored secret of the same address: at the same place if it is there, else wherever it is; failing that, the
    one at the same place, if the address is still of the same origin.
    """
    alike = [old for old in known if old.field == secret.field]
    matches = [old for old in alike if old.goes_to == secret.goes_to]
    here = [old for old in alike if old.path == secret.path and _origin(old.goes_to) == _origin(secret.goes_to)]
    found = next((old for old in matches if old.path == secret.path), None) or next(iter(matches + here), None)
    return None if found is None else found.value


def _origin(url: str) -> str:
    """Scheme, host and port."""
    return "/".join(url.split("/", 3)[:3]).partition("?")[0].partition("#")[0].lower()


def _same(vault: Vault, old: str, new: str, place: tuple[str, ...]) -> bool:
    """Whether both are sealed of one text; a text is sealed to something else each time."""
    if old == new:
        return True
    try:
        return _opens_to(vault, old, vault.open(new, *place), place)
    except NotOpened:
        return False


def _opens_to(vault: Vault, old: str, value: str, place: tuple[str, ...]) -> bool:
    try:
        return vault.open(old, *place) == value
    except NotOpened:  # of another master key: the value that came takes its place
        return False


def _copy(settings: dict[str, Any]) -> dict[str, Any]:
    return codec.decode(codec.encode(settings))
