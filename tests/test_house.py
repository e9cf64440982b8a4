"""Rules of the house that no other tool checks."""

import ast
import re
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import msgspec
import pytest

from penstock.cli.billing.exports import EXPORTS
from penstock.control.logs.schema import UsageMetadata
from penstock.core.settings import SETTINGS
from penstock.providers import dialects
from penstock.providers.kinds import KINDS
from penstock.storage.log.columns import RANGED

ROOT = Path(__file__).resolve().parent.parent
LINES = 400

# Directories that hold nothing of ours: environments, caches, data of a run.
FOREIGN = {".git", ".venv", "node_modules", "penstock-data", "bench-data", "dist", "build", "__pycache__"}

# Modules without a test of their own, and folders of such (ending in /), each with the reason.
UNMIRRORED = {
    "penstock/__main__.py": "hands over to cli/main.py; tests/cli/test_main.py runs it",
    "penstock/backends/cache/indexed.py": "what the stores share; tests/backends/cache/test_memory.py asks it of each",
    "penstock/backends/http/limits.py": "a record, without behaviour",
    "penstock/backends/http/remains.py": "a part of the connection; tests/backends/http/test_races.py breaks it off",
    "penstock/cli/billing/app.py": "the list of its commands; each has a test, which calls it by name",
    "penstock/cli/member.py": "the other end of cli/sibling.py; tests/cli/test_sibling.py runs both",
    "penstock/cli/refused.py": "an error, without behaviour",
    "penstock/cli/token_flags.py": "the flags of one command; tests/cli/test_token.py gives them",
    "penstock/cli/token_shown.py": "what one command shows; tests/cli/test_token.py reads it",
    "penstock/control/alerts/": "tests/control/alerts asks all of it of a server, with a receiver beside it",
    "penstock/control/audit/schema.py": "shapes; tests/control/audit/test_routes.py asks for them",
    "penstock/control/audit/service.py": "one function; tests/control/audit/test_routes.py asks it of a server",
    "penstock/control/catalogue/service.py": "one list; tests/dashboard/providers/test_view.py reads it",
    "penstock/control/cache/routes.py": "one address; tests/control/cache/test_service.py calls it",
    "penstock/control/cache/schema.py": "one body; tests/control/cache/test_service.py sends it, right and wrong",
    "penstock/control/custom_providers/": "tests/control/custom_providers/test_routes.py asks all of it of a server",
    "penstock/control/envelope.py": "shapes; tests/control/test_rest.py and each resource's tests read them",
    "penstock/control/gateways/created_by_calls.py": "tests/proxy/test_default.py makes them by calls",
    "penstock/control/gateways/compile_settings.py": "half of the schema; its test, test_schema.py, reads both",
    "penstock/control/logs/rendering.py": "how rows are told; tests/control/logs/test_routes.py reads it all",
    "penstock/control/master_key.py": "where the key is; tests/control/test_first_start.py puts it there, or not",
    "penstock/control/prices/service.py": "tests/dashboard/prices/test_view.py reads what it finds",
    "penstock/control/provider_configs/asking.py": "tests/cli/test_try_keys.py asks every provider by it",
    "penstock/control/logs/conversation.py": "tests/cli/logs/test_conversation.py reads every dialect by it",
    "penstock/control/saved_views/service.py": "tests/dashboard/logs/test_view.py saves, lists and deletes",
    "penstock/control/sessions/service.py": "tests/dashboard/session/test_view.py signs in and out",
    "penstock/control/tokens/limits.py": "half of the schema; tests/control/tokens/test_routes.py sends it all",
    "penstock/control/budgets.py": "tests/control/gateways/test_spend.py and tests/control/tokens read it",
    "penstock/core/headers.py": "a type",
    "penstock/dashboard/invoices/": "tests/dashboard/invoices/test_view.py opens them",
    "penstock/dashboard/audit/": "tests/dashboard/audit/test_view.py reads the page",
    "penstock/dashboard/keys/": "tests/dashboard/keys/test_view.py stores keys of every kind",
    "penstock/dashboard/alerts/": "tests/dashboard/alerts/test_view.py makes, changes and tests them",
    "penstock/dashboard/credit/": "tests/dashboard/credit/test_view.py tops up",
    "penstock/dashboard/drawn.py": "every page is drawn by it",
    "penstock/dashboard/gateways/controls.py": "tests/dashboard/gateways/test_settings_view.py enters every kind",
    "penstock/dashboard/gateways/form.py": "tests/dashboard/gateways/test_settings_view.py sends all of it",
    "penstock/dashboard/gateways/summary.py": "tests/dashboard/gateways/test_view.py reads it in the list",
    "penstock/dashboard/kit/view.py": "shows each component; tests/dashboard/test_accessibility.py looks at them",
    "penstock/dashboard/logs/again.py": "tests/dashboard/logs/test_row.py reads the code, test_as_code.py runs it",
    "penstock/dashboard/logs/asked.py": "tests/dashboard/logs/test_view.py asks it by addresses",
    "penstock/dashboard/logs/columns.py": "a table; tests/dashboard/logs/test_view.py chooses among it",
    "penstock/dashboard/logs/delete.py": "tests/dashboard/logs/test_view.py deletes",
    "penstock/dashboard/logs/told.py": "sentences; tests/dashboard/logs/test_row.py reads them",
    "penstock/dashboard/logs/turns.py": "tests/dashboard/logs/test_row.py reads conversations",
    "penstock/dashboard/limits/": "tests/dashboard/limits/test_view.py reads and sets them",
    "penstock/dashboard/mount.py": "the list of pages; each has its test",
    "penstock/dashboard/navigation.py": "the list of places; tests/dashboard/test_page.py goes to each",
    "penstock/dashboard/overview/": "tests/dashboard/overview/test_view.py reads the page",
    "penstock/dashboard/playground/": "tests/dashboard/playground/test_view.py reads the page",
    "penstock/dashboard/paging.py": "addresses of pages; the tests of each list turn them",
    "penstock/dashboard/prices/": "tests/dashboard/prices/test_view.py reads the page",
    "penstock/dashboard/providers/": "tests/dashboard/providers/test_view.py makes, changes and deletes them",
    "penstock/dashboard/reference/": "tests/dashboard/reference/test_view.py reads the page",
    "penstock/dashboard/routes/": "tests/dashboard/routes reads the pages; what is pure has tests of its own there",
    "penstock/dashboard/security.py": "tests/dashboard/session/test_view.py tries to get round it",
    "penstock/dashboard/tokens/": "tests/dashboard/tokens/test_view.py makes, changes and revokes them",
    "penstock/dashboard/spend/": "tests/dashboard/spend/test_view.py asks and reads it",
    "penstock/dashboard/times.py": "points of charts; tests/dashboard/overview/test_view.py counts them",
    "penstock/dashboard/visit.py": "what pages are given; tests/dashboard/session/test_view.py asks for it",
    "penstock/doctor/outside.py": "the way out; tests/doctor/test_providers.py and tests/cli/test_try_keys.py go it",
    "penstock/doctor/stored_key.py": "tests/cli/test_try_keys.py asks by it",
    "penstock/features/cache/coding.py": "a part of the stage; tests/features/cache/test_stage.py asks for them all",
    "penstock/features/cache/keeper.py": "a part of the stage; tests/features/cache/test_stage.py lives by it",
    "penstock/features/dlp.py": "null so far; tests/line runs it",
    "penstock/features/guard.py": "null so far; tests/line runs it",
    "penstock/features/policies.py": "null so far; tests/line runs it",
    "penstock/features/spend/saying.py": "words of the stage; tests/features/spend/test_stage.py reads them",
    "penstock/features/spend/settling.py": "the end of the stage; tests/features/spend/test_stage.py has every end",
    "penstock/features/routing/graph/fields.py": "tests/features/routing/graph/test_conditions.py names them all",
    "penstock/features/routing/graph/given.py": "tests/features/routing/graph/test_reading.py has its faults",
    "penstock/features/routing/graph/places.py": "tests/features/routing/graph/test_conditions.py reads bodies by it",
    "penstock/features/routing/universal.py": "tests/proxy/test_steps.py sends it lists of every kind",
    "penstock/gateway/config.py": "a record, without behaviour",
    "penstock/mock/__main__.py": "hands over to mock/server.py",
    "penstock/mock/providers/anthropic_request.py": "half of anthropic_messages.py, and tested with it",
    "penstock/mock/providers/converse_request.py": "half of converse.py, and tested with it",
    "penstock/mock/providers/gemini_request.py": "half of gemini.py, and tested with it",
    "penstock/mock/providers/openai_chat_request.py": "half of openai_chat.py, and tested with it",
    "penstock/mock/providers/openai_responses_request.py": "half of openai_responses.py, and tested with it",
    "penstock/model/caller.py": "a struct; tests/features/test_auth.py fills it",
    "penstock/model/credential.py": "structs; tests/features/test_keys.py chooses among them",
    "penstock/model/decision.py": "structs; tests/features fills them",
    "penstock/model/endpoint.py": "a struct; tests/providers/test_catalog.py reads it",
    "penstock/model/exchange.py": "slots; tests/line shows what they are for",
    "penstock/model/options.py": "structs; tests/features/test_options.py fills them",
    "penstock/model/graph.py": "structs; tests/features/routing/graph reads and walks them",
    "penstock/model/limits.py": "a record, without behaviour",
    "penstock/model/outcome.py": "a list of words; tests/docs holds the docs to it",
    "penstock/model/plan.py": "slots, without behaviour",
    "penstock/model/record.py": "a struct; tests/storage writes and reads it",
    "penstock/model/reply.py": "slots; tests/line shows what they are for",
    "penstock/model/surface.py": "a struct; tests/proxy/test_surfaces.py reads the table",
    "penstock/model/step.py": "slots; tests/line shows what they are for",
    "penstock/model/token.py": "a struct; tests/features/test_auth.py holds the line to it",
    "penstock/model/spending.py": "slots; tests/features/spend/test_stage.py spends",
    "penstock/model/usage.py": "structs; tests/providers fills them",
    "penstock/providers/named.py": "tests/features/test_token_limits.py calls models by all of their names",
    "penstock/ports/bus.py": "a protocol; tests/control/test_publish_bus.py lives by it, tests/backends holds to it",
    "penstock/ports/cache_store.py": "a protocol; tests/backends/cache holds its implementations to it",
    "penstock/ports/counters.py": "a protocol; tests/backends/counters holds its implementations to it",
    "penstock/ports/reservations.py": "a protocol; tests/backends/reservations holds its implementations to it",
    "penstock/ports/default_gateways.py": "a protocol; tests/proxy/test_default.py holds its implementation to it",
    "penstock/ports/logsink.py": "a protocol; tests/backends holds its implementations to it",
    "penstock/ports/transport.py": "a protocol; tests/backends holds its implementations to it",
    "penstock/model/chat/": "types; tests/providers/dialects/*/test_chat.py read and write them all",
    "penstock/providers/dialects/anthropic/chat/": "tests/providers/dialects/anthropic/test_chat.py",
    "penstock/providers/dialects/bedrock_converse/chat/": "tests/providers/dialects/bedrock_converse/test_chat.py",
    "penstock/providers/dialects/cohere/chat/": "tests/providers/dialects/cohere/test_chat.py",
    "penstock/providers/dialects/gemini/chat/": "tests/providers/dialects/gemini/test_chat.py",
    "penstock/providers/dialects/openai_chat/chat/": "tests/providers/dialects/openai_chat/test_chat.py",
    "penstock/providers/dialects/openai_responses/chat/": "tests/providers/dialects/openai_responses/test_chat.py",
    "penstock/features/models.py": "tests/line/test_models.py asks for the list on a real server",
    "penstock/proxy/background.py": "tests/line/test_background.py runs models on a real server",
    "penstock/providers/run.py": "tests/e2e/test_rest.py runs models of every kind",
    "penstock/features/routing/rest.py": "tests/e2e/test_rest.py calls it on a real server",
    "penstock/features/routing/unified.py": "tests/line/test_unified.py calls it on a real server",
    "penstock/control/routes/simulation.py": "shapes; tests/control/routes/test_simulate.py reads and sends them",
    "penstock/features/routing/assumed.py": "tests/control/routes/test_simulate.py assumes all of it",
    "penstock/gateway/simulator.py": "tests/control/routes/test_simulate.py asks it of a server",
    "penstock/model/simulation.py": "structs; tests/control/routes/test_simulate.py reads them",
    "penstock/features/routing/chat.py": "a record and a protocol, without behaviour",
    "penstock/features/routing/dynamic.py": "tests/line/test_dynamic.py calls routes on a real server",
    "penstock/model/route.py": "a record, without behaviour",
    "penstock/features/translation.py": "tests/line/test_unified.py calls it on a real server",
    "penstock/providers/translating.py": "tests/line/test_unified.py calls it on a real server",
    "penstock/providers/unified.py": "tests/line/test_unified.py asks all rows",
    "penstock/providers/fetching.py": "tests/line/test_unified.py fetches on a real server",
    "penstock/storage/spending_limits.py": "one row; tests/control/test_spending_limit.py sets, reads and deletes it",
    "penstock/providers/kinds.py": "words; tests/providers/test_accounting.py counts by them",
    "penstock/providers/dialects/_facets.py": "types; tests/providers/test_dialects.py asks them of each dialect",
    "penstock/providers/dialects/_shapes/": "what the dialects share; their tests read it all",
    "penstock/providers/dialects/anthropic/shapes.py": "structs; the other tests of the dialect read them",
    "penstock/providers/dialects/gemini/shapes.py": "structs; the other tests of the dialect read them",
    "penstock/providers/dialects/bedrock_converse/shapes.py": "structs; the other tests of the dialect read them",
    "penstock/providers/dialects/bedrock_invoke/__init__.py": "names its facets; their tests ask them",
    "penstock/providers/dialects/bedrock_invoke/shapes.py": "structs; the other tests of the dialect read them",
    "penstock/providers/dialects/cohere/shapes.py": "structs; the other tests of the dialect read them",
    "penstock/providers/dialects/openai_chat/shapes.py": "structs; the other tests of the dialect read them",
    "penstock/providers/dialects/openai_media/shapes.py": "structs; the other tests of the dialect read them",
    "penstock/providers/dialects/openai_speech/__init__.py": "names its facets; their tests ask them",
    "penstock/providers/dialects/openai_responses/shapes.py": "structs; the other tests of the dialect read them",
    "penstock/providers/dialects/vertex_predict/__init__.py": "names its facets; their tests ask them",
    "penstock/providers/dialects/workers_ai/shapes.py": "structs; the other tests of the dialect read them",
    "penstock/providers/signing/__init__.py": "a protocol, without behaviour",
    "penstock/providers/reading/": "tests/providers/test_reading.py reads answers of both kinds",
    "penstock/storage/alert_deliveries.py": "statements; tests/control/alerts/test_deliver.py runs them",
    "penstock/storage/alert_figures.py": "questions; tests/control/alerts/test_kinds.py asks them",
    "penstock/storage/alerts.py": "statements; tests/control/alerts runs them",
    "penstock/backends/payments/": "tests/control/topups asks all of it of a stand-in for Stripe",
    "penstock/control/background.py": "starts what has tests of its own; those of alerts and top-ups wait for it",
    "penstock/control/invoices/": "tests/control/invoices asks all of it of a server",
    "penstock/storage/invoices.py": "statements; tests/control/invoices runs them",
    "penstock/control/topups/": "tests/control/topups asks all of it of a server, with a stand-in for Stripe beside it",
    "penstock/ports/payments.py": "a protocol and the manual method; tests/control/topups lives by both",
    "penstock/storage/saved_views.py": "statements; tests/dashboard/logs/test_view.py runs them",
    "penstock/storage/dashboard_sessions.py": "statements; tests/dashboard/session/test_view.py runs them",
    "penstock/storage/dashboard_tables.py": "tables; tests/storage/test_schema.py holds the database to them",
    "penstock/storage/payment_tables.py": "tables; tests/storage/test_schema.py holds the database to them",
    "penstock/storage/topups.py": "statements; tests/control/topups runs them",
    "penstock/control/billing/schema.py": "shapes; tests/control/billing/test_routes.py has answers of them all",
    "penstock/storage/ledger_audit.py": "proofs; tests/cli/billing/test_audit.py has what each finds",
    "penstock/control/oidc/service.py": "tests/dashboard/session/test_single_sign_on.py signs people in",
    "penstock/control/oidc/fetch.py": "tests/control/oidc/test_party.py has a provider that answers anything",
    "penstock/control/oidc/id_token.py": "tests/control/oidc/test_party.py has a provider that signs anything",
    "penstock/control/oidc/provider.py": "tests/control/oidc/test_party.py has a provider that says anything of itself",
    "penstock/core/settings_reader.py": "half of the settings; tests/core/test_settings.py reads all places by it",
    "penstock/core/settings_refusals.py": "half of the settings; their test, test_settings.py, reads both",
    "penstock/core/settings_sections.py": "tables of the settings' file; tests/core/test_settings.py reads them",
    "penstock/storage/accounts.py": "four statements; tests/control/test_first_start.py runs them",
    "penstock/storage/log/blocks.py": "half of a layout; tests/storage/log/test_table.py writes and reads it",
    "penstock/storage/configuration.py": "two statements; tests/control/test_publish.py lives by them",
    "penstock/storage/custom_providers.py": "statements; tests/control/custom_providers runs them",
    "penstock/storage/definitions.py": "three reads; tests/features/test_keys.py lives by them",
    "penstock/control/provider_configs/schema.py": "tests/control/provider_configs/test_routes.py sends all of it",
    "penstock/cli/route_files.py": "tests/cli/test_routes.py exports and imports",
    "penstock/control/routes/faults.py": "tests/control/routes/test_routes.py has graphs with and without one",
    "penstock/control/routes/schema.py": "tests/control/routes/test_routes.py sends all of it",
    "penstock/storage/provider_keys.py": "statements; tests/control/provider_configs runs them",
    "penstock/storage/sealed.py": "four statements; tests/control/test_resealing.py runs them",
    "penstock/storage/errors.py": "errors, without behaviour",
    "penstock/storage/log/names.py": "numbers for words; tests/storage/log/test_table.py writes and reads them",
    "penstock/storage/log/columns.py": "a table; tests/storage/log/test_reader.py goes through all of it",
    "penstock/storage/log/analytics.py": "SQL; tests/control/analytics/test_routes.py asks it on both databases",
    "penstock/control/analytics/": "tests/control/analytics/test_routes.py asks by the API; rendering has its own",
    "penstock/control/graphql/": "tests/control/graphql/test_execution.py asks all of it over its address",
    "penstock/storage/log/reprice.py": "tests/cli/logs/test_reprice.py holds rows, details, zones and roll-ups to it",
    "penstock/storage/log/measures.py": "a table; tests/storage/log/test_rollups.py holds it to a plain sum",
    "penstock/storage/log/filters.py": "SQL; tests/storage/log/test_reader.py holds it to a plain filter",
    "penstock/storage/log/few.py": "SQL; tests/storage/log/test_reader.py holds it to a plain filter",
    "penstock/storage/log/listing.py": "ways to rows; tests/storage/log/test_reader.py goes by each of them",
    "penstock/storage/log/walk.py": "one of them; tests/storage/log/test_reader.py holds it to a plain filter",
    "penstock/storage/log/forget.py": "tests/cli/logs/test_forget.py forgets, and looks into the files",
    "penstock/storage/log/keep.py": "settings; tests/worker/test_caps.py and test_retention.py set them all",
    "penstock/storage/log/query.py": "SQL; tests/storage/log/test_reader.py holds it to a plain filter",
    "penstock/storage/log/seat.py": "a thread; tests/storage/log/test_store.py asks several, and cuts them short",
    "penstock/storage/migrations/": "tests/storage/test_schema.py holds what they end in to the tables",
    "penstock/storage/tables.py": "a table of tables; tests/storage/test_schema.py holds the database to it",
    "penstock/storage/log/zones.py": "an index; tests/storage/log/test_reader.py holds it to a plain filter",
}

