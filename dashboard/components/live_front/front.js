// The live Pareto front: one plain ES module, drawn with Plotly.react so that zoom and hover survive every refresh.
//
// Data is one block of bytes (see figures/front.py): uint32 header length, JSON header, then per candidate
// x uint16, y uint16, number, flags uint8. Coordinates are fractions of the header's ranges; a number is the step from the
// number before it (uint8), or itself (uint32) where the header says that a step takes four bytes.

const ON_FRONT = 1, RECENT = 2, MISSES = 4, OUTSIDE = 8
const instances = new WeakMap()

function loadPlotly(url) {
  window.nasightPlotly ??= new Promise((resolve, reject) => {
    if (window.Plotly) return resolve(window.Plotly)
    const script = document.createElement("script")
    script.src = url
    script.onload = () => resolve(window.Plotly)
    script.onerror = () => {
      window.nasightPlotly = undefined // the next refresh tries again
      reject(new Error("plotly.js did not load from " + url))
    }
    document.head.appendChild(script)
  })
  return window.nasightPlotly
}

function decode(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = view.getUint32(0, true)
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)))
  const n = head.count, start = 4 + length
  const part = (Type, offset, size) => new Type(bytes.slice(start + offset, start + offset + n * size).buffer)
  return {
    head,
    x: scale(part(Uint16Array, 0, 2), head.x.data),
    y: scale(part(Uint16Array, 2 * n, 2), head.y.data),
    number: head.step === 1 ? summed(part(Uint8Array, 4 * n, 1)) : part(Uint32Array, 4 * n, 4),
    flags: part(Uint8Array, (4 + head.step) * n, 1),
  }
}

function summed(steps) {
  const out = new Uint32Array(steps.length)
  for (let i = 0, at = 0; i < steps.length; i++) out[i] = at += steps[i]
  return out
}

function scale(fractions, [low, high]) {
  const out = new Float32Array(fractions.length)
  for (let i = 0; i < out.length; i++) out[i] = low + (fractions[i] / 65535) * (high - low)
  return out
}

function isDark(element) {
  const colour = getComputedStyle(element).getPropertyValue("--st-background-color").trim()
  const hex = /^#([0-9a-f]{6})$/i.exec(colour)
  if (!hex) return matchMedia("(prefers-color-scheme: dark)").matches
  const value = parseInt(hex[1], 16)
  return 0.299 * (value >> 16) + 0.587 * ((value >> 8) & 255) + 0.114 * (value & 255) < 128
}

function hasWebGL() {
  const canvas = document.createElement("canvas")
  return Boolean(canvas.getContext("webgl") || canvas.getContext("webgl2"))
}

function points(data, keep) {
  const picked = []
  for (let i = 0; i < data.number.length; i++) if (keep(data.flags[i], data.number[i])) picked.push(i)
  return {
    x: picked.map((i) => data.x[i]),
    y: picked.map((i) => data.y[i]),
    customdata: picked.map((i) => data.number[i]),
  }
}

function hover(head) {
  return `<b>#%{customdata}</b><br>${head.y.label} %{y:.3f}<br>${head.x.label} %{x:.2f}<extra></extra>`
}

