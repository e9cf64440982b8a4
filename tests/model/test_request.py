from penstock.model.request import Request
from tests.kit.exchange import an_exchange


def test_a_copy_has_all_that_the_request_has_and_leaves_it_as_it_is():
    request = an_exchange().request
    for name in Request.__slots__:
        setattr(request, name, f"of {name}")
    copy = request.copied()
    assert all(getattr(copy, name) is getattr(request, name) for name in Request.__slots__)
    copy.path = b"other"
    assert request.path == "of path"
