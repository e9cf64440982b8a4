"""How a model is to answer: ``inferenceConfig``, and what only some models have, ``additionalModelRequestFields``.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InferenceConfiguration.html
https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html
https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html
"""

from typing import NamedTuple

from penstock.model.chat import ChatRequest, Effort, Notes
from penstock.providers.dialects._shapes.claude.models import Model
from penstock.providers.dialects._shapes.claude.thinking import sampling_of, thinking_of
from penstock.providers.dialects._shapes.members import written
from penstock.providers.dialects.bedrock_converse.chat.models import Takes
from penstock.providers.dialects.bedrock_converse.chat.words import Json

_LEVELS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}
_BUDGETS = ((2_048, "low"), (12_288, "medium"))  # up to so many tokens


class Inference(NamedTuple):
    """``effort``: the level that ``outputConfig`` has."""

    config: Json
    fields: Json
    effort: str | None = None


def inference_of(request: ChatRequest, takes: Takes, *, may_think: bool, notes: Notes) -> Inference:
    """``may_think``: neither a forced call nor what was said before forbids it."""
    stop = [one for one in request.stop or () if one.strip() or not takes.claude]
    if len(stop) != len(request.stop or ()):
        notes.lost("stop")
    config: Json = {"maxTokens": request.max_tokens, "stopSequences": stop or None}
    if takes.claude is not None:
        return _claude(request, takes.claude, config, may_think=may_think, notes=notes)
    level = _level(request.effort)
    fields: Json = {}
    if request.temperature is not None:
        config["temperature"] = min(request.temperature, 1)
        if request.temperature > 1:
            notes.lost("temperature")
    config["topP"] = request.top_p
    if request.top_k is not None:
        if takes.nova:
            fields["inferenceConfig"] = {"topK": request.top_k}
        else:
            notes.lost("top_k")
    if level and takes.efforts:
        fields["reasoning_effort"] = level
    elif level and takes.nova > 1:
        fields["reasoningConfig"] = _nova(level, config, notes)
    elif level:
        notes.lost("reasoning_effort")
    return Inference(written(config), fields)


def _claude(request: ChatRequest, model: Model, config: Json, *, may_think: bool, notes: Notes) -> Inference:
    thinking = thinking_of(request, model, may_think=may_think, notes=notes)
    on = thinking.get("thinking", {}).get("type") in ("enabled", "adaptive")
    sampling = sampling_of(request, model, thinks=on, notes=notes)
    config |= {"temperature": sampling.get("temperature"), "topP": sampling.get("top_p")}
    fields = {"thinking": thinking.get("thinking"), "top_k": sampling.get("top_k")}
    return Inference(written(config), written(fields), thinking.get("effort"))


def _level(effort: Effort | None) -> str:
    """low, medium or high; empty: no thinking is asked for."""
    if effort is None:
        return ""
    if effort.level or effort.budget is None:
        return _LEVELS.get(effort.level, "")
    if effort.budget < 0:
        return "medium"
    return next((level for most, level in _BUDGETS if effort.budget <= most), "high") if effort.budget else ""


def _nova(level: str, config: Json, notes: Notes) -> Json:
    """The highest effort refuses limits."""
    if level == "high" and config["maxTokens"] is not None:
        notes.lost("reasoning_effort")
        level = "medium"
    if level == "high":
        for member, name in (("temperature", "temperature"), ("topP", "top_p")):
            if config.pop(member, None) is not None:
                notes.lost(name)
    return {"type": "enabled", "maxReasoningEffort": level}
