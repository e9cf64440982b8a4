"""The simulated providers by the first segment of their path. The server knows no other list."""

from penstock.mock.answer import Provider
from penstock.mock.providers.anthropic import ANTHROPIC
from penstock.mock.providers.bedrock import AWS_BEDROCK
from penstock.mock.providers.cohere import COHERE
from penstock.mock.providers.google import GOOGLE_AI_STUDIO, GOOGLE_VERTEX_AI
from penstock.mock.providers.openai import OPENAI
from penstock.mock.providers.openai_shaped import OPENAI_SHAPED
from penstock.mock.providers.pictures import ADOBE_FIREFLY, FAL, IDEOGRAM
from penstock.mock.providers.runs import BASETEN, HUGGINGFACE, PARALLEL, REPLICATE
from penstock.mock.providers.speech import CARTESIA, DEEPGRAM, ELEVENLABS
from penstock.mock.providers.workers_ai import WORKERS_AI

PROVIDERS: dict[str, Provider] = {
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
    **OPENAI_SHAPED,
}
