"""Which itinerary a surface has."""

from penstock.backends.counters.memory import MemoryCounters
from penstock.core.telemetry import Counter
from penstock.features.routing import BySurface
from penstock.features.routing.budgets import Budgets
from penstock.features.routing.health import Watches
from penstock.features.routing.native import LONE, NativeRouting
from penstock.features.routing.unified import UnifiedRouting
from penstock.features.routing.universal import Listed, UniversalRouting
from penstock.gateway.compile import upstreams
from penstock.proxy.surfaces import UNIVERSAL
from tests.kit.exchange import an_exchange

NATIVE = NativeRouting(upstreams({}))
UNIFIED = UnifiedRouting(NATIVE, Budgets(MemoryCounters()), Watches(Counter()))
ROUTING = BySurface(
    {"native": NATIVE, "universal": UniversalRouting(NATIVE, UNIFIED, lambda request: (frozenset(), None))}
)


def test_an_address_that_names_a_provider_has_one_step():
    ex = an_exchange(provider="openai", path="models")
    assert ROUTING.itinerary(ex) is LONE
    assert ex.step.target is not None


def test_the_universal_endpoint_reads_its_steps_from_the_body():
    ex = an_exchange()
    ex.request.surface = UNIVERSAL
    assert isinstance(ROUTING.itinerary(ex), Listed)
