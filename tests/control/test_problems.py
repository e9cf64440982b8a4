"""What is wrong with a body or a query is said in whole sentences, whatever words pydantic has for it."""

from typing import Literal

import pytest
from pydantic import BaseModel, Field, ValidationError

from penstock.control.problems import problems


class _Asked(BaseModel):
    count: int = Field(1, ge=1, le=9)
    share: float = Field(0.5, gt=0, lt=1, allow_inf_nan=False)
    order: Literal["asc", "desc"] = "asc"
    names: list[str] = Field([], max_length=1)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"count": 0}, "count: must be 1 or more"),
        ({"count": 10}, "count: must be 9 at most"),
        ({"count": "many"}, "count: must be a whole number"),
        ({"count": 1.5}, "count: must be a whole number"),
        ({"share": 0}, "share: must be more than 0.0"),
        ({"share": 1}, "share: must be less than 1.0"),
        ({"share": "half"}, "share: must be a number"),
        ({"share": float("inf")}, "share: must be a number"),
        ({"order": "up"}, "order: must be 'asc' or 'desc'"),
        ({"names": ["a", "b"]}, "names: must have at most 1 entries"),
    ],
)
def test_each_fault_is_a_sentence(body, sentence):
    with pytest.raises(ValidationError) as wrong:
        _Asked.model_validate(body)
    assert [problem["message"] for problem in problems(wrong.value.errors())] == [sentence]
