// Goal lines that a hand can set: a flag at the end of each axis is dragged into the plot, moved, dragged out or removed.
// All of it lies over the plot and is no part of it, so a live refresh neither reverts nor moves what is being dragged.
import { goalColour } from "./front_layout.js"

const OUT = 26 // pixels beyond the plot at which a goal is let go
const PATIENCE = 8000 // milliseconds that a refresh from before a goal was set is not believed

// The goals to draw: those of the server, and what was just set here and it does not know yet.
export function goalsNow(own, head) {
  const goals = head.goals.filter((goal) => !(goal.axis in own.pending))
  for (const [axis, wish] of Object.entries(own.pending)) {
    const known = head.goals.find((goal) => goal.axis === axis)
    const heard = wish.value === null ? !known : known && Math.abs(known.value - wish.value) < 1e-9
    if (heard || wish.revision !== head.revision || Date.now() - wish.since > PATIENCE) {
      delete own.pending[axis]
      if (known) goals.push(known)
    } else if (wish.value !== null) {
      goals.push({ axis, value: wish.value, at_least: head[axis].maximise, words: told(head, axis, wish.value) })
    }
  }
  return goals
}

function told(head, axis, value) {
  const words = head[axis].maximise ? head.words.goal_at_least : head.words.goal_at_most
  return words.replace("{name}", head[axis].name).replace("{value}", String(value))
}

// Put the flags and strips where the lines are; called after every draw, zoom and change of size.
export function placeGoals(own, colours) {
  for (const axis of ["x", "y"]) {
    const flag = (own.flags[axis] ??= made(own, axis))
    const a = own.data.head[axis], plot = own.node._fullLayout
    const there = !own.data.head.z && a.goal && plot?.xaxis && own.data.number.length > 0
    flag.box.style.display = there ? "block" : "none"
    if (!there) continue
    flag.colour = goalColour(a, colours)
    flag.ground = colours.background
    if (own.drag?.axis !== axis) place(own, axis, own.goals.find((goal) => goal.axis === axis)?.value)
  }
}

function area(own) {
  const { _size, xaxis, yaxis } = own.node._fullLayout
  return { left: _size.l, top: _size.t, width: _size.w, height: _size.h, x: xaxis, y: yaxis }
}

const pixel = (plot, axis, value) => plot[axis].d2p(value)

function place(own, axis, value, outside = false) {
  const flag = own.flags[axis], plot = area(own), set = value !== undefined, { head } = own.data
  const along = axis === "x" ? plot.width : plot.height
  const wanted = set ? pixel(plot, axis, value) : axis === "x" ? 0 : along // the worse end: left, or bottom
  const at = Math.min(along, Math.max(0, wanted)), hidden = Math.abs(at - wanted) > 1
  const [x, y] = axis === "x" ? [plot.left + at, plot.top] : [plot.left, plot.top + at]
  const strip = axis === "x"
    ? `left:${x - 4}px;top:${y}px;width:8px;height:${plot.height}px;cursor:ew-resize`
    : `left:${x}px;top:${y - 4}px;width:${plot.width}px;height:8px;cursor:ns-resize`
  flag.strip.style.cssText = `position:absolute;${strip};touch-action:none;display:${set && !hidden ? "block" : "none"}`
  const dragged = own.drag?.axis === axis
  const line = axis === "x" ? "left:3px;top:0;bottom:0;border-left" : "top:3px;left:0;right:0;border-top"
  flag.line.style.cssText = `position:absolute;${line}:2px solid ${flag.colour};display:${dragged && !outside ? "block" : "none"}`
  const shift = set ? 0 : 11 // a parked flag stays within the corner
  const where = axis === "x" ? { x: x + (set ? 0 : shift + 2), y: plot.top + plot.height - 9 } : { x: plot.left + plot.width - 11, y: y - shift }
  flag.handle.style.cssText = `position:absolute;left:${where.x - 11}px;top:${where.y - 9}px;width:22px;height:18px;padding:0;
    font:inherit;font-size:12px;line-height:15px;border-radius:4px;touch-action:none;opacity:${hidden ? 0.5 : 1};
    cursor:${axis === "x" ? "ew-resize" : "ns-resize"};border:1.5px ${set ? "solid" : "dashed"} ${flag.colour};
    background:${set ? flag.colour : flag.ground};color:${set ? flag.ground : flag.colour}`
  const beside = axis === "x" ? `left:${where.x + 13}px;top:${where.y - 9}px` : `left:${where.x - 31}px;top:${where.y - 9}px`
  flag.remove.style.cssText = `position:absolute;${beside};width:18px;height:18px;padding:0;font:inherit;font-size:13px;line-height:15px;
    border:0;border-radius:4px;cursor:pointer;background:${flag.ground};color:${flag.colour};display:${set && !dragged ? "block" : "none"}`
  const right = axis === "y" || at > 0.6 * plot.width
  flag.words.style.cssText = `position:absolute;pointer-events:none;white-space:nowrap;font-size:12px;font-weight:600;padding:1px 6px;border-radius:4px;
    background:${flag.colour};color:${flag.ground};display:${dragged ? "block" : "none"};top:${(axis === "x" ? plot.top + plot.height - 42 : Math.max(plot.top, where.y - 28))}px;
    ${right ? `right:${own.node.clientWidth - where.x + 12}px` : `left:${where.x + 12}px`}`
  describe(flag, head, axis, value)
}

