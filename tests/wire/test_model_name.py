"""Another model's name in a body: every other byte stays."""

import pytest

from penstock.core.codec import decode
from penstock.wire.model_name import renamed


def read(body):
    return decode(body)["model"]


@pytest.mark.parametrize(
    ("body", "put"),
    [
        (b'{"model":"a/b","x":1}', b'{"model":"b","x":1}'),
        (b'{ "x" : {"model": "a/b"}, "model"\n:\t"a/b" }', b'{ "x" : {"model": "a/b"}, "model"\n:\t"b" }'),
        (b'{"x":"\\"model\\":\\"a/b\\"","model":"a/b"}', b'{"x":"\\"model\\":\\"a/b\\"","model":"b"}'),
        (b'{"model":"a\\/b","x":1.0}', b'{"model":"b","x":1.0}'),
        (b'{"model":"c","model":"a/b"}', b'{"model":"c","model":"b"}'),
        (b'["a/b"]', None),
    ],
)
def test_only_the_name_changes(body, put):
    assert renamed(body, "a/b", "b", read) == put
