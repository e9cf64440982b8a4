"""``penstock logs search``: calls by what they are, in any order."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.cli import store
from penstock.cli.logs import wanted
from penstock.cli.logs.table import table
from penstock.cli.logs.tail import lines
from penstock.cli.logs.wanted import Wanted
from penstock.core.errors import Invalid, NotFound

if TYPE_CHECKING:
    from penstock.control.context import Context

_PAGE = 50


def search(
    text: Annotated[
        str, typer.Argument(help="What they have in ids, names, metadata or bodies.", metavar="[TEXT]")
    ] = "",
    filters: wanted.Filters = None,
    metadata: wanted.Metadata = None,
    provider: wanted.Provider = None,
    model: wanted.Model = None,
    status: wanted.Status = None,
    success: wanted.Success = None,
    cached: wanted.Cached = None,
    since: wanted.Since = None,
    until: wanted.Until = None,
    order_by: Annotated[
        str,
        typer.Option(help="The greatest first: created_at, cost, duration, tokens_in, tokens_out, …", metavar="FIELD"),
    ] = "created_at",
    ascending: Annotated[bool, typer.Option("--ascending", help="The least, or oldest, first.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100_000, help="Rows.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, as the API lists it.")] = False,
    gateway: store.Gateway = "default",
    account: store.Account = None,
    data_dir: store.DataDir = None,
    database_url: store.DatabaseUrl = None,
    config: store.Config = None,
) -> None:
    """Search the calls of a gateway. All that is asked must hold.

    The ten dearest calls of a user last week: --metadata user=alice --since 7d --order-by cost --limit 10
    """
    with store.failing("logs search"):
        asked = Wanted(filters, metadata, provider, model, status, success, cached, since, until)
        query = {"order_by": order_by, "direction": "asc" if ascending else "desc", "search": text or None}
        found = store.act(
            *(data_dir, database_url, config, account),
            lambda context: _found(context, gateway, asked, {k: v for k, v in query.items() if v is not None}, limit),
        )
        (lines if as_json else table())(found)
        sys.stdout.flush()


async def _found(
    context: "Context", gateway: str, asked: Wanted, query: dict[str, Any], limit: int
) -> list[dict[str, Any]]:
    """Goes on until there are as many as wanted, or no more. Raises NotFound and Invalid."""
    from pydantic import ValidationError

    from penstock.control.logs import service
    from penstock.control.logs.schema import LogQuery

    tests, found = asked.tests(), list[dict[str, Any]]()
    query = query | {"page": 1, "per_page": min(limit, _PAGE)}
    while True:
        try:
            page = await service.page(context, gateway, LogQuery.model_validate(query), tests)
        except ValidationError as error:
            first = error.errors()[0]
            raise Invalid(f"{_flag(str(first['loc'][0]))}: {first['msg']}") from None
        except NotFound:
            raise NotFound(f"there is no gateway {store.printable(gateway)}") from None
        found += [{"gateway": gateway, **row} for row in page.rows]
        ends = len(page.rows) < query["per_page"] and not page.messages
        if len(found) >= limit or ends:
            return found[:limit]
        if "cursor" in page.info:
            query["cursor"] = page.info["cursor"]
        query["page"] += 1
        for message in page.messages if sys.stderr.isatty() else ():
            typer.echo(message["message"].partition(". ")[0], err=True)


def _flag(name: str) -> str:
    return "TEXT" if name == "search" else f"--{name.replace('_', '-')}"
