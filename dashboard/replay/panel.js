// The chosen candidate: numbers, facts, network, measures, what it looks at, how it learned.

/** Return the panel of candidate `i`. `view`: table, ranked, n, shown, best, decided, language, labels, t, pick. */
function drawPanel(view, i) {
  const { table, ranked, t } = view, detail = table.detail(i), parts = [];
  const score = ranked.interpretability[i];
  parts.push(html("div", { class: "head" }, [
    html("h2", { text: t("candidate", { number: table.index[i] }) }),
    i === view.decided ? html("span", { class: "badge decided-badge", text: t("badge_decided") }) : null,
    i === view.best ? html("span", { class: "badge best-badge", text: t(view.nearestOnly ? "badge_nearest" : "badge_best") }) : null,
    ranked.onFront[i] && i !== view.best ? html("span", { class: "badge", text: t("badge_front") }) : null,
    table.status[i] === "done" ? null : html("span", { class: "badge warn", text: t(`status_${table.status[i]}`) }),
    view.pinned && i !== view.best ? html("button", { type: "button", class: "plain back", text: t("back"), onclick: view.unpin }) : null,
  ]));
  parts.push(html("div", { class: "tiles" }, [
    tile("accuracy", table.metric.label, interval(table.performance[i], table.performance_low[i], table.performance_high[i])),
    tile("simple", t("interpretability"), number(score)),
    tile("", t("parameters"), count(table.parameters[i])),
    tile("", t("rank"), Number.isNaN(ranked.losses[0][i]) ? MISSING : `${ranked.order.indexOf(i) + 1} / ${count(view.n)}`),
  ]));
  const lines = detail?.lines?.[view.language] ?? [];
  const facts = [...lines, [t("built"), table.built(i)], [t("operations"), count(table.operations[i])], [t("origin"), (table.landmarks.includes(i) ? `${t("reference")}: ` : "") + table.madeBy(i)]];
  if (detail?.parents?.length) facts.push([t("parents"), detail.parents.map((n) => `#${n}`).join(", ")]);
  if (detail?.reason) facts.push([t("reason"), detail.reason]);
  parts.push(html("dl", { class: "facts" }, facts.filter(([, said]) => said).flatMap(([term, said]) => [html("dt", { text: term }), html("dd", { text: said })])));
  parts.push(detail?.graph ? drawNetwork(detail.graph, t) : html("p", { class: "quiet", text: t("no_graph") }));
  parts.push(section(t("measures"), measureBars(view, i, detail)));
  if (detail?.importance?.length) parts.push(section(t("importance"), importanceBars(detail.importance), t("importance_help")));
  if (detail?.curves?.valid_loss || detail?.curves?.train_loss) parts.push(section(t("curve"), learningCurve(detail.curves, t)));
  const metrics = Object.entries(detail?.metrics ?? {});
  if (metrics.length) parts.push(section(t("metrics"), html("dl", { class: "facts" }, metrics.flatMap(([name, value]) => [html("dt", { text: name.replaceAll("_", " ") }), html("dd", { text: number(value) })]))));
  return parts;
}

const tile = (kind, label, value) => html("div", { class: `tile ${kind}` }, [html("div", { class: "quiet", text: label }), html("div", { class: "value", text: value })]);
const section = (title, body, help) => html("section", {}, [html("h3", { text: title }), help ? html("p", { class: "quiet", text: help }) : null, body]);

function bar(label, share, value, { kind = "", low = null, high = null, help = "" } = {}) {
  const track = html("div", { class: "track" }), part = html("div", { class: `part ${kind}` });
  part.style.width = `${Math.max(0, Math.min(1, share || 0)) * 100}%`;
  track.append(part);
  if (low !== null && high - low > 0.002) {
    const spread = html("div", { class: "spread" });
    spread.style.left = `${low * 100}%`;
    spread.style.width = `${(high - low) * 100}%`;
    track.append(spread);
  }
  return html("div", { class: "bar", title: help }, [html("span", { text: label }), track, html("span", { class: "figure", text: value })]);
}

function measureBars(view, i, detail) {
  const { table, t } = view, M = table.names.length;
  return html("div", { class: "bars" }, table.names.map((name, m) => {
    const score = table.measures[i * M + m], weight = view.wish.shares[m], low = table.measures_low[i * M + m], high = table.measures_high[i * M + m];
    const help = Number.isNaN(score) ? detail?.undefined?.[name] ?? "" : `${t("interval")} ${number(low)} – ${number(high)} · ${t("weight")} ${percent(weight)}`;
    const row = bar(view.labels[name] ?? name, score, Number.isNaN(score) ? t("undefined") : number(score), { kind: "simple", low: Number.isNaN(score) ? null : low, high, help });
    if (!(weight > 0)) row.classList.add("off");
    return row;
  }));
}

const importanceBars = (found) => html("div", { class: "bars" }, found.map(([name, share]) => bar(name, share / found[0][1], percent(share), { kind: "accuracy" })));

function learningCurve(curves, t) {
  const epochs = curves.epochs?.[0] ?? 1;
  const series = [["train_loss", false], ["valid_loss", true]].filter(([name]) => curves[name]).map(([name, dashed]) => ({
    name: t(name), dashed, points: curves[name].map((value, k) => [1 + (k * (epochs - 1)) / Math.max(1, curves[name].length - 1), value]),
  }));
  return lineChart({ width: 460, height: 170, series, xLabel: t("epoch"), yLabel: t("loss"), label: t("curve") });
}

/** Draw a network from its outlines and routes. */
function drawNetwork(graph, t) {
  const pad = 8, picture = svg("svg", { viewBox: `${-pad} ${-pad} ${graph.w + 2 * pad} ${graph.h + 2 * pad}`, class: "network", role: "img", "aria-label": graph.words });
  picture.style.maxWidth = `${graph.w + 2 * pad}px`;
  for (const [x, y, width, height, label] of graph.groups) {
    picture.append(svg("rect", { class: "group", x, y, width, height, rx: 4 }));
    if (label) picture.append(svg("text", { class: "group-label", x: x + 5, y: y + 10, text: label }));
  }
  for (const [d, skip] of graph.edges) {
    const last = d.slice(1).split("L").map((point) => point.split(" ").map(Number)), [x, y] = last.at(-1);
    const [bx, by] = last.slice(0, -1).reverse().find(([px, py]) => Math.hypot(px - x, py - y) > 0.5) ?? [x, y - 1];
    const angle = (Math.atan2(y - by, x - bx) * 180) / Math.PI;
    picture.append(svg("path", { class: skip ? "edge skip" : "edge", d }));
    picture.append(svg("path", { class: skip ? "arrow skip" : "arrow", d: "M0 0L-6 -3L-6 3Z", transform: `translate(${x} ${y}) rotate(${angle.toFixed(0)})` }));
  }
  for (const [d, slot, x, y, first, second, title] of graph.boxes) {
    const box = svg("g", { class: "box" }, [svg("title", { text: title }), svg("path", { class: `kind k${slot % 8}`, d: `${d}Z` })]);
    box.append(svg("text", { x, y: second ? y - 2.5 : y + 4, "text-anchor": "middle", text: first }));
    if (second) box.append(svg("text", { class: "second", x, y: y + 10.5, "text-anchor": "middle", text: second }));
    picture.append(box);
  }
  return html("figure", { class: "network-frame" }, [picture, graph.note ? html("figcaption", { class: "quiet", text: graph.note }) : null]);
}
