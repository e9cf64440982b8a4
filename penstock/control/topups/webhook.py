"""Where the payment service tells what became of payments: no token opens it, a signature does."""

from fastapi import FastAPI, Request, Response

from penstock.control.context import Control
from penstock.control.topups.settle import settle
from penstock.core.codec import encode
from penstock.core.errors import Invalid, NoRoute
from penstock.core.telemetry import Counter
from penstock.ports.payments import NotSigned

PATH = "/client/v4/webhooks/stripe"
LARGEST = 256 * 1024  # bytes; an event has a few thousand


def add(app: FastAPI, results: Counter) -> None:
    """Adds the address. Webhooks are counted in ``results``."""

    async def webhook(request: Request) -> Response:
        control: Control = request.app.state.control
        if control.payments.name != "stripe":
            raise NoRoute("There are no webhooks here: the setting payments is manual.")
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > LARGEST:
                raise Invalid(f"body: must be {LARGEST} bytes at most")
        try:
            news = await control.payments.news(body, request.headers.get("stripe-signature", ""))
        except NotSigned:
            results.add(("refused",))
            raise Invalid("stripe-signature: is not of the webhook's secret, or too old") from None
        known = news is not None and (await settle(control, news)).row is not None
        results.add(("applied" if known else "ignored",))
        return Response(encode({"received": True}), media_type="application/json")

    app.add_route(PATH, webhook, methods=["POST"], include_in_schema=False)
