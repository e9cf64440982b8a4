"""What a call asks of the gateway for itself: whether it is logged, with what beside it, and at whose prices.

Writes ``options``. Ends no call: a header that cannot be understood is ignored, and the row says so.
"""

from penstock.model.exchange import Exchange
from penstock.model.options import CallOptions, CustomCost
from penstock.providers.pricing import read_custom
from penstock.wire import metadata

_SWITCH = {b"true": True, b"1": True, b"false": False, b"0": False}
_SHOWN = 64  # characters of a value that cannot be understood, in the row's warning
_WARNINGS = 10  # of one header: a head has room for thousands of faults


class Options:
    """The gateway's own settings, and what a call's headers make of them."""

    def __init__(self, *, collect_logs: bool, collect_log_payloads: bool) -> None:
        self._log = collect_logs
        self._payloads = collect_log_payloads
        self.plain = CallOptions(log=collect_logs, payloads=collect_logs and collect_log_payloads)
        self.unread = CallOptions(log=collect_logs, payloads=False)  # of a call that was not let in

    def read(self, ex: Exchange) -> CallOptions:
        """What holds for this call."""
        get = ex.request.first.get
        log, payload = get(b"cf-aig-collect-log"), get(b"cf-aig-collect-log-payload")
        data, cost = get(b"cf-aig-metadata"), get(b"cf-aig-custom-cost")
        if log is None and payload is None and data is None and cost is None:
            return self.plain
        logged = self._switch(ex, "cf-aig-collect-log", log, otherwise=self._log)
        return CallOptions(
            logged,
            self._switch(ex, "cf-aig-collect-log-payload", payload, otherwise=self._payloads) and logged,
            None if data is None else _metadata(ex, data),
            None if cost is None else _cost(ex, cost),
        )

    def _switch(self, ex: Exchange, name: str, value: bytes | None, *, otherwise: bool) -> bool:
        if value is None:
            return otherwise
        said = _SWITCH.get(value.strip().lower())
        if said is None:
            ex.warnings.append(f"{name} ignored: {value[:_SHOWN].decode('latin-1')!r} is neither true nor false")
            return otherwise
        return said


def _metadata(ex: Exchange, value: bytes) -> str | None:
    stored, lost = metadata.read(value)
    ex.warnings += [f"cf-aig-metadata: {what}" for what in lost[:_WARNINGS]]
    return stored


def _cost(ex: Exchange, value: bytes) -> CustomCost | None:
    try:
        return read_custom(value)
    except ValueError as error:
        ex.warnings.append(f"cf-aig-custom-cost ignored: {error}")
        return None
