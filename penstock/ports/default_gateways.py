"""Creates an account's gateway ``default`` at the first call to it (docs/gateways.md)."""

from typing import Protocol

from penstock.model.token import Token


class DefaultGateways(Protocol):
    """Implemented where the configuration is kept."""

    async def create_default(self, account: str, token: Token) -> None:
        """Creates the account's gateway ``default`` where it is missing, on behalf of ``token``.

        Returns when the snapshot has it. Raises a PenstockError (503) where the store cannot be written.
        """
        ...
