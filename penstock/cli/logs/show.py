"""``penstock logs show``: one call, with all that is known of it."""

import sys
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from penstock.cli import store
from penstock.cli.logs import card
from penstock.core import codec
from penstock.core.errors import NotFound

if TYPE_CHECKING:
    from penstock.control.context import Context
    from penstock.control.logs.service import Body

LONGEST = 2_000  # characters of a turn, unless all is asked for


def show(
    log_id: Annotated[str, typer.Argument(help="Id of the call.", metavar="ID")],
    whole: Annotated[bool, typer.Option("--full", help="Turns to their end, however long.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As the API answers it, on one line.")] = False,
    gateway: Annotated[str | None, typer.Option(help="Id of the gateway; any, if not told.", metavar="ID")] = None,
    account: store.Account = None,
    data_dir: store.DataDir = None,
    database_url: store.DatabaseUrl = None,
    config: store.Config = None,
) -> None:
    """Show a call: how it went and what it cost, where its time went, what decided, and the conversation."""
    with store.failing("logs show"):
        row, bodies = store.act(data_dir, database_url, config, account, lambda it: _find(it, gateway, log_id))
        if as_json:
            sys.stdout.write(codec.encode(row).decode() + "\n")
        else:
            from rich.console import Console

            console = Console(highlight=False, soft_wrap=True)
            for line in card.lines(row, bodies, None if whole else LONGEST):
                console.print(line)
        sys.stdout.flush()


async def _find(context: "Context", gateway: str | None, log_id: str) -> "tuple[dict[str, Any], card.Bodies]":
    """Raises NotFound."""
    from penstock.control.gateways import service as gateways
    from penstock.control.logs import service

    async def page(asked: Any) -> Any:
        return await gateways.page(context, gateways.GatewayPaging(page=asked.page, per_page=1000, search=""))

    names = [gateway] if gateway else [one["id"] for one in await store.every(page)]
    for name in names:
        try:
            row = await service.get(context, name, log_id)
        except NotFound:
            continue
        bodies: card.Bodies = {
            "request": await _body(context, name, log_id, "request"),
            "response": await _body(context, name, log_id, "response"),
        }
        return {"gateway": name, **row}, bodies
    where = f"the gateway {store.printable(gateway)} has" if gateway else "there is"
    raise NotFound(f"{where} no call {store.printable(log_id)}")


async def _body(context: "Context", gateway: str, log_id: str, side: Literal["request", "response"]) -> "Body | None":
    from penstock.control.logs import service

    try:
        return await service.body(context, gateway, log_id, side, raw=True)
    except NotFound:
        return None
