"""What a step spent in the end. Pure but for ``cost``, where the estimate stands for a cost that stays unknown."""

from collections.abc import Callable

from penstock.model.spending import Spending
from penstock.model.step import Step

_GOOD = range(200, 300)


def settled(step: Step, spending: Spending, estimated: Callable[[Step], tuple[int | None, int | None]]) -> int:
    """Nano-dollars. Writes ``cost`` where an answer had begun whose usage nobody told: it is taken for the estimate, or
    for what is ``estimated`` now, where more has come than was expected.
    """
    spending.unknown = _may_have_cost(step)
    if spending.unknown:
        spending.rise(*estimated(step))
    spending.reserved = spending.unknown and step.cost is None and spending.estimate is not None
    if spending.reserved:
        step.cost = spending.estimate
    return step.cost or 0


def _may_have_cost(step: Step) -> bool:
    """Whether the provider began an answer that it will charge for, and its usage stayed unknown."""
    reply, reported = step.reply, step.reported
    if not step.answered or reply is None or reply.status not in _GOOD:
        return False
    if reported is None:
        return True
    later = reported.unfinished and reported.complete  # charged to whoever asks for it
    return not (reported.error or later or reported.usage is not None)