function traces(data, colours, gl) {
  const { head } = data
  const template = hover(head)
  const base = { type: "scatter", mode: "markers", hovertemplate: template }
  const front = points(data, (f) => f & ON_FRONT)
  const order = front.x.map((_, i) => i).sort((a, b) => front.x[a] - front.x[b] || front.y[b] - front.y[a])
  const sorted = (name) => order.map((i) => front[name][i])
  const list = [
    { ...base, ...points(data, (f) => !(f & (ON_FRONT | RECENT | MISSES | OUTSIDE))), type: gl ? "scattergl" : "scatter",
      name: head.words.cloud, marker: { size: 6, color: colours.dominated, opacity: 0.45 } },
    { ...base, ...points(data, (f) => !(f & (ON_FRONT | OUTSIDE)) && f & RECENT), name: head.words.recent,
      marker: { size: 7, color: colours.recent, symbol: "circle-open", line: { width: 1.6 } } },
    { ...base, x: sorted("x"), y: sorted("y"), customdata: sorted("customdata"), mode: "lines+markers",
      name: head.words.front, line: { shape: "vh", color: colours.front, width: 2 },
      marker: { size: 9, color: colours.front, symbol: "circle", line: { width: 1, color: colours.background } } },
    // What misses a goal is hollow: rings in the cloud, and a hole in the points of the front.
    { ...base, ...points(data, (f) => f & MISSES && !(f & (ON_FRONT | RECENT | OUTSIDE))), type: gl ? "scattergl" : "scatter",
      name: head.words.misses, marker: { size: 6, color: colours.dominated, symbol: "circle-open", opacity: 0.7, line: { width: 1 } } },
    { ...base, ...points(data, (f) => f & MISSES && f & ON_FRONT), name: head.words.misses, legend: "none",
      marker: { size: 5, color: colours.background } },
    // Old evidence outside the search space as it is now: small crosses, fainter than everything that counts.
    { ...base, ...points(data, (f) => f & OUTSIDE), type: gl ? "scattergl" : "scatter", name: head.words.outside,
      marker: { size: 5, color: colours.dominated, symbol: "x-thin-open", opacity: 0.55, line: { width: 1 } } },
    { ...base, x: head.floors.map((f) => f.x), y: head.floors.map((f) => f.y), text: head.floors.map((f) => f.label),
      customdata: head.floors.map((f) => f.number), name: head.words.floors, visible: head.floors.length > 0,
      hovertemplate: template.replace("</b>", "</b> %{text}"),
      marker: { symbol: "diamond-open", line: { width: 1.5 }, size: head.floors.map((f) => (f.named ? 11 : 7)),
        color: head.floors.map((f) => (f.named ? colours.ink : colours.muted)) } },
    { ...base, x: head.plain.map((p) => p.x), y: head.plain.map((p) => p.y), text: head.plain.map((p) => p.label),
      name: head.words.plain, visible: head.plain.length > 0,
      hovertemplate: template.replace("#%{customdata}", "%{text}"),
      marker: { symbol: "square", size: 9, color: colours.ink, line: { width: 1.5, color: colours.background } } },
    { ...base, ...points(data, (_, n) => n === head.best), name: head.words.best,
      marker: { size: 19, symbol: "circle-open", color: colours.chosen, line: { width: 3 } } },
    { ...base, ...points(data, (_, n) => n === head.selected && n !== head.best), name: head.words.selected,
      marker: { size: 17, symbol: "square-open", color: colours.chosen, line: { width: 2.4 } } },
  ]
  return list.map(({ legend, ...t }) => ({ ...t, showlegend: legend !== "none" && t.visible !== false && t.x.length > 0 }))
}

// The names of the references, on a ground of their own so that they can be read over the cloud.
function names(floors, colours) {
  return floors.filter((f) => f.named).map((f) => ({
    x: f.x, y: f.y, text: f.label, showarrow: false, font: { size: 11, color: colours.muted },
    bgcolor: colours.background + "D0", borderpad: 1,
    xanchor: f.x < 0.3 ? "left" : f.x > 0.7 ? "right" : "center", yshift: f.x < 0.3 ? 16 : -17,
  }))
}

