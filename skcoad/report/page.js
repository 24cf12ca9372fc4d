"use strict";
// Draws the series and its scores with Plotly, and explains the chosen segment. Every
// name comes from the data and enters the page as text, never as markup.

const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const chart = byId("chart");

const MAX_LINES = 6; // channels of which each has a row; of more, one, and a heat map
const COLUMNS = 1500; // columns of pixels that a line is reduced to
const CELLS = 400; // columns of the heat map
const AROUND = 8; // lengths of a segment that are shown with it

// The series ---------------------------------------------------------------------

function decode(text, Type = Float32Array) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new Type(bytes.buffer);
}

const x = decode(data.x, Float64Array);
const score = decode(data.score);
const channels = data.channels.map((channel) => {
  const low = decode(channel.low);
  const expectedLow = decode(channel.expected_low);
  return {
    ...channel,
    low,
    high: channel.high ? decode(channel.high) : low,
    expectedLow,
    expectedHigh: channel.expected_high ? decode(channel.expected_high) : expectedLow,
    score: decode(channel.score),
  };
});
const many = channels.length > MAX_LINES;
const start = x[0];
const stop = data.x_end > start ? data.x_end : start + 1;
const step = x.length > 1 ? (stop - start) / (data.n_timestamps - 1) : 1;
const bucket = (timestamp) => Math.min(Math.floor(timestamp / data.width), x.length - 1);

// Coordinate of a timestamp, also of one within a bucket.
function time(timestamp) {
  const before = Math.floor(timestamp / data.width);
  const rest = timestamp % data.width;
  if (rest === 0) return x[before];
  const after = before + 1 < x.length ? x[before + 1] : stop;
  return x[before] + ((after - x[before]) * rest) / data.width;
}

// Of a series in buckets, what is known of every timestamp around a segment.
for (const channel of channels) channel.rows = [];
if (data.width > 1) {
  for (const { channel, start: first, arrays } of data.segments.flatMap((s) => s.details)) {
    const [values, expected] = arrays.map((text) =>
      decode(text, Float64Array).map((y) => y - channels[channel].center),
    );
    channels[channel].rows.push({ first, values, expected });
  }
}

// First position whose coordinate is not below a value.
function search(value) {
  let low = 0;
  let high = x.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Positions that are visible, one more on each side.
function visible([from, to]) {
  return [Math.max(0, search(from) - 1), Math.min(x.length, search(to) + 1)];
}

// Least and largest value of each column of pixels; NaN where there is none. Zoomed in,
// the exact values of the timestamps of a bucket where they are among the pieces known.
function extremes(low, high, [from, to], known = []) {
  const width = Math.max(1, Math.ceil((to - from) / COLUMNS));
  const at = [];
  const least = [];
  const largest = [];
  for (let i = from; i < to; i += width) {
    const [first, last] = [i * data.width, (i + 1) * data.width];
    const piece =
      width === 1 &&
      known.find((one) => one.first <= first && last <= one.first + one.values.length);
    if (piece) {
      for (let k = first; k < last; k++) {
        at.push(time(k));
        least.push(piece.values[k - piece.first]);
        largest.push(piece.values[k - piece.first]);
      }
      continue;
    }
    let a = NaN;
    let b = NaN;
    for (let j = i; j < Math.min(to, i + width); j++) {
      if (!(low[j] >= a)) a = low[j] === low[j] ? low[j] : a;
      if (!(high[j] <= b)) b = high[j] === high[j] ? high[j] : b;
    }
    at.push(x[i]);
    least.push(a);
    largest.push(b);
  }
  return { at, least, largest, exact: width === 1 && low === high };
}

// A line through both extremes of each column.
function line(low, high, part, shift = 0, known = []) {
  const { at, least, largest, exact } = extremes(low, high, part, known);
  if (exact) return { x: at, y: least.map((y) => y + shift) };
  return {
    x: at.flatMap((t) => [t, t]),
    y: least.flatMap((y, i) => [y + shift, largest[i] + shift]),
  };
}

// The outline of a band, in pieces where it is interrupted.
function outline(at, low, high) {
  const band = { x: [], y: [] };
  let piece = [];
  const close = () => {
    if (!piece.length) return;
    const back = [...piece].reverse();
    band.x.push(...piece.map((i) => at[i]), ...back.map((i) => at[i]), null);
    band.y.push(...piece.map((i) => low[i]), ...back.map((i) => high[i]), null);
    piece = [];
  };
  for (let i = 0; i < at.length; i++) {
    if (low[i] === low[i]) piece.push(i);
    else close();
  }
  close();
  return band;
}

function band(channel, part) {
  const known = channel.rows.map(({ first, expected }) => ({ first, values: expected }));
  const found = extremes(channel.expectedLow, channel.expectedHigh, part, known);
  return outline(
    found.at,
    found.least.map((y) => y + channel.center - channel.tolerance),
    found.largest.map((y) => y + channel.center + channel.tolerance),
  );
}

// Largest score of each channel in each cell of the heat map.
function cells([from, to]) {
  const width = Math.max(1, Math.ceil((to - from) / CELLS));
  const at = [];
  for (let i = from; i < to; i += width) at.push(x[i]);
  const z = channels.map((channel) =>
    at.map((_, column) => {
      const first = from + column * width;
      let top = 0;
      for (let j = first; j < Math.min(to, first + width); j++) {
        if (channel.score[j] > top) top = channel.score[j];
      }
      return top;
    }),
  );
  return { x: at, z };
}

const narrow = () => innerWidth < 600; // as on a telephone

// Drawing ------------------------------------------------------------------------

const color = (name) =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// Plotly reads a little HTML in its texts; names are no markup.
const plain = (text) =>
  String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const shortened = (text, length) =>
  plain(text.length > length ? `${text.slice(0, length - 1)}…` : text);

let range = [start, stop];
let shown = 0; // channel, of many
let chosen = null; // segment

const config = {
  responsive: true,
  displaylogo: false,
  doubleClick: false,
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "resetScale2d"],
};

