// Elements, numbers and axes: what every picture of the file is made of. Colours are CSS variables, so that the two
// appearances and paper need no other drawing.

const SVG = "http://www.w3.org/2000/svg";
const MISSING = "–";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name === "text") element.textContent = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...(children ?? []).filter((child) => child !== null));
  return element;
}
const svg = (tag, attributes, children) => fill(document.createElementNS(SVG, tag), attributes, children);
const html = (tag, attributes, children) => fill(document.createElement(tag), attributes, children);

/** Write a number with three significant digits, as the studio does. */
function number(value, digits = 3) {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING;
  if (value === 0) return "0";
  let size = Math.floor(Math.log10(Math.abs(value)));
  if (size >= 6 || size < -4) return value.toExponential(digits - 1);
  size = Math.floor(Math.log10(Math.abs(Number(value.toPrecision(digits)))));
  const decimals = Math.max(0, digits - 1 - size);
  return value.toLocaleString("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}
const count = (value) => Math.round(value).toLocaleString("en");
const percent = (share) => (Number.isFinite(share) ? `${Math.round(100 * share)} %` : MISSING);

/** Write a value with half of its 95 % interval, both to the same decimals. */
function interval(value, low, high) {
  const told = number(value), half = (high - low) / 2;
  if (!Number.isFinite(half) || told === MISSING) return told;
  const decimals = (told.split(".")[1] ?? "").length, same = half.toFixed(decimals);
  return `${told} ± ${Number(same) ? same : half.toPrecision(1)}`;
}

/** Return about `many` round numbers between two ends. */
function ticks(low, high, many = 5) {
  const span = Math.abs(high - low) || 1, raw = span / many, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((k) => k * power).find((k) => k >= raw), found = [];
  const [from, to] = low < high ? [low, high] : [high, low];
  for (let at = Math.ceil(from / step - 1e-9); at * step <= to + step * 1e-9; at++) found.push(at * step);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9), step / power === 2.5 ? 1 - Math.floor(Math.log10(power)) : 0);
  return found.map((value) => ({ value, label: value.toFixed(decimals) }));
}

/** Return a plane of `width` × `height` pixels with axes: where values lie, and the group that is drawn in. */
function plane({ width, height, x, y, xLabel, yLabel, bottom = 40, top = 10, right = 14 }) {
  const across = ticks(x[0], x[1], width / 90), up = ticks(y[0], y[1], height / 45);
  const left = 34 + 7 * Math.max(2, ...up.map(({ label }) => label.length));
  const X = (value) => left + ((value - x[0]) / (x[1] - x[0] || 1)) * (width - left - right);
  const Y = (value) => height - bottom - ((value - y[0]) / (y[1] - y[0] || 1)) * (height - bottom - top);
  const axes = svg("g", { class: "axes", "aria-hidden": "true" });
  for (const { value, label } of across) {
    axes.append(svg("line", { x1: X(value), x2: X(value), y1: top, y2: height - bottom }));
    axes.append(svg("text", { x: X(value), y: height - bottom + 15, "text-anchor": "middle", text: label }));
  }
  for (const { value, label } of up) {
    axes.append(svg("line", { x1: left, x2: width - right, y1: Y(value), y2: Y(value) }));
    axes.append(svg("text", { x: left - 7, y: Y(value) + 4, "text-anchor": "end", text: label }));
  }
  axes.append(svg("text", { class: "title", x: (left + width - right) / 2, y: height - 6, "text-anchor": "middle", text: xLabel }));
  const middle = (top + height - bottom) / 2;
  axes.append(svg("text", { class: "title", x: 13, y: middle, "text-anchor": "middle", transform: `rotate(-90 13 ${middle})`, text: yLabel }));
  const inside = svg("g", {});
  const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, width: "100%" }, [axes, inside]);
  return { root, inside, X, Y, width, height, left, right, top, bottom };
}

/** Return one path of round dots, which is drawn faster than as many circles. */
const dots = (points) => points.map(([x, y]) => `M${x.toFixed(1)} ${y.toFixed(1)}h0`).join("");

/** Return the path of a line through points. */
const line = (points) => (points.length ? "M" + points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L") : "");

/** Return a line chart of series [{name, points, dashed}] with a legend of its own. */
function lineChart({ width, height, series, xLabel, yLabel, floor, marks = [], label, class: kind = "" }) {
  const all = series.flatMap((s) => s.points), xs = all.map((p) => p[0]), ys = all.map((p) => p[1]);
  if (floor !== null && floor !== undefined) ys.push(floor);
  const low = Math.min(...ys), high = Math.max(...ys), pad = (high - low) * 0.06 || 0.05;
  const p = plane({ width, height, x: [Math.min(...xs), Math.max(...xs)], y: [low - pad, high + pad], xLabel, yLabel });
  if (floor !== null && floor !== undefined) p.inside.append(svg("line", { class: "floor", x1: p.left, x2: width - p.right, y1: p.Y(floor), y2: p.Y(floor) }));
  for (const mark of marks) {
    p.inside.append(svg("line", { class: "mark", x1: p.X(mark.at), x2: p.X(mark.at), y1: p.top, y2: height - p.bottom }, [svg("title", { text: mark.words })]));
  }
  series.forEach((s, at) => {
    p.inside.append(svg("path", { class: `series s${at} ${s.dashed ? "dashed" : ""}`, d: line(s.points.map(([x, y]) => [p.X(x), p.Y(y)])) }));
  });
  fill(p.root, { role: "img", "aria-label": label, class: `chart ${kind}` });
  const names = series.filter((s) => s.name).map((s, at) => html("span", { class: `key s${at} ${s.dashed ? "dashed" : ""}`, text: s.name }));
  return html("figure", {}, [p.root, names.length > 1 ? html("figcaption", { class: "keys" }, names) : null]);
}
