// A Plotly figure that changes while it is looked at: drawn with Plotly.react, so that nothing flickers and zoom stays.
import { idle, loadPlotly } from "./loading.js"

const instances = new WeakMap()
const CONFIG = { responsive: true, displayModeBar: false }

// Called by the loader at every change of the figure. Data: { figure: JSON text, words: what it shows, in a sentence }.
export async function render(component, plotlyUrl) {
  const { parentElement, data } = component
  let own = instances.get(parentElement)
  if (!own) {
    own = { node: parentElement.querySelector(".nasight-chart"), draws: 0 }
    instances.set(parentElement, own)
  }
  if (!data || !own.node) return
  own.data = data
  const Plotly = await loadPlotly(plotlyUrl)
  if (!own.draws) await idle()
  if (own.gone) return
  const { figure, words } = own.data
  if (figure !== own.drawn) {
    const { data: traces, layout } = JSON.parse(figure)
    own.drawn = figure
    await Plotly.react(own.node, traces, { ...layout, uirevision: "kept" }, CONFIG)
    own.node.dataset.draws = String(++own.draws)
  }
  own.node.setAttribute("aria-label", words)
}

export function unmount(parentElement) {
  const own = instances.get(parentElement)
  if (!own) return
  own.gone = true
  instances.delete(parentElement)
  window.Plotly?.purge(own.node)
}
