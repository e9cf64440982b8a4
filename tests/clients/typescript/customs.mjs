// Custom providers: there and back, refusals, and the addresses of gateways.

import { all, connect, plan, step } from './steps.mjs';

const account_id = plan.account;
const { aiGateway } = connect();
const { customProviders, urls } = aiGateway;
const GATEWAY = {
  id: 'js-urls',
  cache_invalidate_on_update: false,
  cache_ttl: 0,
  collect_logs: true,
  rate_limiting_interval: 0,
  rate_limiting_limit: 0,
};
const told = { name: 'From Node', slug: 'from-node', base_url: 'https://llm.example.com/v1', enable: true };

await step('gateway', () => aiGateway.create({ account_id, ...GATEWAY }));
const made = await step('create', () => customProviders.create({ account_id, ...told, headers: '{"x-org":"node"}' }));
await step('get', () => customProviders.get(made.id, { account_id }));
await step('list', () => all(customProviders.list({ account_id, search: 'from-node' })));
await step('duplicate', () => customProviders.create({ account_id, ...told }));
await step('plain', () => customProviders.create({ account_id, ...told, slug: 'b', base_url: 'http://llm.example.com' }));
await step('url', () => urls.get('custom-from-node', { account_id, gateway_id: 'js-urls' }));
await step('delete', () => customProviders.delete(made.id, { account_id }));
await step('get after delete', () => customProviders.get(made.id, { account_id }));
