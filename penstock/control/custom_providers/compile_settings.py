"""Makes of the stored rows what gateways are compiled from."""

from collections.abc import Iterable

from penstock.control.custom_providers.headers import place
from penstock.core.logs import log
from penstock.core.sealing import NotOpened, Vault
from penstock.providers.custom import PREFIX, Custom
from penstock.storage.custom_providers import CustomRow


def customs(rows: Iterable[CustomRow], vault: Vault) -> tuple[Custom, ...]:
    """All of an account. One whose headers do not open refuses its calls, and the log says so."""
    return tuple(custom(row, vault) for row in rows)


def custom(row: CustomRow, vault: Vault) -> Custom:
    get, named = row.settings.get, f"Invalid provider '{PREFIX}{row.slug}'"
    refusal = "" if get("enable") else f"{named}: it is disabled; set enable to true."
    stored: dict[str, str] = get("headers") or {}
    given: dict[str, float] = get("prices") or {}
    headers: list[tuple[bytes, bytes]] = []
    try:
        for name, sealed in stored.items():
            headers.append((name.lower().encode(), vault.open(sealed, *place(row.account, row.id, name)).encode()))
    except NotOpened as error:
        log.error("a custom provider cannot be called: %s", error)
        refusal = refusal or f"{named}: its headers cannot be used; store them again."
    prices = tuple((kind, str(price)) for kind, price in given.items())
    return Custom(row.id, row.generation, row.slug, row.settings["base_url"], refusal, tuple(headers), prices)
