"""Gateways that come to be by being called: the account's ``default`` (specification of the data plane, 1.6)."""

from typing import Protocol

from penstock.model.token import Token


class Births(Protocol):
    """Whoever keeps the configuration."""

    async def make(self, account: str, token: Token) -> None:
        """Creates the account's gateway ``default`` where it is missing, on behalf of ``token``.

        Returns when the snapshot has it. Raises a PenstockError (503) where the store cannot be written.
        """
        ...