function axis(extra) {
  return {
    gridcolor: color("line"),
    linecolor: color("line"),
    zerolinecolor: color("line"),
    automargin: true,
    ...extra,
  };
}

function timeAxis(extra) {
  return axis({
    type: data.dates ? "date" : "linear",
    title: { text: plain(data.x_label), font: { size: 12 } },
    showgrid: false,
    ...extra,
  });
}

function frame(extra) {
  return {
    paper_bgcolor: color("paper"),
    plot_bgcolor: color("paper"),
    font: { color: color("ink"), family: "system-ui, sans-serif", size: 12 },
    showlegend: false,
    hovermode: "x",
    dragmode: "zoom",
    ...extra,
  };
}

function rectangle(from, to, fill, opacity, rim = 0) {
  return {
    type: "rect",
    xref: "x",
    yref: "paper",
    x0: from,
    x1: to,
    y0: 0,
    y1: 1,
    fillcolor: color(fill),
    opacity,
    line: { width: rim, color: color(fill) },
    layer: "below",
  };
}

function draw() {
  const part = visible(range);
  const lines = many ? [shown] : channels.map((_, i) => i);
  const heights = lines.map(() => (lines.length === 1 ? 220 : 120));
  heights.push(150);
  if (many) heights.push(Math.max(120, Math.min(channels.length, 60) * 11));
  const gap = 18;
  const total = heights.reduce((sum, h) => sum + h + gap, -gap);
  const domains = [];
  let top = total;
  for (const height of heights) {
    domains.push([(top - height) / total, top / total]);
    top -= height + gap;
  }
  const traces = [];
  const layout = frame({
    height: total + 70,
    margin: { l: narrow() ? 50 : 70, r: narrow() ? 10 : 30, t: 10, b: 50 },
    xaxis: timeAxis({ range, anchor: `y${heights.length}` }),
    shapes: [],
  });
  lines.forEach((number, row) => {
    const channel = channels[number];
    const yaxis = row ? `y${row + 1}` : "y";
    traces.push(
      {
        ...band(channel, part),
        yaxis,
        fill: "toself",
        fillcolor: color("expected"),
        opacity: 0.35,
        mode: "lines",
        line: { width: 0 },
        hoverinfo: "skip",
      },
      {
        ...line(channel.low, channel.high, part, channel.center, channel.rows),
        yaxis,
        mode: "lines",
        line: { color: color("observed"), width: 1 },
        name: shortened(channel.name, 40),
      },
    );
    layout[`yaxis${row ? row + 1 : ""}`] = axis({
      domain: domains[row],
      fixedrange: true,
      title: { text: shortened(channel.name, lines.length === 1 ? 30 : 14) },
    });
  });
  const row = lines.length;
  traces.push({
    ...line(score, score, part),
    yaxis: `y${row + 1}`,
    mode: "lines",
    line: { color: color("score"), width: 1.2 },
    name: "score",
  });
  traces.push({
    x: data.segments.map((segment) => time(segment.peak)),
    y: data.segments.map((segment) => segment.score),
    yaxis: `y${row + 1}`,
    mode: "markers",
    marker: { color: color("found"), size: 9, symbol: "triangle-down" },
    hoverinfo: "skip",
    cliponaxis: false,
  });
  layout[`yaxis${row + 1}`] = axis({
    domain: domains[row],
    fixedrange: true,
    rangemode: "tozero",
    title: { text: "score" },
  });
  layout.shapes.push({
    type: "line",
    xref: "paper",
    yref: `y${row + 1}`,
    x0: 0,
    x1: 1,
    y0: data.threshold,
    y1: data.threshold,
    line: { color: color("limit"), dash: "dash", width: 1.5 },
  });
  if (many) {
    traces.push({
      ...cells(part),
      y: channels.map((_, i) => i),
      yaxis: `y${row + 2}`,
      type: "heatmap",
      showscale: !narrow(),
      zmin: Math.max(data.threshold / 2, 0),
      zmax: Math.max(2 * data.threshold, 1),
      colorscale: [[0, color("paper")], [1, color("score")]],
      colorbar: {
        title: { text: "score of<br>the channel", font: { size: 11 } },
        len: heights[row + 1] / total,
        y: 0,
        yanchor: "bottom",
        thickness: 12,
      },
      text: channels.map((channel) => channel.name).map((n) => shortened(n, 40)),
      hoverinfo: "z+y",
    });
    const every = Math.ceil(channels.length / 30);
    const ticks = channels.map((_, i) => i).filter((i) => i % every === 0);
    layout[`yaxis${row + 2}`] = axis({
      domain: domains[row + 1],
      fixedrange: true,
      autorange: "reversed",
      showgrid: false,
      tickvals: ticks,
      ticktext: ticks.map((i) => shortened(channels[i].name, 16)),
      tickfont: { size: 9 },
    });
  }
  if (data.start > 0) {
    layout.shapes.push(rectangle(start, time(data.start), "training", 1));
  }
  data.segments.forEach((segment, number) => {
    const [from, to] = [time(segment.start), time(segment.stop - 1)];
    const strong = number === chosen;
    layout.shapes.push(rectangle(from, to, "found", strong ? 0.35 : 0.2, 1));
  });
  return Plotly.react(chart, traces, layout, config);
}

