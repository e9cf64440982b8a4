"""Which itinerary an address has."""

import pytest

from penstock.core.errors import MethodNotAllowed
from penstock.features.routing import ByAddress
from penstock.features.routing.native import LONE, NativeRouting
from penstock.features.routing.universal import Listed, UniversalRouting
from penstock.gateway.compile import upstreams
from tests.kit.exchange import an_exchange

NATIVE = NativeRouting(upstreams({}))
ROUTING = ByAddress(NATIVE, UniversalRouting(NATIVE, lambda request: (frozenset(), None)))


def test_an_address_that_names_a_provider_has_one_step_and_any_method():
    ex = an_exchange(provider="openai", path="models")
    ex.request.method = b"GET"
    assert ROUTING.itinerary(ex) is LONE
    assert ex.step.target is not None


def test_the_universal_endpoint_reads_its_steps_from_the_body():
    ex = an_exchange()
    ex.request.universal = True
    assert isinstance(ROUTING.itinerary(ex), Listed)


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"PUT", b"DELETE", b"OPTIONS"])
def test_the_universal_endpoint_takes_no_other_method_than_post(method):
    ex = an_exchange()
    ex.request.universal, ex.request.method = True, method
    with pytest.raises(MethodNotAllowed) as caught:
        ROUTING.itinerary(ex)
    assert (caught.value.status, caught.value.code) == (405, 2006)
