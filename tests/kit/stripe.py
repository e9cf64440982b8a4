"""A stand-in for Stripe: the few endpoints that top-ups use, with the objects of its documentation.

It keeps idempotency keys as Stripe does: the same key is answered the same, with other parameters it is refused.
"""

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

import stripe

KEY, WEBHOOK_SECRET = "sk_test_stand_in", "whsec_stand_in"
VISA, DECLINED = "pm_card_visa", "pm_card_declined"
CARDS = {VISA: ("visa", "4242"), "pm_card_amex": ("amex", "8431"), DECLINED: ("visa", "0002")}


class Stripe:
    """What has been made, and how it behaves. ``down``: it takes requests and answers none of them in time: 500."""

    def __init__(self) -> None:
        self.port = 0
        self.down = False
        self.lost = 0  # answers that are lost on their way: the deed is done, and the answer is 500
        self.customers: dict[str, dict[str, Any]] = {}
        self.intents: dict[str, dict[str, Any]] = {}
        self.invoices: dict[str, dict[str, Any]] = {}
        self.items: list[dict[str, str]] = []  # of invoices
        self.asked: list[tuple[str, str, dict[str, str]]] = []  # method, path, parameters
        self.keys: dict[str, tuple[dict[str, str], int, dict[str, Any]]] = {}
        self.charged: list[int] = []  # cents of every charge

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def pay(self, intent: str, means: str = VISA) -> dict[str, Any]:
        """The customer pays in the browser."""
        found = self.intents[intent]
        self._confirm(found, means)
        return found

    def event(self, kind: str, obj: dict[str, Any]) -> bytes:
        """The body of a webhook."""
        event = {"id": f"evt_{len(self.asked)}", "object": "event", "type": kind, "created": int(time.time())}
        return json.dumps(event | {"api_version": "2026-10-28", "livemode": False, "data": {"object": obj}}).encode()

    def signed(self, body: bytes, *, secret: str = WEBHOOK_SECRET, age: int = 0) -> dict[str, str]:
        """The headers of a webhook, signed by the library."""
        at = int(time.time()) - age
        signature = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, at)
        return {"stripe-signature": signature, "content-type": "application/json; charset=utf-8"}

    def answer(self, method: str, path: str, sent: dict[str, str], key: str) -> tuple[int, dict[str, Any]]:
        self.asked.append((method, path, sent))
        if self.down:
            return 500, {"error": {"type": "api_error", "message": "down"}}
        if key in self.keys:
            known, status, told = self.keys[key]
            if known != sent:
                fault = "Keys for idempotent requests can only be used with the same parameters"
                return 400, {"error": {"type": "idempotency_error", "message": fault}}
        else:
            status, told = self._do(method, path.removeprefix("/v1/").split("/"), sent)
            if key and method == "POST":
                self.keys[key] = sent, status, told
        if self.lost and method == "POST":
            self.lost -= 1
            return 500, {"error": {"type": "api_error", "message": "lost"}}
        return status, told

    def _do(self, method: str, words: list[str], sent: dict[str, str]) -> tuple[int, dict[str, Any]]:
        match method, words:
            case "POST", ["customers"]:
                made = {"id": f"cus_{len(self.customers)}", "object": "customer", "name": sent.get("name")}
                self.customers[made["id"]] = made
                return 200, made
            case "GET", ["payment_methods", means] if means in CARDS:
                brand, last4 = CARDS[means]
                return 200, {"id": means, "object": "payment_method", "type": "card", "card": _card(brand, last4)}
            case "GET", ["invoices"]:
                found = [one for one in self.invoices.values() if one["customer"] == sent["customer"]]
                newest = found[::-1][: int(sent["limit"])]
                return 200, {
                    "object": "list",
                    "data": newest,
                    "has_more": len(newest) < len(found),
                    "url": "/v1/invoices",
                }
            case "POST", ["invoices" | "invoiceitems" as kind, *more]:
                return self._bill(kind, more, sent)
            case "POST", ["payment_intents"]:
                return self._intend(sent)
            case "GET", ["payment_intents", name] if name in self.intents:
                return 200, self.intents[name]
            case "POST", ["payment_intents", name, "cancel"] if name in self.intents:
                found = self.intents[name]
                if found["status"] == "succeeded":
                    return 400, _invalid("You cannot cancel this PaymentIntent because it has a status of succeeded.")
                found["status"] = "canceled"
                return 200, found
        return 404, _invalid(f"No such object: {'/'.join(words)}")

    def _intend(self, sent: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if sent["customer"] not in self.customers:
            return 400, _invalid("No such customer", "customer")
        means = sent.get("payment_method")
        if means is not None and means not in CARDS:
            return 400, _invalid(f"No such PaymentMethod: '{means}'", "payment_method")
        name = f"pi_{len(self.intents)}"
        made: dict[str, Any] = {
            "id": name,
            "object": "payment_intent",
            "amount": int(sent["amount"]),
            "amount_received": 0,
            "client_secret": f"{name}_secret_x",
            "currency": sent["currency"],
            "customer": sent["customer"],
            "last_payment_error": None,
            "latest_charge": None,
            "metadata": _metadata(sent),
            "payment_method": None,
            "setup_future_usage": sent.get("setup_future_usage"),
            "status": "requires_payment_method",
        }
        self.intents[name] = made
        if sent.get("confirm") == "true" and not self._confirm(made, means or ""):
            return 402, {"error": {"type": "card_error", **made["last_payment_error"], "payment_intent": made}}
        return 200, made

    def _bill(self, kind: str, words: list[str], sent: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """A draft takes items, is finalized, and then paid. Answers are copies: what was said stays so."""
        if (kind, words) == ("invoices", []):
            if sent["customer"] not in self.customers:
                return 400, _invalid("No such customer", "customer")
            made = _draft(f"in_{len(self.invoices)}", sent)
            self.invoices[made["id"]] = made
            return 200, dict(made)
        found = self.invoices.get(sent.get("invoice", "") if kind == "invoiceitems" else words[0])
        match kind, words[1:], found:
            case "invoiceitems", [], {"status": "draft"}:
                self.items.append(sent)
                for sum_ in ("total", "amount_due", "amount_remaining"):
                    found[sum_] += int(sent["amount"])
                told = {"id": f"ii_{len(self.items)}", "object": "invoiceitem", "customer": sent["customer"]}
                return 200, told | {"amount": int(sent["amount"]), "currency": sent["currency"], "invoice": found["id"]}
            case "invoices", ["finalize"], {"status": "draft"}:
                at = f"https://invoice.stripe.test/{found['id']}"
                found.update(status="open", number="X-1", hosted_invoice_url=at, invoice_pdf=f"{at}/pdf")
            case "invoices", ["pay"], {"status": "open"}:
                if sent.get("paid_out_of_band") != "true":
                    self.charged.append(found["total"])
                found.update(status="paid", amount_paid=found["total"], amount_remaining=0)
            case _, _, None:
                return 404, _invalid(f"No such invoice: {'/'.join(words)}")
            case _:
                return 400, _invalid(f"The invoice is {found['status']}.")
        return 200, dict(found)

    def _confirm(self, intent: dict[str, Any], means: str) -> bool:
        if means == DECLINED:
            declined = {"code": "card_declined", "message": "Your card was declined."}
            intent.update(status="requires_payment_method", last_payment_error=declined)
            return False
        intent.update(status="succeeded", amount_received=intent["amount"], payment_method=means, latest_charge="ch_1")
        self.charged.append(intent["amount"])
        return True

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _head(reader):
            line, *lines = head.decode().split("\r\n")
            method, target, _ = line.split(" ")
            headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in lines)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            if headers.get("authorization") != f"Bearer {KEY}":
                status, told = 401, {"error": {"type": "invalid_request_error", "message": f"Invalid API Key: {KEY}"}}
            else:
                path, _, query = target.partition("?")
                sent = dict(parse_qsl(body.decode() or query, keep_blank_values=True))
                status, told = self.answer(method, path, sent, headers.get("idempotency-key", ""))
            text = json.dumps(told).encode()
            writer.write(b"HTTP/1.1 %d x\r\ncontent-type: application/json\r\n" % status)
            writer.write(b"stripe-should-retry: false\r\ncontent-length: %d\r\n\r\n" % len(text))
            writer.write(text)
        writer.close()


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return (await reader.readuntil(b"\r\n\r\n")).strip()
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


def _card(brand: str, last4: str) -> dict[str, Any]:
    return {"brand": brand, "last4": last4, "exp_month": 12, "exp_year": 2030}


def _metadata(sent: dict[str, str]) -> dict[str, str]:
    return {key[len("metadata[") : -1]: value for key, value in sent.items() if key.startswith("metadata[")}


def _draft(name: str, sent: dict[str, str]) -> dict[str, Any]:
    return {
        "id": name,
        "object": "invoice",
        "amount_due": 0,
        "amount_paid": 0,
        "amount_remaining": 0,
        "auto_advance": sent.get("auto_advance") == "true",
        "collection_method": sent.get("collection_method", "charge_automatically"),
        "currency": sent.get("currency", "usd"),
        "customer": sent["customer"],
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "metadata": _metadata(sent),
        "number": None,
        "status": "draft",
        "total": 0,
    }


def _invalid(message: str, param: str | None = None) -> dict[str, Any]:
    return {"error": {"type": "invalid_request_error", "message": message, "param": param}}


@asynccontextmanager
async def stand_in() -> AsyncGenerator[Stripe]:
    made = Stripe()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
