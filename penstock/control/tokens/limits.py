"""What the holder of a token may spend and call, on the wire."""

from collections.abc import Hashable
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from penstock.control.values import WHOLE, spelt
from penstock.model.limits import RateLimit
from penstock.model.money import FOREVER, NANO, Budget, Window

_H = TypeVar("_H", bound=Hashable)
YEAR = 366 * 86_400  # seconds
_MOST = 5_000_000  # dollars: as nano-dollars still an integer that Redis counts exactly
_STARS = 4
_PATTERN = r"(\*|[*a-z0-9._-]{1,64}/[!-~]{1,256})"


def distinct(values: list[_H]) -> list[_H]:
    if len(set(values)) < len(values):
        raise PydanticCustomError("distinct", "names something twice")
    return values


def _stars(value: str) -> str:
    if value.count("*") > _STARS:
        raise PydanticCustomError("stars", "has more than {most} stars", {"most": _STARS})
    return value


_form = spelt(_PATTERN, "must be provider/model, as in openai/gpt-4o-mini, where * stands for any characters; or *")
ModelPattern = Annotated[str, *_form, AfterValidator(_stars)]
unique = AfterValidator(distinct), Field(json_schema_extra={"uniqueItems": True})
ModelPatterns = Annotated[list[ModelPattern], Field(min_length=1, max_length=100), *unique]
Seconds = Annotated[int, Field(ge=1, le=YEAR), WHOLE]
Technique = Literal["fixed", "sliding"]
_TECHNIQUE = "`fixed`: within each window of the clock, UTC; `sliding`: within any interval of that length."


def _window(value: object, handler: ValidatorFunctionWrapHandler) -> object:
    """One sentence, in place of one for each kind of value that it might be."""
    try:
        return handler(value)
    except ValidationError as error:
        said = "must be day, week, month, forever, or a number of seconds from 1 to {year}"
        raise PydanticCustomError("window", said, {"year": f"{YEAR:,}"}) from error


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class TokenBudget(_Strict):
    """What calls with the token may cost."""

    amount: Annotated[float, Field(ge=0.000001, le=_MOST, allow_inf_nan=False)] = Field(description="US dollars.")
    window: Annotated[Literal["day", "week", "month", "forever"] | Seconds, WrapValidator(_window)] = Field(
        description="The time for which it is; a number is seconds; `forever`: it is not renewed."
    )
    technique: Technique = Field(
        "fixed", description=f"{_TECHNIQUE} Weeks begin on Monday; a sliding month is 30 days."
    )

    def limit(self) -> Budget:
        """Whose it is, is still to be said."""
        if self.window == "forever":
            window = FOREVER
        elif isinstance(self.window, int):
            window = Window(self.technique, "second", self.window)
        else:
            window = Window(self.technique, self.window)
        return Budget("", round(self.amount * NANO), window)


class TokenRate(_Strict):
    """How many calls may be made with the token."""

    limit: Annotated[int, Field(ge=1, le=1_000_000_000), WHOLE] = Field(description="Calls.")
    window: Seconds = Field(description="Seconds.")
    technique: Technique = Field("fixed", description=_TECHNIQUE)

    def rate(self) -> RateLimit:
        return RateLimit(self.window, self.limit, self.technique)


class BudgetShown(BaseModel):
    """A budget, and what is left of it."""

    amount: float = Field(description="US dollars.")
    window: Literal["day", "week", "month", "forever"] | int
    technique: Technique
    spent: float = Field(description="US dollars, within the window.")
    reserved: float | None = Field(description="US dollars, by calls that run; null: this process does not know it.")
    resets_at: datetime | None = Field(description="When a fixed window ends.")


def budget(found: Budget | None) -> dict[str, Any] | None:
    """As TokenBudget says."""
    if found is None:
        return None
    window = found.window
    if window.technique == "forever":
        return {"amount": found.limit / NANO, "window": "forever", "technique": "fixed"}
    span = window.units if window.unit == "second" else window.unit
    return {"amount": found.limit / NANO, "window": span, "technique": window.technique}


def rate(found: RateLimit | None) -> dict[str, Any] | None:
    """As TokenRate says."""
    if found is None:
        return None
    return {"limit": found.limit, "window": found.interval, "technique": found.technique}
