// The 95 % ellipses of the points of the front, painted on the canvas under the plot before the cloud; Plotly keeps their
// name in its legend. Where they are is worked out by the server (views/front_ellipses.py).
import { positionOf } from "./front_data.js"

const QUARTER = Math.PI / 2, FAR = 100
const faded = (colour, alpha) => colour + alpha

// What the trace of the ellipses becomes: an entry of the legend, and `ellipses`, which are painted here.
export function named(base, { marks, words }, colours) {
  return { ...base, x: [null], y: [null], name: words.ellipses, ellipses: marks.ellipses, hoverinfo: "skip",
    marker: { size: 13, symbol: "circle", color: faded(colours.front, "30"), line: { width: 1.2, color: faded(colours.front, "B0") } } }
}

// Paint the ellipses; those of the best and of the selected candidate in the colour of what is chosen, over the others.
export function ellipses(context, data, x, y, colours) {
  const { best, selected, marks } = data.head
  const chosen = ([number]) => number === best || number === selected
  context.save()
  possible(context, data.head, x, y)
  for (const row of [...marks.ellipses.filter((r) => !chosen(r)), ...marks.ellipses.filter(chosen)]) {
    const i = positionOf(data, row[0])
    if (i === undefined) continue
    outline(context, x(data.x[i]), y(data.y[i]), row.slice(1, 3).map(x), row.slice(3).map(y))
    const colour = chosen(row) ? colours.chosen : colours.front
    context.fillStyle = faded(colour, "12")
    context.fill()
    context.strokeStyle = faded(colour, chosen(row) ? "E0" : "70")
    context.lineWidth = chosen(row) ? 1.6 : 1
    context.stroke()
  }
  context.restore()
}

// Paint nothing where a quantity cannot be: a region that reaches over the best possible value ends there.
function possible(context, head, x, y) {
  const ends = ({ bounds: [low, high], data: [least, most] }, to) => // without a bound, far from all there is
    [low ?? least - FAR * (most - least), high ?? most + FAR * (most - least)].map(to).sort((a, b) => a - b)
  const [x0, x1] = ends(head.x, x), [y0, y1] = ends(head.y, y)
  context.beginPath()
  context.rect(x0, y0, x1 - x0, y1 - y0)
  context.clip()
}

// Four quarters around a point: to each side as far as its own end.
function outline(context, cx, cy, across, down) {
  const left = cx - Math.min(...across), right = Math.max(...across) - cx, up = cy - Math.min(...down), low = Math.max(...down) - cy
  context.beginPath()
  for (const [k, [rx, ry]] of [[right, low], [left, low], [left, up], [right, up]].entries())
    context.ellipse(cx, cy, Math.max(0, rx), Math.max(0, ry), 0, k * QUARTER, (k + 1) * QUARTER)
  context.closePath()
}
