"""What every answer of the API is wrapped in, and how lists are paged (docs/endpoints.md)."""

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

_R = TypeVar("_R")


class Cause(BaseModel):
    """A finer code."""

    code: int
    message: str


class Message(BaseModel):
    """Something that the caller should know, or that is wrong."""

    code: int
    message: str
    path: list[str | int] = Field([], description="Where in the request it is: what part, then the names down to it.")
    error_chain: list[Cause] = []


class ResultInfo(BaseModel):
    """Where a page stands."""

    page: int
    per_page: int
    count: int
    total_count: int | None = None
    total_pages: int | None = None


class Envelope(BaseModel):
    """What every answer is wrapped in."""

    success: bool
    errors: list[Message]
    messages: list[Message]


class Failure(Envelope):
    """What a refusal looks like."""

    result: None = None


class One(Envelope, Generic[_R]):
    """One of a kind."""

    result: _R


class Many(Envelope, Generic[_R]):
    """A page of a list."""

    result: list[_R]
    result_info: ResultInfo


class Paging(BaseModel):
    """Query parameters of a list."""

    model_config = ConfigDict(extra="forbid")

    page: int = Field(1, ge=1, le=10_000_000, description="Page, from 1.")
    per_page: int = Field(20, ge=1, le=100, description="Entries a page.")

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.per_page
