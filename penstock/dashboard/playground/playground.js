// The playground: reads the form, calls the data plane of this server, and shows answers as they come.

import { Answer, Events } from "./answers.js";
import { call, json } from "./bodies.js";

const MOST_RAW = 200_000; // characters that are shown
const form = document.querySelector("[data-playground]");
const turns = form.querySelector("[data-turns]");
const columns = [...form.querySelectorAll("[data-column]")];
const csrf = JSON.parse(document.body.getAttribute("hx-headers"))["x-csrf-token"];
const running = new Map(); // column: AbortController
let pass = { text: "", until: 0 };

// Asking

async function post(path, fields = {}) {
  const answer = await fetch(path, { method: "POST", headers: { "x-csrf-token": csrf, "hx-request": "true" }, body: new URLSearchParams(fields) });
  if (answer.headers.get("hx-redirect")) location.assign(answer.headers.get("hx-redirect"));
  return answer;
}

// A pass stands for the token that one signed in with, for a few minutes.
async function credential() {
  if (Date.now() > pass.until - 30_000) {
    const answer = await post("/ui/pass");
    if (!answer.ok) throw new Error("You are not signed in any more, or your token may not call models.");
    const told = await answer.json();
    pass = { text: told.pass, until: told.expires_at };
  }
  return pass.text;
}

function addTurn(role = "user", text = "") {
  const turn = form.querySelector("[data-turn]").content.cloneNode(true);
  turn.querySelector("[data-role]").value = role;
  turn.querySelector("[data-text]").value = text;
  turns.append(turn);
}

function headers() {
  const lines = form.elements.headers.value.split("\n").filter((line) => line.trim());
  return Object.fromEntries(lines.map((line) => {
    const at = line.indexOf(":");
    if (at < 1) throw new Error(`Headers: “${line}” is not written as name: value.`);
    return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  }));
}

function asked(column) {
  const number = (name) => (form.elements[name].value === "" ? undefined : Number(form.elements[name].value));
  const surface = column.querySelector("[data-surface]").selectedOptions[0];
  const own = surface.dataset.kind === "own";
  return call({
    kind: surface.dataset.kind,
    path: own ? column.querySelector("input[data-path]").value.trim() : surface.dataset.path,
    body: column.querySelector("[data-body]").value,
    model: column.querySelector("[data-model]").value.trim(),
    system: form.elements.system.value,
    turns: [...turns.children].map((turn) => ({ role: turn.querySelector("[data-role]").value, content: turn.querySelector("[data-text]").value })),
    temperature: number("temperature"),
    topP: number("top_p"),
    maxTokens: number("max_tokens"),
    stream: form.elements.stream.checked,
    tools: json(form.elements.tools.value, "Tools"),
    more: json(form.elements.more.value, "Other members"),
  });
}

// Showing

const part = (column, name) => column.querySelector(`[data-${name}]`);

function show(column, answer, raw) {
  part(column, "said").textContent = answer.failure || answer.text;
  const thought = part(column, "thought");
  thought.hidden = !answer.thought;
  thought.querySelector("pre").textContent = answer.thought;
  part(column, "tools").replaceChildren(...answer.tools.map((tool) => {
    const told = Object.assign(document.createElement("pre"), { className: "tool", textContent: `${tool.name}(${tool.arguments})` });
    return told;
  }));
  part(column, "raw").textContent = raw.slice(0, MOST_RAW);
}

function status(column, text, kind = "") {
  const badge = part(column, "status");
  badge.textContent = text;
  badge.className = `badge ${kind}`;
}

const seconds = (millis) => (millis < 1000 ? `${Math.round(millis)} ms` : `${(millis / 1000).toFixed(1)} s`);

// Running

async function read(response, column, answer, times) {
  const kind = response.headers.get("content-type") ?? "";
  const decoder = new TextDecoder();
  let raw = "";
  if (!/json|text|event-stream/.test(kind)) {
    raw = `${(await response.arrayBuffer()).byteLength} bytes of ${kind || "an unnamed kind"}`;
    answer.text = raw;
  } else {
    const events = kind.includes("event-stream") ? new Events() : null;
    for await (const piece of response.body) {
      times.first ??= performance.now();
      const text = decoder.decode(piece, { stream: true });
      raw += text;
      if (events) for (const data of events.take(text)) try { answer.read(JSON.parse(data)); } catch { /* no JSON: it is in the raw answer */ }
      show(column, answer, raw);
    }
    if (!events) try { answer.whole(JSON.parse(raw)); } catch { answer.text = raw; }
    if (!events && !answer.text && !answer.tools.length && !answer.failure) answer.text = raw.slice(0, 4000);
  }
  show(column, answer, raw);
}

