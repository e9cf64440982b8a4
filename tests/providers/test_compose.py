"""What a provider is sent for a step, as one value."""

from penstock.features.routing.native import NativeRouting
from penstock.gateway.compile import upstreams
from penstock.providers.compose import outgoing
from tests.kit.exchange import an_exchange

ROUTING = NativeRouting(upstreams({}))
SIGNED = b"AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=0"


def step(*headers, **address):
    made = an_exchange(*headers, **({"provider": "openai", "path": "chat/completions", "body": b"{}"} | address)).step
    made.target = ROUTING.target(made.request)
    return made


def test_method_target_headers_and_body_are_the_steps_and_what_is_ours_stays():
    made = step((b"Authorization", b"Bearer sk"), (b"cf-aig-metadata", b"{}"), (b"X-Own", b"1"), (b"Host", b"ours"))
    made.request.query = b"?a=1"
    sent = outgoing(made)
    assert (sent.method, sent.host, sent.path, sent.query) == (
        b"POST",
        b"api.openai.com",
        b"/v1/chat/completions",
        b"?a=1",
    )
    assert sent.headers == [(b"authorization", b"Authorization", b"Bearer sk"), (b"x-own", b"X-Own", b"1")]
    assert (sent.body, sent.stream, sent.origin.host) == (b"{}", None, "api.openai.com")


def test_what_is_withheld_of_a_step_does_not_travel():
    made = step((b"Authorization", b"Bearer ours"), (b"X-Own", b"1"))
    made.request.query, made.query, made.places = b"?key=ours&b=2", b"?b=2", frozenset({b"authorization"})
    sent = outgoing(made)
    assert (sent.query, [name for _, name, _ in sent.headers]) == (b"?b=2", [b"X-Own"])


def test_it_is_composed_once_so_that_what_a_stage_changes_is_what_is_sent():
    made = step()
    outgoing(made).body = b"changed"
    assert outgoing(made).body == b"changed"


def test_codings_that_cannot_be_decoded_are_not_asked_for_but_what_was_signed_stays():
    accepts = (b"Accept-Encoding", b"gzip, lzma")
    assert outgoing(step(accepts)).headers == [(b"accept-encoding", b"Accept-Encoding", b"gzip")]
    path = "bedrock-runtime/us-east-1/model/m/converse"
    signed = outgoing(step(accepts, (b"Authorization", SIGNED), provider="aws-bedrock", path=path))
    assert (b"accept-encoding", b"Accept-Encoding", b"gzip, lzma") in signed.headers
