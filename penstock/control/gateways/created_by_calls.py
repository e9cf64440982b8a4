"""Gateways that calls make: ``default``, by the first call of its account."""

from penstock.control.context import Context, Control
from penstock.control.gateways.service import ensure_default
from penstock.model.token import Token
from penstock.ports.default_gateways import DefaultGateways


class CreatedByCalls(DefaultGateways):
    """Creates them through the control plane."""

    def __init__(self, control: Control) -> None:
        self._control = control

    async def create_default(self, account: str, token: Token) -> None:
        await ensure_default(Context(self._control, account, token))
