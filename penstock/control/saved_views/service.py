"""The rules of saved views: everybody who may see a page may keep a view of it, for all of the account."""

import secrets
from urllib.parse import parse_qs

from penstock.control.context import Context
from penstock.core import instants
from penstock.core.errors import Conflict, Invalid, NotFound
from penstock.model.token import Token
from penstock.storage import saved_views
from penstock.storage.saved_views import ViewRow

MOST = 100  # of an account
LONGEST = 80  # characters of a name
MOST_QUERY = 8_000  # characters of a query


async def views(context: Context, page: str) -> list[ViewRow]:
    """The views of a page, by name, but for those of a gateway that the caller's token does not open."""
    async with context.control.database.reading() as connection:
        rows = await saved_views.of_page(connection, context.account, page, MOST)
    return [row for row in rows if _opens(context, row.query)]


async def save(context: Context, page: str, name: str, query: str) -> None:
    """Keeps a view, in the place of one of the same name. Raises Invalid, NotFound and Conflict."""
    if not _opens(context, query):
        raise NotFound
    name = " ".join(name.split())
    if not name or len(name) > LONGEST:
        raise Invalid(f"name: must have 1 to {LONGEST} characters", path=("body", "name"))
    if not name.isprintable() or not query.isprintable() or len(query) > MOST_QUERY:
        raise Invalid("name: must be text that can be shown, of a view that fits an address", path=("body", "name"))
    by = context.actor.name if isinstance(context.actor, Token) else context.actor
    row = ViewRow(secrets.token_hex(16), context.account, page, name, query, by, instants.now())
    async with context.control.database.writing() as connection:
        kept = await saved_views.of_page(connection, context.account, page, MOST)
        if any(view.name == name and not _opens(context, view.query) for view in kept):
            raise Conflict("name: there is a view of that name, of a gateway that your token does not open")
        await saved_views.drop_named(connection, context.account, page, name)
        if await saved_views.count(connection, context.account) >= MOST:
            raise Conflict(f"There are {MOST} saved views already: delete one first.")
        await saved_views.add(connection, row)


async def delete(context: Context, page: str, view: str) -> None:
    """Raises NotFound."""
    if view not in {row.id for row in await views(context, page)}:
        raise NotFound("Not found: there is no such view; somebody may have deleted it.")
    async with context.control.database.writing() as connection:
        await saved_views.drop(connection, context.account, view)


def _opens(context: Context, query: str) -> bool:
    named = parse_qs(query).get("gateway", [])
    return context.limited_to is None or set(named) <= context.limited_to
