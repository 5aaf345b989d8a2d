// Reading what the server sends (see figures/front.py): uint32 header length, JSON header, then per candidate x uint16,
// y uint16, number, flags; where the header says so z uint16, interpretability uint16, colour uint8. Coordinates are
// fractions of the header's ranges (of the logarithms on a logarithmic axis); a number is the step from the number before
// it, in the high half of the byte of the flags or in a byte of its own, or itself (uint32).

export const ON_FRONT = 1, RECENT = 2, MISSES = 4, OUTSIDE = 8

export function decode(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = view.getUint32(0, true)
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)))
  const n = head.count
  let at = 4 + length
  const part = (Type, size) => new Type(bytes.slice(at, (at += n * size)).buffer)
  const x = scale(part(Uint16Array, 2), head.x), y = scale(part(Uint16Array, 2), head.y)
  const told = head.step === 0 ? null : head.step === 1 ? summed(part(Uint8Array, 1)) : part(Uint32Array, 4)
  const packed = part(Uint8Array, 1)
  const number = told ?? summed(packed.map((byte) => byte >> 4)), flags = packed.map((byte) => byte & 15)
  const z = head.z ? scale(part(Uint16Array, 2), head.z) : null
  const interpretability = head.interpretability ? scale(part(Uint16Array, 2), head.interpretability) : null
  const colour = head.colour ? part(Uint8Array, 1) : null
  return { head, x, y, z, number, flags, interpretability, colour }
}

function summed(steps) {
  const out = new Uint32Array(steps.length)
  for (let i = 0, at = 0; i < steps.length; i++) out[i] = at += steps[i]
  return out
}

function scale(fractions, { data: [low, high], log }) {
  const out = new Float32Array(fractions.length)
  for (let i = 0; i < out.length; i++) {
    const value = low + (fractions[i] / 65535) * (high - low)
    out[i] = log ? 10 ** value : value
  }
  return out
}

// The positions of the points that `keep` says yes to.
export function which(data, keep) {
  const picked = []
  for (let i = 0; i < data.number.length; i++) if (keep(data.flags[i], data.number[i], i)) picked.push(i)
  return picked
}

// What a trace needs to draw the points at these positions.
export function drawn(data, at) {
  const found = { x: at.map((i) => data.x[i]), y: at.map((i) => data.y[i]), customdata: at.map((i) => data.number[i]) }
  if (data.z) found.z = at.map((i) => data.z[i])
  return found
}

export function points(data, keep) {
  return drawn(data, which(data, keep))
}

// The positions of candidates by their numbers; those that are not in the picture are left out.
export function positions(data, numbers) {
  const wanted = new Set(numbers)
  return wanted.size ? which(data, (_, n) => wanted.has(n)) : []
}

export function positionOf(data, number) {
  data.where ??= new Map(Array.from(data.number, (n, i) => [n, i]))
  return data.where.get(number)
}

export const reversed = (axis) => axis.range[1] < axis.range[0]

// The front from the worse end of x to the better one, which is always the right one.
export function frontOrder(data) {
  const sign = reversed(data.head.x) ? -1 : 1
  const up = reversed(data.head.y) ? -1 : 1
  return which(data, (f) => f & ON_FRONT).sort((a, b) => sign * (data.x[a] - data.x[b]) || up * (data.y[b] - data.y[a]))
}

// How many other points lie at the same place.
export function twins(data, i) {
  return which(data, (_, __, k) => k !== i && data.x[k] === data.x[i] && data.y[k] === data.y[i]
    && (!data.z || data.z[k] === data.z[i])).length
}

export function written(axis, value) {
  if (!Number.isFinite(value)) return "–"
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en")
  return axis.key === "performance" || axis.range[1] - axis.range[0] < 0.5 ? value.toPrecision(3) : value.toFixed(value < 10 ? 2 : 1)
}
