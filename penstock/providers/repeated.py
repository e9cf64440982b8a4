"""Credentials of ours that a provider repeats in its answer: the log keeps none of them, and the cache no such answer.

What the client gets is the provider's own answer, byte for byte.
"""

from collections.abc import Iterator

from penstock.model.plan import Target
from penstock.model.step import Step

MASK = b"********"
_LEAST = 8  # bytes; what is shorter is no secret, and stands in many an answer
_SESSION = b"x-amz-security-token"


def may_repeat(step: Step) -> bool:
    """Whether one of ours went with the step's request."""
    return step.target is not None and (step.credential is not None or bool(step.target.upstream.added))


def repeats(step: Step, answer: bytes) -> bool:
    """Whether one stands in the answer."""
    return next(_repeated(step, answer), None) is not None


def without(step: Step, answer: bytes) -> bytes:
    """The answer as the log may keep it."""
    for secret in [*_repeated(step, answer)]:
        answer = answer.replace(secret, MASK)
    return answer


def _repeated(step: Step, answer: bytes) -> Iterator[bytes]:
    if step.target is not None and may_repeat(step):
        yield from (secret for secret in _travelled(step, step.target) if len(secret) >= _LEAST and secret in answer)


def _travelled(step: Step, target: Target) -> Iterator[bytes]:
    """What of ours the step's request went with."""
    for _, value in target.upstream.added:
        yield value
        yield value.rpartition(b" ")[2]  # without its scheme
    if (credential := step.credential) is not None:
        yield credential.secret.encode()
        if target.upstream.provider.credential_json and step.outgoing is not None:  # what was made of it
            names = (*target.upstream.credential_headers, _SESSION)
            for name, _, value in step.outgoing.headers:
                if name in names:
                    yield value.rpartition(b" ")[2]
