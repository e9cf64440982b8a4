"""The text that the events of a stored stream of an invoked model make together."""

from penstock.providers.dialects import DIALECTS
from tests.kit.dialects import message

INVOKE = DIALECTS["bedrock_invoke"]
METRICS = {"amazon-bedrock-invocationMetrics": {"outputTokenCount": 4}}


def test_a_text_of_llama_and_of_titan() -> None:
    llama = [{"generation": "Hel", "stop_reason": None}, {"generation": "lo", "stop_reason": "stop", **METRICS}]
    assert message(INVOKE, *llama) == {"generation": "Hello", "stop_reason": "stop"}
    titan = {"outputText": "Hello", "completionReason": "FINISH", **METRICS}
    assert message(INVOKE, titan) == {"outputText": "Hello", "completionReason": "FINISH"}


def test_other_families_make_none() -> None:
    assert message(INVOKE, {"generation": "Hello"}) is None
    assert message(INVOKE, 1, {"generation": 7}, {"outputs": [], **METRICS}) is None
