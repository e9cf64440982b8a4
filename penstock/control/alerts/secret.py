"""What signs an alert's webhooks."""

import secrets as randomness
from base64 import b64encode

from penstock.core.sealing import Vault
from penstock.features.webhooks import PREFIX


def new() -> str:
    """A secret as Standard Webhooks spells it."""
    return PREFIX + b64encode(randomness.token_bytes(32)).decode()


def place(account: str, alert_id: str) -> tuple[str, ...]:
    """What it is bound to (``core.sealing``)."""
    return "alerts", account, alert_id, "secret"


def sealed(vault: Vault, account: str, alert_id: str, secret: str) -> str:
    return vault.seal(secret, *place(account, alert_id))
