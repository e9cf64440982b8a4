// Calls with the openai SDK, and what the log says of them.

import { all, connect, gpt, plan, step } from './steps.mjs';

const client = connect();
const account_id = plan.account;
const REQUIRED = {
  cache_invalidate_on_update: false,
  cache_ttl: 0,
  collect_logs: true,
  rate_limiting_interval: 0,
  rate_limiting_limit: 0,
};
const create = (id, more) => client.aiGateway.create({ account_id, id, ...REQUIRED, ...more });
const logs = (gateway, query) => all(client.aiGateway.logs.list(gateway, { account_id, ...query }));
const ids = async (gateway, query) => (await logs(gateway, query)).map(({ id }) => id);

/** Calls, and returns the call's log id, or null where there is none; `headers` of this call alone. */
async function call(openai, headers = {}, model = 'gpt-4o-mini') {
  const asked = { model, messages: [{ role: 'user', content: 'Tell me of the sea.' }] };
  const { response } = await openai.chat.completions.create(asked, { headers }).withResponse();
  return response.headers.get('cf-aig-log-id');
}

// What the headers of a call change

await create('js-logs', { authentication: true });
const where = { account_id, gateway_id: 'js-logs' };
const openai = gpt('js-logs', {
  'cf-aig-authorization': `Bearer ${plan.token}`,
  'cf-aig-metadata': JSON.stringify({ team: 'tide', count: 3, live: true }),
});

await step('without a token', () => call(gpt('js-logs')));
const headers = {
  'cf-aig-event-id': 'an-event-of-ours',
  'cf-aig-custom-cost': JSON.stringify({ per_token_in: 0.001, per_token_out: 0.002 }),
};
const first = await step('call', () => call(openai, headers));
await step('get right after', () => client.aiGateway.logs.get(first, where));
await step('request', () => client.aiGateway.logs.request(first, where));
await step('response', () => client.aiGateway.logs.response(first, where));
await step('call without a log', () => call(openai, { 'cf-aig-collect-log': 'false' }));
const bodiless = await step('call without payload', () => call(openai, { 'cf-aig-collect-log-payload': 'false' }));
await step('get without payload', () => client.aiGateway.logs.get(bodiless, where));
await step('request without payload', () => client.aiGateway.logs.request(bodiless, where));
await step('call that fails', () => call(openai, { 'x-mock-status': '429' }));
const last = await step('last call', () => call(openai, {}, 'gpt-4o'));
const row = await step('get last', () => client.aiGateway.logs.get(last, where));

// Lists

await step('all pages', () => logs('js-logs', { per_page: 3 }));
await step('oldest first', () => ids('js-logs', { direction: 'asc' }));
await step('by provider', () => ids('js-logs', { provider: 'openai' }));
await step('by another provider', () => ids('js-logs', { provider: 'anthropic' }));
await step('by model', () => ids('js-logs', { model: 'gpt-4o' }));
await step('failed', () => ids('js-logs', { success: false }));
await step('cached', () => ids('js-logs', { cached: true }));
await step('since', () => ids('js-logs', { start_date: row.created_at }));
await step('until', () => ids('js-logs', { end_date: '2024-01-31T00:00:00Z' }));
const one = (key, operator, ...value) => ({ key, operator, value });
const by = (...filters) => () => ids('js-logs', { filters });
await step('by one of two models', by(one('model', 'eq', 'gpt-4o', 'o3'), one('success', 'eq', true)));
await step('by several filters', by(one('model', 'contains', 'mini'), one('tokens', 'gt', 0.5), one('cost', 'gt', 0)));
await step('by no cost', by(one('cost', 'eq', null)));
await step('by no feedback', () => ids('js-logs', { feedback: 1 }));
await step('by status', () => ids('js-logs', { order_by: 'success', direction: 'asc' }));
await step('by metadata', by(one('metadata.key', 'eq', 'team'), one('metadata.value', 'eq', 'tide')));
await step('by a name of metadata', by(one('metadata.count', 'gt', 2), one('metadata.live', 'eq', true)));
await step('search', () => ids('js-logs', { search: 'of the SEA', success: true }));
await step('search page by page', () => ids('js-logs', { search: 'tide', per_page: 1 }));
await step('by what there is not', by(one('colour', 'eq', 'red')));
await step('too many a page', () => logs('js-logs', { per_page: 51 }));
await step('unknown', () => client.aiGateway.logs.get('01970000-0000-7000-8000-000000000000', where));

// Who may read metadata alone

const metadata = connect({ apiToken: plan.metadata });
await step('metadata lists', () => all(metadata.aiGateway.logs.list('js-logs', { account_id })));
await step('metadata reads a body', () => metadata.aiGateway.logs.request(first, where));

// What people say of a call

const praise = { feedback: 1, score: 99.5, metadata: { team: 'ebb' } };
const edit = (id, said) => client.aiGateway.logs.edit(id, { ...where, ...said });
await step('edit', () => edit(first, praise));
await step('get edited', () => client.aiGateway.logs.get(first, where));
await step('edit with nonsense', () => edit(first, { feedback: 3 }));
await step('edit what is not there', () => edit('01970000-0000-7000-8000-000000000000', praise));

// Deleting

const filters = [{ key: 'model', operator: 'eq', value: ['gpt-4o'] }, { key: 'success', operator: 'eq', value: [true] }];
await step('delete by filters', () => client.aiGateway.logs.delete('js-logs', { account_id, filters }));
await step('ids after filters', () => ids('js-logs', { per_page: 50 }));
await step('delete all', () => client.aiGateway.logs.delete('js-logs', { account_id }));
await step('ids after all', () => ids('js-logs', {}));

// A deleted gateway

await step('delete', () => client.aiGateway.delete('js-logs', { account_id }));
await step('logs after delete', () => logs('js-logs'));
await step('call after delete', () => call(openai));
await step('create again', () => create('js-logs', { authentication: true }));
await step('logs of the new', () => logs('js-logs'));
await step('old log in the new', () => client.aiGateway.logs.get(first, where));