# Fields of dialects that others may name too, each with the reason.
COMMON = {
    "in_progress": "a status of jobs, whoever does them",
    "inference_geo": "a term of the price list",
    "max_completion_tokens": "what some providers lack",
    "max_tokens": "a member of analytics",
    "service_tier": "a term of the price list",
}

# Settings that nothing reads because every value but the default is refused, or that are read while loading.
INACTIVE = {"config"}

# What the repository must not contain, put together here so that this file does not contain it either.
HOSTS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
    )
]
OPTIONS = ["--" + name for name in ("index-url", "extra-index-url", "find-links", "trusted-host")]


def files():
    """Every file of the repository."""
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        foreign = FOREIGN.intersection(parts) or any(part.endswith(("_cache", ".egg-info")) for part in parts)
        if path.is_file() and not foreign and parts[0] not in {".hypothesis", ".cache"}:
            yield path


def modules():
    """Every module of the package that says something, as a path below the checkout."""
    for path in sorted((ROOT / "penstock").rglob("*.py")):
        if path.name != "__init__.py" or "\ndef " in path.read_text("utf-8") or "\nclass " in path.read_text("utf-8"):
            yield str(path.relative_to(ROOT))


def mirror(module):
    """Where the test of a module belongs; a package is tested beside its folder."""
    path = Path(module).relative_to("penstock")
    path = path.parent if path.name == "__init__.py" else path.with_suffix("")
    return ROOT / "tests" / path.parent / f"test_{path.name.lstrip('_')}.py"


