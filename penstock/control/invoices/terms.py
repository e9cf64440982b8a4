"""The terms that the settings name."""

from penstock.core.settings import Settings
from penstock.model.billing import Terms


def terms_of(settings: Settings) -> Terms:
    return Terms(settings.tax_percent, settings.tax_name, settings.invoice_issuer)
