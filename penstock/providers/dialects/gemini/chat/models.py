"""What models of Gemini take differently, by the beginnings of their names.

https://ai.google.dev/gemini-api/docs/thinking, https://ai.google.dev/gemini-api/docs/openai#thinking
"""

from typing import Any, NamedTuple

from penstock.model.chat import Effort


class Budget(NamedTuple):
    """How many tokens of thinking may be asked for. ``off``: whether none may."""

    least: int
    most: int
    off: bool


_BUDGETS = {  # the first that fits; None: the model does not think
    "gemini-2.5-pro": Budget(128, 32_768, off=False),
    "gemini-2.5-flash-lite": Budget(512, 24_576, off=True),
    "gemini-2.5": Budget(1, 24_576, off=True),
    "gemini-2": None,
    "gemini-1": None,
    "gemma": None,
}
_LEAST = {"gemini-3-pro": "LOW", "gemini-3.1-pro": "LOW"}  # the lowest level of others is MINIMAL
_NO_MEDIUM = ("gemini-3-pro",)
_LEVELS = {"none": 0, "minimal": 1_024, "low": 1_024, "medium": 8_192, "high": 24_576, "xhigh": 32_768, "max": 32_768}

_UP_TO = ((0, "none"), (2_048, "low"), (12_288, "medium"))  # tokens of a budget


def before_3(model: str) -> bool:
    """Whether a model is older than Gemini 3: thought signatures are not required, results of functions are text."""
    return model.rpartition("/")[2].startswith((*_BUDGETS,))


def thinking(model: str, effort: Effort) -> dict[str, Any] | None:
    """The ``thinkingConfig`` for a request of another dialect. None: the model does not think, or nothing is told.

    Dialects that have budgets tell the thinking unless they are asked not to.
    """
    name = model.rpartition("/")[2]
    show = True if effort.shown is None and effort.budget else effort.shown
    shown = {} if show is None else {"includeThoughts": show}
    for prefix, budget in _BUDGETS.items():
        if name.startswith(prefix):
            if budget is None:
                return None
            asked = _LEVELS.get(effort.level) if effort.budget is None else effort.budget
            return ({} if asked is None else {"thinkingBudget": _within(asked, budget)}) | shown or None
    level = _level(name, effort)
    return ({"thinkingLevel": level} if level else {}) | shown or None


def _within(asked: int, budget: Budget) -> int:
    if asked < 0 or (asked == 0 and budget.off):
        return asked
    return min(max(asked, budget.least), budget.most)


def _level(name: str, effort: Effort) -> str:
    level = effort.level
    if not level and effort.budget is not None and effort.budget >= 0:
        level = next((word for most, word in _UP_TO if effort.budget <= most), "high")
    least = next((word for prefix, word in _LEAST.items() if name.startswith(prefix)), "MINIMAL")
    words = {
        "none": least,
        "minimal": least,
        "low": "LOW",
        "medium": "HIGH" if name.startswith(_NO_MEDIUM) else "MEDIUM",
        "high": "HIGH",
        "xhigh": "HIGH",
        "max": "HIGH",
    }
    return words.get(level, "")
