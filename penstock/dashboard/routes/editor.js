// Comfort for the editor of routes: boxes open their forms, lines are drawn by dragging, steps are undone, and leaving
// with changes asks first. Everything is done by the buttons of the form, so that it works without this file too.

const states = [];
let place = -1;
let leaving = false;
let typed = false;
let focused = "";

const form = () => document.getElementById("editor");
const field = (name) => form().elements.namedItem(name);
const button = (value) => [...form().querySelectorAll('button[name="do"]')].find((one) => one.value === value);

function press(value) {
  const known = button(value);
  if (known) return known.click();
  const made = document.createElement("button");
  made.name = "do";
  made.value = value;
  made.hidden = true;
  form().append(made);
  made.click();
}

function restore(step) {
  if (!states[place + step]) return;
  place += step;
  field("graph").value = states[place];
  press("restore");
}

function dress() {
  if (!form() || form().dataset.dressed) return;
  form().dataset.dressed = "true";
  typed = false;
  document.getElementById(focused)?.focus();
  const now = field("graph").value;
  if (states[place] !== now) {
    states.length = place + 1;
    place = states.push(now) - 1;
  }
  for (const [name, step] of [["undo", -1], ["redo", 1]]) {
    const one = form().querySelector(`[data-${name}]`);
    one.hidden = false;
    one.disabled = !states[place + step];
    one.addEventListener("click", () => restore(step));
  }
  form().addEventListener("input", () => { typed = true; });
}

const boxOf = (target) => target.closest && target.closest("a[data-element]");

document.addEventListener("click", (event) => {
  const box = boxOf(event.target);
  if (!box || !form() || !form().contains(box)) return;
  event.preventDefault();
  press(`choose ${box.dataset.element}`);
});

// A line is drawn from the label of an output to a box.
let dragged = null;
document.addEventListener("pointerdown", (event) => {
  const line = event.target.closest && event.target.closest("g[data-output]");
  dragged = line && form() && form().contains(line) ? line : null;
  if (dragged) event.preventDefault();
});
document.addEventListener("pointerup", (event) => {
  const line = dragged;
  dragged = null;
  const box = line && boxOf(document.elementFromPoint(event.clientX, event.clientY) || document.body);
  if (box) press(`connect ${line.dataset.from} ${box.dataset.element} ${line.dataset.output}`);
});

document.addEventListener("htmx:beforeRequest", (event) => {
  const by = event.detail.requestConfig && event.detail.requestConfig.triggeringEvent;
  leaving = Boolean(by && by.submitter && ["save", "deploy"].includes(by.submitter.value));
  focused = document.activeElement?.id;  // The form is disabled until its answer takes its place.
});
document.addEventListener("htmx:afterSwap", () => { leaving = false; });
document.addEventListener("htmx:load", dress);
addEventListener("beforeunload", (event) => {
  if (!leaving && form() && (typed || field("graph").value !== form().dataset.saved)) event.preventDefault();
});
dress();
