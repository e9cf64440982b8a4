"""Reads what a model element says of its targets: which they are, how one is chosen, when one is left out."""

from collections.abc import Iterator

from penstock.features.routing.graph.given import Given
from penstock.model.graph import Health, ModelTarget

TARGETS = 10
STRATEGIES = ("weighted", "fastest")
WEIGHT = 1_000_000
FAILURES = 1000  # in a row
CALLS = 10_000  # that a share of failures is asked of
SECONDS = 3600  # of a window, or a pause


def read_targets(given: Given) -> tuple[tuple[ModelTarget, ...], str]:
    """And the strategy. ``given``: the properties of a model. Raises GraphFault."""
    listed, strategy, weights = given.find("targets"), given.find("strategy"), given.find("weights")
    if weights is not None:
        raise weights.fault("is not supported: each of targets has a weight of its own")
    if listed is None:
        if strategy is not None:
            raise strategy.fault("is for several targets, and there are no targets")
        return (ModelTarget(given.take("provider").text(), given.take("model").text()),), STRATEGIES[0]
    chosen = STRATEGIES[0] if strategy is None else strategy.word(STRATEGIES)
    targets = tuple(_targets(listed, chosen))
    for name, first in (("provider", targets[0].provider), ("model", targets[0].model)):
        alone = given.find(name)
        if alone is not None and alone.value != first:
            raise alone.fault("differs from that of the first of targets; leave it out")
    return targets, chosen


def _targets(listed: Given, strategy: str) -> Iterator[ModelTarget]:
    seen: set[tuple[str, str]] = set()
    for given in listed.each(TARGETS):
        given.only("provider", "model", "weight")
        pair = given.take("provider").text(), given.take("model").text()
        if pair in seen:
            raise given.fault("is listed twice")
        seen.add(pair)
        weight = given.find("weight")
        if weight is not None and strategy != STRATEGIES[0]:
            raise weight.fault(f"is for the strategy {STRATEGIES[0]} alone")
        yield ModelTarget(*pair, 1.0 if weight is None else weight.positive(WEIGHT))


def read_health(given: Given) -> Health:
    """Raises GraphFault."""
    given.only("failures", "errorRate", "window", "minimum", "pause")
    failures, rate = given.find("failures"), given.find("errorRate")
    if failures is None and rate is None:
        raise given.fault("must have failures, or errorRate, or both")
    window, minimum, pause = given.find("window"), given.find("minimum"), given.find("pause")
    for said in (window, minimum):
        if said is not None and rate is None:
            raise said.fault("is for errorRate, which is missing")
    return Health(
        0 if failures is None else failures.whole(1, FAILURES),
        0.0 if rate is None else rate.positive(1),
        60.0 if window is None else window.positive(SECONDS),
        10 if minimum is None else minimum.whole(1, CALLS),
        30.0 if pause is None else pause.positive(SECONDS),
    )
