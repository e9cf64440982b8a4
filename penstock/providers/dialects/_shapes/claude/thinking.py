"""How much Claude is to think, how long its answer may be, and how freely it chooses: each limits the others.

https://platform.claude.com/docs/en/build-with-claude/thinking
"""

from typing import Any

from penstock.model.chat import ChatRequest, Effort, Notes
from penstock.providers.dialects._shapes.claude.models import Model
from penstock.providers.dialects._shapes.members import written

Json = dict[str, Any]
LEAST = 1_024  # tokens of a budget
_BUDGETS = {"minimal": LEAST, "low": 2_048, "medium": 8_192, "high": 16_384, "xhigh": 32_768, "max": 32_768}
_LEVELS = ((2_048, "low"), (12_288, "medium"))  # up to so many tokens of a budget
_NARROW = 0.95  # the least top_p beside thinking


def thinking_of(request: ChatRequest, model: Model, *, may_think: bool, notes: Notes) -> Json:
    """``thinking``, ``max_tokens``, and the effort, of a request of another dialect."""
    effort = request.effort
    limit = request.max_tokens
    off: Json = {"max_tokens": limit or model.tokens}
    if model.off:  # it thinks unasked
        off["thinking"] = {"type": model.off}
    if effort is None:
        return {"max_tokens": off["max_tokens"]} if may_think else off
    if _off(effort):
        if model.off is None:  # it cannot be turned off
            notes.lost("reasoning_effort")
            off["effort"] = "low"
        return off
    budget = _budget(effort)
    if may_think and model.adaptive:
        thinking = {"type": "adaptive", "display": _display(effort)}
        return {
            "thinking": written(thinking),
            "effort": _level(effort, model),
            "max_tokens": limit or model.tokens + budget,
        }
    if limit is not None:
        budget = min(budget, limit // 2)  # the rest is for the answer
    if not (may_think and model.budget) or budget < LEAST:
        notes.lost("reasoning_effort")
        return off
    thinking = {"type": "enabled", "budget_tokens": budget, "display": _display(effort)}
    return {"thinking": written(thinking), "max_tokens": limit or model.tokens + budget}


def sampling_of(request: ChatRequest, model: Model, *, thinks: bool, notes: Notes) -> Json:
    """``temperature``, ``top_p`` and ``top_k``, as far as the model takes them; defaults are left out silently."""
    told: Json = {}
    temperature, top_p = request.temperature, request.top_p
    free = model.sampling and not thinks
    if temperature is not None and temperature != 1:
        if not free or temperature > 1:
            notes.lost("temperature")
        if free:
            told["temperature"] = min(temperature, 1)
    if top_p is not None and top_p != 1:
        if model.sampling and (top_p >= _NARROW or not thinks) and (model.both or not told):
            told["top_p"] = top_p
        else:
            notes.lost("top_p")
    if request.top_k is not None:
        if free:
            told["top_k"] = request.top_k
        else:
            notes.lost("top_k")
    return told


def _off(effort: Effort) -> bool:
    return effort.level == "none" or (not effort.level and effort.budget == 0)


def _budget(effort: Effort) -> int:
    """Tokens that may be spent on thinking."""
    if effort.budget is not None and effort.budget > 0:
        return max(effort.budget, LEAST)
    return _BUDGETS.get(effort.level, _BUDGETS["high"])


def _level(effort: Effort, model: Model) -> str | None:
    """The nearest that the model knows; None: it chooses."""
    if effort.level:
        level = {"minimal": "low"}.get(effort.level, effort.level)
        return "high" if level == "xhigh" and not model.xhigh else level
    if effort.budget is None or effort.budget < 0:
        return None
    budget = effort.budget
    return next((level for most, level in _LEVELS if budget <= most), "high")


def _display(effort: Effort) -> str | None:
    return None if effort.shown is None else "summarized" if effort.shown else "omitted"
