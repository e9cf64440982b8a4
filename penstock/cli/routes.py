"""``penstock routes``: dynamic routes, beside a running server, which notices a change within a second."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.cli import store
from penstock.cli.store import Account, Config, DatabaseUrl, DataDir, Gateway
from penstock.core import codec
from penstock.core.errors import NotFound

if TYPE_CHECKING:
    from penstock.control.context import Context

HELP = "List, show, deploy, roll back, export, import and simulate the dynamic routes of a gateway."
app = typer.Typer(no_args_is_help=True, help=HELP)

Route = Annotated[str, typer.Argument(help="Name of the route.", metavar="NAME")]


@app.callback(help=HELP)
def routes() -> None:
    """Groups the commands below."""


@app.command("list")
def list_(
    gateway: Gateway = "default",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, with every field.")] = False,
    account: Account = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
) -> None:
    """List a gateway's routes, oldest first."""
    with store.failing("routes list"):
        found = store.act(data_dir, database_url, config, account, lambda context: every(context, gateway))
        if as_json:
            for row in found:
                sys.stdout.write(codec.encode(row).decode() + "\n")
        else:
            heading = ("name", "version", "deployed", "elements", "changed")
            typer.echo("\n".join(store.columns([heading, *map(_cells, found)])))


@app.command()
def show(
    name: Route,
    gateway: Gateway = "default",
    account: Account = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
) -> None:
    """Show a route's versions, newest first, and what is wrong with those that cannot be deployed."""
    with store.failing("routes show"):
        found = store.act(data_dir, database_url, config, account, lambda context: _versions(context, gateway, name))
        rows = [(str(one["number"]), one["version_id"], _minute(one["created_at"]), _state(one)) for one in found]
        typer.echo("\n".join(store.columns([("version", "id", "created", "state"), *rows])))


@app.command()
def deploy(
    name: Route,
    version: Annotated[
        int | None, typer.Argument(help="Number of the version; without one the newest.", metavar="[VERSION]")
    ] = None,
    gateway: Gateway = "default",
    account: Account = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
) -> None:
    """Deploy a version of a route. Calls take its way within a second."""
    with store.failing("routes deploy"):
        made = store.act(
            data_dir, database_url, config, account, lambda context: _deploy(context, gateway, name, version)
        )
        typer.echo(_deployed(made))


@app.command()
def rollback(
    name: Route,
    gateway: Gateway = "default",
    account: Account = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
) -> None:
    """Deploy again what was deployed before; a second rollback takes back the first."""
    with store.failing("routes rollback"):
        typer.echo(
            _deployed(store.act(data_dir, database_url, config, account, lambda it: _rollback(it, gateway, name)))
        )


async def every(context: "Context", gateway: str) -> list[dict[str, Any]]:
    """All routes of a gateway. Raises NotFound."""
    from penstock.control.routes import service

    try:
        return await store.every(lambda asked: service.page(context, gateway, asked))
    except NotFound:
        raise NotFound(f"there is no gateway {store.printable(gateway)}") from None


async def named(context: "Context", gateway: str, name: str) -> dict[str, Any]:
    """Raises NotFound."""
    for route in await every(context, gateway):
        if route["name"] == name:
            return route
    told = f"the gateway {store.printable(gateway)} has no route {store.printable(name)}"
    raise NotFound(f"{told}; `penstock routes list` shows them.")


async def _versions(context: "Context", gateway: str, name: str) -> list[dict[str, Any]]:
    from penstock.control.routes import service

    route = await named(context, gateway, name)
    return await store.every(lambda asked: service.versions(context, gateway, route["id"], asked))


async def _deploy(context: "Context", gateway: str, name: str, number: int | None) -> dict[str, Any]:
    from penstock.control.routes import service

    route = await named(context, gateway, name)
    return await service.deploy(context, gateway, route["id"], await version_of(context, gateway, route, number))


async def version_of(context: "Context", gateway: str, route: dict[str, Any], number: int | None) -> str:
    """The id of the version of that number; None: of the newest. Raises NotFound."""
    from penstock.control.routes import service

    for one in await store.every(lambda asked: service.versions(context, gateway, route["id"], asked)):
        if number in {None, one["number"]}:
            return one["version_id"]
    name = route["name"]
    raise NotFound(f"the route {name} has no version {number}; `penstock routes show {name}` shows them.")


async def _rollback(context: "Context", gateway: str, name: str) -> dict[str, Any]:
    from penstock.control.routes import service

    route = await named(context, gateway, name)
    return await service.roll_back(context, gateway, route["id"])


def _deployed(route: dict[str, Any]) -> str:
    return f"Version {route['version']['number']} of the route {route['name']} is deployed ({route['id']})."


def _cells(route: dict[str, Any]) -> list[str]:
    since = _minute(route["deployment"]["created_at"]) or "-"
    version = str(route["version"]["number"])
    return [route["name"], version, since, str(len(route["elements"])), _minute(route["modified_at"])]


def _state(version: dict[str, Any]) -> str:
    if version["active"] == "true":
        return "deployed"
    wrong = version["fault"]
    return f"{'.'.join(map(str, wrong['path']))}: {store.printable(wrong['message'])}" if wrong else "-"


def _minute(value: str) -> str:
    return value[:16].replace("T", " ")
