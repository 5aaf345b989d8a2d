// Parallel coordinates on a canvas: a line a candidate, brushes on axes, hover, click, axes that can be dragged.
// Data: bytes (figures/parallel.py). Events: "picked" (a candidate's number), "brushed" ({ axis: [low, high] } in [0, 1]).

const ON_FRONT = 1, STARRED = 2, MISSING = 65535
const TOP = 44, BOTTOM = 20, SIDE = 52, NEAR = 7, GRIP = 11
const instances = new WeakMap()

function decode(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = view.getUint32(0, true)
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)))
  const n = head.count, A = head.axes.length, start = 4 + length
  const part = (Type, offset, size, many) => new Type(bytes.slice(start + offset, start + offset + many * size).buffer)
  const numbers = 2 * n * A + ((4 - ((2 * n * A) % 4)) % 4)
  return { head, n, crossings: part(Uint16Array, 0, 2, n * A), number: part(Uint32Array, numbers, 4, n), flags: part(Uint8Array, numbers + 4 * n, 1, n) }
}

function isDark(element) {
  const colour = getComputedStyle(element).getPropertyValue("--st-background-color").trim()
  const hex = /^#([0-9a-f]{6})$/i.exec(colour)
  if (!hex) return matchMedia("(prefers-color-scheme: dark)").matches
  const value = parseInt(hex[1], 16)
  return 0.299 * (value >> 16) + 0.587 * ((value >> 8) & 255) + 0.114 * (value & 255) < 128
}

// Where line i crosses the axis in column a: a fraction from the bottom, NaN where it has no value.
function crossing(own, i, a) {
  const value = own.data.crossings[own.columns[a] * own.data.n + i]
  return value === MISSING ? NaN : value / (MISSING - 1)
}

const gap = (own) => (own.width - 2 * SIDE) / Math.max(1, own.columns.length - 1)
const xOf = (own, a) => (own.columns.length < 2 ? own.width / 2 : SIDE + a * gap(own))
const yOf = (own, f) => own.height - BOTTOM - f * (own.height - TOP - BOTTOM)
const fOf = (own, y) => Math.min(1, Math.max(0, (own.height - BOTTOM - y) / (own.height - TOP - BOTTOM)))
const axisOf = (own, a) => own.data.head.axes[own.columns[a]]

function inside(own, i) {
  return own.columns.every((_, a) => {
    const brush = own.brushes[axisOf(own, a).name]
    if (!brush) return true
    const f = crossing(own, i, a)
    return f >= brush[0] - 1e-4 && f <= brush[1] + 1e-4
  })
}

function trace(own, context, i) {
  let drawing = false
  context.beginPath()
  own.columns.forEach((_, a) => {
    const f = crossing(own, i, a)
    if (Number.isNaN(f)) drawing = false
    else if (drawing) context.lineTo(xOf(own, a), yOf(own, f))
    else { context.moveTo(xOf(own, a), yOf(own, f)); drawing = true }
  })
  context.stroke()
}

function size(own, canvas) {
  const ratio = window.devicePixelRatio || 1
  canvas.width = Math.round(own.width * ratio)
  canvas.height = Math.round(own.height * ratio)
  const context = canvas.getContext("2d")
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  return context
}

function draw(own) {
  if (!own.data) return
  const box = own.node.getBoundingClientRect()
  own.width = box.width
  own.height = box.height
  if (!box.width) return
  own.colours = own.data.head.colours[isDark(own.node) ? "dark" : "light"]
  const context = size(own, own.node), { colours, data } = own
  own.kept = Array.from({ length: data.n }, (_, i) => inside(own, i))
  const layers = [
    [(i) => !own.kept[i], colours.dominated, 0.06, 1, []],
    [(i) => own.kept[i] && !(data.flags[i] & ON_FRONT), colours.dominated, data.n > 600 ? 0.25 : 0.45, 1, []],
    [(i) => own.kept[i] && data.flags[i] & ON_FRONT, colours.front, 0.9, 1.6, []],
    [(i) => own.kept[i] && data.flags[i] & STARRED, colours.interpretability, 1, 1.8, [6, 3]],
  ]
  for (const [shown, colour, alpha, width, dash] of layers) {
    context.strokeStyle = colour
    context.globalAlpha = alpha
    context.lineWidth = width
    context.setLineDash(dash)
    for (let i = 0; i < data.n; i++) if (shown(i)) trace(own, context, i)
  }
  context.globalAlpha = 1
  context.setLineDash([])
  drawAxes(own, context)
  drawOver(own)
  own.node.dataset.kept = String(own.kept.filter(Boolean).length)
}

