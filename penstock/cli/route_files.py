"""``penstock routes export`` and ``import``: routes as JSON files that are reviewed and applied from a repository."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.cli import routes, store
from penstock.cli.store import Account, Config, DatabaseUrl, DataDir, Gateway
from penstock.core import codec
from penstock.core.errors import Invalid

if TYPE_CHECKING:
    from penstock.control.context import Context
    from penstock.control.routes.schema import RouteCreate


def export(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names of routes; without one all.", metavar="[NAME]...")
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", help="A directory: one file a route, NAME.json.", metavar="DIR")
    ] = None,
    gateway: Gateway = "default",
    account: Account = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
) -> None:
    """Write routes as JSON, each with the deployed elements: to standard output, or to files in a directory."""
    with store.failing("routes export"):
        for route in store.act(data_dir, database_url, config, account, lambda it: _chosen(it, gateway, names or [])):
            if not names and route["version"]["active"] != "true":
                typer.echo(f"{route['name']}: left out, as no version of it is deployed", err=True)
                continue
            text = codec.indented({"name": route["name"], "elements": route["elements"]})
            if to is None:
                typer.echo(text, nl=False)
            else:
                to.mkdir(parents=True, exist_ok=True)
                (to / f"{route['name']}.json").write_text(text, "utf-8")


def import_(
    files: Annotated[list[Path], typer.Argument(help="Files of export, or directories with them.", metavar="FILE...")],
    draft: Annotated[bool, typer.Option("--draft", help="Store versions, and do not deploy them.")] = False,
    gateway: Gateway = "default",
    account: Account = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
) -> None:
    """Create the routes of JSON files, or give those that are there a version with the file's elements, and deploy it.

    Every file is judged before anything is stored: one that cannot be deployed stops all. A route that has the file's
    elements stays as it is, and so does one without a file.
    """
    with store.failing("routes import"):
        bodies = [_read(file) for file in _listed(files)]
        for line in store.act(
            data_dir, database_url, config, account, lambda it: _apply(it, gateway, bodies, draft=draft)
        ):
            typer.echo(line)


async def _chosen(context: "Context", gateway: str, names: list[str]) -> list[dict[str, Any]]:
    if not names:
        return await routes.every(context, gateway)
    return [await routes.named(context, gateway, name) for name in names]


async def _apply(context: "Context", gateway: str, bodies: "list[RouteCreate]", *, draft: bool) -> list[str]:
    from penstock.control.gateways.schema import DEFAULT
    from penstock.control.gateways.service import ensure_default

    if gateway == DEFAULT:
        await ensure_default(context)
    there = {route["name"]: route for route in await routes.every(context, gateway)}
    return [await _put(context, gateway, body, there.get(body.name), draft=draft) for body in bodies]


async def _put(
    context: "Context", gateway: str, body: "RouteCreate", route: dict[str, Any] | None, *, draft: bool
) -> str:
    from penstock.control.routes import service
    from penstock.control.routes.schema import VersionCreate

    if route is None:
        await service.create(context, gateway, body, deployed=not draft)
        return f"{body.name}: created" + ("" if draft else " and deployed")
    if route["elements"] == body.sent and (draft or route["version"]["active"] == "true"):
        return f"{body.name}: unchanged"
    made = await service.create_version(context, gateway, route["id"], VersionCreate(elements=body.elements))
    if draft:
        return f"{body.name}: version {made['number']} stored"
    await service.deploy(context, gateway, route["id"], made["version_id"])
    return f"{body.name}: version {made['number']} deployed"


def _listed(files: Iterable[Path]) -> list[Path]:
    return [one for file in files for one in (sorted(file.glob("*.json")) if file.is_dir() else [file])]


def _read(file: Path) -> "RouteCreate":
    """Raises Invalid."""
    from penstock.control.provider_configs.schema import checked
    from penstock.control.routes.faults import fault, sentence
    from penstock.control.routes.schema import RouteCreate

    try:
        body = checked(RouteCreate, codec.decode(file.read_bytes()))
    except (OSError, *codec.DecodeError) as error:
        raise Invalid(f"{file} cannot be read: {error}") from None
    except Invalid as error:
        raise Invalid(f"{file}: {error.message}") from None
    if (wrong := fault(body.sent)) is not None:
        raise Invalid(f"{file}: {sentence(wrong)}")
    return body
