// The traces of the front, in two or in three dimensions.
import { painted } from "./front_cloud.js"
import { named } from "./front_ellipses.js"
import { MISSES, ON_FRONT, OUTSIDE, RECENT, drawn, frontOrder, points, positionOf, positions, which } from "./front_data.js"

const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross", "x", "triangle-down", "pentagon"]
const SOLID = { "triangle-up": "diamond", "triangle-down": "diamond-open", pentagon: "square-open", star: "diamond", hexagram: "cross",
  "x-thin-open": "x", "circle-open-dot": "circle-open", "triangle-down-open": "diamond-open" }

// How large a point is at a chance in percent.
const bigness = (percent) => 5 + 1.3 * Math.sqrt(percent)

export function traces(data, colours) {
  const { head } = data
  const base = { type: "scatter", mode: "markers", hoverinfo: "none" }
  // Points of which there may be thousands: a cloud in space is Plotly's, a plane's is painted under the plot.
  const many = (at, trace) => (head.z ? { ...base, ...drawn(data, at), ...trace } : painted(at, { ...base, ...trace }))
  const marks = head.marks
  const list = [
    ...cloud(data, colours, base, many),
    // What misses a goal is hollow: rings in the cloud, and a hole in the points of the front.
    many(head.colour ? [] : which(data, (f) => f & MISSES && !(f & (ON_FRONT | RECENT | OUTSIDE))),
      { name: head.words.misses, marker: { size: 6, color: colours.dominated, symbol: "circle-open", opacity: 0.7, line: { width: 1 } } }),
    { ...base, ...points(data, (f) => f & MISSES && f & ON_FRONT), name: head.words.misses, legend: "none",
      marker: { size: 5, color: colours.background } },
    // Old evidence outside the search space as it is now: small crosses, fainter than everything that counts.
    many(which(data, (f) => f & OUTSIDE),
      { name: head.words.outside, marker: { size: 5, color: colours.dominated, symbol: "x-thin-open", opacity: 0.55, line: { width: 1 } } }),
    ...references(head, colours, base),
    { ...base, ...points(data, (_, n) => n === head.best), name: head.words.best,
      marker: { size: 19, symbol: "circle-open", color: colours.chosen, line: { width: 3 } } },
    { ...base, ...points(data, (_, n) => n === head.selected && n !== head.best), name: head.words.selected,
      marker: { size: 17, symbol: "square-open", color: colours.chosen, line: { width: 2.4 } } },
    ...kinds(data, colours, many),
    ...(marks.chances.length ? chances(data, colours, base) : []),
    ...(marks.crosses.length ? [crosses(data, colours, base)] : []),
    ...(marks.ellipses.length ? [named(base, head, colours)] : []),
    { ...base, ...drawn(data, positions(data, marks.tied)), name: head.words.tied,
      marker: { size: 14, symbol: "circle-open-dot", color: colours.chosen, line: { width: 1.4 } } },
    { ...base, ...drawn(data, positions(data, marks.unsupported)), name: head.words.unsupported,
      marker: { size: 14, symbol: "triangle-down-open", color: colours.ink, line: { width: 1.6 } } },
    { ...base, ...drawn(data, positions(data, marks.knee === null ? [] : [marks.knee])), name: head.words.knee,
      marker: { size: 15, symbol: "star", color: colours.interpretability, line: { width: 1.2, color: colours.ink } } },
  ]
  // What is marked is rarely there; an empty trace costs as much as a short one. The front is always the third.
  const there = list.filter((t, k) => k < 10 || t.x.length)
  const shown = there.map(({ legend, ...t }) => ({ ...t, showlegend: legend !== "none" && t.visible !== false && t.x.length > 0 }))
  return head.z ? shown.map(solid) : shown
}

const nothing = (data) => drawn(data, [])

// Everything that is no reference: the cloud, the newest, the front with its line.
function cloud(data, colours, base, many) {
  const { head } = data, order = frontOrder(data), chance = new Map(head.marks.chances)
  const coloured = head.colour && !head.colour.names.length
  const plain = head.colour ? [] : which(data, (f) => !(f & (ON_FRONT | RECENT | MISSES | OUTSIDE)))
  const rest = coloured ? which(data, (f) => !(f & (ON_FRONT | OUTSIDE))) : plain
  const size = head.marks.chances.length ? order.map((i) => bigness(chance.get(data.number[i]) ?? 0)) : 9
  return [
    many(rest, { name: head.words.cloud,
      marker: coloured ? { ...shades(data, rest, colours), size: 6, opacity: 0.75 } : { size: 6, color: colours.dominated, opacity: 0.45 } }),
    { ...base, ...(head.colour ? nothing(data) : points(data, (f) => !(f & (ON_FRONT | OUTSIDE)) && f & RECENT)), name: head.words.recent,
      marker: { size: 7, color: colours.recent, symbol: "circle-open", line: { width: 1.6 } } },
    { ...base, ...drawn(data, order), mode: "lines+markers", name: head.words.front,
      line: { shape: "vh", color: colours.front, width: 2 },
      marker: { symbol: "circle", line: { width: 1, color: colours.background }, ...frontColour(data, order, colours), size } },
  ]
}

