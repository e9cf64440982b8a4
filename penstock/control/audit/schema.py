"""What the API says about the audit trail."""

from typing import Any

from pydantic import BaseModel, Field

from penstock.control.envelope import Paging
from penstock.control.values import Text


class AuditQuery(Paging):
    """Which page of which changes."""

    subject: Text = Field("", max_length=256, description="The id of what was changed.")
    action: Text = Field("", max_length=64, description="What was done: `token.revoke`, or all of a kind: `token`.")
    actor: Text = Field(
        "", max_length=256, description="Who did it: a token's id or name, or a user at the command line."
    )


class Change(BaseModel):
    """One change: who, what, before and after. No secret is in it."""

    id: str
    created_at: str
    account: str
    actor: str
    actor_name: str
    action: str
    subject: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
