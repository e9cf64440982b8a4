"""The simulated providers by the first segment of their path. The server knows no other list."""

from penstock.mock.answer import Provider
from penstock.mock.providers.anthropic import ANTHROPIC
from penstock.mock.providers.openai import OPENAI

PROVIDERS: dict[str, Provider] = {
    "openai": OPENAI,
    "anthropic": ANTHROPIC,
}
