// Charts over time, drawn from the table that stands with them.

const HEIGHT = 190;
const drawn = new Map(); // figure: plot

const UNITS = {
  count: (value) => new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(value),
  dollars: (value) => "$" + new Intl.NumberFormat("en", { maximumSignificantDigits: 3 }).format(value),
  millis: (value) => (value >= 1000 ? `${+(value / 1000).toFixed(1)} s` : `${+value.toFixed(1)} ms`),
};

const moment = (seconds, step) => {
  const text = new Date(seconds * 1000).toISOString();
  return step >= 86400 || text.slice(11, 16) === "00:00" ? text.slice(5, 10) : text.slice(11, 16);
};

const said = (value, unit) => (value === null || value === undefined ? "–" : (UNITS[unit] ?? UNITS.count)(value));

function library() {
  if (window.uPlot) return Promise.resolve();
  const at = (name) => new URL(`vendor/${name}`, import.meta.url).href;
  const style = Object.assign(document.createElement("link"), { rel: "stylesheet", href: at("uPlot.min.css") });
  const script = Object.assign(document.createElement("script"), { src: at("uPlot.iife.min.js") });
  const loaded = new Promise((done, failed) => { script.onload = done; script.onerror = failed; });
  document.head.append(style, script);
  return loaded;
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function read(table) {
  const heads = [...table.tHead.rows[0].cells].slice(1);
  const value = (cell) => (cell.dataset.value === undefined ? null : Number(cell.dataset.value));
  const rows = [...table.tBodies[0].rows].map((row) => [...row.cells].map(value));
  const columns = [0, ...heads].map((_, place) => rows.map((row) => row[place]));
  return { names: heads.map((head) => head.textContent), units: heads.map((head) => head.dataset.unit), columns };
}

// The highest pile comes first, so that lower ones are drawn over it.
function stacked({ names, units, columns }) {
  const sums = columns[0].map(() => 0);
  const piles = columns.slice(1).map((values) => values.map((value, at) => (sums[at] += value ?? 0)));
  return { names: names.toReversed(), units: units.toReversed(), columns: [columns[0], ...columns.slice(1).toReversed()], drawn: [columns[0], ...piles.toReversed()] };
}

function options(figure, { names, units, columns }, width) {
  const kind = figure.dataset.kind;
  const line = { stroke: colour("--dim"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
  const unit = UNITS[units[0]] ?? UNITS.count;
  const series = names.map((label, at) => ({
    label,
    stroke: colour(`--series-${(at % 6) + 1}`),
    fill: kind === "line" ? undefined : colour(`--series-${(at % 6) + 1}`) + (kind === "bars" ? "b0" : ""),
    width: kind === "bars" ? 0 : 1.75,
    points: { show: columns[at + 1].filter((value) => value !== null).length < 3 },
    paths: kind === "bars" ? window.uPlot.paths.bars({ size: [0.7, 40] }) : undefined,
    value: (_, __, ___, place) => said(columns[at + 1][place], units[at]),
  }));
  return {
    width,
    height: HEIGHT,
    tzDate: (seconds) => window.uPlot.tzDate(new Date(seconds * 1e3), "Etc/UTC"),
    padding: [8, 22, 0, 0],
    legend: { show: true, live: true },
    cursor: { points: { size: 6 }, drag: { x: false, y: false } },
    scales: { y: { range: (_, low, high) => [Math.min(0, low ?? 0), high > 0 ? high * 1.06 : 1] } },
    axes: [{ ...line, grid: { show: false }, space: 70, size: 30, values: (_, ticks, __, ___, step) => ticks.map((tick) => moment(tick, step)) }, { ...line, size: 62, values: (_, ticks) => ticks.map(unit) }],
    series: [{ label: "Time (UTC)", value: (_, at) => (at === null ? "" : new Date(at * 1000).toISOString().slice(0, 16).replace("T", " ")) }, ...series],
  };
}

function plot(figure) {
  const told = read(figure.querySelector(".table-box > table")); // the plot's legend is a table too
  if (!told.columns[0].length) return;
  if (figure.dataset.kind === "stack") Object.assign(told, stacked(told));
  const target = figure.querySelector(".plot");
  target.hidden = false;
  drawn.get(figure)?.destroy();
  drawn.set(figure, new window.uPlot(options(figure, told, target.clientWidth), told.drawn ?? told.columns, target));
}

const widths = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const chart = drawn.get(target.parentElement);
    if (chart && chart.width !== target.clientWidth) chart.setSize({ width: target.clientWidth, height: HEIGHT });
  }
});

export async function draw(part) {
  await library();
  for (const figure of drawn.keys()) if (!figure.isConnected) { drawn.get(figure).destroy(); drawn.delete(figure); }
  for (const figure of part.querySelectorAll("figure.chart")) {
    if (drawn.has(figure)) continue;
    plot(figure);
    widths.observe(figure.querySelector(".plot"));
  }
}

const again = () => [...drawn.keys()].forEach(plot);
document.addEventListener("penstock:theme", again);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
