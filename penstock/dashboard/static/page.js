// What every page does beyond showing itself: the theme, copying, and charts.

function theme() {
  const chosen = document.documentElement.dataset.theme;
  return chosen || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}

function themeSwitch(button) {
  const label = () => { button.textContent = theme() === "dark" ? "Light" : "Dark"; };
  button.hidden = false;
  label();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", label);
  button.addEventListener("click", () => {
    const next = theme() === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    localStorage.setItem("penstock-theme", next);
    label();
    document.dispatchEvent(new CustomEvent("penstock:theme"));
  });
}

function copying(snippet) {
  if (snippet.querySelector(":scope > button") || !navigator.clipboard) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(snippet.querySelector("pre").textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  snippet.append(button);
}

// Menus close as people expect them to.
function menus(event) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (event.type === "keydown" ? event.key === "Escape" : !menu.contains(event.target)) {
      menu.open = false;
      if (event.type === "keydown") menu.querySelector("summary").focus();
    }
  }
}

function dress(part) {
  part.querySelectorAll("[data-copy]").forEach(copying);
  if (part.querySelector("figure.chart")) import("./chart.js").then((charts) => charts.draw(part));
}

document.querySelectorAll("[data-theme-switch]").forEach(themeSwitch);
document.addEventListener("click", menus);
document.addEventListener("keydown", menus);
document.addEventListener("htmx:load", (event) => dress(event.detail.elt));
dress(document);

// What follows the log asks again at each tick, as long as somebody looks.
setInterval(() => {
  if (document.visibilityState === "visible") document.body.dispatchEvent(new CustomEvent("penstock:tick"));
}, 2000);
