// What the journeys share. A journey reads its plan as JSON from standard input and prints one line of JSON a step:
// its name, what it returned or threw, and how many requests it took. Python asserts on the lines.

import { readFileSync } from 'node:fs';
import Cloudflare from 'cloudflare';
import OpenAI from 'openai';

export const plan = JSON.parse(readFileSync(0, 'utf8'));

let requests = 0;

const counted = (...request) => {
  requests += 1;
  return fetch(...request);
};

/** A client of the control plane; `credentials` instead of the plan's token. */
export function connect(credentials = { apiToken: plan.token }) {
  return new Cloudflare({ baseURL: plan.api, fetch: counted, ...credentials });
}

/** A client of a gateway; its own key is for the provider, headers are for us. */
export function gpt(gateway, defaultHeaders = {}) {
  const baseURL = `${plan.origin}/v1/${plan.account}/${gateway}/openai`;
  return new OpenAI({ apiKey: 'sk-of-nobody', baseURL, defaultHeaders, maxRetries: 0, fetch: counted });
}

/** Prints what `act` comes to, and returns it; undefined where it throws. */
export async function step(name, act) {
  requests = 0;
  let value;
  const line = { step: name };
  try {
    value = await act();
    line.value = value ?? null;
  } catch (error) {
    const { status = error.statusCode, error: body = error.data, message } = error; // the second: of the AI SDK
    line.error = { kind: error.constructor.name, status, body, message };
  }
  line.requests = requests;
  console.log(JSON.stringify(line));
  return value;
}

/** Every item of a list, page after page. */
export async function all(list) {
  const items = [];
  for await (const item of list) {
    items.push(item);
  }
  return items;
}
