"""Graphs to begin with: each can run, and is edited from there."""

from typing import Any, NamedTuple

_SMALL = ("openai", "gpt-4o-mini")
_LARGE = ("openai", "gpt-4o")
_OTHER = ("anthropic", "claude-haiku-4-5")


class Ready(NamedTuple):
    title: str
    about: str
    elements: list[dict[str, Any]]


def _element(name: str, kind: str, properties: dict[str, Any] | None = None, **outputs: str) -> dict[str, Any]:
    told = {output: {"elementId": target} for output, target in outputs.items()}
    return {"id": name, "type": kind, **({} if properties is None else {"properties": properties}), "outputs": told}


def _start(target: str) -> dict[str, Any]:
    return _element("start", "start", next=target)


def _model(name: str, model: tuple[str, str], fallback: str = "") -> dict[str, Any]:
    properties = {"provider": model[0], "model": model[1], "timeout": 0, "retries": 0}
    return _element(name, "model", properties, success="end", **({"fallback": fallback} if fallback else {}))


_END = _element("end", "end")
_SPLIT = _element("split", "percentage", {}) | {
    "outputs": {"50% A": {"elementId": "a"}, "50% B": {"elementId": "b"}},
}
_PLAN = _element("plan", "conditional", {"conditions": {"metadata.plan": "paid"}}, true="paid", false="free")


def _limit(kind: str, limit: int, window: int) -> dict[str, Any]:
    properties = {"limitType": kind, "key": "metadata.user", "limit": limit, "window": window}
    return _element("limit", "rate", properties, success="large", fallback="small")


READY: dict[str, Ready] = {
    "fallback": Ready(
        "One model with a fallback",
        "A model is asked; if it fails, another one is.",
        [_start("first"), _model("first", _SMALL, "second"), _model("second", _OTHER), _END],
    ),
    "split": Ready(
        "A/B split",
        "Half of the calls go to one model, half to another.",
        [_start("split"), _SPLIT, _model("a", _SMALL), _model("b", _OTHER), _END],
    ),
    "metadata": Ready(
        "By metadata",
        "Calls whose metadata say plan: paid go to a larger model.",
        [_start("plan"), _PLAN, _model("paid", _LARGE), _model("free", _SMALL), _END],
    ),
    "rate": Ready(
        "Rate limited",
        "Each user has 100 calls an hour of the larger model, and the smaller one after that.",
        [_start("limit"), _limit("count", 100, 3600), _model("large", _LARGE), _model("small", _SMALL), _END],
    ),
    "budget": Ready(
        "Budget limited",
        "Each user may spend 5 US dollars a day on the larger model, and has the smaller one after that.",
        [_start("limit"), _limit("cost", 5, 86_400), _model("large", _LARGE), _model("small", _SMALL), _END],
    ),
    "balanced": Ready(
        "Several models, the fastest first",
        "The model whose answers came soonest of late is asked; one that fails is left out for a while.",
        [
            _start("models"),
            _element(
                "models",
                "model",
                {
                    "targets": [{"provider": provider, "model": model} for provider, model in (_SMALL, _OTHER)],
                    "strategy": "fastest",
                    "timeout": 0,
                    "retries": 0,
                    "health": {"failures": 5, "pause": 30},
                },
                success="end",
            ),
            _END,
        ],
    ),
    "empty": Ready("Empty", "A start and an end; add what comes between.", [_start("end"), _END]),
}
