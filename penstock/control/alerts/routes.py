"""Addresses of alerts: all of it is an addition of Penstock."""

from fastapi import Response

from penstock.control.alerts import service
from penstock.control.alerts.schema import Alert, AlertCreate, AlertUpdate, Delivery, MadeAlert
from penstock.control.envelope import Many, One
from penstock.control.rest import InContext, Pages, listed, needs, ok, refusals, resource
from penstock.model.token import Scope

router = resource("/ai-gateway/alerts", "Alerts")


@router.get("", response_model=Many[Alert])
@needs(Scope.READ)
async def list_alerts(context: InContext, asked: Pages) -> Response:
    """List the account's alerts, oldest first."""
    return listed(await service.page(context, asked), asked)


@router.post("", response_model=One[MadeAlert], responses=refusals(409, 413))
@needs(Scope.WRITE)
async def create_alert(context: InContext, body: AlertCreate) -> Response:
    """Create an alert; the secret that signs its webhooks is answered this once."""
    return ok(await service.create(context, body))


@router.get("/{alert_id}", response_model=One[Alert])
@needs(Scope.READ)
async def get_alert(context: InContext, alert_id: str) -> Response:
    """Show one alert, and whether it fires."""
    return ok(await service.get(context, alert_id))


@router.patch("/{alert_id}", response_model=One[Alert], responses=refusals(413))
@needs(Scope.WRITE)
async def update_alert(context: InContext, alert_id: str, body: AlertUpdate) -> Response:
    """Change an alert; what is left out stays as it is."""
    return ok(await service.update(context, alert_id, body))


@router.delete("/{alert_id}", response_model=One[Alert])
@needs(Scope.WRITE)
async def delete_alert(context: InContext, alert_id: str) -> Response:
    """Delete an alert, and what has not been delivered yet; answers what it was."""
    return ok(await service.delete(context, alert_id))


@router.post("/{alert_id}/test", response_model=One[Delivery])
@needs(Scope.WRITE)
async def test_alert(context: InContext, alert_id: str) -> Response:
    """Call an alert's webhook once, and answer what came of it."""
    return ok(await service.test(context, alert_id))


@router.get("/{alert_id}/deliveries", response_model=Many[Delivery])
@needs(Scope.READ)
async def list_alert_deliveries(context: InContext, alert_id: str, asked: Pages) -> Response:
    """List an alert's webhooks, newest first: delivered, failed, and those that wait for another attempt."""
    return listed(await service.deliveries(context, alert_id, asked), asked)
