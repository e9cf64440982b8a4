"""Calls as code that can be pasted: each ready to run where PENSTOCK_API_TOKEN holds a token."""

from penstock.dashboard.visit import Guest, Visit

MODEL = "openai/gpt-4o-mini"
CLAUDE = "claude-haiku-4-5"


def base(guest: Guest) -> str:
    """The origin of the data plane, as clients reach it."""
    return (guest.control.public_url or str(guest.request.base_url)).rstrip("/")


def address(visit: Visit, gateway: str) -> str:
    """Where the gateway is called; a provider's id comes behind it, or ``compat``."""
    return f"{base(visit)}/v1/{visit.context.account}/{gateway}"


def curl(visit: Visit, gateway: str) -> str:
    """A chat completion by the unified API."""
    return _made(_CURL, address(visit, gateway))


def every(visit: Visit, gateway: str) -> list[tuple[str, str]]:
    """The same from each client: its name, and the code or the settings."""
    at = address(visit, gateway)
    return [(name, _made(text, at)) for name, text in CLIENTS.items()]


def _made(text: str, at: str) -> str:
    return text.replace("<gateway>", at).replace("<model>", MODEL).replace("<claude>", CLAUDE).strip()


_CURL = """
curl <gateway>/compat/chat/completions \\
  -H "cf-aig-authorization: Bearer $PENSTOCK_API_TOKEN" \\
  -H 'content-type: application/json' \\
  -d '{"model": "<model>", "messages": [{"role": "user", "content": "Hello"}]}'
"""

# Clients know one key: the token takes its place, and the gateway adds the provider's.
CLIENTS = {
    "curl": _CURL,
    "Python: openai": """
import os

from openai import OpenAI

client = OpenAI(base_url="<gateway>/compat", api_key=os.environ["PENSTOCK_API_TOKEN"])
answer = client.chat.completions.create(model="<model>", messages=[{"role": "user", "content": "Hello"}])
print(answer.choices[0].message.content)
""",
    "Python: anthropic": """
import os

from anthropic import Anthropic

client = Anthropic(base_url="<gateway>/anthropic", api_key=os.environ["PENSTOCK_API_TOKEN"])
answer = client.messages.create(
    model="<claude>", max_tokens=1000, messages=[{"role": "user", "content": "Hello"}]
)
print(answer.content[0].text)
""",
    "TypeScript: openai": """
import OpenAI from 'openai';

const client = new OpenAI({ baseURL: '<gateway>/compat', apiKey: process.env.PENSTOCK_API_TOKEN });
const answer = await client.chat.completions.create({
  model: '<model>',
  messages: [{ role: 'user', content: 'Hello' }],
});
console.log(answer.choices[0].message.content);
""",
    "AI SDK": """
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText } from 'ai';

const penstock = createOpenAICompatible({
  name: 'penstock',
  baseURL: '<gateway>/compat',
  apiKey: process.env.PENSTOCK_API_TOKEN,
});
const { text } = await generateText({ model: penstock('<model>'), prompt: 'Hello' });
console.log(text);
""",
    "LangChain": """
import os

from langchain_openai import ChatOpenAI

model = ChatOpenAI(
    model="<model>", base_url="<gateway>/compat", api_key=os.environ["PENSTOCK_API_TOKEN"]
)
print(model.invoke("Hello").content)
""",
    "Claude Code": """
# In the shell that starts claude
export ANTHROPIC_BASE_URL="<gateway>/anthropic"
export ANTHROPIC_AUTH_TOKEN="$PENSTOCK_API_TOKEN"
claude
""",
    "Codex": """
# ~/.codex/config.toml
model = "<model>"
model_provider = "penstock"

[model_providers.penstock]
name = "Penstock"
base_url = "<gateway>/compat"
env_key = "PENSTOCK_API_TOKEN"
wire_api = "responses"
""",
    "Cursor": """
Settings, Models, API keys:
  OpenAI API key            the token
  Override OpenAI base URL  <gateway>/compat
  Add a custom model        <model>

Cursor calls from its own servers, so the address must be reachable from the internet.
""",
    "Other tools": """
export OPENAI_BASE_URL="<gateway>/compat"
export OPENAI_API_KEY="$PENSTOCK_API_TOKEN"
# the model: <model>
""",
}