// The names of plain models, beside their squares: the first place where they cover no other name.
function shortNames(head, colours, size) {
  const pixels = (a, along) => Math.abs(along / (a.range[1] - a.range[0]))
  const across = pixels(head.x, size.width - 74), up = pixels(head.y, size.height - 80)
  const sign = head.y.range[1] > head.y.range[0] ? 1 : -1
  const box = (text, x, y) => ({ x, y, w: 3.2 * text.length + 2, h: 7.5 })
  const taken = head.floors.filter((f) => f.named).map((f) => box(f.label, f.x * across, sign * f.y * up + (f.x < 0.3 ? 16 : -17)))
  const covers = (a) => taken.some((b) => Math.abs(a.x - b.x) < a.w + b.w && Math.abs(a.y - b.y) < a.h + b.h)
  return head.plain.map((p) => {
    const left = p.x > 0.7, wide = 3.2 * p.short.length + 10
    const at = (shift) => box(p.short, p.x * across + (left ? -wide : wide), sign * p.y * up + shift)
    const shift = [0, -13, 13, -26, 26, -39, 39].find((s) => !covers(at(s))) ?? 0
    taken.push(at(shift))
    return { x: p.x, y: p.y, text: p.short, showarrow: false, font: { size: 11, color: colours.ink },
      bgcolor: colours.background + "B0", borderpad: 0, xanchor: left ? "right" : "left", xshift: left ? -8 : 8, yshift: shift }
  })
}

// Goals: a dashed line in the colour of its quantity, and one veil over all that misses them.
function goalLines(head, colours) {
  const colour = { x: colours.interpretability, y: colours.accuracy }
  const ends = (axis, value) => [...head[axis].data, ...head[axis].range, value]
  const upright = head.goals.find((goal) => goal.axis === "x")
  return head.goals.flatMap(({ axis, value, at_least }) => {
    const across = axis === "x" ? "y" : "x"
    const end = (at_least ? Math.min : Math.max)(...ends(axis, value))
    const side = { [axis + "ref"]: axis, [across + "ref"]: "paper", [across + "0"]: 0, [across + "1"]: 1 }
    const kept = axis === "y" && upright // where the other goal is met: its own veil covers the rest
      ? { ...side, xref: "x", x0: upright.value, x1: Math.max(...ends("x", upright.value)) } : side
    return [
      { type: "rect", layer: "below", ...kept, [axis + "0"]: value, [axis + "1"]: end, line: { width: 0 },
        fillcolor: colours.muted, opacity: 0.1 },
      { type: "line", layer: "above", ...side, [axis + "0"]: value, [axis + "1"]: value,
        line: { color: colour[axis], width: 1.6, dash: "dash" } },
    ]
  })
}

function goalNames(head, colours) {
  const [bottom, top] = head.y.range
  const high = (value) => (value - bottom) / (top - bottom) > 0.9 // no room above it
  return head.goals.map(({ axis, value, words }) => ({
    text: words, showarrow: false, font: { size: 11, color: axis === "x" ? colours.interpretability : colours.accuracy },
    bgcolor: colours.background + "D0", borderpad: 1,
    ...(axis === "x"
      ? { x: value, y: 0, yref: "paper", xanchor: value > 0.85 ? "right" : "left", yanchor: "bottom", xshift: value > 0.85 ? -3 : 3, yshift: 2 }
      : { y: value, x: 0, xref: "paper", xanchor: "left", yanchor: high(value) ? "top" : "bottom", xshift: 3, yshift: high(value) ? -2 : 2 }),
  }))
}

function layout(data, colours, font, size) {
  const axis = (a) => ({
    title: { text: a.label, font: { color: colours.ink, size: 13 }, standoff: 8 },
    range: a.range, gridcolor: colours.grid, linecolor: colours.grid, zeroline: false,
    tickfont: { color: colours.muted }, tickformat: a.format,
  })
  return {
    uirevision: data.head.revision, hovermode: "closest", dragmode: "zoom",
    font: { family: font, size: 12, color: colours.ink },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    margin: { l: 62, r: 12, t: 34, b: 46 },
    xaxis: axis(data.head.x), yaxis: axis(data.head.y),
    legend: { orientation: "h", x: 0, y: 1.01, yanchor: "bottom", font: { color: colours.muted, size: 12 },
      bgcolor: "rgba(0,0,0,0)" },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: colours.muted, activecolor: colours.ink },
    hoverlabel: { bgcolor: colours.panel, bordercolor: colours.grid, font: { color: colours.ink } },
    shapes: goalLines(data.head, colours),
    annotations: [
      ...names(data.head.floors, colours), ...shortNames(data.head, colours, size), ...goalNames(data.head, colours),
    ],
  }
}

