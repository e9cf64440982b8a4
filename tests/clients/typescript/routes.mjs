// Dynamic routes: the whole life of one, and the SDK's own sample.

import { connect, plan, step } from './steps.mjs';

const account_id = plan.account;
const { aiGateway } = connect();
const { dynamicRouting } = aiGateway;
const GATEWAY = {
  id: 'js-routes',
  cache_invalidate_on_update: false,
  cache_ttl: 0,
  collect_logs: true,
  rate_limiting_interval: 0,
  rate_limiting_limit: 0,
};
const SAMPLE = [{ id: 'id', outputs: { next: { elementId: 'elementId' } }, type: 'start' }];
const place = { account_id, gateway_id: 'js-routes' };

const create = (name, elements) => dynamicRouting.create('js-routes', { account_id, name, elements });
const deploy = (version_id) => dynamicRouting.createDeployment(made.id, { ...place, version_id });

await step('gateway', () => aiGateway.create({ account_id, ...GATEWAY }));
const made = await step('create', () => create('r', plan.first));
await step('get', () => dynamicRouting.get(made.id, place));
await step('create version', () => dynamicRouting.createVersion(made.id, { ...place, elements: plan.second }));
const { versions } = (await step('versions', () => dynamicRouting.listVersions(made.id, place))).data;
const newest = versions[0].version_id;
await step('get version', () => dynamicRouting.getVersion(newest, { ...place, id: made.id }));
await step('deploy', () => deploy(newest));
await step('roll back', () => deploy(made.version.version_id));
await step('deployments', () => dynamicRouting.listDeployments(made.id, place));
await step('rename', () => dynamicRouting.update(made.id, { ...place, name: 'Route Name' }));
await step('list', () => dynamicRouting.list('js-routes', { account_id }));
await step('duplicate', () => create('Route Name', SAMPLE));
const sample = await step('sample', () => create('sample', SAMPLE));
await step('deploy the sample', () =>
  dynamicRouting.createDeployment(sample.id, { ...place, version_id: sample.version.version_id }),
);
await step('delete', () => dynamicRouting.delete(made.id, place));
await step('get after delete', () => dynamicRouting.get(made.id, place));
