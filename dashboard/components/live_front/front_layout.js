// Axes, names and goal lines of the front; and its space in three dimensions.

export function layout(data, colours, font, size, goals) {
  const { head } = data, roof = underTheRoof(head)
  const common = {
    uirevision: head.revision, hovermode: head.z ? "closest" : false, font: { family: font, size: 12, color: colours.ink },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    legend: { orientation: "h", x: 0, y: roof ? 1.055 : 1.01, yanchor: "bottom", font: { color: colours.muted, size: 12 }, bgcolor: "rgba(0,0,0,0)" },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: colours.muted, activecolor: colours.ink },
    hoverlabel: { bgcolor: colours.panel, bordercolor: colours.grid, font: { color: colours.ink } },
  }
  if (head.z) return { ...common, margin: { l: 0, r: 0, t: 34, b: 0 }, scene: space(head, colours) }
  const axis = (a) => ({ // ranges as copies: Plotly writes the zoom into what it is given
    title: { text: a.label, font: { color: colours.ink, size: 13 }, standoff: 8 }, type: a.log ? "log" : "linear",
    range: [...a.range], gridcolor: colours.grid, linecolor: colours.grid, zeroline: false,
    tickfont: { color: colours.muted }, tickformat: a.format, ...(a.log ? { dtick: "D2" } : {}),
  })
  return {
    ...common, dragmode: "zoom", margin: { l: 62, r: head.colour && !head.colour.names.length ? 64 : 12, t: roof ? 46 : 34, b: 46 },
    xaxis: axis(head.x), yaxis: axis(head.y), shapes: goalLines(head, goals, colours),
    annotations: [...names(head, colours), ...shortNames(head, colours, size), ...goalNames(head, goals, colours)],
  }
}

function space(head, colours) {
  const axis = (a) => ({
    title: { text: a.label, font: { color: colours.ink, size: 12 } }, type: a.log ? "log" : "linear", range: [...a.range],
    gridcolor: colours.grid, linecolor: colours.grid, zeroline: false, showspikes: false, showbackground: false,
    tickfont: { color: colours.muted, size: 10 }, tickformat: a.format, nticks: 6,
  })
  return { xaxis: axis(head.x), yaxis: axis(head.y), zaxis: axis(head.z), dragmode: "turntable", aspectmode: "cube",
    camera: { eye: { x: 1.3, y: -1.3, z: 0.65 }, center: { x: 0, y: 0, z: -0.12 } } }
}

const placed = (a, value) => (a.log ? Math.log10(value) : value)
const share = (a, value) => (placed(a, value) - a.range[0]) / (a.range[1] - a.range[0])

// The names of the references, on a ground of their own so that they can be read over the cloud.
function names(head, colours) {
  return head.floors.filter((f) => f.named).map((f) => ({
    x: placed(head.x, f.x), y: placed(head.y, f.y), text: f.label, showarrow: false, font: { size: 11, color: colours.muted },
    bgcolor: colours.background + "D0", borderpad: 1, ...nameSide(head, f),
  }))
}

// Whether a name stands above the best value, where the legend would be.
const underTheRoof = (head) => !head.z && head.floors.some((f) => f.named && nameSide(head, f).yshift > 0 && share(head.y, f.y) > 0.92)

const nameSide = (head, f) => {
  const at = share(head.x, f.x)
  return { xanchor: at < 0.3 ? "left" : at > 0.7 ? "right" : "center", yshift: at < 0.3 ? 16 : -17 }
}

// The names of plain models, beside their squares: the first place where they cover no other name.
function shortNames(head, colours, size) {
  const across = size.width - 74, up = size.height - 80
  const box = (text, x, y) => ({ x, y, w: 3.2 * text.length + 2, h: 7.5 })
  const taken = head.floors.filter((f) => f.named).map((f) => box(f.label, share(head.x, f.x) * across, share(head.y, f.y) * up + nameSide(head, f).yshift))
  const covers = (a) => taken.some((b) => Math.abs(a.x - b.x) < a.w + b.w && Math.abs(a.y - b.y) < a.h + b.h)
  return head.plain.map((p) => {
    const left = share(head.x, p.x) > 0.7, wide = 3.2 * p.short.length + 10
    const at = (shift) => box(p.short, share(head.x, p.x) * across + (left ? -wide : wide), share(head.y, p.y) * up + shift)
    const shift = [0, -13, 13, -26, 26, -39, 39].find((s) => !covers(at(s))) ?? 0
    taken.push(at(shift))
    return { x: placed(head.x, p.x), y: placed(head.y, p.y), text: p.short, showarrow: false, font: { size: 11, color: colours.ink },
      bgcolor: colours.background + "B0", borderpad: 0, xanchor: left ? "right" : "left", xshift: left ? -8 : 8, yshift: shift }
  })
}

export const goalColour = (axis, colours) => (axis.key === "performance" ? colours.accuracy : colours.interpretability)

// Goals: a dashed line in the colour of its quantity, and one veil over all that misses them.
function goalLines(head, goals, colours) {
  const ends = (axis, value) => [...head[axis].data, ...head[axis].range, value]
  const upright = goals.find((goal) => goal.axis === "x")
  return goals.filter((goal) => goal.axis !== "z").flatMap(({ axis, value, at_least }) => {
    const across = axis === "x" ? "y" : "x"
    const end = (at_least ? Math.min : Math.max)(...ends(axis, value))
    const side = { [axis + "ref"]: axis, [across + "ref"]: "paper", [across + "0"]: 0, [across + "1"]: 1 }
    const good = upright?.at_least === false ? Math.min : Math.max
    const kept = axis === "y" && upright // where the other goal is met: its own veil covers the rest
      ? { ...side, xref: "x", x0: upright.value, x1: good(...ends("x", upright.value)) } : side
    return [
      { type: "rect", layer: "below", ...kept, [axis + "0"]: value, [axis + "1"]: end, line: { width: 0 },
        fillcolor: colours.muted, opacity: 0.1 },
      { type: "line", layer: "above", ...side, [axis + "0"]: value, [axis + "1"]: value,
        line: { color: goalColour(head[axis], colours), width: 1.6, dash: "dash" } },
    ]
  })
}

function goalNames(head, goals, colours) {
  return goals.filter((goal) => goal.axis !== "z").map(({ axis, value, words }) => {
    const late = share(head[axis], value) > (axis === "x" ? 0.85 : 0.9) // no room after it
    return {
      text: words, showarrow: false, font: { size: 11, color: goalColour(head[axis], colours) },
      bgcolor: colours.background + "D0", borderpad: 1,
      ...(axis === "x"
        ? { x: value, y: 0, yref: "paper", xanchor: late ? "right" : "left", yanchor: "bottom", xshift: late ? -3 : 3, yshift: 18 }
        : { y: value, x: 0, xref: "paper", xanchor: "left", yanchor: late ? "top" : "bottom", xshift: 3, yshift: late ? -2 : 2 }),
    }
  })
}

