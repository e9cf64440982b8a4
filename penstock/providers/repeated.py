"""Credentials of ours that a provider repeats in its answer: the log keeps none of them, and the cache no such answer.

What the client gets is the provider's own answer, byte for byte.
"""

from penstock.model.step import Step

MASK = b"********"
_LEAST = 8  # bytes; what is shorter is no secret, and stands in many an answer
_SESSION = b"x-amz-security-token"


def may_repeat(step: Step) -> bool:
    """Whether one of ours went with the step's request."""
    target = step.target
    return target is not None and (step.credential is not None or bool(target.upstream.added))


def repeats(step: Step, answer: bytes) -> bool:
    """Whether one stands in the answer."""
    return without(step, answer) is not answer


def without(step: Step, answer: bytes) -> bytes:
    """The answer as the log may keep it."""
    if not may_repeat(step):
        return answer
    for secret in _travelled(step):
        if secret in answer and len(secret) >= _LEAST:
            answer = answer.replace(secret, MASK)
    return answer


def _travelled(step: Step) -> list[bytes]:
    """What of ours the step's request went with."""
    target, credential, found = step.target, step.credential, list[bytes]()
    assert target is not None
    upstream = target.upstream
    for _, value in upstream.added:
        found += value, value.rpartition(b" ")[2]  # and without its scheme
    if credential is not None:
        found.append(credential.secret.encode())
        if upstream.provider.credential_json and step.outgoing is not None:  # what was made of it
            names = (*upstream.credential_headers, _SESSION)
            found += [value.rpartition(b" ")[2] for name, _, value in step.outgoing.headers if name in names]
    return found
