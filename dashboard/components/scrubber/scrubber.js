// The time scrubber: a native range input with marks above it, buttons to step and to play, and a line of words.
// Data: { run, total, at, past, label, facts, marks: [{ at, kind, words }], words, colours: { light, dark } }.
// The one event it sends is "moved": how many candidates to show; the total or more means: all of them, from now on.

const instances = new WeakMap()
const STEPS = 100 // a whole replay
const PAUSE = 220 // ms between the page being drawn and the next step
const PATIENCE = 8000 // ms after which a step that was never drawn is given up
// A second cue beside the colour: what each kind of mark looks like.
const SHAPES = { weight: "λ", strategy: "◆", space: "▣", pause: "❚❚", rule: "▪", person: "✎", failure: "✕", many: "●" }

function isDark(element) {
  const colour = getComputedStyle(element).getPropertyValue("--st-background-color").trim()
  const hex = /^#([0-9a-f]{6})$/i.exec(colour)
  if (!hex) return matchMedia("(prefers-color-scheme: dark)").matches
  const value = parseInt(hex[1], 16)
  return 0.299 * (value >> 16) + 0.587 * ((value >> 8) & 255) + 0.114 * (value & 255) < 128
}

function button(own, name, sign, act) {
  const made = document.createElement("button")
  made.type = "button"
  made.dataset.act = name
  made.textContent = sign
  made.onclick = act
  own.bar.append(made)
  return made
}

function build(root) {
  const own = { root, at: 0, total: 1, playing: false, asked: null, away: false }
  // While the page shows the past, the slider is never out of sight: it floats at the foot of the window.
  own.sight = new IntersectionObserver(([entry]) => { own.away = !entry.isIntersecting; style(own) }, { threshold: 0.3 })
  own.sight.observe(root.parentElement)
  root.innerHTML = ""
  own.bar = root.appendChild(document.createElement("div"))
  own.play = button(own, "play", "▶", () => toggle(own))
  own.back = button(own, "back", "‹", () => step(own, -1))
  own.forward = button(own, "forward", "›", () => step(own, 1))
  own.lane = own.bar.appendChild(document.createElement("div"))
  own.marks = own.lane.appendChild(document.createElement("div"))
  own.slider = own.lane.appendChild(document.createElement("input"))
  own.slider.type = "range"
  own.slider.min = "1"
  own.slider.oninput = () => { stop(own); want(own, Number(own.slider.value)) }
  own.live = button(own, "live", "", () => { stop(own); want(own, own.total) })
  own.line = root.appendChild(document.createElement("div"))
  own.line.setAttribute("role", "status")
  return own
}

// Ask for a moment; while the page still draws the last one, only remember the newest wish.
function want(own, at) {
  own.at = Math.min(Math.max(1, at), own.total)
  own.slider.value = String(own.at)
  own.wish = own.at
  if (own.asked !== null && performance.now() - own.since < PATIENCE) return
  send(own)
}

function send(own) {
  if (own.wish === undefined) return
  own.asked = own.wish
  own.since = performance.now()
  own.wish = undefined
  own.tell(own.asked)
}

function toggle(own) {
  if (own.playing) return stop(own)
  own.playing = true
  if (own.at >= own.total) own.at = 0
  style(own)
  advance(own)
}

function stop(own) {
  own.playing = false
  clearTimeout(own.timer)
  style(own)
}

function advance(own) {
  const next = own.at + Math.max(1, Math.round(own.total / STEPS))
  if (next >= own.total) stop(own)
  want(own, next)
}

function step(own, by) {
  stop(own)
  want(own, own.at + by)
}

