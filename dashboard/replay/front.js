// The Pareto front: the cloud, the step line, who is chosen; and the ribbon of who wins at which λ.

const RECENT = 32;

/** Return what the performance axis shows, fixed for the whole file so that nothing jumps: front, floors, most of the rest. */
function performanceRange(table, onFront, goals) {
  const sign = table.metric.maximise ? 1 : -1, all = [], front = [];
  for (let i = 0; i < table.count; i++) {
    if (!table.eligible[i] || Number.isNaN(table.performance[i])) continue;
    all.push(sign * table.performance[i]);
    if (onFront[i]) front.push(sign * table.performance[i]);
  }
  for (const goal of goals) if (goal.name === "performance") front.push(sign * goal.value);
  if (!all.length) return sign > 0 ? [0, 1] : [1, 0];
  all.sort((a, b) => a - b);
  const low = Math.min(...front, all[Math.floor(all.length * 0.1)]), high = Math.max(all.at(-1), ...front);
  const span = high - low || 0.1;
  return [sign * (low - 0.06 * span), sign * (high + 0.05 * span)];
}

/** Return the corners of the front as steps: what it reaches at each interpretability. */
function steps(points) {
  const corners = [];
  points.forEach(([x, y], at) => {
    if (at) corners.push([points[at - 1][0], y]);
    corners.push([x, y]);
  });
  return corners;
}

/** Draw the front. `view`: table, ranked, n, best, shown, decided, range, goals, words (t), pick. */
function drawFront(place, view) {
  const { table, ranked, n, t } = view, width = Math.max(360, place.clientWidth), height = Math.max(300, place.clientHeight);
  const p = plane({
    width, height, x: [-0.02, 1.03], y: view.range, xLabel: t("axis_interpretability"),
    yLabel: table.metric.maximise ? table.metric.label : t("axis_smaller", { metric: table.metric.label }),
  });
  const at = (i) => [p.X(ranked.interpretability[i]), Math.min(p.Y(table.performance[i]), height - p.bottom - 1)];
  const cloud = [], outside = [], recent = [], front = [];
  for (let i = 0; i < n; i++) {
    if (Number.isNaN(ranked.losses[0][i])) continue;
    if (ranked.onFront[i]) front.push(i);
    else if (!table.inside[i]) outside.push(at(i));
    else if (view.moving && i >= n - RECENT) recent.push(at(i));
    else cloud.push(at(i));
  }
  p.inside.append(svg("path", { class: "cloud", d: dots(cloud) }), svg("path", { class: "outside", d: dots(outside) }), svg("path", { class: "recent", d: dots(recent) }));
  for (const goal of view.goals) drawGoal(p, goal, table, t);
  front.sort((a, b) => ranked.interpretability[a] - ranked.interpretability[b] || a - b);
  const corners = steps(front.map(at));
  p.inside.append(svg("path", { class: "front-line", d: line(corners) }));
  for (const i of table.landmarks) if (i < n && !Number.isNaN(ranked.losses[0][i])) p.inside.append(landmark(at(i), table, i, t));
  for (const i of front) {
    const [x, y] = at(i), misses = view.goals.length && !ranked.meets[i];
    p.inside.append(svg("circle", { class: misses ? "front-dot misses" : "front-dot", cx: x, cy: y, r: 4 }));
  }
  if (view.decided !== null && view.decided < n && !Number.isNaN(ranked.losses[0][view.decided])) {
    const [x, y] = at(view.decided);
    p.inside.append(svg("circle", { class: "decided", cx: x, cy: y, r: 13 }));
  }
  for (const [i, kind] of [[view.best, "best"], [view.shown, "shown"]]) {
    if (i === null || i >= n || Number.isNaN(ranked.losses[0][i]) || (kind === "shown" && i === view.best)) continue;
    const [x, y] = at(i), right = x > width - 80;
    p.inside.append(svg("circle", { class: kind, cx: x, cy: y, r: kind === "best" ? 7.5 : 8 }));
    p.inside.append(svg("text", { class: `label ${kind}`, x: right ? x - 14 : x + 14, y: y - 10, "text-anchor": right ? "end" : "start", text: `#${table.index[i]}` }));
  }
  fill(p.root, {
    role: "img", tabindex: "0", height, class: "chart plot", "aria-label": t("front_words", { count: count(cloud.length + front.length), front: front.length }),
    onclick: (event) => { const i = nearest(event, p, at, ranked, n); if (i !== null) view.pick(i); },
    onmousemove: (event) => tip(event, p, at, view), onmouseleave: () => hideTip(),
    onkeydown: (event) => walk(event, front, view),
  });
  place.replaceChildren(p.root);
}

