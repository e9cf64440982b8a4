"""The simulated providers, those of the catalogue, by the first segment of their path."""

from penstock.mock.answer import Provider
from penstock.mock.providers.anthropic import ANTHROPIC
from penstock.mock.providers.bedrock import AWS_BEDROCK
from penstock.mock.providers.cohere import COHERE
from penstock.mock.providers.dialects import simulated
from penstock.mock.providers.google import GOOGLE_AI_STUDIO, GOOGLE_VERTEX_AI
from penstock.mock.providers.openai import OPENAI
from penstock.mock.providers.pictures import ADOBE_FIREFLY, FAL, IDEOGRAM
from penstock.mock.providers.runs import BASETEN, HUGGINGFACE, PARALLEL, REPLICATE
from penstock.mock.providers.speech import CARTESIA, DEEPGRAM, ELEVENLABS
from penstock.mock.providers.workers_ai import WORKERS_AI
from penstock.providers import catalog

WRITTEN: dict[str, Provider] = {  # those with formats of their own
    "openai": OPENAI,
    "anthropic": ANTHROPIC,
    "adobe-firefly": ADOBE_FIREFLY,
    "aws-bedrock": AWS_BEDROCK,
    "baseten": BASETEN,
    "cartesia": CARTESIA,
    "cohere": COHERE,
    "deepgram": DEEPGRAM,
    "elevenlabs": ELEVENLABS,
    "fal": FAL,
    "google-ai-studio": GOOGLE_AI_STUDIO,
    "google-vertex-ai": GOOGLE_VERTEX_AI,
    "huggingface": HUGGINGFACE,
    "ideogram": IDEOGRAM,
    "parallel": PARALLEL,
    "replicate": REPLICATE,
    "workers-ai": WORKERS_AI,
}
PROVIDERS: dict[str, Provider] = {
    row.id: WRITTEN.get(row.id) or simulated(row) for slug, row in catalog.load().items() if slug == row.id
}
