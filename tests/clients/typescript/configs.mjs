// Keys that a gateway stores: every field, pages, refusals.

import { all, connect, plan, step } from './steps.mjs';

const account_id = plan.account;
const { aiGateway } = connect();
const { providerConfigs } = aiGateway;
const GATEWAY = {
  id: 'js-keys',
  cache_invalidate_on_update: false,
  cache_ttl: 0,
  collect_logs: true,
  rate_limiting_interval: 0,
  rate_limiting_limit: 0,
};
const KEY = { alias: 'main', default_config: true, provider_slug: 'openai', secret: plan.secret };
const more = { secret_id: 'vault-7', rate_limit: 100, rate_limit_period: 60 };

const create = (fields, gateway = 'js-keys') => providerConfigs.create(gateway, { account_id, ...KEY, ...fields });
const list = (query, client = providerConfigs) => all(client.list('js-keys', { account_id, ...query }));

await step('gateway', () => aiGateway.create({ account_id, ...GATEWAY }));
await step('create', () => create(more));
await step('create bare', () => create({ alias: 'bare', secret: 'short' }));
await step('list', () => list());
await step('pages', () => list({ per_page: 1 }));
await step('past the end', async () => (await providerConfigs.list('js-keys', { account_id, page: 9 })).result);
await step('duplicate', () => create());
await step('unknown provider', () => create({ provider_slug: 'nobody' }));
await step('half of a limit', () => create({ alias: 'other', rate_limit: 5 }));
await step('no such gateway', () => create({}, 'nowhere'));
const reader = connect({ apiToken: plan.reader }).aiGateway.providerConfigs;
await step('reader lists', () => list({}, reader));
await step('reader creates', () => reader.create('js-keys', { account_id, ...KEY, alias: 'other' }));
