"""What pydantic finds wrong, in our sentences, each with the path of its field."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from penstock.core.errors import Invalid

_LENGTHS = {
    "too_short": "must be {min_length} or more characters long",
    "too_long": "must be {max_length} characters long at most",
    "string_too_short": "must be {min_length} or more characters long",
    "string_too_long": "must be {max_length} characters long at most",
}
_KINDS = {
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "string_type": "must be a text",
    "bool_type": "must be true or false",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "greater_than_equal": "must be {ge} or more",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be {le} at most",
    "less_than": "must be less than {lt}",
    "literal_error": "must be {expected}",
}


def problems(errors: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """``errors``: of pydantic's exception, with places that begin with the part of the request."""
    for problem in errors:
        if problem["type"] == "json_invalid":
            _, place = problem["loc"]
            message = f"body: is not JSON: {problem['ctx']['error']} (at character {place})"
            yield {"code": Invalid.code, "message": message, "path": ["body"]}
            continue
        path = [part for part in problem["loc"] if part != "[key]"]  # pydantic's word for a key that is wrong itself
        name = path[-1] if len(path) > 1 else path[0]
        yield {"code": Invalid.code, "message": f"{name}: {_sentence(problem)}", "path": path}


def _sentence(problem: Mapping[str, Any]) -> str:
    if problem["type"] == "extra_forbidden":
        return "there is no such field"
    if isinstance(problem["input"], str) and (sentence := _LENGTHS.get(problem["type"])):  # pydantic counts "items"
        return sentence.format_map(problem["ctx"])
    if problem["type"] == "too_short":
        return "must have {min_length} or more entries".format_map(problem["ctx"])
    if problem["type"] == "too_long":
        return "must have at most {max_length} entries".format_map(problem["ctx"])
    sentence = _KINDS.get(problem["type"])
    return sentence.format_map(problem.get("ctx", {})) if sentence else str(problem["msg"])
