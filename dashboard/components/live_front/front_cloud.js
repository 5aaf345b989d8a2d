// The many points of a plane, painted on a canvas under the plot: thousands cost one element and no WebGL context, of
// which a browser grants a page few and which software rendering makes slow. Plotly keeps their names in its legend.
import { ellipses } from "./front_ellipses.js"

const REACH = 16 // pixels from a point within which the pointer means it

const corners = (...xy) => (path, r) => {
  for (let k = 0; k < xy.length; k += 2) path[k ? "lineTo" : "moveTo"](xy[k] * r, xy[k + 1] * r)
  path.closePath()
}
const strokes = (...lines) => (path, r) => {
  for (const [a, b, c, d] of lines) {
    path.moveTo(a * r, b * r)
    path.lineTo(c * r, d * r)
  }
}
const PLUS = corners(-1, -0.4, -0.4, -0.4, -0.4, -1, 0.4, -1, 0.4, -0.4, 1, -0.4, 1, 0.4, 0.4, 0.4, 0.4, 1, -0.4, 1, -0.4, 0.4, -1, 0.4)
const SHAPES = {
  circle: (path, r) => path.arc(0, 0, r, 0, 2 * Math.PI),
  square: corners(-0.9, -0.9, 0.9, -0.9, 0.9, 0.9, -0.9, 0.9),
  diamond: corners(0, -1.25, 1.25, 0, 0, 1.25, -1.25, 0),
  "triangle-up": corners(0, -1.1, 1.1, 0.8, -1.1, 0.8),
  "triangle-down": corners(0, 1.1, 1.1, -0.8, -1.1, -0.8),
  pentagon: corners(0, -1.1, 1.05, -0.34, 0.65, 0.9, -0.65, 0.9, -1.05, -0.34),
  cross: PLUS,
  x: (path, r) => {
    path.rotate(Math.PI / 4)
    PLUS(path, r)
  },
  "x-thin": strokes([-0.8, -0.8, 0.8, 0.8], [-0.8, 0.8, 0.8, -0.8]),
}

// What a trace of points at these positions becomes: an entry of the legend, and `cloud`, which is painted here.
export function painted(at, trace) {
  const held = at.length ? [null] : [] // what has no point has no entry
  return { ...trace, x: held, y: held, cloud: at }
}

function surface(own) {
  if (!own.canvas?.isConnected) {
    own.canvas = document.createElement("canvas")
    own.canvas.style.cssText = "position:absolute;inset:0;pointer-events:none"
    const box = own.node.querySelector(".svg-container")
    box.insertBefore(own.canvas, box.firstChild)
  }
  return own.canvas
}

// A picture of one point, as it is repeated.
function sprite(marker, colour, ratio) {
  const open = marker.symbol?.endsWith("-open"), name = (marker.symbol ?? "circle").replace("-open", "")
  const half = Math.ceil((marker.size / 2) * 1.3 + 2)
  const canvas = document.createElement("canvas")
  canvas.width = canvas.height = 2 * half * ratio
  const context = canvas.getContext("2d")
  context.scale(ratio, ratio)
  context.translate(half, half)
  context.beginPath()
  SHAPES[name](context, marker.size / 2)
  context.lineWidth = marker.line?.width ?? 1
  context.strokeStyle = context.fillStyle = colour
  open ? context.stroke() : context.fill()
  return { canvas, half }
}

function mixed(scale, share) {
  const channels = (colour) => [1, 3, 5].map((k) => parseInt(colour.slice(k, k + 2), 16))
  const k = Math.max(1, scale.findIndex(([end]) => end >= share))
  const [low, high] = [scale[k - 1], scale[k]], part = (share - low[0]) / (high[0] - low[0])
  const [from, to] = [channels(low[1]), channels(high[1])]
  return `rgb(${from.map((c, i) => Math.round(c + part * (to[i] - c))).join(",")})`
}

// The colours of a trace's points: one, or by position in the trace.
function tints({ color, colorscale, cmin, cmax }) {
  if (!Array.isArray(color)) return () => color
  return (k) => mixed(colorscale, (color[k] - cmin) / (cmax - cmin))
}

// Paint every cloud that the legend shows, and remember where each point of the plot lies.
export function paint(own) {
  const plot = own.node._fullLayout
  if (!plot?.xaxis || own.data.head.z) {
    own.canvas?.remove()
    own.spots = null
    return
  }
  const canvas = surface(own), ratio = window.devicePixelRatio || 1, { data } = own
  const [width, height] = [plot.width, plot.height]
  canvas.width = width * ratio // also empties it
  canvas.height = height * ratio
  canvas.style.width = width + "px"
  canvas.style.height = height + "px"
  const context = canvas.getContext("2d")
  context.scale(ratio, ratio)
  const { l, t, w, h } = plot._size
  context.beginPath()
  context.rect(l, t, w, h)
  context.clip()
  const x = (value) => l + plot.xaxis.d2p(value), y = (value) => t + plot.yaxis.d2p(value)
  own.spots = []
  if (own.node.data.some((trace, k) => trace.ellipses && own.node._fullData[k]?.visible === true)) ellipses(context, data, x, y, own.colours)
  own.node.data.forEach((trace, k) => {
    if (own.node._fullData[k]?.visible !== true || trace.hoverinfo === "skip") return
    if (!trace.cloud) {
      trace.x.forEach((at, i) => at !== null && own.spots.push([x(at), y(trace.y[i]), trace.customdata?.[i], trace, i]))
      return
    }
    const tint = tints(trace.marker), sprites = new Map()
    context.globalAlpha = trace.marker.opacity ?? 1
    trace.cloud.forEach((i, place) => {
      const colour = tint(place), px = x(data.x[i]), py = y(data.y[i])
      if (!sprites.has(colour)) sprites.set(colour, sprite(trace.marker, colour, ratio))
      const { canvas: point, half } = sprites.get(colour)
      context.drawImage(point, px - half, py - half, 2 * half, 2 * half)
      own.spots.push([px, py, data.number[i], null, i])
    })
  })
}

// What lies nearest to a place of the page, as Plotly tells of points; nothing beyond a pointer's reach.
export function nearest(own, event) {
  const box = own.node.getBoundingClientRect(), px = event.clientX - box.left, py = event.clientY - box.top
  let best = null, least = REACH * REACH
  for (const spot of own.spots ?? []) {
    const far = (spot[0] - px) ** 2 + (spot[1] - py) ** 2
    if (far < least || (far === least && best && !best[3])) [best, least] = [spot, far]
  }
  if (!best) return null
  const [, , number, trace, i] = best
  return trace ? { customdata: number, x: trace.x[i], y: trace.y[i], z: trace.z?.[i], text: trace.text?.[i] } : { customdata: number }
}
