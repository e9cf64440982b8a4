// Gateways: every setting there and back, pages, refusals, and who may.

import { all, connect, plan, step } from './steps.mjs';

const client = connect();
const account_id = plan.account;
const REQUIRED = {
  cache_invalidate_on_update: false,
  cache_ttl: 0,
  collect_logs: true,
  rate_limiting_interval: 0,
  rate_limiting_limit: 0,
};
const READ_ONLY = ['id', 'account_id', 'created_at', 'modified_at', 'is_default'];

const settings = (gateway) => Object.fromEntries(
  Object.entries(gateway).filter(([name]) => !READ_ONLY.includes(name)),
);
const create = (id, more) => client.aiGateway.create({ account_id, id, ...REQUIRED, ...more });
const update = (id, more) => client.aiGateway.update(id, { account_id, ...REQUIRED, ...more });
const list = (query) => client.aiGateway.list({ account_id, ...query });
const get = (id) => client.aiGateway.get(id, { account_id });

// Every setting

const full = await step('create', () => create('js-full', plan.settings));
await step('get', () => get('js-full'));
await step('list', () => all(list({ search: 'js-full' })));
await step('update with what was returned', () => client.aiGateway.update('js-full', { account_id, ...settings(full) }));
await step('update without optional fields', () => update('js-full'));
await step('update with nulls', () => update('js-full', { retry_delay: null, guardrails: null, otel: null, stripe: null }));
await step('create bare', () => create('js-bare'));
await step('update bare with everything', () => update('js-bare', plan.settings));

// Pages

for (let number = 0; number < 7; number += 1) {
  await create(`js-page-${number}`);
}
await step('all pages', async () => (await all(list({ search: 'js-page-', per_page: 3 }))).map(({ id }) => id));
await step('third page', async () => {
  const page = await list({ search: 'js-page-', per_page: 3, page: 3 });
  return { ids: page.result.map(({ id }) => id), info: page.result_info };
});
await step('past the end', async () => (await list({ page: 1000 })).result);
await step('search', async () => (await all(list({ search: 'js-page-4' }))).map(({ id }) => id));

// Refusals

await step('duplicate', () => create('js-full'));
await step('unknown', () => get('js-unknown'));
await step('another account', () => client.aiGateway.get('js-full', { account_id: '0'.repeat(32) }));
await step('wrong value', () => update('js-bare', { cache_ttl: -1 }));
await step('wrong nested value', () => update('js-bare', { otel: [{ headers: {} }] }));
await step('unknown field', () => update('js-bare', { colour: 'red' }));
await step('wrong id', () => create('Not An Id'));

// Who may

await step('verify', () => client.user.tokens.verify());
await step('email and key', () => connect({ apiEmail: plan.email, apiKey: plan.key }).aiGateway.get('js-bare', { account_id }));
await step('another email', () => connect({ apiEmail: 'eve@example.com', apiKey: plan.key }).user.tokens.verify());
await step('wrong token', () => connect({ apiToken: 'pst_of-nobody-and-of-nothing' }).user.tokens.verify());
const reader = connect({ apiToken: plan.reader });
await step('reader reads', () => reader.aiGateway.get('js-bare', { account_id }));
await step('reader deletes', () => reader.aiGateway.delete('js-bare', { account_id }));

// The end

await step('delete', () => client.aiGateway.delete('js-full', { account_id }));
await step('get after delete', () => get('js-full'));
await step('create again', () => create('js-full'));
