"""Elements of routes, as clients write them."""

from penstock.features.routing.graph.reading import read
from penstock.model.graph import GraphFault
from penstock.model.route import Route


def to(name):
    return {"elementId": name}


def start(target, name="start"):
    return {"type": "start", "id": name, "outputs": {"next": to(target)}}


def end(name="end"):
    return {"type": "end", "id": name, "outputs": {}}


def conditional(name, condition, true, false):
    return {
        "type": "conditional",
        "id": name,
        "properties": {"conditions": condition},
        "outputs": {"true": to(true), "false": to(false)},
    }


def percentage(name, outputs, **properties):
    """``outputs``: share, as in "10%", -> element."""
    shares = {share: to(target) for share, target in outputs.items()}
    return {"type": "percentage", "id": name, "properties": properties, "outputs": shares}


def rate(name, success="end", fallback=None, **properties):
    properties = {"limitType": "count", "key": "metadata.user", "limit": 10, "window": 60} | properties
    return {"type": "rate", "id": name, "properties": properties, "outputs": _outputs(success, fallback)}


def model(name, success="end", fallback=None, **properties):
    properties = {"provider": "openai", "model": "gpt-4o-mini", "timeout": 0, "retries": 0} | properties
    return {"type": "model", "id": name, "properties": properties, "outputs": _outputs(success, fallback)}


def _outputs(success, fallback):
    return {"success": to(success)} | ({"fallback": to(fallback)} if fallback else {})


def deployed(elements):
    """What ``house`` takes, so that its gateways have these routes, by name. One that cannot run says why."""

    def adjust(app):
        snapshot = app.snapshots.current
        routes = {name: _route(name, each) for name, each in elements.items()}
        for gateway in snapshot._gateways.values():
            gateway.routes = routes
        return snapshot

    return adjust


def _route(name, elements):
    try:
        return Route(f"id-{name}", name, "v1", read(elements))
    except GraphFault as fault:
        return Route(f"id-{name}", name, "v1", None, f"{'.'.join(map(str, fault.path))}: {fault.message}")