@pytest.mark.parametrize("module", [name for name in modules() if not name.startswith(tuple(UNMIRRORED))])
def test_every_module_has_its_test(module):
    assert mirror(module).exists(), f"{module} has no {mirror(module).relative_to(ROOT)}, and no reason in UNMIRRORED"


@pytest.mark.parametrize("module", sorted(UNMIRRORED))
def test_an_exception_that_is_none_any_more_leaves_the_list(module):
    assert (ROOT / module).exists()
    assert module.endswith("/") or not mirror(module).exists()


@pytest.mark.parametrize("module", sorted(modules()))
def test_no_module_is_long(module):
    assert len((ROOT / module).read_text("utf-8").splitlines()) <= LINES


@pytest.mark.parametrize("row", [row for row in SETTINGS if row.name not in INACTIVE], ids=lambda row: row.name)
def test_every_setting_acts(row):
    read = re.compile(rf"settings\.{row.name}\b")
    readers = [
        name
        for name in modules()
        if not name.startswith("penstock/core/") and read.search((ROOT / name).read_text("utf-8"))
    ]
    assert readers, f"nothing reads the setting {row.name}"


def test_the_repository_names_no_place_to_download_packages_from():
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in files()
        for text in [path.read_bytes()]
        for word in (*HOSTS, *OPTIONS)
        if word.encode() in text
    ]
    assert found == []


