"""Elements of routes, as clients write them."""


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
