"""What the API says about dynamic routes (docs/routes.md tells what they mean)."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WrapValidator
from pydantic_core import PydanticCustomError

from penstock.control.envelope import Many, One
from penstock.control.gateways.schema import Strict
from penstock.control.values import spelt
from penstock.core import codec, instants
from penstock.storage.gateways import GatewayRow
from penstock.storage.routes import DeploymentRow, RouteRow, VersionRow

MOST_ELEMENTS = 50  # of a route
LARGEST = 64 * 1024  # bytes of them
MOST_ROUTES = 100  # of a gateway

Kind = Literal["start", "conditional", "percentage", "rate", "rate_limit", "model", "end"]
Name = Annotated[
    str,
    *spelt(
        r"[A-Za-z0-9_-]([A-Za-z0-9 _-]{0,62}[A-Za-z0-9_-])?",
        "a name is 1 to 64 of A-Z, a-z, 0-9, _, - and inner spaces",
    ),
]
Id = Annotated[str, Field(max_length=256)]


class Output(BaseModel):
    """Where it goes on."""

    model_config = ConfigDict(extra="allow", strict=True)

    element_id: Id = Field(alias="elementId")


class Element(BaseModel):
    """One element of a graph; answered as it was sent."""

    model_config = ConfigDict(extra="allow", strict=True)

    id: Id
    type: Kind
    outputs: dict[str, Output] = {}
    properties: dict[str, Any] = {}


def as_sent(value: Any, check: Callable[[Any], Any]) -> Any:
    """The JSON itself, once it has the right shape: other members, and the order of all, stay."""
    check(value)
    try:
        data = codec.encode(value)
        same = codec.decode(data) == value
    except (ValueError, OverflowError, RecursionError):  # half a character, a deep value
        data, same = b"", False
    if not same:
        raise PydanticCustomError("json", "must hold no number or text that is none of JSON")
    if len(data) > LARGEST:
        raise PydanticCustomError("large", "must be {most} bytes of JSON at most", {"most": LARGEST})
    return value


Elements = Annotated[list[Element], Field(max_length=MOST_ELEMENTS), WrapValidator(as_sent)]


class _Elements(Strict):
    elements: Elements = Field(description="The graph. One that cannot run is stored, and cannot be deployed.")

    @property
    def sent(self) -> list[dict[str, Any]]:
        """The elements as they came."""
        sent: list[Any] = self.elements
        return sent


class RouteCreate(_Elements):
    """A new route."""

    name: Name = Field(description="Calls name it as the model `dynamic/{name}`.")


class VersionCreate(_Elements):
    """A new version."""


class DeploymentCreate(Strict):
    """What is to be deployed."""

    version_id: str


class RouteUpdate(Strict):
    """The name that a route is to have. What was read can be sent back: fields that can only be read must be as they
    are; times, ``deployment`` and ``version`` are passed over.
    """

    name: Name | None = None

    id: str | None = None
    gateway_id: str | None = None
    account_tag: str | None = None
    elements: Elements | None = Field(None, description="Cannot be changed: create a version, and deploy it.")
    deployment: dict[str, Any] | None = None
    version: dict[str, Any] | None = None
    created_at: str | None = None
    modified_at: str | None = None


class Broken(BaseModel):
    """The first thing that is wrong."""

    message: str
    path: list[str | int]


class Version(BaseModel):
    """A version. ``number`` and ``fault`` are additions of Penstock."""

    version_id: str
    number: int = Field(description="1, 2, … of its route.")
    active: Literal["true", "false"] = Field(description="Whether it is the deployed one.")
    created_at: str
    data: str = Field(description="The elements as JSON in a text.")
    is_valid: bool = Field(description="Whether it can be deployed.")
    fault: Broken | None = Field(description="Why it cannot, as it was seen when it was created.")


class Deployment(BaseModel):
    """One time that a version was deployed. All three are empty where there was none yet."""

    deployment_id: str
    version_id: str
    created_at: str


class _Named(BaseModel):
    id: str
    name: str
    gateway_id: str
    account_tag: str
    created_at: datetime
    modified_at: datetime
    elements: list[Element]


class Route(_Named):
    """A route. ``version`` and its ``elements`` are the deployed ones; while none are, the newest."""

    deployment: Deployment
    version: Version


class RouteVersion(_Named, Version):
    """A version, and the route it is of; ``created_at`` is that of the version."""

    created_at: datetime  # pyright: ignore[reportIncompatibleVariableOverride]


class _Place(BaseModel):
    order_by: str
    order_by_direction: str
    page: int
    per_page: int


class _Routes(_Place):
    routes: list[Route]


class _Versions(_Place):
    versions: list[Version]


class _Deployments(_Place):
    deployments: list[Deployment]


class RouteList(Many[Route]):
    """The same twice: `data` as in the published API, `result` as in its other lists."""

    data: _Routes


class VersionList(Many[Version]):
    """The same twice."""

    data: _Versions


class DeploymentList(Many[Deployment]):
    """The same twice."""

    data: _Deployments


class Beside(BaseModel):
    """What Terraform's provider looks for outside of the result."""

    id: str
    created_at: datetime
    modified_at: datetime
    deployment: Deployment
    version: Version


class Renamed(One[Route], Beside):
    """The same twice, `route` as in the published API, and parts of it beside."""

    route: Route


def told(gateway: GatewayRow, row: RouteRow) -> dict[str, Any]:
    """A route as it is answered."""
    return {
        **_named(gateway, row, row.version),
        "created_at": instants.text(row.created_at),
        "deployment": told_deployment(row.deployment),
        "version": told_version(row, row.version),
    }


def told_alone(gateway: GatewayRow, row: RouteRow, version: VersionRow) -> dict[str, Any]:
    """A version as it is answered by itself."""
    return _named(gateway, row, version) | told_version(row, version)


def told_version(row: RouteRow, version: VersionRow) -> dict[str, Any]:
    """A version as it stands in its route, and in lists."""
    return {
        "version_id": version.id,
        "number": version.number,
        "active": "true" if row.deployment is not None and row.deployment.version == version.id else "false",
        "created_at": instants.text(version.created_at),
        "data": version.data,
        "is_valid": version.judged is None,
        "fault": version.fault,
    }


def told_deployment(row: DeploymentRow | None) -> dict[str, Any]:
    if row is None:
        return dict.fromkeys(Deployment.model_fields, "")
    return {"deployment_id": row.id, "version_id": row.version, "created_at": instants.text(row.created_at)}


def _named(gateway: GatewayRow, row: RouteRow, version: VersionRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "gateway_id": gateway.id,
        "account_tag": gateway.account,
        "modified_at": instants.text(row.modified_at),
        "elements": version.elements,
    }
