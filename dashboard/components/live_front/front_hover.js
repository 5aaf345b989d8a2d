// What is under the pointer, or under the keys: a card beside the point, filled from the server for this one candidate.
import { nearest } from "./front_cloud.js"
import { chosen, setMode, toggle } from "./front_selection.js"
import { ON_FRONT, frontOrder, positionOf, twins, written } from "./front_data.js"

const WAIT = 120 // milliseconds that a pointer rests before the server is asked

// The pointer: what it rests on has a card; a press and a release at one place are a click. In a plane every point is found
// here, in space Plotly finds it; its own clicks there come again and again while a button is down.
export function points(own) {
  const { node } = own
  const inside = (event) => event.target.closest?.(own.data?.head.z ? ".gl-container, #scene, canvas" : ".nsewdrag")
  node.addEventListener("pointermove", (event) => {
    if (!own.data || own.data.head.z) return
    const area = inside(event), point = area && nearest(own, event)
    if (area) area.style.cursor = point ? "pointer" : ""
    if (!point) return own.walked === undefined && own.pointed !== null && hide(own)
    if (own.pointed !== pointName(point)) show(own, point.customdata, point)
    own.pointed = pointName(point)
  })
  node.addEventListener("pointerleave", () => own.walked === undefined && hide(own))
  node.addEventListener("pointerdown", (event) => {
    if (!inside(event)) return
    const up = (end) => { // anywhere: Plotly lays a cover over the page while a button is down
      if (Math.hypot(event.clientX - end.clientX, event.clientY - end.clientY) >= 4 || !own.data) return
      const number = own.data.head.z ? own.shown : nearest(own, end)?.customdata
      if (number !== null && number !== undefined) own.pick(number)
    }
    window.addEventListener("pointerup", up, { once: true, capture: true })
  }, true)
}

const pointName = (point) => point.customdata ?? point.text

// In space Plotly says what is under the pointer.
export function listen(own) {
  own.node.on("plotly_hover", (event) => event.points?.[0] && show(own, event.points[0].customdata, event.points[0]))
  own.node.on("plotly_unhover", () => hide(own))
}

export function hide(own) {
  clearTimeout(own.asking)
  own.shown = own.pointed = null
  own.card.style.display = own.ring.style.display = "none"
}

// After a draw: the card stays with its point.
export function keep(own, colours) {
  own.colours = colours
  if (own.walked !== undefined && document.activeElement === own.node) walk(own, own.walked)
  else if (own.shown === null) hide(own)
}

function show(own, number, point) {
  const { data } = own, i = positionOf(data, number)
  own.shown = number ?? null
  const at = i === undefined ? point : { x: data.x[i], y: data.y[i], z: data.z?.[i] }
  fill(own, i, number, at, point?.text)
  settle(own, at)
  clearTimeout(own.asking)
  if (data.head.cards && number !== null && number !== undefined) own.asking = setTimeout(() => ask(own, number), WAIT)
}

function fill(own, i, number, at, label) {
  const { data } = own, { head } = data, { words, marks } = head
  const lines = []
  for (const name of ["x", "y", "z"]) if (head[name] && at[name] !== undefined) lines.push([head[name].name, value(own, name, i, at[name])])
  if (data.interpretability && i !== undefined) lines.push([words.card_interpretability, data.interpretability[i].toFixed(2)])
  const said = label ? [label] : []
  if (i !== undefined) {
    if (data.flags[i] & ON_FRONT) said.push(words.card_on_front)
    if (number === marks.knee) said.push(words.card_knee)
    if (marks.unsupported.includes(number)) said.push(words.card_unsupported)
    if (marks.tied.includes(number)) said.push(words.card_tied)
    const chance = marks.chances.find(([n]) => n === number)
    if (chance) said.push(words.card_chance.replace("{chance}", chance[1]))
    if (data.colour && head.colour.names.length) said.push(head.colour.names[data.colour[i]])
    if (chosen(own).has(number)) said.push(words.card_chosen)
    const others = twins(data, i)
    if (others) said.push(words.card_twins.replace("{count}", others))
  }
  own.cardLines = { title: number === null || number === undefined ? label : "#" + number, lines, said }
  write(own, own.known.get(key(own, number)) ?? [])
}