function frontColour(data, order, colours) {
  if (!data.head.colour) return { color: colours.front }
  if (!data.head.colour.names.length) return { ...shades(data, order, colours), showscale: false }
  return { color: order.map((i) => colours.categories[data.colour[i] % colours.categories.length]),
    symbol: order.map((i) => SYMBOLS[data.colour[i] % SYMBOLS.length]) }
}

// Colours of a scale, with its bar beside the plot.
function shades(data, at, colours) {
  const { label, ends } = data.head.colour
  return {
    color: at.map((i) => data.colour[i]), cmin: 0, cmax: 255, showscale: true,
    colorscale: [[0, colours.grid], [0.25, colours.dominated], [0.65, colours.front], [1, colours.ink]],
    colorbar: { thickness: 8, len: 0.7, x: 1.01, xpad: 4, outlinewidth: 0, tickvals: [0, 255], ticktext: ends,
      tickfont: { color: colours.muted, size: 11 }, title: { text: label, side: "right", font: { color: colours.muted, size: 11 } } },
  }
}

// One trace per kind, where colours say kinds: a colour and a shape each.
function kinds(data, colours, many) {
  const { colour } = data.head
  if (!colour || !colour.names.length) return []
  return colour.names.map((name, k) => many(which(data, (f, _, i) => data.colour[i] === k && !(f & (ON_FRONT | OUTSIDE))), {
    name, marker: { size: 6, color: colours.categories[k % colours.categories.length], symbol: SYMBOLS[k % SYMBOLS.length], opacity: 0.75 },
  }))
}

function references(head, colours, base) {
  const deep = (list) => (head.z ? { z: list.map((f) => f.z) } : {})
  return [
    { ...base, x: head.floors.map((f) => f.x), y: head.floors.map((f) => f.y), ...deep(head.floors), text: head.floors.map((f) => f.label),
      customdata: head.floors.map((f) => f.number), name: head.words.floors, visible: head.floors.length > 0,
      marker: { symbol: "diamond-open", line: { width: 1.5 }, size: head.floors.map((f) => (f.named ? 11 : 7)),
        color: head.floors.map((f) => (f.named ? colours.ink : colours.muted)) } },
    { ...base, x: head.plain.map((p) => p.x), y: head.plain.map((p) => p.y), ...deep(head.plain), text: head.plain.map((p) => p.label),
      name: head.words.plain, visible: head.plain.length > 0,
      marker: { symbol: "square", size: 9, color: colours.ink, line: { width: 1.5, color: colours.background } } },
  ]
}

// Those that are not on the front and may be, as rings; and what the sizes mean.
function chances(data, colours, base) {
  const { marks, words } = data.head, chance = new Map(marks.chances)
  const at = which(data, (f, n) => !(f & ON_FRONT) && chance.has(n))
  const ring = { symbol: "circle-open", color: colours.front, line: { width: 1.3 } }
  const key = (percent) => ({ ...base, x: [null], y: [null], ...(data.z ? { z: [null] } : {}), name: percent + " %",
    marker: { size: bigness(percent), color: colours.front } })
  return [
    { ...base, ...drawn(data, at), name: words.possible, marker: { ...ring, size: at.map((i) => bigness(chance.get(data.number[i]))) } },
    ...[5, 50, 100].map(key),
  ]
}

function crosses(data, colours, base) {
  const rows = data.head.marks.crosses.map((row) => [positionOf(data, row[0]), row]).filter(([i]) => i !== undefined)
  const arms = (values, k) => ({
    type: "data", symmetric: false, color: colours.front, thickness: 1, width: 3,
    array: rows.map(([i, row]) => Math.max(0, row[2 + 2 * k] - values[i])), arrayminus: rows.map(([i, row]) => Math.max(0, values[i] - row[1 + 2 * k])),
  })
  return { ...base, ...drawn(data, rows.map(([i]) => i)), legend: "none", hoverinfo: "skip", marker: { size: 1, opacity: 0 },
    error_x: arms(data.x, 0), error_y: arms(data.y, 1), ...(data.z ? { error_z: arms(data.z, 2) } : {}) }
}

// The same trace as a cloud in space, which knows fewer shapes and has no steps.
function solid({ line, text, ...trace }) {
  const symbol = (s) => (Array.isArray(s) ? s.map(symbol) : SOLID[s] ?? s)
  const size = (s) => (Array.isArray(s) ? s.map(size) : Math.max(2, 0.62 * s))
  const marker = { ...trace.marker, symbol: symbol(trace.marker.symbol ?? "circle"), size: size(trace.marker.size) }
  return { ...trace, type: "scatter3d", mode: "markers", marker, ...(text ? { text } : {}) }
}
