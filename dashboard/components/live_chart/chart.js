// A Plotly figure that changes while it is looked at: drawn with Plotly.react, so that nothing flickers and zoom stays.

const instances = new WeakMap()
const CONFIG = { responsive: true, displayModeBar: false }

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
