"""Asks a provider not to keep a request, nor its answer, as its row says; the step's row says where that is not done.

It concerns the operator's keys: what holds for any other key is agreed between its owner and the provider.
"""

from penstock.model.credential import WHOLESALE
from penstock.model.step import Step
from penstock.providers.catalog import Provider
from penstock.providers.compose import outgoing


def ask(step: Step) -> None:
    """Changes ``outgoing``, once the step's credential is chosen."""
    target, decided = step.target, step.decisions.key
    assert target is not None
    provider: Provider = target.upstream.provider
    row = provider.zero_retention
    if decided is None or decided.source != WHOLESALE:
        step.warnings.append("zdr does not act: it concerns keys of the configuration, and none travelled")
    elif row is None:
        step.warnings.append(f"zdr does not act: no header or parameter asks {provider.id} for it")
    elif target.endpoint.request_type not in row.operations:
        step.warnings.append(f"zdr does not act: {provider.id} knows it at {', '.join(sorted(row.operations))} alone")
    else:
        sent = outgoing(step)
        for name, value in row.headers.items():
            sent.put(name.encode(), value.encode())
        for name, value in row.query.items():
            sent.query = _with(sent.query, name.encode(), value.encode())
        decided.zero_retention = True


def _with(query: bytes, name: bytes, value: bytes) -> bytes:
    """The query with that parameter once. ``query`` begins with its question mark, where there is one."""
    others = [one for one in query[1:].split(b"&") if one and one.partition(b"=")[0] != name]
    return b"?" + b"&".join([*others, name + b"=" + value])