def test_the_repository_names_no_place_of_the_machine_it_was_written_on():
    places = re.compile(rb"(?<![\w.$}/-])/(?:work|root)/\w")
    assert [str(path.relative_to(ROOT)) for path in files() if places.search(path.read_bytes())] == []


def test_shapes_of_peers_bodies_take_what_they_name_and_no_object_of_any_shape():
    found = walk_packages(dialects.__path__, f"{dialects.__name__}.")
    modules = [import_module(module.name) for module in found]
    shapes = [
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, msgspec.Struct) and value.__module__ == module.__name__
    ]
    assert len(shapes) > 5
    lax = [
        f"{shape.__module__}.{shape.__name__}.{field.name}"
        for shape in shapes
        for field in msgspec.structs.fields(shape)
        if field.type is not msgspec.Raw
    ]
    assert lax == [], "a peer chooses how much there is to decode: let it be Raw, and decode what is short"


def fields_of_dialects():
    """The names in the dialects' folders that are made of several words: members, types of events, values."""
    folder = ROOT / "penstock" / "providers" / "dialects"
    for path in folder.glob("*/*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            match node:
                case ast.Constant(value=bytes() | str() as text) if id(node) not in prose:
                    text = text.decode("latin-1") if isinstance(text, bytes) else text
                case ast.AnnAssign(target=ast.Name(id=text), annotation=ast.Name(id="Raw")):
                    pass
                case _:
                    continue
            for name in re.findall(r"[a-z][a-z0-9]*(?:[._][a-z0-9]+)+", text):
                yield from (name, *[part for part in name.split(".") if "_" in part])


def test_what_is_in_a_dialect_is_named_in_its_folder_alone():
    fields = {*fields_of_dialects(), '"choices"'} - {
        *KINDS,
        *dialects.DIALECTS,
        *(column.name for column in RANGED),
        *COMMON,
    }
    assert {"finish_reason", "stream_options", "prompt_tokens", "content_block", "response.completed"} <= fields
    ours = {f"penstock/control/logs/{name}.py": {*UsageMetadata.model_fields} for name in ("rendering", "schema")}
    of_exports = (columns for export in EXPORTS.values() for columns in export.counts.values())  # another interface
    ours["penstock/cli/billing/exports.py"] = {column for columns in of_exports for column in columns}
    named = re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, sorted(fields)))})(?!\w)")
    found = [
        f"{module}: {name}"
        for module in modules()
        if not module.startswith(("penstock/providers/dialects/", "penstock/mock/"))  # which answers as providers do
        for name in named.findall((ROOT / module).read_text("utf-8"))
        if name not in ours.get(module, ())
    ]
    assert found == []


def test_no_package_of_tests_is_a_package():
    assert list((ROOT / "tests").rglob("__init__.py")) == []
