// The money of an account: all twelve calls, and what is below their minimums.

import { connect, plan, step } from './steps.mjs';

const account_id = plan.account;
const { billing } = connect().aiGateway;
const { topup, spendingLimit } = billing;

await step('balance', () => billing.creditBalance({ account_id }));
await step('usage', () =>
  billing.usageHistory({ account_id, value_grouping_window: 'day', start_time: 0, end_time: 2 * 86_400_000 }),
);
await step('usage by week', () => billing.usageHistory({ account_id, value_grouping_window: 'week' }));

await step('small top-up', () => topup.create({ account_id, amount: 999 }));
const made = await step('top-up', () => topup.create({ account_id, amount: 5000 }));
await step('status', () => topup.status({ account_id, payment_intent_id: made.payment_intent_id }));
await step('status of none', () => topup.status({ account_id, payment_intent_id: 'pi_none' }));

await step('small threshold', () => topup.config.create({ account_id, amount: 5000, threshold: 499 }));
await step('config', () => topup.config.create({ account_id, amount: 5000, threshold: 500 }));
await step('get config', () => topup.config.get({ account_id }));
await step('delete config', () => topup.config.delete({ account_id }));
await step('no config', () => topup.config.get({ account_id }));

await step('invoices', () => billing.invoiceHistory({ account_id, type: 'manual' }));
await step('preview', () => billing.invoicePreview({ account_id }));

const limit = { account_id, amount: 1_000_000, duration: 'monthly', strategy: 'fixed' };
await step('small limit', () => spendingLimit.create({ ...limit, amount: 99 }));
await step('limit', () => spendingLimit.create(limit));
await step('get limit', () => spendingLimit.get({ account_id }));
await step('delete limit', () => spendingLimit.delete({ account_id }));
await step('no limit', () => spendingLimit.get({ account_id }));
const reader = connect({ apiToken: plan.reader }).aiGateway.billing;
await step('reader looks', () => reader.spendingLimit.get({ account_id }));
await step('reader tops up', () => reader.topup.create({ account_id, amount: 5000 }));
