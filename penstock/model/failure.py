"""What counts as the failure of a step, so that the next one is taken. Pure."""

from penstock.core.errors import PenstockError
from penstock.model.reply import Reply

_ERROR = 400


def leads_on(outcome: Reply | PenstockError) -> bool:
    """Whether a step has failed: any error status, no answer, or a refusal that concerns this step alone.

    A blocked prompt or answer ends the call, since the next step would send the same.
    """
    return outcome.status >= _ERROR if isinstance(outcome, Reply) else outcome.leads_on
