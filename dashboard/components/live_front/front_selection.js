// Many points at once: a box or a lasso drawn over the plot chooses the points that the legend shows. Two buttons turn it
// on; it lies over the plot and is no part of it. What is chosen is written as the server keeps it: 3.7-12.40.
import { nearest } from "./front_cloud.js"

const MODES = {
  box: '<rect x="2.5" y="3.5" width="11" height="9" rx="1" stroke-dasharray="2.4 1.8"/>',
  lasso: '<path d="M8 2.8c3.4 0 5.7 1.5 5.7 3.7S11.4 10.2 8 10.2 2.3 8.7 2.3 6.5 4.6 2.8 8 2.8Z" stroke-dasharray="2.4 1.8"/><path d="M5.2 9.8c-1 1.2-.9 2.6.3 3.6"/>',
}
const STILL = 4 // pixels that a pointer may move and still have clicked
const FEW = 40 // of more, each has a smaller ring
const PATIENCE = 8000 // milliseconds that a refresh from before a choice is not believed

export function spelled(numbers) {
  const parts = []
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const last = parts[parts.length - 1]
    if (last && number === last[1] + 1) last[1] = number
    else parts.push([number, number])
  }
  return parts.map(([low, high]) => (low === high ? String(low) : `${low}-${high}`)).join(".")
}

// The numbers that are chosen, of the candidates in the picture: those of the server, or what it does not know yet.
export function chosen(own) {
  const { wish, data } = own
  if (wish && (wish.told === data.head.chosen || Date.now() - wish.since > PATIENCE)) own.wish = null
  const told = own.wish?.told ?? data.head.chosen ?? ""
  if (own.held?.told !== told || own.held.data !== data) {
    const parts = told ? told.split(".").map((part) => part.split("-").map(Number)) : []
    const ends = parts.map(([low, high = low]) => [low, high]).sort((a, b) => a[0] - b[0])
    const set = new Set()
    let k = 0
    for (const number of [...data.number].sort((a, b) => a - b)) {
      while (k < ends.length && ends[k][1] < number) k++
      if (k < ends.length && ends[k][0] <= number) set.add(number)
    }
    own.held = { told, data, set }
  }
  return own.held.set
}

function commit(own, numbers) {
  const told = spelled(numbers)
  own.wish = { told, since: Date.now() }
  own.choose(told)
  paintChosen(own)
}

// Add a candidate to what is chosen, or take it away.
export function toggle(own, number) {
  const now = new Set(chosen(own))
  now.has(number) ? now.delete(number) : now.add(number)
  commit(own, now)
}

export function setMode(own, mode) {
  own.mode = mode
  own.choosing.cover.style.display = mode ? "block" : "none"
  for (const [name, button] of Object.entries(own.choosing.buttons)) button.setAttribute("aria-pressed", String(name === mode))
  dress(own)
}

function made(own) {
  const add = (tag, name, parent) => {
    const element = parent.appendChild(document.createElement(tag))
    element.className = "nasight-choose-" + name
    return element
  }
  const box = own.over
  const marks = add("canvas", "marks", box), cover = add("div", "cover", box), bar = add("div", "bar", box)
  marks.style.cssText = "position:absolute;left:0;top:0;pointer-events:none"
  bar.setAttribute("role", "group")
  const buttons = Object.fromEntries(Object.entries(MODES).map(([mode, icon]) => {
    const button = add("button", mode, bar)
    button.type = "button"
    button.innerHTML = `<svg viewBox="0 0 16 16" width="14" height="14" fill="none" stroke="currentColor" stroke-width="1.5" aria-hidden="true">${icon}</svg>`
    button.onclick = () => setMode(own, own.mode === mode ? null : mode)
    button.addEventListener("keydown", (event) => {
      if (event.key === "Escape") setMode(own, null)
    })
    return [mode, button]
  }))
  cover.addEventListener("pointerdown", (event) => begin(own, event))
  return { marks, cover, bar, buttons }
}

// Put the buttons and the cover where they belong, and mark what is chosen; after every draw, zoom and change of size.
export function placeChoosing(own) {
  own.choosing ??= made(own)
  const plot = own.node._fullLayout, there = Boolean(plot?.xaxis) && !own.data.head.z && own.data.number.length > 0
  const { bar, cover, marks, buttons } = own.choosing
  bar.style.display = marks.style.display = there ? "flex" : "none"
  if (!there) return setMode(own, null)
  const { l, t, w, h } = plot._size
  const { words } = own.data.head
  bar.setAttribute("aria-label", words.chosen_group)
  bar.style.cssText = `position:absolute;left:2px;top:${t + h + 16}px;display:flex;gap:3px`
  for (const [mode, button] of Object.entries(buttons)) {
    button.title = words["chosen_" + mode]
    button.setAttribute("aria-label", words["chosen_" + mode])
  }
  cover.style.cssText = `position:absolute;left:${l}px;top:${t}px;width:${w}px;height:${h}px;cursor:crosshair;touch-action:none`
  setMode(own, own.mode ?? null)
  paintChosen(own)
}

