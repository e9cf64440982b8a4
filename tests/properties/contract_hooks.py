"""Loaded by schemathesis: what a JSON schema cannot say of the API, told to the data that it makes.

Each hook changes valid requests alone, and of those only what would break a rule between two values or with the clock.
"""

import os

import schemathesis

ACCOUNT = os.environ["CONTRACT_ACCOUNT"]
OWN = os.environ["CONTRACT_TOKEN_ID"]  # of the token that the run itself calls with
ROUTE = os.environ["CONTRACT_ROUTE"]  # of the gateway default: its id and that of a version
MASK = "********"
FILTERS = '[{"key": "cost", "operator": "gt", "value": [0]}]'
ANALYTICS = ("get_account_analytics", "get_analytics")
GRAPH = [{"id": "s", "type": "start", "outputs": {"next": {"elementId": "e"}}}, {"id": "e", "type": "end"}]


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Answers are held to exactly the fields of the document. It does not promise that none will ever be added."""
    for schema in raw_schema["components"]["schemas"].values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)


@schemathesis.hook
def before_call(context, case, kwargs):
    operation = case.operation.definition.raw["operationId"]
    if operation in ("revoke_token", "update_token") and case.path_parameters.get("token_id") == OWN:
        case.path_parameters["token_id"] = "0" * 32  # or all that follows would be refused
    if operation == "delete_gateway" and case.path_parameters.get("gateway_id") == "default":
        case.path_parameters["gateway_id"] = "g2"  # or its log would be gone
    if operation == "delete_logs" and case.path_parameters.get("gateway_id") == "default":
        case.path_parameters["gateway_id"] = "g2"
    if operation == "delete_route" and case.path_parameters.get("route_id") in ROUTE:
        case.path_parameters["route_id"] = "0" * 32  # or none could be deployed
    valid = case.meta is not None and case.meta.generation.mode.is_positive
    if valid and operation in ("list_logs", "delete_logs") and isinstance(case.query, dict):
        list_logs(case.query)
    if valid and operation in ANALYTICS and isinstance(case.query, dict):
        analytics(case.query)
    if valid and operation == "get_usage_history" and isinstance(case.query, dict):
        usage_history(case.query)
    if valid and isinstance(case.body, dict):
        RULES.get(operation, lambda case: None)(case)


def list_logs(query):
    """Filters are JSON in a text; what goes with one order alone goes with it."""
    if "filters" in query:
        query["filters"] = FILTERS
    if query.keys() & {"search", "cursor"}:
        query.pop("order_by", None)
    if "order_by" in query:
        query.pop("page", None)


def analytics(query):
    """Bounded time; metadata are told apart by hours and days alone, and only one key is asked for."""
    if query.keys() & {"start", "end"}:
        query |= {"start": "2000-01-01T00:00:00Z", "end": "2000-01-01T02:00:00Z"}
    if "metadata" in query:
        query.pop("group_by", None)
    if "metadata" in query or str(query.get("group_by")).startswith("metadata."):
        query.pop("interval", None)


def usage_history(query):
    """Bounded time."""
    if query.keys() & {"start_time", "end_time"}:
        query |= {"start_time": 0, "end_time": 7_200_000}


def token(case):
    """It must end in the future, and patterns of models have few stars."""
    if case.body.get("models") is not None:
        case.body["models"] = ["openai/*", "*/llama-*"]
    if case.body.get("expires_on") is not None:
        case.body["expires_on"] = "2999-12-31T23:59:59Z"  # must be in the future


def create_gateway(case):
    for entry in case.body.get("otel") or ():
        if entry.get("authorization") == MASK:  # stands for what is stored, and nothing is
            entry["authorization"] = "Bearer x"


def update_gateway(case):
    """What can only be read must be as it is."""
    create_gateway(case)
    gateway = case.path_parameters["gateway_id"]
    known = {"id": gateway, "account_id": ACCOUNT, "is_default": gateway == "default"}
    case.body.update({name: value for name, value in known.items() if case.body.get(name) is not None})


def create_provider_config(case):
    """The provider must be there, and a header must be able to hold its key."""
    body = case.body
    body["provider_slug"] = "openai"
    secret = body.get("secret")
    if secret is None or not secret.isprintable() or secret != secret.strip():
        body["secret"] = "sk-x"
    pair_limits(body)


def update_provider_config(case):
    body = case.body
    for name in ("id", "gateway_id", "provider_slug"):  # must be as they are
        body.pop(name, None)
    if body.get("secret") is not None:
        body["secret"] = "sk-x"
    pair_limits(body)


def custom_provider(case):
    """Calls must be able to go to its address, and headers are JSON in a text."""
    body = case.body
    if "base_url" in body:
        body["base_url"] = "https://provider.example/v1"
    if body.get("headers") is not None:
        body["headers"] = '{"x-team": "a"}'
    if body.get("prices"):
        body["prices"] = {"input": 1.5}  # of a kind that there is


def alert(case):
    """It must be one of a kind with what that has, at an address that may be called."""
    body = case.body
    body.pop("minimum_calls", None)
    body.pop("threshold", None)
    if body.get("kind", "credential_refused") != "credential_refused":
        body["threshold"] = 1
    if "gateway_id" in body:
        body["gateway_id"] = None
    if "url" in body:
        body["url"] = "https://hooks.example/v1"


def topup(case):
    """Nothing is charged here, so no means of payment can be named."""
    case.body.pop("payment_method_id", None)


def update_route(case):
    """What can only be read must be as it is."""
    for name in ("id", "gateway_id", "account_tag", "elements"):
        case.body.pop(name, None)


def create_route_deployment(case):
    """It must be a version of the route."""
    case.path_parameters["gateway_id"] = "default"
    case.path_parameters["route_id"], case.body["version_id"] = ROUTE.split("/")


def simulate_route(case):
    """Of its deployed version, or of elements that can run; what is assumed must be theirs."""
    case.body.update(assume={}, version_id=None)
    if case.body.get("elements") is not None:
        case.body["elements"] = GRAPH


def simulate_route_elements(case):
    case.body.update(assume={}, elements=GRAPH)


def edit_log(case):
    """Some keys are the gateway's own, and no value may look like a token."""
    if case.body.get("metadata"):
        case.body["metadata"] = {"user": "u-17"}


def pair_limits(body):
    """One without the other is refused, also where the other is a stored one."""
    if not body.get("rate_limit") or not body.get("rate_limit_period"):
        body["rate_limit"] = body["rate_limit_period"] = None


RULES = {
    "create_token": token,
    "update_token": token,
    "create_gateway": create_gateway,
    "update_gateway": update_gateway,
    "create_alert": alert,
    "update_alert": alert,
    "create_custom_provider": custom_provider,
    "update_custom_provider": custom_provider,
    "create_provider_config": create_provider_config,
    "update_provider_config": update_provider_config,
    "create_topup": topup,
    "update_route": update_route,
    "create_route_deployment": create_route_deployment,
    "simulate_route": simulate_route,
    "simulate_route_elements": simulate_route_elements,
    "edit_log": edit_log,
}


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """A call without credentials is refused with 400 and a code of its own, where schemathesis knows 401 and 403."""
    return not (failure.code == "ST401" and "got `400 Bad Request`" in failure.message)
