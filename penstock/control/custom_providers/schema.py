"""What the API says about custom providers (docs/custom-providers.md tells what it means)."""

from collections.abc import Mapping
from datetime import datetime
from operator import itemgetter
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from penstock.control.custom_providers.headers import shown
from penstock.control.custom_providers.logo import logo
from penstock.control.envelope import Paging
from penstock.control.values import Amount, Text, Url, spelt
from penstock.core import instants
from penstock.providers.kinds import TOKENS
from penstock.storage.custom_providers import CustomRow

LARGEST_PRICE = 1_000_000  # US dollars for a million tokens

Name = Annotated[Text, Field(min_length=1, max_length=256)]
Slug = Annotated[
    str, *spelt(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?", "a slug is letters, digits and inner hyphens"),
    Field(min_length=1, max_length=64),
]  # fmt: skip
Example = Annotated[Text, Field(max_length=16384)]
Price = Annotated[float, Field(ge=0, le=LARGEST_PRICE)]


def _kinds(prices: dict[str, float]) -> dict[str, float]:
    if unknown := prices.keys() - TOKENS:
        known = ", ".join(sorted(TOKENS))
        raise PydanticCustomError(
            "kind", "there is no kind {kind} of tokens; there are {known}", {"kind": min(unknown)[:64], "known": known}
        )
    return prices


Prices = Annotated[dict[str, Price], Field(max_length=len(TOKENS)), AfterValidator(_kinds)]


class _Optional(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    description: Annotated[Text, Field(max_length=4096)] | None = None
    link: Url | None = Field(None, description="Where people read about it.")
    enable: bool = Field(default=False, description="Whether it may be called.")
    beta: bool = False
    curl_example: Example | None = None
    js_example: Example | None = None
    headers: Annotated[Text, Field(max_length=65536)] | None = Field(
        None, description="Headers that go with its calls: a JSON object as text. Values are secret."
    )
    position: Amount | None = Field(None, description="Where it stands in lists that people see.")
    prices: Prices | None = Field(
        None, description="US dollars for a million tokens of each kind: `input`, `output`, …. An addition of Penstock."
    )

    @property
    def sent(self) -> dict[str, Any]:
        """The members that came."""
        return self.model_dump(exclude_unset=True)


class CustomCreate(_Optional):
    """A new provider."""

    name: Name
    slug: Slug = Field(description="It is called as `custom-{slug}`.")
    base_url: Url = Field(description="What the paths of calls are put behind; https.")


class CustomUpdate(_Optional):
    """What is to be otherwise; what is left out stays as it is."""

    name: Name = ""
    slug: Slug = ""
    base_url: Url = ""


class CustomProvider(BaseModel):
    """A provider of the account's own."""

    id: str
    account_id: str
    account_tag: str
    name: str
    slug: str
    base_url: str
    description: str | None
    link: str | None
    enable: bool
    beta: bool
    curl_example: str | None
    js_example: str | None
    headers: str | None = Field(description="A JSON object as text, values masked.")
    position: int | None
    prices: dict[str, float] | None
    logo: str = Field(description="A picture made of the slug: SVG in base64.")
    created_at: datetime
    modified_at: datetime


_ORDERED = ("beta", "created_at", "enable", "id", "modified_at", "name", "position", "slug")


class CustomPaging(Paging):
    """Which page of which providers."""

    enable: bool | None = None
    beta: bool | None = None
    search: Text = Field("", max_length=256, description="A part of the id, the name or the slug.")
    order_by: str = Field(
        "created_at ASC",
        pattern=rf"^({'|'.join(_ORDERED)})( (ASC|DESC|asc|desc))?$",
        description="A member, and ASC or DESC.",
    )

    def fits(self, row: CustomRow) -> bool:
        wanted = (("enable", self.enable), ("beta", self.beta))
        if any(value is not None and row.settings.get(name, False) is not value for name, value in wanted):
            return False
        search = self.search.lower()
        return any(search in text.lower() for text in (row.id, row.settings["name"], row.slug))

    def ordered(self, rows: list[CustomRow]) -> list[CustomRow]:
        """Where members are alike, the older one first; what has no position comes last."""
        name, _, way = self.order_by.partition(" ")
        ranks = [(_rank(row, name), row) for row in rows]
        there = [pair for pair in ranks if pair[0] is not None]
        there.sort(key=itemgetter(0), reverse=way.upper() == "DESC")
        return [row for _, row in there] + [row for rank, row in ranks if rank is None]


def _rank(row: CustomRow, name: str) -> Any:
    default = False if name in {"beta", "enable"} else None
    value: Any = getattr(row, name) if name in CustomRow.__struct_fields__ else row.settings.get(name, default)
    return value.lower() if isinstance(value, str) else value


def told(row: CustomRow) -> dict[str, Any]:
    """A provider as it is answered."""
    get = row.settings.get
    return {
        "id": row.id,
        "account_id": row.account,
        "account_tag": row.account,
        "name": get("name"),
        "slug": row.slug,
        "base_url": get("base_url"),
        "description": get("description"),
        "link": get("link"),
        "enable": get("enable", False),
        "beta": get("beta", False),
        "curl_example": get("curl_example"),
        "js_example": get("js_example"),
        "headers": shown(get("headers")),
        "position": get("position"),
        "prices": get("prices"),
        "logo": logo(row.slug),
        "created_at": instants.text(row.created_at),
        "modified_at": instants.text(row.modified_at),
    }


def audited(row: CustomRow, before: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The same as the audit trail keeps it. ``before``: the headers there were, to say which are others now."""
    kept = told(row)
    kept["headers"] = shown(row.settings.get("headers"), before)
    for name in ("logo", "account_id", "account_tag", "created_at", "modified_at", "id"):
        del kept[name]
    return kept