function dress(own) {
  const { colours } = own
  for (const [name, button] of Object.entries(own.choosing.buttons)) {
    const on = name === own.mode
    button.style.cssText = `width:24px;height:24px;padding:0;display:flex;align-items:center;justify-content:center;cursor:pointer;border-radius:4px;
      border:1px solid ${on ? colours.accent : colours.grid};background:${on ? colours.accent : colours.background};color:${on ? colours.background : colours.muted}`
  }
}

// Rings around what is chosen, and the shape that is being drawn.
export function paintChosen(own) {
  const plot = own.node._fullLayout, { marks } = own.choosing ?? {}
  if (!marks || !plot?.xaxis || !own.spots) return
  const ratio = window.devicePixelRatio || 1, { l, t, w, h } = plot._size, { colours } = own
  marks.width = plot.width * ratio
  marks.height = plot.height * ratio
  marks.style.width = plot.width + "px"
  marks.style.height = plot.height + "px"
  const context = marks.getContext("2d"), now = chosen(own), seen = new Set()
  context.scale(ratio, ratio)
  context.rect(l, t, w, h)
  context.clip()
  const few = now.size <= FEW, r = few ? 7 : 4.5
  for (const [colour, width] of [[colours.background, few ? 3.6 : 2], [colours.accent, few ? 1.8 : 1.2]]) {
    context.beginPath()
    seen.clear()
    for (const [x, y, number] of own.spots) {
      if (!now.has(number) || seen.has(number)) continue
      seen.add(number)
      context.moveTo(x + r, y)
      context.arc(x, y, r, 0, 2 * Math.PI)
    }
    context.strokeStyle = colour
    context.lineWidth = width
    context.stroke()
  }
  marks.dataset.chosen = String(seen.size)
  if (own.drawing) shape(context, corners(own), colours)
}

function shape(context, path, colours) {
  context.beginPath()
  path.forEach(([x, y], k) => context[k ? "lineTo" : "moveTo"](x, y))
  context.closePath()
  context.fillStyle = colours.accent + "1C"
  context.fill()
  context.setLineDash([5, 3])
  context.strokeStyle = colours.accent
  context.lineWidth = 1.4
  context.stroke()
}

function corners(own) {
  const { path, mode } = own.drawing
  if (mode === "lasso") return path
  const [[x0, y0], [x1, y1]] = [path[0], path[path.length - 1]]
  return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]
}

function begin(own, event) {
  if (event.button || !own.mode) return
  event.preventDefault()
  const { cover } = own.choosing
  cover.setPointerCapture(event.pointerId)
  const at = (e) => {
    const box = own.node.getBoundingClientRect(), { l, t, w, h } = own.node._fullLayout._size
    const within = (value, low, size) => Math.min(low + size, Math.max(low, value))
    return [within(e.clientX - box.left, l, w), within(e.clientY - box.top, t, h)]
  }
  const start = at(event)
  own.drawing = { path: [start], mode: own.mode, moved: false }
  const move = (e) => {
    const here = at(e), { path } = own.drawing
    own.drawing.moved ||= Math.hypot(here[0] - start[0], here[1] - start[1]) > STILL
    path.push(here)
    paintChosen(own)
  }
  const end = (e) => {
    cover.removeEventListener("pointermove", move)
    for (const name of ["pointerup", "pointercancel"]) cover.removeEventListener(name, end)
    window.removeEventListener("keydown", escape, true)
    const { moved } = own.drawing, path = corners(own)
    own.drawing = null
    if (e.type === "pointerup" && moved) choose(own, path, e.shiftKey)
    else if (e.type === "pointerup") click(own, e)
    paintChosen(own)
  }
  const escape = (e) => {
    if (e.key !== "Escape") return
    e.stopPropagation()
    end({ type: "pointercancel" })
  }
  cover.addEventListener("pointermove", move)
  for (const name of ["pointerup", "pointercancel"]) cover.addEventListener(name, end)
  window.addEventListener("keydown", escape, true)
}

function choose(own, path, more) {
  const found = own.spots.filter(([x, y, number]) => number !== undefined && number !== null && inside(path, x, y)).map((spot) => spot[2])
  commit(own, new Set([...(more ? chosen(own) : []), ...found]))
}

function click(own, event) {
  const number = nearest(own, event)?.customdata
  if (number !== undefined && number !== null) toggle(own, number)
}

// Whether a point lies within a closed path: a ray to the right crosses it an odd number of times.
export function inside(path, x, y) {
  let odd = false
  for (let i = 0, j = path.length - 1; i < path.length; j = i++) {
    const [xi, yi] = path[i], [xj, yj] = path[j]
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) odd = !odd
  }
  return odd
}
