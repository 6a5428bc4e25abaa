// Draws what report_data.py tells: the profit, the strips of reasons, and a market when somebody opens it.
"use strict";

const DATA = JSON.parse(document.getElementById("data").textContent);
const LOOK = { displayModeBar: false, responsive: true };
const [INK, MUTED, GRID, BID, ASK, GAIN] = ["#1f2933", "#7b8794", "#e4e7eb", "#1d6fb8", "#c2620c", "#0b7a5b"];
const REASONS = ["#e69f00", "#8c2d04", "#009e73", "#f0e442", "#cc79a7", "#333333", "#b5b5b5", "#5b2a86", "#ffddbb"];
const COLOURS = DATA.words.map((_, n) => (n === 0 ? "#0072b2" : n === 1 ? "#a9cde8" : REASONS[(n - 2) % REASONS.length]));

/** A letter for each reason, in legend and strips: for print, and for whoever sees few colours. */
const LETTERS = DATA.words.map((_, n) => (n < 2 ? "" : String.fromCharCode(95 + n)));

const clock = (seconds) => new Date(DATA.start + seconds * 1000).toISOString().slice(0, 19);
const TIMES = DATA.times.map(clock);
const CYCLES = DATA.cycles.map(clock);
const SPAN = [clock(0), TIMES[TIMES.length - 1]];

/** A series told at its changes, as one value for each place. */
function spread(changes, length, scale = 1) {
  const values = [];
  for (let at = 0; at < changes.length; at += 2) {
    const until = at + 2 < changes.length ? changes[at + 2] : length;
    const value = changes[at + 1] === null ? null : changes[at + 1] / scale;
    while (values.length < until) values.push(value);
  }
  return values;
}

const titled = (text) => ({ text, font: { size: 11, color: MUTED }, standoff: 6 });

function layout(height, more) {
  return {
    height, margin: { l: 62, r: 12, t: 30, b: 44 }, font: { family: "Inter, Helvetica, Arial, sans-serif", size: 12, color: INK },
    legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0, font: { size: 11 } }, hovermode: "x unified",
    paper_bgcolor: "white", plot_bgcolor: "white",
    xaxis: { type: "date", range: SPAN, gridcolor: GRID, tickformat: "%H:%M", hoverformat: "%H:%M:%S", title: titled("time, UTC") },
    ...more,
  };
}

const axis = (text, more) => ({ title: titled(text), gridcolor: GRID, zerolinecolor: GRID, ...more });

function step(name, y, colour, width, dash, more) {
  return { type: "scatter", mode: "lines", name, x: TIMES, y, line: { color: colour, width, dash, shape: "hv" }, ...more };
}

/** The space between everybody else's best prices, one patch for each stretch in which both are there. */
function band(bid, ask) {
  const traces = [];
  let from = null;
  for (let at = 0; at <= bid.length; at++) {
    const both = at < bid.length && bid[at] !== null && ask[at] !== null;
    if (both && from === null) from = at;
    if (!both && from !== null) {
      const end = Math.min(at + 1, bid.length), x = TIMES.slice(from, end);
      const patch = (side) => side.slice(from, at).concat(end > at ? [side[at - 1]] : []);
      const line = { width: 0.8, color: "rgba(123,135,148,0.55)", shape: "hv" };
      const shown = { type: "scatter", mode: "lines", x, line, legendgroup: "book" };
      traces.push({ ...shown, y: patch(bid), name: "best bid of others", showlegend: false });
      traces.push({ ...shown, y: patch(ask), name: "others' book", showlegend: traces.length === 1, fill: "tonexty", fillcolor: "rgba(123,135,148,0.16)" });
      from = null;
    }
  }
  return traces;
}

function marks(fills, bought) {
  const own = fills.filter((fill) => fill[3] === bought);
  return {
    type: "scatter", mode: "markers", name: bought ? "bought" : "sold", x: own.map((f) => clock(f[0])), y: own.map((f) => f[1] / 1e4),
    text: own.map((f) => `${f[2] / 100} contracts`),
    marker: { symbol: bought ? "triangle-up" : "triangle-down", size: 11, color: bought ? BID : ASK, line: { color: "white", width: 1.2 } },
  };
}

function settlement(market) {
  if (!market.settled) return [];
  const [seconds, value] = market.settled;
  return [{
    type: "scatter", mode: "markers", name: "settled", x: [clock(seconds)], y: [value / 1e4], text: [`paid $${value / 1e4} a contract`],
    marker: { symbol: "star", size: 14, color: "#111", line: { color: "white", width: 1 } },
  }];
}

