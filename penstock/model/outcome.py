"""How a call ended: one of these words for every call, in the log and in the metrics."""


class Outcome:
    """The words. Plain text and no enumeration: they are counted and written for every call."""

    ANSWERED = "answered"
    REFUSED = "refused"
    FAILED = "failed"
    BROKEN = "broken"
    CLIENT_GONE = "client_gone"
    CANCELLED = "cancelled"
    BUG = "bug"
    LOST = "lost"


OUTCOMES = {
    Outcome.ANSWERED: "The answer of a provider or of the cache went out whole, whatever its status.",
    Outcome.REFUSED: "The caller's mistake, or the gateway's refusal.",
    Outcome.FAILED: "No provider answered.",
    Outcome.BROKEN: "The answer broke off after its head.",
    Outcome.CLIENT_GONE: "The client left before the end.",
    Outcome.CANCELLED: "The process stopped before the end.",
    Outcome.BUG: "A fault of Penstock.",
    Outcome.LOST: "The process died before the end.",
}
