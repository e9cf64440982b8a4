// Conversations of the AI SDK with providers of every kind, through the unified API.

import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateObject, generateText, isStepCount, jsonSchema, streamText, tool } from 'ai';
import { plan, step } from './steps.mjs';

const penstock = createOpenAICompatible({
  name: 'penstock',
  baseURL: plan.compat,
  apiKey: 'sk-of-nobody',
  includeUsage: true,
  supportsStructuredOutputs: true,
});

const object = (properties) => jsonSchema({
  type: 'object', properties, required: Object.keys(properties), additionalProperties: false,
});
const inputSchema = object({ city: { type: 'string' } });
const tools = {
  weather: tool({ inputSchema, execute: ({ city }) => `rain in ${city}` }),
  time: tool({ inputSchema, execute: ({ city }) => `noon in ${city}` }),
};
const loop = { tools, stopWhen: isStepCount(3) };

/** What an answer, or the end of a stream, comes to. */
async function told(result) {
  const [text, finishReason, usage, steps] = await Promise.all(
    [result.text, result.finishReason, result.totalUsage, result.steps],
  );
  const calls = steps.flatMap(({ toolCalls }) => toolCalls.map(({ toolName, input }) => [toolName, input]));
  return { text, finishReason, usage: [usage.inputTokens, usage.outputTokens], calls };
}

const generate = async (given) => told(await generateText(given));
const stream = async (given) => {
  let error;
  const result = streamText({ ...given, onError: (event) => { error = event.error; } });
  await result.consumeStream();
  if (error) {
    throw error;
  }
  return told(result);
};

for (const name of plan.models) {
  const model = penstock(name);
  const picture = { type: 'file', mediaType: 'image/png', data: new Uint8Array(8) };
  for (const [way, ask] of [['generate', generate], ['stream', stream]]) {
    const told = (what, given) => step(`${name} ${way} ${what}`, () => ask({ model, maxRetries: 0, ...given }));
    await told('text', { prompt: 'hello' });
    await told('tools', { prompt: 'both please', ...loop });
    await told('named', { prompt: 'Oslo', tools, toolChoice: { type: 'tool', toolName: 'time' } });
    await told('picture', {
      messages: [{ role: 'user', content: [{ type: 'text', text: 'look' }, picture] }],
    });
  }
  await step(`${name} object`, async () => {
    const schema = object({ name: { type: 'string' }, people: { type: 'integer' } });
    return (await generateObject({ model, maxRetries: 0, schema, prompt: 'Oslo' })).object;
  });
}
