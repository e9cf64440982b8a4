"""Addresses of what accounts are billed."""

from typing import Annotated, Any

from fastapi import Query, Request, Response

from penstock.control.envelope import One
from penstock.control.invoices import service
from penstock.control.invoices.documents import FORMATS
from penstock.control.invoices.schema import HistoryPaging, InvoiceHistory, InvoicePreview
from penstock.control.rest import InContext, needs, ok, refusals, resource
from penstock.model.token import Scope

router = resource("/ai-gateway/billing", "Billing")
_DOCUMENT: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind.partition(";")[0]: {} for kind in FORMATS.values()}, "description": "The document."}
}
SAFE = {
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
}


@router.get("/invoice-history", response_model=One[InvoiceHistory])
@needs(Scope.READ)
async def get_invoice_history(
    context: InContext, asked: Annotated[HistoryPaging, Query()], request: Request
) -> Response:
    """List what the account was billed, newest first: its top-ups, and its months."""
    base = context.control.public_url or str(request.base_url)
    return ok(await service.history(context, asked, base))


@router.get("/invoice-preview", response_model=One[InvoicePreview])
@needs(Scope.READ)
async def get_invoice_preview(context: InContext) -> Response:
    """Show the invoice of this month as it is now: a line for each model, the tax, and what credit pays."""
    return ok(await service.preview(context))


@router.get("/invoices/{document}", response_class=Response, responses=_DOCUMENT | refusals(409))
@needs(Scope.READ)
async def get_invoice_document(context: InContext, document: str) -> Response:
    """Download an invoice, or the receipt of a top-up: `{id}.pdf`, `{id}.html` or `{id}.csv`."""
    content, kind = await service.document(context, document)
    return Response(content, media_type=kind, headers=SAFE)