function drawAxes(own, context) {
  const { colours } = own, last = own.columns.length - 1
  own.columns.forEach((_, a) => {
    const axis = axisOf(own, a), x = xOf(own, a)
    context.strokeStyle = own.focus === a && document.activeElement === own.node ? colours.accent : colours.muted
    context.lineWidth = own.focus === a && document.activeElement === own.node ? 2.5 : 1
    context.beginPath()
    context.moveTo(x, TOP)
    context.lineTo(x, own.height - BOTTOM)
    context.stroke()
    label(own, context, axis, x, a)
    context.font = `11px ${own.font}`
    context.textAlign = a === last ? "right" : "left"
    for (const [f, words] of axis.ticks) {
      const shown = cut(context, words, gap(own) - 10), at = x + (a === last ? -5 : 5), y = yOf(own, f)
      const wide = context.measureText(shown).width
      context.globalAlpha = 0.75
      context.fillStyle = colours.background
      context.fillRect(a === last ? at - wide - 1 : at - 1, y - 6, wide + 2, 12)
      context.globalAlpha = 1
      context.fillStyle = colours.muted
      context.fillText(shown, at, y + 4)
    }
    const brush = own.brushes[axis.name]
    if (brush) {
      context.fillStyle = colours.accent
      context.globalAlpha = 0.28
      context.fillRect(x - GRIP / 2, yOf(own, brush[1]), GRIP, Math.max(2, yOf(own, brush[0]) - yOf(own, brush[1])))
      context.globalAlpha = 1
      context.strokeStyle = colours.accent
      context.lineWidth = 1.5
      context.strokeRect(x - GRIP / 2, yOf(own, brush[1]), GRIP, Math.max(2, yOf(own, brush[0]) - yOf(own, brush[1])))
    }
  })
}

// The name above an axis, on up to two lines.
function label(own, context, axis, x, a) {
  const { colours } = own, room = Math.max(40, gap(own) - 8), last = own.columns.length - 1
  context.font = `${axis.kind === "objective" ? "600 " : ""}12px ${own.font}`
  context.fillStyle = axis.name === "performance" ? colours.accuracy : axis.name === "interpretability" ? colours.interpretability : colours.ink
  context.textAlign = a === 0 ? "left" : a === last ? "right" : "center"
  const at = a === 0 ? Math.max(2, x - SIDE + 4) : a === last ? Math.min(own.width - 2, x + SIDE - 4) : x
  const words = axis.label.split(" "), lines = [words.shift() ?? ""]
  for (const word of words) {
    if (context.measureText(lines.at(-1) + " " + word).width <= room) lines[lines.length - 1] += " " + word
    else lines.push(word)
  }
  const two = lines.length > 2 ? [lines[0], lines.slice(1).join(" ")] : lines
  two.forEach((line, k) => context.fillText(cut(context, line, room), at, TOP - 10 - 14 * (two.length - 1 - k)))
}

function cut(context, words, room) {
  if (context.measureText(words).width <= room) return words
  let shown = words
  while (shown.length > 1 && context.measureText(shown + "…").width > room) shown = shown.slice(0, -1)
  return shown + "…"
}

function drawOver(own) {
  const context = size(own, own.over), { data, colours } = own
  context.clearRect(0, 0, own.width, own.height)
  const marked = [[data.head.best, colours.chosen, 2.6, []], [data.head.selected, colours.chosen, 2.6, [7, 4]]]
  for (const [number, colour, width, dash] of marked) {
    const i = data.number.indexOf(number ?? -1)
    if (i < 0) continue
    context.strokeStyle = colour
    context.lineWidth = width
    context.setLineDash(dash)
    trace(own, context, i)
  }
  context.setLineDash([])
  if (own.hover === null) return
  context.strokeStyle = colours.background
  context.lineWidth = 6
  trace(own, context, own.hover)
  context.strokeStyle = colours.ink
  context.lineWidth = 2.6
  trace(own, context, own.hover)
}

