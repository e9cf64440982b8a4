"""What the API says about dropping cached answers. An addition of Penstock."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from penstock.control.values import EXACT, WHOLE, Text


class Purge(BaseModel):
    """Which of a gateway's answers are dropped: all of them, or those of which all that is said is true."""

    model_config = ConfigDict(extra="forbid", strict=True)

    cache_key: Annotated[Text, Field(min_length=1, max_length=16384)] | None = Field(
        None, description="The one that a client keeps under this key of its own (`cf-aig-cache-key`)."
    )
    older_than: Annotated[int, Field(ge=1, le=EXACT), WHOLE] | None = Field(
        None, description="Those that are at least so many seconds old."
    )


class Purged(BaseModel):
    purged: int = Field(description="Answers that were dropped and had been known here.")
