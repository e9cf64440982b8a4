// Several providers in one call: ai-gateway-provider through the binding that the docs show, by its own API key, and a
// single step as @cloudflare/tanstack-ai sends it.

import { createAiGateway } from 'ai-gateway-provider';
import { createAnthropic } from 'ai-gateway-provider/providers/anthropic';
import { createOpenAI } from 'ai-gateway-provider/providers/openai';
import { createUnified } from 'ai-gateway-provider/providers/unified';
import { generateText, streamText } from 'ai';
import OpenAI from 'openai';
import { plan, step } from './steps.mjs';

const { penstock } = await import(plan.binding);

const PROMPT = 'Tell me of the sea.';
const KEY = { apiKey: 'sk-of-the-provider' };
const fails = (status) => ({ ...KEY, headers: { 'x-mock-status': String(status) } });
const url = (gateway) => `${plan.origin}/v1/${plan.account}/${gateway}`;

// What the models are asked of. New ones for each call: the package changes what it is given.

const chat = (settings = KEY) => createOpenAI(settings).chat('gpt-4o-mini');
const responses = (settings = KEY) => createOpenAI(settings).responses('gpt-5-mini');
const claude = (settings = KEY) => createAnthropic(settings)('claude-haiku-4-5');

/** What became of a call: the text, whose it is, and which step that was. */
const told = (text, { modelId, headers }, usage) => ({
  text,
  model: modelId,
  step: headers['cf-aig-step'],
  event: headers['cf-aig-event-id'],
  usage: [usage.inputTokens, usage.outputTokens],
});

async function generate(model, prompt = PROMPT) {
  const { text, response, usage } = await generateText({ model, prompt, maxRetries: 0 });
  return told(text, response, usage);
}

async function stream(model) {
  const faults = [];
  const result = streamText({ model, prompt: PROMPT, maxRetries: 0, onError: ({ error }) => faults.push(error) });
  let text = '';
  for await (const piece of result.textStream) {
    text += piece;
  }
  if (faults.length) {
    throw faults[0];
  }
  return told(text, await result.response, await result.usage);
}

/** A model of a gateway; `options` are the package's own. */
function of(models, options = {}, gateway = 'steps', token = plan.token) {
  return createAiGateway({ binding: penstock(url(gateway), token), options })(models);
}

for (const [way, ask] of Object.entries({ generate, stream })) {
  await step(`${way}: the first answers`, () => ask(of([chat(), claude()])));
  await step(`${way}: the second answers`, () => ask(of([chat(fails(500)), claude()])));
  await step(`${way}: the other way round`, () => ask(of([claude(fails(401)), chat()])));
  await step(`${way}: the third answers`, () => ask(of([chat(fails(404)), claude(fails(429)), responses()])));
  await step(`${way}: one model`, () => ask(of(responses())));
  await step(`${way}: all fail`, () => ask(of([chat(fails(500)), claude(fails(429))])));
  await step(`${way}: all fail, the other way round`, () => ask(of([claude(fails(529)), chat(fails(401))])));
}

// A picture of 2 MiB in every step, and a client that leaves in the middle of an answer

const picture = { type: 'file', mediaType: 'image/png', data: new Uint8Array(2 << 20) };
await step('picture', () => generate(
  of([chat(fails(500)), claude()], { eventId: 'picture' }),
  [{ role: 'user', content: [{ type: 'text', text: PROMPT }, picture] }],
));
await step('leaves', async () => {
  const leaver = new AbortController();
  const stalls = { ...KEY, headers: { 'x-mock-stall': '4' } };
  const { textStream } = streamText({
    model: of([chat(stalls), claude()], { eventId: 'leaves' }),
    prompt: PROMPT,
    abortSignal: leaver.signal,
  });
  let text = '';
  for await (const piece of textStream) {
    text += piece;
    leaver.abort();
  }
  return text;
});

// What options do. Each event id is in the options of all its steps.

const options = {
  eventId: 'options',
  cacheTtl: 120,
  metadata: { team: 'tide', count: 9007199254740993n },
  retries: { maxAttempts: 2, retryDelayMs: 1, backoff: 'constant' },
  requestTimeoutMs: 60_000,
};
const cached = (more) => generate(of([chat(fails(503)), claude()], { ...options, ...more }, 'steps-cached'));
await step('options', () => cached());
await step('again', () => cached({ eventId: 'again' }));
await step('fresh', () => cached({ eventId: 'fresh', skipCache: true }));
await step('uncached', () => cached({ eventId: 'uncached', cacheTtl: 0 }));
await step('no log', () => generate(of([chat(fails(500)), claude()], { eventId: 'no log', collectLog: false })));
const key = { eventId: 'key', cacheKey: 'the sea' };
await step('key', () => generate(of([chat(), claude()], key)));
await step('same key', () => generate(of([chat(), claude()], { ...key, eventId: 'same key' })));
const shared = { eventId: 'shared key', cacheKey: 'of a fallback' };
await step('shared key', () => generate(of([chat(fails(500)), claude()], shared)));
await step('shared key, again', () => generate(of([chat(), claude()], { ...shared, eventId: 'shared key, again' })));
const slow = { ...KEY, headers: { 'x-mock-stall': 'head' } };
await step('timeout', () => generate(of([chat(slow), claude()], { eventId: 'timeout', requestTimeoutMs: 200 })));

