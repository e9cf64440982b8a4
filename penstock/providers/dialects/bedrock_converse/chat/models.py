"""What models take differently in Converse, by what their names hold.

https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html
"""

from typing import NamedTuple

from penstock.providers.dialects._shapes.claude.models import Model, model_of

_FORMATS = ("openai.", "mistral.", "qwen.", "deepseek.", "google.", "minimax.", "moonshot", "nvidia.")


class Takes(NamedTuple):
    """A name that tells nothing, as that of an inference profile, is taken for a model that accepts everything."""

    claude: Model | None = None  # one of Claude's
    nova: int = 0  # generation of a Nova model
    efforts: bool = False  # a level of effort, as OpenAI names it
    caches: bool = True  # marks for the cache in contents,
    caches_tools: bool = True  # and among tools
    any_tool: bool = True  # can be told to call a tool,
    named_tool: bool = True  # and which
    tells_failed: bool = True  # results of tools may be failures
    formats: bool = True  # takes a schema of the answer, and strict tools


def takes_of(name: str) -> Takes:
    """By the name of a model or its ARN."""
    if "claude" in name:
        claude = model_of(name)
        formats = claude.formats and "opus-4-1" not in name  # which has them at Anthropic alone
        return Takes(claude, any_tool=claude.forced, named_tool=claude.forced, formats=formats)
    if "nova" in name:
        return Takes(nova=2 if "nova-2" in name else 1, caches_tools=False, formats=False)
    if name.startswith("arn:") and "foundation-model/" not in name:
        return Takes()
    return Takes(
        efforts="openai." in name,
        caches=False,
        caches_tools=False,
        any_tool="mistral." in name,
        named_tool=False,
        tells_failed=False,
        formats=any(vendor in name for vendor in _FORMATS),
    )
