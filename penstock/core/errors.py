"""Every way a call can go wrong, as one tree.

::

    PenstockError
    ├── CallerError              the caller's mistake
    │   ├── UnknownGateway       400 / 2001
    │   ├── UnknownPath          404 / 2004
    │   ├── MethodNotAllowed     405 / 2006
    │   ├── InvalidProvider      400 / 2008
    │   ├── InvalidPath          400 / 2008
    │   ├── NoCredential         400 / 2040
    │   ├── ModelNotFound        404 / 7003
    │   ├── MalformedSteps       400 / 2019
    │   ├── MalformedChat        400 / 2019
    │   ├── RouteFailed          400 / 2005
    │   ├── RequestTimeout       408 / 2007
    │   ├── BodyTooLarge         413 / 2019
    │   ├── HeadTooLarge         431 / 2019
    │   ├── UpgradeRequired      426 / 2019
    │   └── MalformedRequest     400 / 2019
    ├── GatewayRefusal           the gateway says no
    │   ├── Unauthorized         401 / 2009
    │   ├── RateLimited          429 / 2003
    │   ├── KeyLimited           429 / 2003
    │   ├── ModelNotAllowed      403 / 2011
    │   ├── SpendLimited         429 / 2045
    │   ├── OutOfCredit          402 / 2021
    │   ├── PromptBlocked        424 / 2016
    │   ├── ReplyBlocked         424 / 2017
    │   └── Overloaded           503 / 2010
    ├── ProviderFailure          the provider failed
    │   ├── ProviderUnreachable  502 / 2005
    │   ├── AddressRefused       502 / 2005
    │   ├── ProviderTimeout      504 / 2005
    │   ├── AccountRefused       502 / 2005
    │   ├── ProviderBroke        502 / 2005, or the end of a stream that had begun
    │   └── AllStepsFailed       502 / 2005
    ├── ControlError             the control plane says no
    │   ├── Invalid              400 / 7001
    │   ├── InvalidBaseUrl       400 / 1002
    │   ├── NoCredentials        400 / 9106
    │   ├── InvalidHeaders       400 / 6003
    │   ├── NotAuthenticated     401 / 10000
    │   ├── NotPermitted         403 / 10000
    │   ├── NotFound             404 / 7002
    │   ├── NoCustomProvider     404 / 1004
    │   ├── NoRoute              404 / 7003
    │   ├── NotAllowed           405 / 7001
    │   ├── Conflict             409 / 7009
    │   ├── SlugTaken            409 / 1003
    │   ├── PaymentFailed        402 / 7010
    │   └── PaymentsUnavailable  503 / 7011
    └── Bug                      500 / 2000

``status`` and ``code`` are what the data plane answers, and for ``ControlError`` the control plane (docs/errors.md);
``retry_after`` is sent in seconds where set. The first docstring line is the default message.
"""

from collections.abc import Sequence
from typing import ClassVar