function style(own) {
  const { data } = own
  if (!data) return
  const colours = data.colours[isDark(own.root) ? "dark" : "light"], past = own.at < own.total
  const place = own.root.parentElement.getBoundingClientRect()
  const float = past && own.away ? `position:fixed;z-index:1000;bottom:10px;left:${place.left}px;width:${place.width}px;
    box-sizing:border-box;box-shadow:0 2px 14px rgba(0,0,0,.25);` : ""
  own.root.style.cssText = `${float}padding:4px 10px 6px;border-radius:6px;border:1px solid ${past ? colours.chosen : colours.grid};
    background:${past ? colours.panel : "transparent"};color:${colours.ink};font-size:.875rem`
  own.bar.style.cssText = "display:flex;align-items:center;gap:6px"
  own.lane.style.cssText = "position:relative;flex:1;min-width:60px;padding-top:14px"
  own.marks.style.cssText = "position:absolute;left:8px;right:8px;top:0;height:14px"
  own.slider.style.cssText = `width:100%;margin:0;display:block;accent-color:${past ? colours.chosen : colours.accent};cursor:pointer`
  for (const b of [own.play, own.back, own.forward, own.live]) {
    b.style.cssText = `min-width:28px;height:28px;padding:0 8px;border:1px solid ${colours.grid};border-radius:6px;cursor:pointer;
      font:inherit;background:${colours.background};color:${colours.ink};white-space:nowrap`
  }
  own.play.textContent = own.playing ? "❚❚" : "▶ " + data.words.play
  own.play.setAttribute("aria-label", own.playing ? data.words.pause : data.words.play)
  own.live.textContent = data.words.live
  own.live.style.visibility = past ? "visible" : "hidden"
  own.line.style.cssText = `padding-top:2px;color:${past ? colours.ink : colours.muted}`
  own.line.innerHTML = ""
  const label = own.line.appendChild(document.createElement("strong"))
  label.textContent = (data.past ? "◀ " : "") + data.label
  own.line.append(data.facts ? " · " + data.facts : "")
  drawMarks(own, colours)
}

function drawMarks(own, colours) {
  const { data } = own, key = JSON.stringify([data.marks, data.total, colours.ink])
  if (own.marked === key) return
  own.marked = key
  own.marks.replaceChildren(...data.marks.map((mark) => {
    const made = document.createElement("button")
    made.type = "button"
    made.className = "nasight-event"
    made.textContent = SHAPES[mark.kind] ?? "●"
    made.title = mark.words
    made.setAttribute("aria-label", mark.words)
    made.onclick = () => { stop(own); want(own, mark.at) }
    made.style.cssText = `position:absolute;left:${(100 * (mark.at - 1)) / Math.max(1, data.total - 1)}%;top:0;transform:translateX(-50%);
      padding:0 2px;border:0;background:none;cursor:pointer;font-size:11px;line-height:14px;color:${colours[mark.kind] ?? colours.ink}`
    return made
  }))
}

// Called by the loader at every change of the data or the theme.
export function render(component) {
  const { parentElement, data, setTriggerValue } = component
  const root = parentElement.querySelector(".nasight-scrubber")
  if (!data || !root) return
  let own = instances.get(parentElement)
  if (!own) {
    own = build(root)
    instances.set(parentElement, own)
  }
  own.tell = (at) => setTriggerValue("moved", at)
  own.data = data
  own.total = data.total
  root.setAttribute("aria-label", data.label)
  own.slider.max = String(data.total)
  own.slider.setAttribute("aria-label", data.words.slider)
  for (const name of ["back", "forward", "live"]) own[name].setAttribute("aria-label", data.words[name])
  const drawn = own.asked === null || data.at === own.asked || (own.asked >= data.total && !data.past)
  if (drawn) {
    const waited = own.asked !== null
    own.asked = null
    if (own.wish !== undefined) send(own)
    else {
      if (!own.playing || waited) own.at = data.at
      own.slider.value = String(own.at)
      if (own.playing && waited) own.timer = setTimeout(() => own.playing && advance(own), PAUSE)
    }
  }
  own.slider.setAttribute("aria-valuetext", data.label)
  root.dataset.at = String(data.at)
  root.dataset.draws = String(Number(root.dataset.draws ?? 0) + 1)
  style(own)
}

export function unmount(parentElement) {
  const own = instances.get(parentElement)
  if (!own) return
  clearTimeout(own.timer)
  own.sight.disconnect()
  instances.delete(parentElement)
}
