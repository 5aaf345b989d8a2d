// Who wins at which λ: one button per band, as wide as its share of [0, 1], and a mark at the present λ. Where another
// candidate cannot be told apart from the winner, the band is hatched.

export function ribbon(own, head, colours) {
  const strip = own.ribbon
  strip.setAttribute("aria-label", head.words.ribbon)
  const bands = head.bands.filter(([, low, high]) => high > low)
  while (strip.children.length > bands.length) strip.lastChild.remove()
  bands.forEach(([number, low, high, lead], i) => {
    const button = strip.children[i] ?? strip.appendChild(document.createElement("button"))
    const wins = number === head.best, picked = number === head.selected
    const words = (lead === null ? head.words.band : head.words.band_lead)
      .replace("{number}", number).replace("{low}", low.toFixed(2)).replace("{high}", high.toFixed(2))
      .replace("{lead}", Math.round(100 * (lead ?? 0)))
    button.type = "button"
    button.textContent = high - low > 0.045 ? "#" + number : ""
    button.title = words
    button.setAttribute("aria-label", words)
    button.style.cssText = `flex:${high - low} 1 0;min-width:0;padding:0;height:22px;border:0;cursor:pointer;overflow:hidden;
      font:inherit;font-size:11px;line-height:22px;border-right:1px solid ${colours.background};
      background:${wins ? colours.chosen : colours.grid};color:${wins ? colours.onChosen : colours.ink};
      font-weight:${wins || picked ? 700 : 400};text-decoration:${picked ? "underline" : "none"}`
    button.onclick = () => own.pick(number)
    button.onkeydown = (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
      const next = step && strip.children[i + step]
      if (next) next.focus()
    }
  })
  hatch(own, head, colours)
  strip.style.visibility = bands.length ? "visible" : "hidden"
  own.cursor.style.cssText = `position:absolute;top:-3px;bottom:-3px;width:2px;left:${100 * head.weight}%;
    background:${colours.ink};pointer-events:none;display:${bands.length ? "block" : "none"}`
}

function hatch(own, head, colours) {
  const { shaky } = head.marks
  while (own.hatches.children.length > shaky.length) own.hatches.lastChild.remove()
  own.hatches.style.cssText = "position:absolute;inset:0;pointer-events:none;overflow:hidden;border-radius:4px"
  shaky.forEach(([low, high], i) => {
    const part = own.hatches.children[i] ?? own.hatches.appendChild(document.createElement("div"))
    part.style.cssText = `position:absolute;bottom:0;height:7px;left:${100 * low}%;width:${100 * (high - low)}%;
      background:repeating-linear-gradient(135deg, ${colours.ink} 0 1.5px, ${colours.background} 1.5px 5px)`
  })
  own.ribbon.title = shaky.length ? head.words.shaky : ""
}
