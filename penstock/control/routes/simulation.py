"""What the API says about simulated calls of dynamic routes."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, WrapValidator

from penstock.control.gateways.schema import Strict
from penstock.control.routes.schema import Elements, Id, Kind, as_sent
from penstock.model.simulation import Question

_Json = WrapValidator(as_sent)
_Headers = Annotated[dict[str, str], Field(max_length=100), _Json]
_Object = Annotated[dict[str, Any], _Json]
_Assume = Annotated[dict[Id, str], Field(max_length=50), _Json]


class _Simulate(Strict):
    headers: _Headers = Field({}, description="Headers of the call, by name.")
    metadata: _Object | None = Field(None, description="As in `cf-aig-metadata`.")
    body: _Object | None = Field(
        None, description="That of a chat completion; its `model` is the route, whatever it says."
    )
    assume: _Assume = Field(
        {}, description="Outputs that are taken whatever the call says, by the id of their element."
    )
    draw: float | None = Field(
        None,
        ge=0,
        lt=1,
        allow_inf_nan=False,
        description="What is drawn wherever calls are divided; random without it.",
    )

    elements: Elements | None = Field(None, description="In the place of a version: elements that are not stored.")

    @property
    def sent(self) -> list[dict[str, Any]]:
        """The elements as they came."""
        sent: list[Any] = self.elements or []
        return sent

    def question(self) -> Question:
        return Question(self.headers, self.metadata, self.body, self.assume, self.draw)


class SimulateRoute(_Simulate):
    """A call, of the deployed version or another one."""

    version_id: str | None = Field(None, description="A version that is not deployed.")


class SimulateElements(_Simulate):
    """A call of a route that is not stored."""

    elements: Elements = Field(description="They must be a graph that can run.")  # pyright: ignore[reportIncompatibleVariableOverride]


class SimulatedLimit(BaseModel):
    """A limit as it stands before the call."""

    key: str
    value: str = Field(description="What the call is counted under.")
    used: float | None = Field(description="`null` where it is not known.")
    limit: float
    unit: Literal["calls", "dollars"]
    interval: int = Field(description="Seconds.")
    technique: Literal["fixed", "sliding"]
    counted_by: str = Field(
        description="`redis`, `memory` (of the process that answers), `assumed`, or `nobody`: this process does not see"
        " the counts. While Redis is away, what is done then."
    )


class SimulatedShare(BaseModel):
    """An output of a `percentage` element."""

    output: str
    element: str
    percent: float


class SimulatedElement(BaseModel):
    """An element on the path of the call. ``output`` is empty where the route ends."""

    element: str
    type: Kind
    output: str
    why: str
    assumed: bool
    limit: SimulatedLimit | None
    shares: list[SimulatedShare] | None


class SimulatedKey(BaseModel):
    """The key that a call travels with: a stored one with its alias, or one of the configuration."""

    source: Literal["byok", "wholesale"]
    alias: str = ""


class SimulatedCall(BaseModel):
    """A model that is asked."""

    element: str
    provider: str
    model: str
    why: str = Field(description="What decided between targets; empty: there was nothing to decide.")
    url: str
    timeout: float = Field(description="Seconds to the first byte.")
    retries: int
    dialect: str = Field(description="What the request is translated into; empty: it is passed on.")
    key: SimulatedKey | None
    priced: bool
    outcome: Literal["success", "fallback"]
    error: str = Field(description="Why it cannot be asked; empty: it can.")
    warnings: list[str]


class SimulatedAnswer(BaseModel):
    """Whose answer the client gets."""

    element: str
    provider: str
    model: str


class SimulatedError(BaseModel):
    """What the client gets instead."""

    status: int
    code: int
    message: str


class Simulation(BaseModel):
    """What a call would do. Ids are `null` for what is not stored."""

    route_id: str | None
    name: str | None
    version_id: str | None
    number: int | None
    path: list[SimulatedElement]
    calls: list[SimulatedCall]
    answer: SimulatedAnswer | None
    error: SimulatedError | None
    warnings: list[str] = Field(description="What of the call's own headers is ignored.")