// The line under the pointer: the nearest one between two axes, of those that are not brushed away.
function nearest(own, x, y) {
  const a = Math.min(own.columns.length - 2, Math.max(0, Math.floor((x - SIDE) / gap(own))))
  if (a < 0 || own.columns.length < 2) return null
  const share = Math.min(1, Math.max(0, (x - xOf(own, a)) / gap(own)))
  let best = null, least = NEAR
  for (let i = 0; i < own.data.n; i++) {
    if (!own.kept[i]) continue
    const f = crossing(own, i, a), g = crossing(own, i, a + 1)
    if (Number.isNaN(f) || Number.isNaN(g)) continue
    const away = Math.abs(yOf(own, f + share * (g - f)) - y)
    const nearer = own.data.flags[i] & ON_FRONT ? away - 1.5 : away // a line of the front is easier to catch
    if (nearer < least) { least = nearer; best = i }
  }
  return best
}

function name(own, i) {
  own.hover = i
  const { head, number, flags } = own.data
  if (i === null) own.named.textContent = Object.keys(own.brushes).length ? head.words.clear : head.words.hint
  else {
    const told = own.columns.map((_, a) => {
      const f = crossing(own, i, a), axis = axisOf(own, a)
      return Number.isNaN(f) ? null : `${axis.label} ${valueWords(axis, f)}`
    }).filter(Boolean)
    const more = (flags[i] & ON_FRONT ? " ●" : "") + (flags[i] & STARRED ? " ★" : "")
    own.named.textContent = head.words.hover.replace("{number}", number[i]) + more + " · " + told.join(" · ")
  }
  own.node.dataset.hover = i === null ? "" : String(number[i])
  drawOver(own)
}

// What a line has on an axis: a word, or a number of three digits.
function valueWords(axis, f) {
  if (axis.words) return axis.ticks.reduce((best, tick) => (Math.abs(tick[0] - f) < Math.abs(best[0] - f) ? tick : best))[1]
  const [low, high] = axis.ends
  return String(Number((axis.log ? low * (high / low) ** f : low + f * (high - low)).toPrecision(3)))
}

function axisAt(own, x) {
  const a = own.columns.length < 2 ? 0 : Math.round((x - SIDE) / gap(own))
  return a >= 0 && a < own.columns.length && Math.abs(xOf(own, a) - x) <= GRIP + 2 ? a : null
}

function labelAt(own, x) {
  const a = own.columns.length < 2 ? 0 : Math.round((x - SIDE) / gap(own))
  return Math.min(own.columns.length - 1, Math.max(0, a))
}

function pressed(own, event) {
  const { offsetX: x, offsetY: y } = event
  own.node.setPointerCapture(event.pointerId)
  if (y < TOP - 4) own.act = { kind: "move", axis: labelAt(own, x), from: x }
  else {
    const axis = axisAt(own, x)
    own.act = axis === null ? { kind: "pick", x, y } : { kind: "brush", axis, from: fOf(own, y), y }
  }
}

function moved(own, event) {
  const { offsetX: x, offsetY: y } = event
  if (!own.act) {
    const over = y < TOP - 4 ? "grab" : axisAt(own, x) !== null ? "ns-resize" : "crosshair"
    own.node.style.cursor = over
    const found = y < TOP - 4 ? null : nearest(own, x, y)
    if (found !== own.hover) name(own, found)
  } else if (own.act.kind === "brush") {
    if (Math.abs(y - own.act.y) < 3) return
    const to = fOf(own, y)
    own.act.dragged = true
    own.brushes[axisOf(own, own.act.axis).name] = [Math.min(own.act.from, to), Math.max(own.act.from, to)]
    draw(own)
  } else if (own.act.kind === "move") {
    const to = labelAt(own, x)
    if (to !== own.act.axis) {
      shift(own, own.act.axis, to)
      own.act.axis = to
    }
  }
}

function released(own, event) {
  const act = own.act
  own.act = null
  if (!act) return
  if (act.kind === "brush") {
    if (!act.dragged) delete own.brushes[axisOf(own, act.axis).name]
    changed(own)
  } else if (act.kind === "pick") {
    const found = nearest(own, event.offsetX, event.offsetY)
    if (found !== null) own.pick(own.data.number[found])
  }
}

function shift(own, from, to) {
  own.columns.splice(to, 0, own.columns.splice(from, 1)[0])
  own.order = own.columns.map((c) => own.data.head.axes[c].name)
  own.node.dataset.order = own.order.join(" ")
  draw(own)
}

function changed(own) {
  draw(own)
  name(own, null)
  own.tell({ ...own.brushes })
}