class PenstockError(Exception):
    """Something went wrong."""

    status: ClassVar[int] = 500
    code: int = 2000
    retry_after: int | None = None
    leads_on: ClassVar[bool] = False  # a step that ends with it has failed, and the next one is taken

    def __init__(self, message: str = "", *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.message = message or (type(self).__doc__ or "").partition("\n")[0]
        if retry_after is not None:
            self.retry_after = retry_after


class CallerError(PenstockError):
    """The request is at fault."""

    status, code = 400, 2019


class UnknownGateway(CallerError):
    """No such gateway: check the account and the name of the gateway, or create the gateway."""

    status, code = 400, 2001


class UnknownPath(CallerError):
    """Not found: calls go to /v1/{account}/{gateway}/{provider}/… or, with steps, to /v1/{account}/{gateway}."""

    status, code = 404, 2004


class MethodNotAllowed(CallerError):
    """The address takes other methods."""

    status, code = 405, 2006


class InvalidProvider(CallerError):
    """Invalid provider"""

    status, code = 400, 2008
    leads_on = True


class InvalidPath(CallerError):
    """Invalid path: dot segments and control characters are refused."""

    status, code = 400, 2008
    leads_on = True


class NoCredential(CallerError):
    """No credential of the provider may be used for this call."""

    status, code = 400, 2040
    leads_on = True


class ModelNotFound(CallerError):
    """Model not found"""

    status, code = 404, 7003


class MalformedSteps(CallerError):
    """The body of a universal call is no list of steps."""


class MalformedChat(CallerError):
    """Chat completion bad format: the request cannot be read, or cannot be said in the provider's dialect."""

    leads_on = True


class RouteFailed(CallerError):
    """Failed to get response from provider"""

    status, code = 400, 2005
    leads_on = True


class RequestTimeout(CallerError):
    """The request did not arrive in time."""

    status, code = 408, 2007


class BodyTooLarge(CallerError):
    """The request body is too large."""

    status, code = 413, 2019


class HeadTooLarge(CallerError):
    """The request line and headers are too large (64 KiB at most)."""

    status, code = 431, 2019


class MalformedRequest(CallerError):
    """Malformed HTTP request"""

    status, code = 400, 2019


class UpgradeRequired(CallerError):
    """WebSockets are not served here: use HTTP/1.1."""

    status, code = 426, 2019


class GatewayRefusal(PenstockError):
    """The gateway refused the call."""

    status, code = 403, 2009


class Unauthorized(GatewayRefusal):
    """Unauthorized"""

    status, code = 401, 2009


class RateLimited(GatewayRefusal):
    """Rate limited"""

    status, code = 429, 2003


class KeyLimited(GatewayRefusal):
    """The stored key is at its rate limit"""

    status, code = 429, 2003
    leads_on = True


class ModelNotAllowed(GatewayRefusal):
    """Model not allowed: the token that came may not call it."""

    status, code = 403, 2011
    leads_on = True


class SpendLimited(GatewayRefusal):
    """Spend limit exceeded"""

    status, code = 429, 2045
    leads_on = True

    def __init__(self, message: str = "", *, retry_after: int | None = None, code: int = 2045) -> None:
        super().__init__(message, retry_after=retry_after)
        self.code = code  # as the operator set it


class OutOfCredit(GatewayRefusal):
    """Insufficient wholesale credits: add money to the account, or use a key of your own."""

    status, code = 402, 2021
    leads_on = True


class PromptBlocked(GatewayRefusal):
    """Prompt blocked due to security configurations"""

    status, code = 424, 2016


class ReplyBlocked(GatewayRefusal):
    """Response blocked due to security configurations"""

    status, code = 424, 2017


class Overloaded(GatewayRefusal):
    """The gateway is at its limit; try again."""

    status, code = 503, 2010
    retry_after = 1


class ProviderFailure(PenstockError):
    """Failed to get response from provider"""

    status, code = 502, 2005
    leads_on = True

    def __init__(self, message: str = "", *, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason  # the same with host and fault: for the row and the operator, never for the caller

    def __str__(self) -> str:
        return self.reason or self.message


class ProviderUnreachable(ProviderFailure):
    """Failed to get response from provider: no connection"""


class AddressRefused(ProviderFailure):
    """Failed to get response from provider: its address may not be called"""


class ProviderTimeout(ProviderFailure):
    """Request timed out"""

    status = 504


class AccountRefused(ProviderFailure):
    """The provider gives the service account of a stored key no token."""


class ProviderBroke(ProviderFailure):
    """The provider broke off its answer."""

    def __init__(self, message: str = "", *, reason: str = "", told: bytes = b"") -> None:
        super().__init__(message, reason=reason)
        self.told = told  # the last of a stream, in which its client is told already


class AllStepsFailed(ProviderFailure):
    """Failed to get response from provider: no step has an answer"""


class ControlError(PenstockError):
    """The control plane cannot do that."""

    status, code = 400, 7001

    def __init__(self, message: str = "", *, path: Sequence[str | int] = (), cause: int | None = None) -> None:
        super().__init__(message)
        self.path = tuple(path)  # of the field that is wrong: ("body", "cache_ttl")
        self.cause = cause  # a finer code, told in ``error_chain``


class Invalid(ControlError):
    """The request is not valid."""


class InvalidBaseUrl(ControlError):
    """The base URL of a custom provider cannot be used."""

    code = 1002


class NoCredentials(ControlError):
    """No credentials: send Authorization: Bearer <token>, or X-Auth-Email and X-Auth-Key."""

    code = 9106


class InvalidHeaders(ControlError):
    """Invalid request headers"""

    code = 6003


class NotAuthenticated(ControlError):
    """Authentication error"""

    status, code = 401, 10000


class NotPermitted(ControlError):
    """Authentication error: the token lacks a permission."""

    status, code = 403, 10000


class NotFound(ControlError):
    """Not found: there is none of that id in this account."""

    status, code = 404, 7002


class NoCustomProvider(ControlError):
    """Custom Provider not found"""

    status, code = 404, 1004


class NoRoute(ControlError):
    """Could not route to this address, perhaps your object identifier is invalid?"""

    status, code = 404, 7003


class NotAllowed(ControlError):
    """The address does not take that method."""

    status = 405


class Conflict(ControlError):
    """There is one of that id already."""

    status, code = 409, 7009


class SlugTaken(ControlError):
    """There is a custom provider of that slug already."""

    status, code = 409, 1003


class PaymentFailed(ControlError):
    """The payment was refused."""

    status, code = 402, 7010


class PaymentsUnavailable(ControlError):
    """The payment service does not answer; try again: the same top-up goes on, and is charged once."""

    status, code = 503, 7011
    retry_after = 2


class Bug(PenstockError):
    """Internal error"""