// Who wins at which λ: one button per band, as wide as its share of [0, 1], and a mark at the present λ.
function ribbon(own, head, colours) {
  const strip = own.ribbon
  strip.setAttribute("aria-label", head.words.ribbon)
  const bands = head.bands.filter(([, low, high]) => high > low)
  while (strip.children.length > bands.length) strip.lastChild.remove()
  bands.forEach(([number, low, high], i) => {
    const button = strip.children[i] ?? strip.appendChild(document.createElement("button"))
    const wins = number === head.best, picked = number === head.selected
    const words = head.words.band.replace("{number}", number).replace("{low}", low.toFixed(2)).replace("{high}", high.toFixed(2))
    button.type = "button"
    button.textContent = high - low > 0.045 ? "#" + number : ""
    button.title = words
    button.setAttribute("aria-label", words)
    button.style.cssText = `flex:${high - low} 1 0;min-width:0;padding:0;height:22px;border:0;cursor:pointer;overflow:hidden;
      font:inherit;font-size:11px;line-height:22px;border-right:1px solid ${colours.background};
      background:${wins ? colours.chosen : colours.grid};color:${wins ? colours.onChosen : colours.ink};
      font-weight:${wins || picked ? 700 : 400};text-decoration:${picked ? "underline" : "none"}`
    button.onclick = () => own.pick(number)
  })
  strip.style.visibility = bands.length ? "visible" : "hidden"
  own.cursor.style.cssText = `position:absolute;top:-3px;bottom:-3px;width:2px;left:${100 * head.weight}%;
    background:${colours.ink};pointer-events:none;display:${bands.length ? "block" : "none"}`
}

const CONFIG = {
  responsive: true, displaylogo: false, doubleClick: "reset+autosize",
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "toImage", "zoomIn2d", "zoomOut2d"],
}

function instance(parent) {
  let own = instances.get(parent)
  if (!own) {
    const node = parent.querySelector(".nasight-front")
    own = { node, gl: hasWebGL(), draws: 0, ribbon: parent.querySelector(".nasight-ribbon"),
      cursor: parent.querySelector(".nasight-weight"), wait: parent.querySelector(".nasight-wait") }
    instances.set(parent, own)
  }
  return own
}

// Called by the loader at every change of the data or the theme.
export async function render(component, plotlyUrl) {
  const { parentElement, data, setTriggerValue } = component
  const own = instance(parentElement)
  if (!data || !own.node) return
  own.pick = (number) => setTriggerValue("picked", number)
  own.data = decode(data)
  if (!own.draws) own.wait.textContent = own.data.head.words[own.data.number.length ? "drawing" : "waiting"]
  const Plotly = await loadPlotly(plotlyUrl)
  if (own.gone) return
  const latest = own.data // a newer refresh may have arrived while plotly.js was loading
  const colours = latest.head.colours[isDark(own.node) ? "dark" : "light"]
  const font = getComputedStyle(own.node).getPropertyValue("--st-font") || "sans-serif"
  own.node.setAttribute("aria-label", latest.head.summary)
  await Plotly.react(own.node, traces(latest, colours, own.gl), layout(latest, colours, font, own.node.getBoundingClientRect()), CONFIG)
  ribbon(own, latest.head, colours)
  own.wait.textContent = latest.number.length ? "" : latest.head.words.waiting
  own.node.dataset.points = String(latest.number.length)
  if (!own.draws) {
    own.node.on("plotly_click", (event) => {
      const number = event.points?.[0]?.customdata
      if (number !== null && number !== undefined) own.pick(number)
    })
  }
  own.node.dataset.draws = String(++own.draws)
}

export function unmount(parentElement) {
  const own = instances.get(parentElement)
  if (!own) return
  own.gone = true
  instances.delete(parentElement)
  window.Plotly?.purge(own.node)
}