async function run(column) {
  running.get(column)?.abort();
  const control = new AbortController();
  running.set(column, control);
  const answer = new Answer();
  part(column, "answer").hidden = false;
  part(column, "facts").replaceChildren();
  part(column, "continue").hidden = true;
  part(column, "times").textContent = "";
  part(column, "stop").hidden = false;
  status(column, "waits");
  show(column, answer, "");
  try {
    const { path, body } = asked(column);
    const gateway = form.elements.gateway.value;
    const times = { start: performance.now() };
    const response = await fetch(`${form.dataset.base}/${encodeURIComponent(gateway)}/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers(), "cf-aig-authorization": `Bearer ${await credential()}` },
      body: JSON.stringify(body),
      signal: control.signal,
    });
    status(column, String(response.status), response.ok ? "good" : "bad");
    await read(response, column, answer, times);
    const end = performance.now();
    part(column, "times").textContent = `${seconds(end - times.start)} here, first byte after ${seconds((times.first ?? end) - times.start)}`;
    part(column, "continue").hidden = !response.ok || !answer.text;
    await facts(column, gateway, response.headers.get("cf-aig-log-id"));
  } catch (error) {
    if (error.name === "AbortError") status(column, "stopped", "warn");
    else { status(column, "failed", "bad"); part(column, "said").textContent = error.message; }
  } finally {
    part(column, "stop").hidden = true;
    if (running.get(column) === control) running.delete(column);
  }
}

async function facts(column, gateway, log) {
  if (!log) return;
  const answer = await fetch(`/ui/playground/result/${encodeURIComponent(gateway)}/${encodeURIComponent(log)}`, { headers: { "hx-request": "true" } });
  if (answer.ok) put(part(column, "facts"), await answer.text());
}

// A fragment of our own server's.
function put(target, html) {
  target.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
  document.dispatchEvent(new CustomEvent("htmx:load", { detail: { elt: target } }));
}

async function asCode(column) {
  try {
    const { path, body } = asked(column);
    headers();
    const fields = { gateway: form.elements.gateway.value, path, body: JSON.stringify(body), headers: form.elements.headers.value };
    put(part(column, "code"), await (await post("/ui/playground/code", fields)).text());
  } catch (error) {
    part(column, "code").textContent = error.message;
  }
}

// The list of models is asked for when somebody is about to name one.
let listed = "";
async function models() {
  const gateway = form.elements.gateway.value;
  if (listed === gateway) return;
  listed = gateway;
  const headers = { "cf-aig-authorization": `Bearer ${await credential()}`, "cf-aig-collect-log": "false" };
  const answer = await fetch(`${form.dataset.base}/${encodeURIComponent(gateway)}/compat/models`, { headers });
  if (!answer.ok) return;
  const names = (await answer.json()).data.map((model) => Object.assign(document.createElement("option"), { value: model.id }));
  document.getElementById("models").replaceChildren(...names);
}

// Wiring

function surfaces(column) {
  const own = part(column, "surface").selectedOptions[0].dataset.kind === "own";
  part(column, "own").hidden = !own;
  part(column, "model").closest(".field").hidden = own;
}

for (const column of columns) {
  part(column, "surface").addEventListener("change", () => surfaces(column));
  part(column, "model").addEventListener("focus", () => models().catch(() => {}), { once: true });
  part(column, "as-code").addEventListener("click", () => asCode(column));
  part(column, "stop").addEventListener("click", () => running.get(column)?.abort());
  part(column, "close")?.addEventListener("click", () => { running.get(column)?.abort(); column.hidden = true; });
  part(column, "continue").addEventListener("click", () => {
    addTurn("assistant", part(column, "said").textContent);
    addTurn("user");
    turns.lastElementChild.querySelector("[data-text]").focus();
  });
  surfaces(column);
}
turns.addEventListener("click", (event) => event.target.closest("[data-remove]")?.closest(".turn-edit").remove());
form.querySelector("[data-add-turn]").addEventListener("click", () => addTurn());
form.querySelector("[data-compare]").addEventListener("click", () => {
  const next = columns.find((column) => column.hidden);
  if (next) { next.hidden = false; part(next, "model").focus(); }
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  columns.filter((column) => !column.hidden).forEach(run);
});
addTurn("user", "What is a penstock? Answer in one sentence.");