// By keyboard: left and right choose an axis (with shift: move it), up and down walk through the candidates along it.
function key(own, event) {
  const side = { ArrowLeft: -1, ArrowRight: 1 }[event.key], way = { ArrowUp: 1, ArrowDown: -1 }[event.key]
  if (side) {
    const to = Math.min(own.columns.length - 1, Math.max(0, own.focus + side))
    if (event.shiftKey && to !== own.focus) shift(own, own.focus, to)
    own.focus = to
    draw(own)
    if (own.hover === null) own.named.textContent = own.data.head.words.axis.replace("{name}", axisOf(own, own.focus).label)
  } else if (way) walk(own, way)
  else if (event.key === "Enter" && own.hover !== null) own.pick(own.data.number[own.hover])
  else if ((event.key === "[" || event.key === "]") && own.hover !== null) {
    const f = crossing(own, own.hover, own.focus), axis = axisOf(own, own.focus).name
    const [low, high] = own.brushes[axis] ?? [0, 1]
    if (Number.isNaN(f)) return
    own.brushes[axis] = event.key === "[" ? [f, Math.max(f, high)] : [Math.min(f, low), f]
    changed(own)
  } else if (event.key === "Escape") {
    own.brushes = {}
    changed(own)
  } else return
  event.preventDefault()
}

function walk(own, way) {
  const known = own.kept.flatMap((kept, i) => (kept && !Number.isNaN(crossing(own, i, own.focus)) ? [i] : []))
  known.sort((i, j) => crossing(own, i, own.focus) - crossing(own, j, own.focus) || i - j)
  if (!known.length) return
  const at = known.indexOf(own.hover ?? -1)
  const next = at < 0 ? (way > 0 ? 0 : known.length - 1) : Math.min(known.length - 1, Math.max(0, at + way))
  name(own, known[next])
}

function build(parent) {
  const own = { node: parent.querySelector(".nasight-parallel"), over: parent.querySelector(".nasight-over"),
    named: parent.querySelector(".nasight-named"), brushes: {}, hover: null, focus: 0, act: null, draws: 0 }
  own.node.addEventListener("pointerdown", (e) => pressed(own, e))
  own.node.addEventListener("pointermove", (e) => own.data && moved(own, e))
  own.node.addEventListener("pointerup", (e) => released(own, e))
  own.node.addEventListener("pointerleave", () => own.data && !own.act && name(own, null))
  own.node.addEventListener("keydown", (e) => own.data && key(own, e))
  for (const happens of ["focus", "blur"]) own.node.addEventListener(happens, () => draw(own))
  own.watch = new ResizeObserver(() => draw(own))
  own.watch.observe(own.node)
  return own
}

// Called by the loader at every change of the data or the theme.
export function render(component) {
  const { parentElement, data, setTriggerValue } = component
  let own = instances.get(parentElement)
  if (!own) {
    own = build(parentElement)
    instances.set(parentElement, own)
  }
  if (!data || !own.node) return
  own.pick = (number) => setTriggerValue("picked", number)
  own.tell = (brushes) => setTriggerValue("brushed", brushes)
  const before = own.hover === null ? null : own.data.number[own.hover]
  own.data = decode(data)
  const { head } = own.data
  // A person's order of the axes stays; axes that are new come last, those that are gone go with their brush.
  const names = head.axes.map((axis) => axis.name)
  const order = [...(own.order ?? []).filter((n) => names.includes(n)), ...names.filter((n) => !(own.order ?? []).includes(n))]
  own.columns = order.map((n) => names.indexOf(n))
  own.focus = Math.min(own.focus, Math.max(0, names.length - 1))
  for (const n of Object.keys(own.brushes)) if (!names.includes(n)) delete own.brushes[n]
  own.font = getComputedStyle(own.node).getPropertyValue("--st-font") || "sans-serif"
  own.node.setAttribute("aria-label", head.summary + " " + head.words.keys)
  const again = before === null ? -1 : own.data.number.indexOf(before)
  own.hover = again < 0 ? null : again
  draw(own)
  if (own.hover === null) name(own, null)
  own.named.style.color = own.colours?.muted ?? ""
  own.node.dataset.lines = String(own.data.n)
  own.node.dataset.draws = String(++own.draws)
}

export function unmount(parentElement) {
  const own = instances.get(parentElement)
  if (!own) return
  own.watch.disconnect()
  instances.delete(parentElement)
}
