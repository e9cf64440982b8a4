"""``penstock routes simulate``: where a call of a route would go, and why. Nothing is called, counted or stored."""

import dataclasses
from collections.abc import Awaitable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from penstock.cli import routes, store
from penstock.cli.store import Account, Config, DatabaseUrl, DataDir, Gateway
from penstock.core import codec
from penstock.core.errors import Bug, Invalid

if TYPE_CHECKING:
    from penstock.control.context import Context, Control
    from penstock.core.settings import Settings
    from penstock.gateway.simulator import Simulator


def simulate(
    name: Annotated[
        str | None, typer.Argument(help="Name of the route; left out, that of a file alone.", metavar="[NAME]")
    ] = None,
    version: Annotated[int | None, typer.Option(help="Number of the version; without one the deployed one.")] = None,
    file: Annotated[
        Path | None, typer.Option(help="Elements that are not stored: a file of export, or a list.", metavar="FILE")
    ] = None,
    header: Annotated[
        list[str] | None, typer.Option(help="A header of the call; more than once for several.", metavar="NAME=VALUE")
    ] = None,
    metadata: Annotated[
        list[str] | None,
        typer.Option(help="An entry of cf-aig-metadata. Numbers, true and false are such.", metavar="KEY=VALUE"),
    ] = None,
    body: Annotated[str | None, typer.Option(help="The body of the call, or @ and a file.", metavar="JSON")] = None,
    fail: Annotated[
        list[str] | None, typer.Option(help="A model that fails, or a limit that is exceeded.", metavar="ELEMENT")
    ] = None,
    assume: Annotated[
        list[str] | None, typer.Option(help="The output that an element takes.", metavar="ELEMENT=OUTPUT")
    ] = None,
    draw: Annotated[
        float | None, typer.Option(help="What is drawn where calls are divided, from 0 to below 1.", metavar="NUMBER")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, with every field.")] = False,
    gateway: Gateway = "default",
    account: Account = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    config: Config = None,
) -> None:
    """Show where a call of a route would go, and why.

    No provider is called. What limits have counted is not seen from here: calls pass them, unless --fail says so. Keys
    of the configuration are those that this command finds.
    """
    with store.failing("routes simulate"):
        question: dict[str, Any] = {
            "headers": dict(_pairs("--header", header)),
            "metadata": {key: _scalar(value) for key, value in _pairs("--metadata", metadata)} if metadata else None,
            "body": _body(body),
            "assume": dict.fromkeys(fail or (), "fallback") | dict(_pairs("--assume", assume)),
            "draw": draw,
        }
        if file is not None:
            question["elements"] = _elements(file)
        elif name is None:
            raise Invalid("NAME: name a route, or a --file")
        place = store.find(data_dir, database_url, config)
        simulator = _simulator(store.read(data_dir, database_url, config))

        owner, vault = place.one(account), store.vault(data_dir, database_url, config)

        def act(control: "Control") -> Awaitable[dict[str, Any]]:
            from penstock.control.context import Context

            able = dataclasses.replace(control, simulator=simulator)
            return _asked(Context(able, owner, store.user()), gateway, name, version, question)

        told = codec.indented(store.run(place, act, vault))
        typer.echo(told if as_json else "".join(f"{line}\n" for line in _lines(codec.decode(told))), nl=False)


async def _asked(
    context: "Context", gateway: str, name: str | None, number: int | None, question: dict[str, Any]
) -> dict[str, Any]:
    from penstock.control.provider_configs.schema import checked
    from penstock.control.routes import simulate as rules
    from penstock.control.routes.simulation import SimulateElements, SimulateRoute

    if name is None:
        return await rules.simulate_elements(context, gateway, checked(SimulateElements, question))
    route = await routes.named(context, gateway, name)
    if number is not None:
        question["version_id"] = await routes.version_of(context, gateway, route, number)
    return await rules.simulate_route(context, gateway, route["id"], checked(SimulateRoute, question))


def _simulator(settings: "Settings") -> "Simulator":
    """With the providers, keys and prices of the settings. Raises Invalid."""
    from penstock.core.budget import Budget
    from penstock.core.telemetry import Telemetry
    from penstock.features.auth import Keyring
    from penstock.gateway.compile import Parts, operators, own_prices, upstreams
    from penstock.gateway.simulator import Simulator
    from penstock.model.outgoing import Outgoing
    from penstock.model.reply import Reply
    from penstock.ports.cache_store import NOTHING_CACHED
    from penstock.ports.counters import Uncounted
    from penstock.ports.reservations import Unreserved
    from penstock.ports.transport import Transport
    from penstock.providers.prices import PriceBook

    class Nowhere(Transport):
        async def send(self, outgoing: Outgoing, first_byte: float) -> Reply:
            raise Bug("a simulated call was sent")

    try:
        known = upstreams(settings.providers)
        prices = PriceBook({slug: upstream.provider for slug, upstream in known.items()}, own_prices(settings))
        keys = operators(settings.provider_keys)
    except ValueError as error:
        raise Invalid(str(error)) from None
    telemetry = Telemetry()
    parts = Parts(
        transport=Nowhere(),
        upstreams=known,
        prices=prices,
        keyring=Keyring(telemetry),
        first_byte=settings.first_byte_timeout,
        keep=0,
        answers=Budget(settings.answer_memory),
        telemetry=telemetry,
        counters=Uncounted(),
        reservations=Unreserved(),
        cache=NOTHING_CACHED,
        largest_cached=0,
        fetch_media=settings.fetch_media,
        operators=keys,
    )
    return Simulator(parts, parts.counters)


def _pairs(option: str, given: Iterable[str] | None) -> Iterator[tuple[str, str]]:
    for text in given or ():
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise Invalid(f"{option}: must be a name, =, and a value: {text!r}")
        yield name, value


def _scalar(value: str) -> Any:
    try:
        read = codec.decode(value)
    except codec.DecodeError:
        return value
    return read if isinstance(read, bool | int | float) else value


def _body(given: str | None) -> Any:
    if given is None:
        return None
    return _json("--body", Path(given[1:]) if given.startswith("@") else given.encode())


def _elements(file: Path) -> Any:
    read = _json("--file", file)
    return cast("dict[str, Any]", read).get("elements") if isinstance(read, dict) else read


def _json(option: str, given: Path | bytes) -> Any:
    try:
        return codec.decode(given.read_bytes() if isinstance(given, Path) else given)
    except (OSError, *codec.DecodeError) as error:
        raise Invalid(f"{option}: cannot be read: {error}") from None


_KEYS = {"byok": "the provider's own headers", "wholesale": "of the configuration"}


def _lines(told: dict[str, Any]) -> Iterator[str]:
    named = f"Route {told['name']}" if told["name"] else "Elements that are not stored"
    yield f"{named}, version {told['number']}" if told["number"] else named
    rows = [(one["element"], one["type"], one["output"] or "-", _why(one)) for one in told["path"]]
    yield from store.columns([("element", "type", "output", "why"), *rows])
    for call in told["calls"]:
        yield ""
        yield from _call(call)
    yield ""
    answer, error = told["answer"], told["error"]
    if answer is not None:
        yield f"The answer is that of {answer['element']}: {answer['provider']}/{answer['model']}."
    else:
        yield f"No answer: {error['status']}, code {error['code']}: {store.printable(error['message'])}"
    for warning in told["warnings"]:
        yield f"  {store.printable(warning)}"


def _why(one: dict[str, Any]) -> str:
    told = [store.printable(one["why"])]
    if (limit := one["limit"]) is not None:
        told.append(
            f"{limit['limit']:.15g} {limit['unit']} in {limit['interval']} s for {limit['key']}={limit['value']}"
        )
    if one["shares"] is not None:
        told.append(", ".join(f"{share['output']} -> {share['element']}" for share in one["shares"]))
    return store.printable("; ".join(filter(None, told)))


def _call(call: dict[str, Any]) -> Iterator[str]:
    key = call["key"]
    named = "none" if key is None else key.get("alias") or _KEYS[key["source"]]
    yield f"{call['element']}: {call['provider']}/{call['model']}" + (f" ({call['why']})" if call["why"] else "")
    if call["url"]:
        within, retries = f"{call['timeout']:g} s", call["retries"]
        yield f"  {call['url']}; key: {named}; first byte within {within}; retries: {retries}"
    if call["dialect"]:
        yield f"  translated into {call['dialect']}"
    for line in filter(None, [call["error"], *call["warnings"]]):
        yield f"  {store.printable(line)}"
