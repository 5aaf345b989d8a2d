// plotly.js, loaded once for every element of the page.

// What no chart has: a button that sends its data to another host (plotly.js shows one by default), and a logo.
const PRIVATE = { showSendToCloud: false, displaylogo: false }

function set(Plotly) {
  Plotly.setPlotConfig(PRIVATE)
  return Plotly
}

export function loadPlotly(url) {
  window.nasightPlotly ??= new Promise((resolve, reject) => {
    if (window.Plotly) return resolve(set(window.Plotly))
    const script = document.createElement("script")
    script.src = url
    script.onload = () => resolve(set(window.Plotly))
    script.onerror = () => {
      window.nasightPlotly = undefined // the next refresh tries again
      reject(new Error("plotly.js did not load from " + url))
    }
    document.head.appendChild(script)
  })
  return window.nasightPlotly
}

// Resolves when the page has nothing more urgent to do: a new page shows its words before its pictures are drawn.
export const idle = () => new Promise((resolve) => {
  if (window.requestIdleCallback) requestIdleCallback(resolve, { timeout: 400 })
  else setTimeout(resolve)
})
