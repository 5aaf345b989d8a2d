// The live Pareto front, drawn with Plotly.react so that zoom, camera and hover survive every refresh. The other modules of
// this folder: front_data reads the bytes, front_traces and front_layout make the picture, front_ribbon the bands of λ,
// front_cloud paints the many points, front_goals the flags that set goals, front_hover the card and the keys,
// front_selection chooses many points at once.
import { paint } from "./front_cloud.js"
import { decode } from "./front_data.js"
import { goalsNow, placeGoals } from "./front_goals.js"
import { hide, keep, keys, listen, points } from "./front_hover.js"
import { layout } from "./front_layout.js"
import { ribbon } from "./front_ribbon.js"
import { placeChoosing, paintChosen } from "./front_selection.js"
import { traces } from "./front_traces.js"
import { idle, loadPlotly } from "./loading.js"

const instances = new WeakMap()

const CONFIG = {
  responsive: true, doubleClick: "reset+autosize",
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "toImage", "zoomIn2d", "zoomOut2d", "resetCameraLastSave3d", "orbitRotation"],
}

function isDark(element) {
  const colour = getComputedStyle(element).getPropertyValue("--st-background-color").trim()
  const hex = /^#([0-9a-f]{6})$/i.exec(colour)
  if (!hex) return matchMedia("(prefers-color-scheme: dark)").matches
  const value = parseInt(hex[1], 16)
  return 0.299 * (value >> 16) + 0.587 * ((value >> 8) & 255) + 0.114 * (value & 255) < 128
}

function instance(parent) {
  let own = instances.get(parent)
  if (!own) {
    const part = (name) => parent.querySelector(".nasight-" + name)
    own = { node: part("front"), ribbon: part("ribbon"), hatches: part("hatches"), cursor: part("weight"), wait: part("wait"),
      layer: part("goals"), over: part("choosing"), card: part("card"), ring: part("ring"), draws: 0, flags: {}, pending: {}, goals: [],
      drag: null, shown: null, known: new Map() }
    instances.set(parent, own)
    if (own.node) {
      keys(own)
      points(own)
    }
  }
  return own
}

// Called by the loader at every change of the data or the theme.
export async function render(component, plotlyUrl) {
  const { parentElement, data, setTriggerValue } = component
  const own = instance(parentElement)
  if (!data || !own.node) return
  own.base = new URL(plotlyUrl).origin
  own.pick = (number) => setTriggerValue("picked", number)
  own.open = (number) => setTriggerValue("opened", number)
  own.choose = (told) => setTriggerValue("chosen", told)
  own.setGoal = (goal) => setTriggerValue("goal", goal)
  own.data = decode(data)
  if (!own.draws) own.wait.textContent = own.data.head.words[own.data.number.length ? "drawing" : "waiting"]
  const Plotly = await loadPlotly(plotlyUrl)
  if (!own.draws) await idle()
  if (own.gone) return
  own.redraw = () => draw(own, Plotly)
  await own.redraw()
  own.node.dataset.draws = String(++own.draws)
}

async function draw(own, Plotly) {
  const latest = own.data // a newer refresh may have arrived while plotly.js was loading
  const { head } = latest
  const colours = head.colours[isDark(own.node) ? "dark" : "light"]
  const font = getComputedStyle(own.node).getPropertyValue("--st-font") || "sans-serif"
  const space = head.z ? "space" : "plane"
  if (own.space && own.space !== space) Plotly.purge(own.node) // a plane and a space share nothing
  const fresh = own.space !== space
  own.space = space
  own.colours = colours
  own.goals = goalsNow(own, head)
  own.node.setAttribute("aria-label", head.summary + " " + head.words.keys)
  await Plotly.react(own.node, traces(latest, colours), layout(latest, colours, font, own.node.getBoundingClientRect(), own.goals), CONFIG)
  if (own.gone) return
  if (fresh) {
    hide(own)
    if (head.z) listen(own)
    const placed = () => {
      paint(own)
      placeChoosing(own)
      placeGoals(own, own.colours)
    }
    own.node.on("plotly_afterplot", placed)
    own.node.on("plotly_relayouting", () => { // while it is dragged
      paint(own)
      paintChosen(own)
    })
    own.node.on("plotly_relayout", () => hide(own))
    placed() // later ones are placed as soon as the plot is drawn
  }
  ribbon(own, head, colours)
  keep(own, colours)
  own.wait.textContent = latest.number.length ? "" : head.words.waiting
  own.node.dataset.points = String(latest.number.length)
}

export function unmount(parentElement) {
  const own = instances.get(parentElement)
  if (!own) return
  own.gone = true
  clearTimeout(own.telling)
  clearTimeout(own.asking)
  instances.delete(parentElement)
  window.Plotly?.purge(own.node)
}