/** The letter of each stretch of one word, in its middle. */
function lettered(row) {
  const texts = row.map(() => "");
  for (let first = 0, at = 1; at <= row.length; at++) {
    if (at < row.length && row[at] === row[first]) continue;
    texts[(first + at - 1) >> 1] = LETTERS[row[first]];
    first = at;
  }
  return texts;
}

/** One row of reasons for each of these markets, coloured cycle by cycle. */
function strip(markets, more) {
  const rows = markets.map((market) => spread(market.strip, CYCLES.length));
  const last = DATA.words.length, scale = COLOURS.flatMap((colour, n) => [[n / last, colour], [(n + 1) / last, colour]]);
  return {
    type: "heatmap", x: CYCLES, y: markets.map((market) => market.name), z: rows, zmin: -0.5, zmax: last - 0.5, colorscale: scale, showscale: false,
    customdata: rows.map((row) => row.map((n) => DATA.words[n])), hovertemplate: "%{y} %{x|%H:%M} %{customdata}<extra></extra>",
    text: rows.map(lettered), texttemplate: "%{text}", textfont: { size: 10 }, ygap: 1, ...more,
  };
}

function drawMarket(place, market) {
  const [bid, ask, ours, theirs] = ["bid", "ask", "our_bid", "our_ask"].map((side) => spread(market[side], TIMES.length, 1e4));
  const held = spread(market.net, TIMES.length, 100);
  const traces = [
    ...band(bid, ask), step("our bid", ours, BID, 1.8), step("our ask", theirs, ASK, 1.8, "dash"),
    marks(market.fills, 1), marks(market.fills, 0), ...settlement(market),
    step("position", held, "#52606d", 1.2, "solid", { yaxis: "y2", fill: "tozeroy", fillcolor: "rgba(82,96,109,0.15)", showlegend: false }),
    strip([market], { yaxis: "y3", y: [""] }),
  ];
  const plain = layout(400), xaxis = { ...plain.xaxis, anchor: "y3" };
  Plotly.newPlot(place, traces, {
    ...plain, xaxis, showlegend: true,
    yaxis: axis("price, $ of YES", { domain: [0.42, 1], tickformat: ".2f" }),
    yaxis2: axis("contracts held", { domain: [0.13, 0.37] }),
    yaxis3: { domain: [0, 0.07], showticklabels: false, ticks: "", fixedrange: true },
  }, LOOK);
}

function drawProfit(place) {
  const thin = DATA.markets.map((market) => spread(market.cents, TIMES.length, 100));
  const total = TIMES.map((_, at) => thin.reduce((sum, series) => sum + series[at], 0));
  const traces = thin.map((y, n) => step(DATA.markets[n].name, y, "rgba(123,135,148,0.45)", 1, "solid", { showlegend: false, hoverinfo: "skip" }));
  traces.push(step("all markets", total, GAIN, 2.6));
  Plotly.newPlot(place, traces, layout(270, { showlegend: false, yaxis: axis("profit after fees, $") }), LOOK);
}

function drawStrips(place) {
  const markets = DATA.markets.slice().reverse();
  const more = { hovermode: "closest", margin: { l: 190, r: 12, t: 8, b: 44 }, yaxis: { fixedrange: true, dtick: 1, tickfont: { size: 10 } } };
  Plotly.newPlot(place, [strip(markets)], layout(64 + 15 * markets.length, more), LOOK);
  place.on("plotly_click", (event) => open(event.points[0].y));
}

function open(name) {
  const card = document.getElementById(`market-${name}`);
  card.open = true;
  card.scrollIntoView({ behavior: "smooth" });
}

function legend(place) {
  place.innerHTML = DATA.words.map((word, n) => `<span><i style="background:${COLOURS[n]}"></i>${LETTERS[n] && `<b>${LETTERS[n]}</b> `}${word}</span>`).join("");
}

for (const market of DATA.markets) {
  const card = document.getElementById(`market-${market.name}`);
  const place = card.querySelector(".chart");
  const draw = () => { if (card.open && !place.hasChildNodes()) drawMarket(place, market); };
  card.addEventListener("toggle", draw);
  draw();
}
drawProfit(document.getElementById("profit"));
drawStrips(document.getElementById("strips"));
document.querySelectorAll(".words").forEach(legend);