let waiting = false;
function redraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    draw();
  });
}

function show(from, to) {
  const least = 4 * step * data.width;
  const width = Math.min(Math.max(to - from, least), stop - start);
  const middle = (from + to) / 2;
  const first = Math.min(Math.max(middle - width / 2, start), stop - width);
  range = [first, first + width];
  redraw();
}

const MOVES = {
  in: ([a, b]) => [a + (b - a) / 4, b - (b - a) / 4],
  out: ([a, b]) => [a - (b - a) / 2, b + (b - a) / 2],
  left: ([a, b]) => [a - (b - a) / 4, b - (b - a) / 4],
  right: ([a, b]) => [a + (b - a) / 4, b + (b - a) / 4],
  all: () => [start, stop],
};
const KEYS = {
  "+": "in",
  "=": "in",
  "-": "out",
  ArrowLeft: "left",
  ArrowRight: "right",
  0: "all",
  Escape: "all",
};
const move = (how) => show(...MOVES[how](range));

// Plotly writes dates as text, by the clock of the coordinates it was given.
function parsed(value) {
  if (typeof value !== "string") return value;
  const [day, clock = "00:00"] = value.split(" ");
  return Date.parse(`${day}T${clock}Z`);
}

function listen() {
  chart.on("plotly_relayout", (change) => {
    const from = change["xaxis.range[0]"] ?? change["xaxis.range"]?.[0];
    const to = change["xaxis.range[1]"] ?? change["xaxis.range"]?.[1];
    if (from !== undefined && to !== undefined) show(parsed(from), parsed(to));
  });
  chart.on("plotly_doubleclick", () => move("all"));
  chart.on("plotly_click", ({ points }) => {
    const heat = points.find((point) => point.data.type === "heatmap");
    if (heat) chooseChannel(heat.y);
    const at = search(parsed(points[0].x));
    const margin = (visible(range)[1] - visible(range)[0]) / 100;
    const hit = data.segments.findIndex(
      ({ start: first, stop: last }) =>
        bucket(first) - margin <= at && at <= bucket(last - 1) + margin,
    );
    if (hit >= 0) choose(hit, false);
  });
}

