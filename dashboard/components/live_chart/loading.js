// plotly.js, loaded once for every element of the page.
export function loadPlotly(url) {
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

// Resolves when the page has nothing more urgent to do: a new page shows its words before its pictures are drawn.
export const idle = () => new Promise((resolve) => {
  if (window.requestIdleCallback) requestIdleCallback(resolve, { timeout: 400 })
  else setTimeout(resolve)
})
