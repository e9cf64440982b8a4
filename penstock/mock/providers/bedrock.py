"""Amazon Bedrock: models invoked in their own formats, the Converse API, and what bedrock-mantle adds to them."""

from base64 import b64encode
from types import MappingProxyType

from penstock.core import codec
from penstock.mock.answer import SERVER_ERRORS, Answer, Ask, Denial, Fault, Provider, Route, json, tokens
from penstock.mock.controls import Pairs
from penstock.mock.providers import eventstream
from penstock.mock.providers.anthropic_messages import messages
from penstock.mock.providers.converse import events, spent, whole
from penstock.mock.providers.google import claude
from penstock.mock.providers.openai_chat import Style, plainly, speaking
from penstock.mock.providers.openai_embeddings import vector
from penstock.mock.providers.openai_responses import responses

_FAILED = "internalServerException"
_ERRORS = {
    400: ("ValidationException", "The provided request is not valid."),
    403: ("AccessDeniedException", "You don't have access to the model with the specified model ID."),
    404: ("ResourceNotFoundException", "The specified resource was not found."),
    424: ("ModelErrorException", "The model returned an error."),
    429: ("ThrottlingException", "Too many requests, please wait before trying again."),
    500: ("InternalServerException", "The system encountered an unexpected error during processing. Try again."),
    503: ("ServiceUnavailableException", "Bedrock is unable to process your request."),
}


class _Titan(codec.Struct):
    inputText: str = ""  # noqa: N815  its name there
    dimensions: int = 1024


_decode_titan = codec.decoder(_Titan).decode
_chat = speaking(Style(usage=plainly, more=MappingProxyType({"service_tier": "default"})))


def error(status: int, message: str | None, seed: str) -> bytes:
    return codec.encode({"message": message or _error(status)[1]})


def error_headers(status: int) -> Pairs:
    return [(b"x-amzn-errortype", _error(status)[0].encode())]


def headers(seed: str) -> Pairs:
    return [(b"x-amzn-requestid", f"{seed[:8]}-{seed[8:12]}-4000-8000-{seed[12:]}".encode())]


def converse(ask: Ask) -> Answer:
    return json(whole(ask))


def converse_stream(ask: Ask) -> Answer:
    return _stream(ask, [eventstream.event(name, codec.encode(payload)) for name, payload in events(ask)])


def invoke(ask: Ask) -> Answer:
    """In the model's own format: Claude's, Titan's embeddings, or Nova's, which is Converse's."""
    model = ask.named[0]
    if "anthropic." in model:
        return _counted(claude(ask), ask)
    if "titan-embed" in model:
        given = _decode_titan(ask.body)
        told = {
            "embedding": vector(given.inputText, min(max(given.dimensions, 1), 1024)),
            "inputTextTokenCount": tokens(given.inputText),
        }
        return json(told)
    return converse(ask)


def invoke_stream(ask: Ask) -> Answer:
    """The events of the model's own stream, each in a ``chunk``."""
    if "anthropic." in ask.named[0]:
        own = [event.partition(b"data: ")[2].strip() for event in claude(ask, stream=True).known()]
    else:
        own = [codec.encode({name: payload}) for name, payload in events(ask)]
    if ask.controls.usage != "none":
        own[-1] = codec.encode(codec.decode(own[-1]) | {"amazon-bedrock-invocationMetrics": _metrics(ask)})
    chunks = [codec.encode({"bytes": b64encode(event).decode()}) for event in own]
    return _stream(ask, [eventstream.event("chunk", chunk) for chunk in chunks])


def async_invokes(ask: Ask) -> Answer:
    return json({"asyncInvokeSummaries": []})


def _stream(ask: Ask, told: list[bytes]) -> Answer:
    failure = eventstream.exception(_FAILED, error(500, None, ask.seed))
    return Answer(200, eventstream.KIND, told, stream=True, failure=failure)


def _counted(answer: Answer, ask: Ask) -> Answer:
    answer.headers = [(b"x-amzn-bedrock-invocation-latency", b"7")]
    if ask.controls.usage != "none":
        counts = _metrics(ask)
        answer.headers += [(b"x-amzn-bedrock-input-token-count", b"%d" % counts["inputTokenCount"])]
        answer.headers += [(b"x-amzn-bedrock-output-token-count", b"%d" % counts["outputTokenCount"])]
    return answer


def _metrics(ask: Ask) -> dict[str, int]:
    """What Bedrock counts, whatever the model says."""
    if "anthropic." in ask.named[0]:
        told: dict[str, int] = codec.decode(claude(ask, stream=False).known()[0])["usage"]
        into, out = told["input_tokens"], told["output_tokens"]
    else:
        used = spent(ask)
        into, out = used.fresh, used.output
    return {"inputTokenCount": into, "outputTokenCount": out, "invocationLatency": 7, "firstByteLatency": 3}


def _error(status: int) -> tuple[str, str]:
    return _ERRORS.get(status) or _ERRORS[500 if status >= SERVER_ERRORS else 400]


def _denial(kind: str, message: str) -> Denial:
    return Denial(403, message, headers=[(b"x-amzn-errortype", kind.encode())])


AWS_BEDROCK = Provider(
    routes={
        "model/*/converse": Route("POST", converse, texts=True),
        "model/*/converse-stream": Route("POST", converse_stream, texts=True),
        "model/*/invoke": Route("POST", invoke, texts=True),
        "model/*/invoke-with-response-stream": Route("POST", invoke_stream, texts=True),
        "async-invoke": Route("GET", async_invokes),
        "anthropic/v1/messages": Route("POST", messages, texts=True),
        "v1/chat/completions": Route("POST", _chat, texts=True),
        "openai/v1/chat/completions": Route("POST", _chat, texts=True),
        "v1/responses": Route("POST", responses, texts=True),
        "openai/v1/responses": Route("POST", responses, texts=True),
    },
    error=error,
    headers=headers,
    failing=500,
    prefixes=(),
    error_headers=error_headers,
    denials={
        Fault.MISSING: _denial("MissingAuthenticationTokenException", "Missing Authentication Token"),
        Fault.WRONG: _denial("UnrecognizedClientException", "The security token included in the request is invalid."),
        Fault.SIGNATURE: _denial(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret"
            " Access Key and signing method. Consult the service documentation for details.",
        ),
        Fault.EXPIRED: _denial("InvalidSignatureException", "Signature expired: check the clock of the signer."),
    },
)
