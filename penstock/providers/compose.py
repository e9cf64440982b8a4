"""What a provider is sent for a step."""

from penstock.core.headers import Headers
from penstock.model.outgoing import Outgoing
from penstock.model.step import Step
from penstock.wire.encodings import narrow_accept_encoding
from penstock.wire.headers import onward


def outgoing(step: Step) -> Outgoing:
    """The request for the step's target, composed once; stages before the call may change it."""
    if step.outgoing is None:
        step.outgoing = _compose(step)
    return step.outgoing


def _compose(step: Step) -> Outgoing:
    target, request = step.target, step.request
    assert target is not None
    query, places = target.query, step.places
    if query is None:
        query = request.query if step.query is None else step.query
    if target.stays:
        places |= target.stays
    headers = onward(request.headers, places)
    if b"accept-encoding" in request.first:
        headers = _narrowed(headers, signed=request.signed())
    sent = Outgoing(target.origin, request.method, target.host, target.path, query, headers)
    if (body := step.sends) is not None:
        sent.body = body
    elif (body := request.body.whole()) is None:
        sent.stream = request.body
    else:
        sent.body = body
    sent.told = request.body.length is None or b"content-length" in request.first
    return sent


def _narrowed(headers: Headers, *, signed: bool) -> Headers:
    """With the codings that can be decoded here. What a client has signed must not change."""
    return [
        (lower, name, value if signed else narrow_accept_encoding(value)) if lower == b"accept-encoding" else header
        for header in headers
        for lower, name, value in (header,)
    ]
