"""What a step spent in the end. Pure but for ``cost``, where the estimate stands for a cost that stays unknown."""

from penstock.model.spending import Spending
from penstock.model.step import Step

_GOOD = range(200, 300)


def settled(step: Step, spending: Spending) -> int:
    """Nano-dollars. Writes ``cost`` where an answer had begun whose usage nobody told: it is taken for the estimate."""
    if step.cost is not None:
        return step.cost
    if spending.estimate is None or not _may_have_cost(step):
        return 0
    step.cost, spending.reserved = spending.estimate, True
    return spending.estimate


def _may_have_cost(step: Step) -> bool:
    """Whether the provider began an answer that it will charge for, and its usage stayed unknown."""
    reply, reported = step.reply, step.reported
    if not step.answered or reply is None or reply.status not in _GOOD:
        return False
    if reported is None:
        return True
    return not (reported.error or reported.unfinished or reported.usage is not None)
