"""Which method of payment the settings ask for."""

from penstock.backends.payments.stripe import Stripe
from penstock.core.settings import Settings
from penstock.ports.payments import MANUAL, Payments


def payments(settings: Settings) -> Payments:
    if settings.payments == "manual":
        return MANUAL
    return Stripe(settings.stripe_secret_key, settings.stripe_webhook_secret, settings.stripe_base_url)
