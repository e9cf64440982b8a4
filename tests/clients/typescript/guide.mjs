// The samples of the TypeScript guide, in its order. The addresses and the token come from the environment, as there.

import Cloudflare from 'cloudflare';
import OpenAI from 'openai';
import { all, plan, step } from './steps.mjs';

const client = new Cloudflare({
  apiToken: process.env.CLOUDFLARE_API_TOKEN,
});

await step('create', () => client.aiGateway.create({
  account_id: '3ebbcb006d4d46d7bb6a8c7f14676cb0',
  id: 'my-gateway',
  cache_invalidate_on_update: true,
  cache_ttl: 3600,
  collect_logs: true,
  rate_limiting_interval: 60,
  rate_limiting_limit: 100,
  rate_limiting_technique: 'sliding',
}));

await step('list', () => all(client.aiGateway.list({
  account_id: '3ebbcb006d4d46d7bb6a8c7f14676cb0',
})));

await step('get', () => client.aiGateway.get(
  'my-gateway',
  { account_id: '3ebbcb006d4d46d7bb6a8c7f14676cb0' },
));

await step('update', () => client.aiGateway.update(
  'my-gateway',
  {
    account_id: '3ebbcb006d4d46d7bb6a8c7f14676cb0',
    cache_ttl: 7200,
    rate_limiting_limit: 200,
    rate_limiting_interval: 60,
    rate_limiting_technique: 'sliding',
    cache_invalidate_on_update: true,
    collect_logs: true,
  },
));

await step('disable', () => client.aiGateway.update(
  'my-gateway',
  {
    account_id: '3ebbcb006d4d46d7bb6a8c7f14676cb0',
    cache_ttl: null,
    rate_limiting_limit: null,
    rate_limiting_interval: null,
    rate_limiting_technique: 'sliding',
    cache_invalidate_on_update: true,
    collect_logs: true,
  },
));

const openai = new OpenAI({
  apiKey: process.env.OPENAI_API_KEY,
  baseURL: `${plan.origin}/v1/3ebbcb006d4d46d7bb6a8c7f14676cb0/my-gateway/openai`,
});

let logId;

await step('call', async () => {
  const { data, response } = await openai.chat.completions.create({
    model: 'gpt-3.5-turbo',
    messages: [{ role: 'user', content: 'Hello!' }],
  }).withResponse();
  logId = response.headers.get('cf-aig-log-id');
  return { completion: data, logId };
});

// The SDK of that guide took the gateway first; today's takes it beside the account.
const where = { account_id: '3ebbcb006d4d46d7bb6a8c7f14676cb0', gateway_id: 'my-gateway' };

await step('log', () => client.aiGateway.logs.get(logId, where));

await step('logs', () => all(client.aiGateway.logs.list(
  'my-gateway',
  {
    account_id: '3ebbcb006d4d46d7bb6a8c7f14676cb0',
    start_date: '2024-01-01',
  },
)));

await step('logs of that January', () => all(client.aiGateway.logs.list(
  'my-gateway',
  {
    account_id: '3ebbcb006d4d46d7bb6a8c7f14676cb0',
    start_date: '2024-01-01',
    end_date: '2024-01-31',
  },
)));

await step('request', () => client.aiGateway.logs.request(logId, where));

await step('response', () => client.aiGateway.logs.response(logId, where));

await step('delete logs', () => client.aiGateway.logs.delete(
  'my-gateway',
  {
    account_id: '3ebbcb006d4d46d7bb6a8c7f14676cb0',
    before: '2024-01-01',
  },
));

await step('delete', () => client.aiGateway.delete(
  'my-gateway',
  { account_id: '3ebbcb006d4d46d7bb6a8c7f14676cb0' },
));

await step('get after delete', () => client.aiGateway.get(
  'my-gateway',
  { account_id: '3ebbcb006d4d46d7bb6a8c7f14676cb0' },
));