// The table ----------------------------------------------------------------------

const FIELDS = [
  ["#", (s, i) => i + 1, "number"],
  ["Start", (s) => s.start, "time", (s) => s.labels[0]],
  ["End", (s) => s.stop, "time", (s) => s.labels[1]],
  ["Score", (s) => s.score, "number", (s) => s.score.toFixed(1)],
  ["Channel", (s) => s.channel, "name"],
  ["Reason", (s) => s.reason, "text"],
];
let sorting = { column: 3, down: true };

// Text in which `this` is a name.
function marked(element, text) {
  element.replaceChildren();
  text.split(/`([^`]*)`/).forEach((piece, i) => {
    if (i % 2) {
      element.append(Object.assign(document.createElement("code"), { textContent: piece }));
    } else element.append(piece);
  });
  return element;
}

function fillTable() {
  const [, value] = FIELDS[sorting.column];
  const order = data.segments.map((_, i) => i);
  order.sort((a, b) => {
    const [u, v] = [value(data.segments[a], a), value(data.segments[b], b)];
    const sign = typeof u === "string" ? u.localeCompare(v) : u - v;
    return sorting.down ? -sign : sign;
  });
  const body = byId("segments").tBodies[0];
  body.replaceChildren(
    ...order.map((number) => {
      const segment = data.segments[number];
      const row = document.createElement("tr");
      row.tabIndex = 0;
      row.dataset.segment = number;
      row.setAttribute("aria-selected", number === chosen);
      for (const [, sortBy, kind = "", text = sortBy] of FIELDS) {
        const cell = document.createElement("td");
        cell.className = kind;
        row.append(marked(cell, String(text(segment, number))));
      }
      row.addEventListener("click", () => choose(number));
      row.addEventListener("keydown", (event) => {
        const other = {
          ArrowDown: row.nextElementSibling,
          ArrowUp: row.previousElementSibling,
        }[event.key];
        if (event.key === "Enter" || event.key === " ") choose(number);
        else if (other) other.focus();
        else return;
        event.preventDefault();
      });
      return row;
    }),
  );
  byId("segments")
    .querySelectorAll("th")
    .forEach((head, i) => {
      if (i !== sorting.column) head.removeAttribute("aria-sort");
      else head.setAttribute("aria-sort", sorting.down ? "descending" : "ascending");
    });
}

function makeTable() {
  const head = byId("segments").tHead.rows[0];
  FIELDS.forEach(([name, , kind = ""], column) => {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.className = kind;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.addEventListener("click", () => {
      sorting = { column, down: sorting.column === column && !sorting.down };
      fillTable();
    });
    cell.append(button);
    head.append(cell);
  });
  byId("segments").hidden = !data.segments.length;
  byId("none").hidden = data.segments.length > 0;
  fillTable();
}

// The explanation ----------------------------------------------------------------

function chooseChannel(number) {
  shown = number;
  byId("channel").value = number;
  redraw();
}

function choose(number, zoom = true) {
  chosen = number;
  const segment = data.segments[number];
  for (const row of byId("segments").tBodies[0].rows) {
    row.setAttribute("aria-selected", Number(row.dataset.segment) === number);
  }
  if (segment.details.length) chooseChannel(segment.details[0].channel);
  if (zoom) {
    const [from, to] = [time(segment.start), time(segment.stop - 1)];
    const margin = Math.max((to - from) * AROUND, 50 * step);
    show(from - margin, to + margin);
  } else redraw();
  explain(segment, number);
}

function explain(segment, number) {
  const pane = byId("explanation");
  pane.hidden = false;
  const [from, to] = segment.labels;
  pane.querySelector("h2").textContent = `Segment ${number + 1}: ${from} to ${to}`;
  marked(byId("summary"), segment.summary);
  const rows = segment.parts.map((part) => {
    const share = segment.score > 0 ? part.value / segment.score : 0;
    const row = document.createElement("tr");
    const channel = row.insertCell();
    channel.className = "name";
    channel.textContent = part.channel;
    row.insertCell().textContent = part.component;
    const size = row.insertCell();
    size.className = "number";
    size.textContent = part.value.toFixed(2);
    const bar = row.insertCell();
    bar.className = "bar";
    const span = document.createElement("span");
    span.style.width = `${(100 * share).toFixed(1)}%`;
    bar.append(span);
    return row;
  });
  const total = document.createElement("tr");
  total.insertCell().textContent = "Score";
  total.insertCell();
  const sum = total.insertCell();
  sum.className = "number";
  sum.textContent = segment.score.toFixed(2);
  total.insertCell();
  byId("parts").tBodies[0].replaceChildren(...rows, total);
  explainDetails(segment);
}

function explainDetails(segment) {
  const places = byId("details");
  places.querySelectorAll(".detail").forEach((each) => Plotly.purge(each));
  places.replaceChildren(
    ...segment.details.map((detail) => {
      const block = document.createElement("div");
      block.className = "detail";
      return block;
    }),
  );
  segment.details.forEach((detail, i) => {
    const channel = channels[detail.channel];
    const [values, expected, nearest] = detail.arrays.map((a) => decode(a, Float64Array));
    const at = Array.from(values, (_, k) => time(detail.start + k));
    const curve = (y, stroke, name, extra = {}) => ({
      x: at,
      y: Array.from(y),
      mode: "lines",
      line: { color: color(stroke), width: 1.3, ...extra },
      name,
    });
    const expectedBand = outline(
      at,
      Array.from(expected, (y) => y - channel.tolerance),
      Array.from(expected, (y) => y + channel.tolerance),
    );
    const from = time(segment.start);
    const to = time(segment.stop - 1);
    Plotly.newPlot(
      places.children[i],
      [
        {
          ...expectedBand,
          fill: "toself",
          fillcolor: color("expected"),
          opacity: 0.35,
          mode: "lines",
          line: { width: 0 },
          name: "expected band",
          hoverinfo: "skip",
        },
        curve(nearest, "found", "nearest normal example", { dash: "dot" }),
        curve(values, "observed", "observed"),
      ],
      frame({
        height: narrow() ? 290 : 230,
        margin: { l: 60, r: 10, t: narrow() ? 90 : 30, b: 40 },
        title: { text: shortened(channel.name, 60), font: { size: 13 }, x: 0.01, y: 0.98, yanchor: "top" },
        showlegend: true,
        legend: { orientation: "h", x: 1, xanchor: "right", y: 1, yanchor: "bottom" },
        xaxis: timeAxis({ title: { text: "" } }),
        yaxis: axis({}),
        shapes: [rectangle(from, to, "found", 0.25, 1)],
      }),
      { ...config, displayModeBar: false },
    );
  });
}

// The page -----------------------------------------------------------------------

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  byId("theme").textContent = theme === "dark" ? "Light" : "Dark";
}

function repaint() {
  const drawn = draw();
  if (chosen !== null) explainDetails(data.segments[chosen]);
  return drawn;
}

function count(number, what) {
  return `${number.toLocaleString("en")} ${what}${number === 1 ? "" : "s"}`;
}

function begin() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  setTheme(dark.matches ? "dark" : "light");
  byId("facts").textContent = [
    count(data.segments.length, "anomalous segment"),
    count(data.n_timestamps, "timestamp"),
    count(channels.length, "channel"),
    `scores above ${data.threshold.toPrecision(3)} are anomalous`,
  ].join(" · ");
  byId("before").hidden = data.start === 0;
  if (data.width > 1) {
    byId("resolution").hidden = false;
    byId("resolution").textContent =
      `The series is too long for every value to be in this page: each ${data.width} ` +
      "timestamps are drawn by their least and largest value, also when zoomed in. " +
      "Around a segment, every timestamp of the channels that explain it is shown.";
  }
  if (many) {
    byId("chooser").hidden = false;
    const options = channels.map((channel, i) => new Option(channel.name, i));
    byId("channel").append(...options);
    byId("channel").addEventListener("change", (e) => chooseChannel(Number(e.target.value)));
    if (data.segments.length && data.segments[0].details.length) {
      chooseChannel(data.segments[0].details[0].channel);
    }
  }
  makeTable();
  document.querySelectorAll("[data-move]").forEach((button) => {
    button.addEventListener("click", () => move(button.dataset.move));
  });
  chart.addEventListener("keydown", (event) => {
    const how = KEYS[event.key];
    if (!how || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    move(how);
  });
  byId("theme").addEventListener("click", () => {
    setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
    repaint();
  });
  let screen = null;
  window.addEventListener("beforeprint", () => {
    screen = document.documentElement.dataset.theme;
    setTheme("light");
    repaint();
  });
  window.addEventListener("afterprint", () => {
    setTheme(screen);
    repaint();
  });
  draw().then(listen);
}

begin();