function describe(flag, head, axis, value) {
  const set = value !== undefined, words = set ? head.words.goal_line : head.words.goal_add
  flag.handle.setAttribute("aria-label", words.replace("{name}", head[axis].name))
  flag.handle.title = words.replace("{name}", head[axis].name)
  flag.handle.setAttribute("role", set ? "slider" : "button")
  const [low, high] = [...head[axis].range].sort((a, b) => a - b)
  const values = { "aria-valuenow": value, "aria-valuemin": head[axis].log ? 10 ** low : low, "aria-valuemax": head[axis].log ? 10 ** high : high,
    "aria-valuetext": set ? told(head, axis, value) : undefined, "aria-orientation": axis === "x" ? "horizontal" : "vertical" }
  for (const [name, text] of Object.entries(values)) set ? flag.handle.setAttribute(name, String(text)) : flag.handle.removeAttribute(name)
  flag.remove.setAttribute("aria-label", head.words.goal_remove.replace("{name}", head[axis].name))
  flag.remove.title = flag.remove.getAttribute("aria-label")
}

// A value that can be a goal: as fine as a pixel, and within its bounds.
function rounded(own, axis, value) {
  const a = own.data.head[axis], plot = area(own)
  const shown = plot[axis].range.map((v) => (a.log ? 10 ** v : v))
  const fine = Math.abs(shown[1] - shown[0]) / (axis === "x" ? plot.width : plot.height)
  const digits = Math.min(5, Math.max(2, Math.ceil(-Math.log10(fine))))
  const [low, high] = a.bounds
  return Number(Math.min(high ?? Infinity, Math.max(low ?? -Infinity, value)).toFixed(digits))
}

function made(own, axis) {
  const layer = own.layer
  const add = (tag, name) => {
    const element = layer.appendChild(document.createElement(tag))
    element.className = "nasight-goal-" + name
    element.dataset.axis = axis
    return element
  }
  const box = layer.appendChild(document.createElement("div"))
  const flag = { box, strip: add("div", "strip"), handle: add("button", "flag"), remove: add("button", "remove"), words: add("div", "words") }
  for (const part of [flag.strip, flag.handle, flag.remove, flag.words]) box.append(part)
  flag.line = flag.strip.appendChild(document.createElement("div"))
  flag.handle.type = flag.remove.type = "button"
  flag.handle.textContent = "⚑"
  flag.remove.textContent = "×"
  flag.remove.onclick = () => commit(own, axis, null)
  for (const grip of [flag.handle, flag.strip]) grip.addEventListener("pointerdown", (event) => begin(own, axis, grip, event))
  flag.handle.addEventListener("dblclick", () => known(own, axis) === undefined && commit(own, axis, middle(own, axis)))
  flag.handle.addEventListener("keydown", (event) => press(own, axis, event))
  return flag
}

const known = (own, axis) => own.goals.find((goal) => goal.axis === axis)?.value

function middle(own, axis) {
  const plot = area(own)
  return rounded(own, axis, plot[axis].p2d((axis === "x" ? plot.width : plot.height) / 2))
}

function begin(own, axis, grip, event) {
  if (event.button) return
  event.preventDefault()
  event.stopPropagation()
  if (grip.focus) grip.focus({ preventScroll: true })
  grip.setPointerCapture(event.pointerId)
  own.drag = { axis, value: undefined, moved: false, from: [event.clientX, event.clientY] }
  const move = (e) => drag(own, axis, e)
  const end = (e) => {
    grip.removeEventListener("pointermove", move)
    for (const name of ["pointerup", "pointercancel"]) grip.removeEventListener(name, end)
    window.removeEventListener("keydown", escape, true)
    const { value, moved, out } = own.drag ?? {}
    own.drag = null
    if (e.type === "pointerup" && moved) commit(own, axis, out ? null : value)
    else place(own, axis, known(own, axis))
  }
  const escape = (e) => e.key === "Escape" && end({ type: "pointercancel" })
  grip.addEventListener("pointermove", move)
  for (const name of ["pointerup", "pointercancel"]) grip.addEventListener(name, end)
  window.addEventListener("keydown", escape, true)
}

function drag(own, axis, event) {
  const state = own.drag, plot = area(own), frame = own.node.getBoundingClientRect()
  state.moved ||= Math.hypot(event.clientX - state.from[0], event.clientY - state.from[1]) > 3
  if (!state.moved) return
  const x = event.clientX - frame.left - plot.left, y = event.clientY - frame.top - plot.top
  state.out = x < -OUT || y < -OUT || x > plot.width + OUT || y > plot.height + OUT
  const along = axis === "x" ? Math.min(plot.width, Math.max(0, x)) : Math.min(plot.height, Math.max(0, y))
  state.value = rounded(own, axis, plot[axis].p2d(along))
  const { head } = own.data
  own.flags[axis].words.textContent = state.out ? head.words.goal_drop : told(head, axis, state.value)
  place(own, axis, state.value, state.out)
}

function press(own, axis, event) {
  const value = known(own, axis), coarse = event.shiftKey ? 10 : 1
  const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key]
  if (value === undefined && (event.key === "Enter" || event.key === " ")) commit(own, axis, middle(own, axis))
  else if (value !== undefined && (event.key === "Delete" || event.key === "Backspace")) commit(own, axis, null)
  else if (value !== undefined && step) {
    const plot = area(own), sign = axis === "x" ? 1 : -1 // pixels grow downwards
    const wanted = rounded(own, axis, plot[axis].p2d(pixel(plot, axis, value) + 4 * sign * step * coarse))
    commit(own, axis, wanted, 400)
  } else return
  event.preventDefault()
  event.stopPropagation()
}

// Show the goal at once, and tell the server; after the last of several key presses.
function commit(own, axis, value, delay = 0) {
  const { head } = own.data
  own.pending[axis] = { value, since: Date.now(), revision: head.revision }
  clearTimeout(own.telling)
  own.telling = setTimeout(() => !own.gone && own.setGoal({ name: head[axis].goal, value }), delay)
  own.redraw()
}

