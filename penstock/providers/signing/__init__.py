"""Keys that are JSON, which are not sent but sign, or are exchanged. Which kind: ``credential_json`` of the row."""

from typing import Protocol

from penstock.model.credential import Credential
from penstock.model.outgoing import Outgoing
from penstock.model.plan import Target


class Signer(Protocol):
    """One kind of such keys."""

    async def sign(self, outgoing: Outgoing, target: Target, credential: Credential) -> None:
        """Adds the headers that show the key's right to the request. Raises NoCredential where it cannot."""
        ...