function value(own, name, i, at) {
  const axis = own.data.head[name], told = written(axis, at)
  const cross = i === undefined ? null : own.data.head.marks.crosses.find(([n]) => n === own.data.number[i])
  const k = "xyz".indexOf(name)
  const half = cross ? (cross[2 + 2 * k] - cross[1 + 2 * k]) / 2 : 0
  return half > 0 ? `${told} ± ${half.toPrecision(1)}` : told
}

const key = (own, number) => own.data.head.cards + number

function write(own, more) {
  const { title, lines, said } = own.cardLines
  const known = new Set(more.map(([term]) => term)) // what the server tells with its interval
  own.card.replaceChildren()
  const add = (text, style) => {
    const line = own.card.appendChild(document.createElement("div"))
    line.textContent = text
    line.style.cssText = style
  }
  add(title, "font-weight:700")
  for (const [term, words] of [...lines.filter(([term]) => !known.has(term)), ...more]) add(term ? `${term} ${words}` : words, "")
  if (said.length) add(said.join(" · "), `color:${own.colours.muted}`)
}

async function ask(own, number) {
  const name = key(own, number)
  if (!own.known.has(name)) {
    try {
      const answer = await fetch(own.base + own.data.head.cards.replace("{number}", number))
      if (!answer.ok) return
      own.known.set(name, (await answer.json()).lines)
    } catch {
      return // the server is away; the card says what the plot knows
    }
  }
  if (own.shown === number && !own.gone) write(own, own.known.get(name))
}

// The card beside the point, on the side where there is room; in space in the corner.
function settle(own, at) {
  const { colours, node } = own, plot = node._fullLayout
  let side = "right:8px;top:40px"
  own.ring.style.display = "none"
  if (plot?.xaxis && !own.data.head.z) {
    const x = plot._size.l + plot.xaxis.d2p(at.x), y = plot._size.t + plot.yaxis.d2p(at.y)
    const across = x > node.clientWidth / 2 ? `right:${node.clientWidth - x + 14}px` : `left:${x + 14}px`
    side = `${across};${y > node.clientHeight / 2 ? `bottom:${node.clientHeight - y + 6}px` : `top:${y + 6}px`}`
    if (document.activeElement === node && own.walked !== undefined) {
      own.ring.style.cssText = `position:absolute;left:${x - 13}px;top:${y - 13}px;width:26px;height:26px;border-radius:50%;pointer-events:none;
        box-sizing:border-box;border:3px double ${colours.accent}`
    }
  }
  own.card.style.cssText = `position:absolute;${side};display:block;pointer-events:none;max-width:300px;padding:6px 9px;border-radius:6px;z-index:5;
    font-size:12px;line-height:1.45;font-variant-numeric:tabular-nums;background:${colours.panel};color:${colours.ink};border:1px solid ${colours.grid};
    box-shadow:0 2px 8px rgba(0,0,0,.18)`
}

// Arrow keys walk along the front, Enter opens the candidate, Space selects it.
export function keys(own) {
  own.node.tabIndex = 0
  own.node.addEventListener("keydown", (event) => {
    if (event.target !== own.node || !own.data?.number.length) return
    const order = frontOrder(own.data).map((i) => own.data.number[i])
    if (!order.length) return
    const at = order.indexOf(own.walked ?? own.data.head.selected ?? own.data.head.best)
    const step = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: order.length - 1 }[event.key]
    const choosing = own.mode && own.walked !== undefined
    if (step !== undefined) walk(own, order[own.walked === undefined && at >= 0 && event.key.startsWith("Arrow") ? at : Math.min(order.length - 1, Math.max(0, step))])
    else if (event.key === "Enter" && own.walked !== undefined) own.open(own.walked)
    else if (event.key === " " && choosing) {
      toggle(own, own.walked)
      walk(own, own.walked)
    } else if (event.key === " " && own.walked !== undefined) own.pick(own.walked)
    else if (event.key === "Escape") own.walked === undefined && own.mode ? setMode(own, null) : leave(own)
    else return
    event.preventDefault()
  })
  own.node.addEventListener("blur", () => leave(own))
}

function walk(own, number) {
  own.walked = number
  show(own, number, {})
  if (positionOf(own.data, number) === undefined) leave(own)
}

function leave(own) {
  own.walked = undefined
  hide(own)
}