// What travels: the simulated providers tell what came. Without a key, the package leaves its placeholder out.

const echo = { 'x-mock-echo': '1' };
for (const [name, model] of Object.entries({
  'a key': chat({ ...KEY, headers: echo }),
  'no key': chat({ headers: echo }),
  'no key, Anthropic': claude({ headers: echo }),
})) {
  await step(name, async () => {
    let answer;
    const binding = penstock(url('steps'), plan.token);
    const seen = { run: async (...call) => {
      answer = await binding.run(...call);
      return answer.clone();
    } };
    await createAiGateway({ binding: seen, options })(model).doGenerate({ prompt: [{ role: 'user', content: [] }] })
      .catch(() => undefined); // a description of the request is no completion
    return answer.json();
  });
}

// Where each endpoint leads that the packages make of an SDK's address

await step('endpoints', () => Promise.all(plan.endpoints.map(async ([provider, endpoint]) => {
  const answer = await penstock(url('steps'), plan.token).run([{ provider, endpoint, headers: echo, query: {} }]);
  return (await answer.json()).target;
})));

// The unified provider, alone and with another model after it

const unified = (model) => createUnified({ apiKey: 'sk-x' })(model);
await step('unified', () => generate(of(unified('anthropic/claude-haiku-4-5'))));
await step('unified leads on', () => generate(of([unified('nobody/gpt-4o-mini'), claude()])));

// Gateways that turn it away

await step('unauthorised', () => generate(of([chat(), claude()], {}, 'steps-closed', 'pst_of-nobody')));
await step('missing', () => generate(of([chat(), claude()], {}, 'steps-missing')));

// The sample of the docs prints its answer.

await step('sample', async () => {
  const printed = [];
  const { log } = console;
  console.log = (line) => printed.push(line);
  await import(plan.sample).finally(() => { console.log = log; });
  return printed;
});

// With an API key the package calls an address of its own, by the fetch of the process.

const real = globalThis.fetch;
globalThis.fetch = (address, init) => real(address.replace('https://gateway.ai.cloudflare.com', plan.origin), init);
const keyed = (gateway, apiKey) => createAiGateway({ accountId: plan.account, gateway, apiKey, options: { cacheTtl: 60 } });
await step('API key', () => generate(keyed('steps-closed', plan.token)([chat(fails(500)), claude()])));
await step('API key, streamed', () => stream(keyed('steps-closed', plan.token)([claude(fails(500)), chat()])));
await step('no API key', () => generate(keyed('steps')([chat(fails(500)), claude()])));
await step('no API key, unauthorised', () => generate(keyed('steps-closed')([chat(), claude()])));
await step('API key, missing', () => generate(keyed('steps-missing', plan.token)([chat(), claude()])));
globalThis.fetch = real;

// The OpenAI SDK with a fetch that hands over one step, as @cloudflare/tanstack-ai makes it

const tanstack = (provider, slash = '') => new OpenAI({ apiKey: 'unused', maxRetries: 0, fetch: (address, init) => {
  const { pathname, search } = new URL(address);
  const { model, ...query } = JSON.parse(init.body);
  const request = {
    provider,
    endpoint: pathname.replace(/^\/v1\//, '').replace(/^\//, '') + search,
    headers: { 'cf-aig-metadata': '{"team":"tide"}', 'Content-Type': 'application/json' },
    query: { model, ...query },
  };
  if (provider === 'workers-ai') {
    request.endpoint = `run/${model}`;
    delete request.query.model;
  } else {
    request.headers.authorization = `Bearer ${KEY.apiKey}`;
  }
  return fetch(url('steps') + slash, {
    ...init,
    headers: { 'Content-Type': 'application/json', 'cf-aig-authorization': `Bearer ${plan.token}` },
    body: JSON.stringify(request),
  });
} });
const said = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: PROMPT }] };
const llama = { ...said, model: '@cf/meta/llama-3.1-8b-instruct' };

async function pieces(events) {
  let text = '';
  for await (const event of events) {
    text += event.choices?.[0]?.delta.content ?? event.response ?? '';
  }
  return text;
}

for (const slash of ['', '/']) {
  await step(`one step${slash}`, () => tanstack('openai', slash).chat.completions.create(said));
}
await step('one step, streamed', async () => pieces(
  await tanstack('openai').chat.completions.create({ ...said, stream: true }),
));
await step('one step, Workers AI', () => tanstack('workers-ai').chat.completions.create(llama));
await step('one step, Workers AI, streamed', async () => pieces(
  await tanstack('workers-ai').chat.completions.create({ ...llama, stream: true }),
));
await step('one step fails', () => tanstack('nobody').chat.completions.create(said));
