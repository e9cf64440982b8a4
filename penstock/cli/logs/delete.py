"""``penstock logs delete``: rows, with their bodies, by what they are."""

from typing import TYPE_CHECKING, Annotated

import typer

from penstock.cli import store
from penstock.cli.logs import wanted
from penstock.cli.logs.progress import progress
from penstock.cli.logs.wanted import Wanted
from penstock.core.errors import Invalid, NotFound

if TYPE_CHECKING:
    from penstock.control.context import Context

_AT_ONCE = 10_000  # rows of one step, which is one line of the audit trail


def delete(
    filters: wanted.Filters = None,
    metadata: wanted.Metadata = None,
    provider: wanted.Provider = None,
    model: wanted.Model = None,
    status: wanted.Status = None,
    success: wanted.Success = None,
    cached: wanted.Cached = None,
    since: wanted.Since = None,
    until: wanted.Until = None,
    everything: Annotated[bool, typer.Option("--all", help="All calls of the gateway.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how many there are, and delete none.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    gateway: store.Gateway = "default",
    account: store.Account = None,
    data_dir: store.DataDir = None,
    database_url: store.DatabaseUrl = None,
    config: store.Config = None,
) -> None:
    """Delete calls of a gateway, with their bodies. What analytics counted of them stays."""
    with store.failing("logs delete"):
        asked = Wanted(filters, metadata, provider, model, status, success, cached, since, until)
        if bool(asked.tests()) is everything:
            raise Invalid("say which calls: by flags, or --all (not both)")
        place = (data_dir, database_url, config, account)
        count = store.act(*place, lambda context: _count(context, gateway, asked))
        told = f"{count:,} {'call' if count == 1 else 'calls'} of the gateway {store.printable(gateway)}"
        if dry_run or not count:
            typer.echo(f"{told} would be deleted.")
        elif yes or typer.confirm(f"Delete {told}?"):
            gone = store.act(*place, lambda context: _delete(context, gateway, asked, count))
            typer.echo(f"Deleted {gone:,}.")
        else:
            raise typer.Exit(1)


async def _count(context: "Context", gateway: str, asked: Wanted) -> int:
    """Raises NotFound and Invalid."""
    from penstock.control.logs import service
    from penstock.control.logs.schema import LogQuery

    counting = LogQuery.model_validate({"per_page": 1, "meta_info": True})
    try:
        return (await service.page(context, gateway, counting, asked.tests())).info["total_count"]
    except NotFound:
        raise NotFound(f"there is no gateway {store.printable(gateway)}") from None


async def _delete(context: "Context", gateway: str, asked: Wanted, count: int) -> int:
    """Deletes as many as were counted, oldest first; how many were there."""
    from penstock.control.logs import service
    from penstock.control.logs.schema import LogDelete

    gone = 0
    with progress("Deleted", count) as advance:
        while gone < count:
            step = LogDelete.model_validate({"limit": min(_AT_ONCE, count - gone)})
            done = await service.delete(context, gateway, step, asked.tests())
            gone += done["count"]
            advance(done["count"])
            if not (done["more"] and done["count"]):
                break
    return gone
