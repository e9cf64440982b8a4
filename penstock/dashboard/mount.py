"""The dashboard's addresses, all of them, in the application that serves the API."""

from fastapi import FastAPI
from starlette.routing import Route

from penstock.dashboard import files
from penstock.dashboard.alerts import view as alerts
from penstock.dashboard.audit import view as audit
from penstock.dashboard.credit import view as credit
from penstock.dashboard.gateways import settings_view as gateway_settings
from penstock.dashboard.gateways import view as gateways
from penstock.dashboard.invoices import view as invoices
from penstock.dashboard.keys import view as keys
from penstock.dashboard.kit import view as kit
from penstock.dashboard.limits import view as limits
from penstock.dashboard.logs import delete as log_delete
from penstock.dashboard.logs import row as log_row
from penstock.dashboard.logs import view as logs
from penstock.dashboard.overview import view as overview
from penstock.dashboard.playground import view as playground
from penstock.dashboard.prices import view as prices
from penstock.dashboard.providers import view as providers
from penstock.dashboard.reference import view as reference
from penstock.dashboard.routes import editor as route_editor
from penstock.dashboard.routes import view as routes
from penstock.dashboard.session import passes, single_sign_on
from penstock.dashboard.session import view as session
from penstock.dashboard.spend import view as spend
from penstock.dashboard.tokens import view as tokens

PAGES: tuple[Route, ...] = (
    *session.ROUTES,
    *passes.ROUTES,
    *single_sign_on.ROUTES,
    *overview.ROUTES,
    *logs.ROUTES,
    *log_delete.ROUTES,
    *log_row.ROUTES,
    *playground.ROUTES,
    *keys.ROUTES,
    *providers.ROUTES,
    *prices.ROUTES,
    *tokens.ROUTES,
    *spend.ROUTES,
    *limits.ROUTES,
    *credit.ROUTES,
    *routes.ROUTES,
    *route_editor.ROUTES,
    *gateways.ROUTES,
    *gateway_settings.ROUTES,
    *invoices.ROUTES,
    *alerts.ROUTES,
    *audit.ROUTES,
    *kit.ROUTES,
    *reference.ROUTES,
)


def add(app: FastAPI) -> None:
    app.router.routes += PAGES
    app.router.routes.append(Route(f"{files.PREFIX}/{{digest}}/{{path:path}}", files.served, include_in_schema=False))