function drawGoal(p, goal, table, t) {
  const across = goal.name === "performance", place = across ? p.Y(goal.value) : goal.name === "interpretability" ? p.X(goal.value) : null;
  if (place === null) return;
  const ends = across ? { x1: p.left, x2: p.width - p.right, y1: place, y2: place } : { x1: place, x2: place, y1: p.top, y2: p.height - p.bottom };
  p.inside.append(svg("line", { class: `goal ${across ? "accuracy" : "simple"}`, ...ends }));
  const words = `${t("goal")} ${number(goal.value)}`;
  p.inside.append(svg("text", { class: "goal-label", x: across ? p.left + 6 : place + 5, y: across ? place - 5 : p.height - p.bottom - 7, text: words }));
}

function landmark([x, y], table, i, t) {
  const mark = svg("path", { class: "landmark", d: `M${x} ${y - 6}L${x + 6} ${y}L${x} ${y + 6}L${x - 6} ${y}Z` });
  mark.append(svg("title", { text: `${t("reference")}: ${table.madeBy(i)}` }));
  return mark;
}

/** Return the candidate nearest to the pointer, null when none is within 18 pixels. */
function nearest(event, p, at, ranked, n) {
  const box = p.root.getBoundingClientRect(), x = ((event.clientX - box.left) * p.width) / box.width, y = ((event.clientY - box.top) * p.height) / box.height;
  let found = null, least = 18 * 18;
  for (let i = 0; i < n; i++) {
    if (Number.isNaN(ranked.losses[0][i])) continue;
    const [cx, cy] = at(i), distance = (cx - x) ** 2 + (cy - y) ** 2 - (ranked.onFront[i] ? 25 : 0);
    if (distance < least) [found, least] = [i, distance];
  }
  return found;
}

/** Walk along the front with the arrow keys. */
function walk(event, front, view) {
  const way = { ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1 }[event.key];
  if (!way || !front.length) return;
  event.preventDefault();
  const now = front.indexOf(view.shown), next = now < 0 ? 0 : Math.min(front.length - 1, Math.max(0, now + way));
  view.pick(front[next], true);
}

function tip(event, p, at, view) {
  const i = nearest(event, p, at, view.ranked, view.n), box = document.getElementById("tip");
  p.root.classList.toggle("over", i !== null);
  if (i === null) return hideTip();
  const { table, ranked, t } = view;
  box.replaceChildren(
    html("b", { text: `#${table.index[i]}` }),
    html("div", { text: `${table.metric.label} ${interval(table.performance[i], table.performance_low[i], table.performance_high[i])}` }),
    html("div", { text: `${t("interpretability")} ${number(ranked.interpretability[i])}` }),
    html("div", { class: "quiet", text: table.built(i) }));
  box.hidden = false;
  box.style.left = `${Math.min(event.clientX + 14, innerWidth - box.offsetWidth - 8)}px`;
  box.style.top = `${Math.max(8, event.clientY - box.offsetHeight - 10)}px`;
}
const hideTip = () => { document.getElementById("tip").hidden = true; };

/** Draw who wins at which λ as bands that can be pressed; `t` speaks, `pick` gets the middle of a band. */
function drawRibbon(place, bands, table, weight, t, pick) {
  const parts = bands.map((band, at) => {
    const share = band.high - band.low, on = weight >= band.low && (weight < band.high || at === bands.length - 1);
    const words = t("band", { number: table.index[band.position], low: band.low.toFixed(2), high: band.high.toFixed(2) });
    const button = html("button", { type: "button", class: `band ${on ? "on" : ""} ${at % 2 ? "odd" : ""}`, title: words, "aria-label": words, onclick: () => pick((band.low + band.high) / 2) });
    button.style.flexGrow = Math.max(share, 0.0005);
    button.style.flexBasis = "0";
    if (share > 0.045) button.textContent = `#${table.index[band.position]}`;
    return button;
  });
  place.replaceChildren(...parts);
}
