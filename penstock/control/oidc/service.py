"""From what an identity provider says of somebody to a session."""

from collections.abc import Mapping
from typing import Any

from penstock.control.context import Control
from penstock.control.oidc.grants import granted
from penstock.control.oidc.party import Party, Refused
from penstock.control.oidc.users import admitted, turned_away, user_of
from penstock.control.sessions import service as sessions
from penstock.control.sessions.service import Session
from penstock.core.logs import log
from penstock.storage import accounts
from penstock.storage.engine import within


async def begin(control: Control, party: Party, claims: Mapping[str, Any]) -> Session:
    """Signs somebody in, to whom something is granted. Raises Refused."""
    user = user_of(party.account or await _first_account(control), party.issuer, claims)
    rights = granted(party.grants, claims)
    if rights is None:
        await turned_away(control, user)
        looked_at = ", ".join(dict.fromkeys(grant.claim for grant in party.grants))
        log.warning("nothing is granted to somebody who would sign in by OpenID Connect; looked at: %s", looked_at)
        raise Refused(
            403,
            "The identity provider knows you, but nothing that it says of you is granted anything here. "
            f"What was looked at: {looked_at}. Ask whoever runs Penstock.",
        )
    return await sessions.begin(control, await admitted(control, user, rights), sessions.new_id())


async def _first_account(control: Control) -> str:
    """The one that the first start made."""
    async with control.database.reading() as connection:
        known = await within(connection, accounts.list_accounts)
    return known[0]
