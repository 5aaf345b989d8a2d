// What stands under the front: the table of candidates, weights and goals, how the search went.

const PAGE = 100;

/** Draw the table. `view` as for the panel, with `sorting` {by, down, only, words, most} and `again`. */
function drawTable(place, view) {
  const { table, ranked, t, sorting } = view, position = new Int32Array(view.n);
  ranked.order.forEach((i, k) => { position[i] = k + 1; });
  const columns = [
    ["number", (i) => table.index[i], (i) => `#${table.index[i]}`], ["rank", (i) => position[i], (i) => (Number.isNaN(ranked.losses[0][i]) ? MISSING : count(position[i]))],
    ["metric", (i) => table.performance[i], (i) => interval(table.performance[i], table.performance_low[i], table.performance_high[i])],
    ["interpretability", (i) => ranked.interpretability[i], (i) => number(ranked.interpretability[i])],
    ["front", (i) => ranked.onFront[i], (i) => (ranked.onFront[i] ? "●" : "")],
    ["parameters", (i) => table.parameters[i], (i) => count(table.parameters[i])], ["status", (i) => table.status[i], (i) => t(`status_${table.status[i]}`)],
    ["built", (i) => table.built(i), (i) => table.built(i)], ["origin", (i) => table.madeBy(i), (i) => table.madeBy(i)],
  ];
  const words = sorting.words.trim().toLowerCase(), key = columns.find(([name]) => name === sorting.by)[1];
  const rows = Array.from({ length: view.n }, (_, i) => i).filter((i) => (!sorting.only || ranked.onFront[i]) &&
    (!words || `#${table.index[i]} ${table.built(i)} ${table.madeBy(i)}`.toLowerCase().includes(words)));
  const lacking = (value) => value === "" || Number.isNaN(value), way = sorting.down ? -1 : 1;
  rows.sort((a, b) => {
    const x = key(a), y = key(b);
    if (lacking(x) || lacking(y)) return lacking(x) - lacking(y) || a - b;
    return way * (typeof x === "string" ? x.localeCompare(y) : x - y) || a - b;
  });
  const head = columns.map(([name]) => html("th", { scope: "col", "aria-sort": sorting.by === name ? (sorting.down ? "descending" : "ascending") : "none", class: `col-${name}` }, [
    html("button", { type: "button", class: "plain", text: (name === "metric" ? table.metric.label : t(`col_${name}`)) + (sorting.by === name ? (sorting.down ? " ▾" : " ▴") : ""), onclick: () => view.sort(name) }),
  ]));
  const body = rows.slice(0, sorting.most).map((i) => html("tr", { class: i === view.shown ? "on" : "", onclick: () => view.pick(i) }, columns.map(([name, , said], k) =>
    html("td", { class: `col-${name}`, title: name === "built" ? said(i) : null }, k ? [document.createTextNode(said(i))] : [html("button", { type: "button", class: "plain link", text: said(i), onclick: (event) => { event.stopPropagation(); view.pick(i); } })]))));
  const more = rows.length > sorting.most ? html("button", { type: "button", text: t("more", { count: count(rows.length - sorting.most) }), onclick: view.more }) : null;
  place.replaceChildren(html("div", { class: "wide", tabindex: "0", role: "region", "aria-label": t("tab_candidates") }, [html("table", {}, [html("thead", {}, [html("tr", {}, head)]), html("tbody", {}, body)])]),
    html("p", { class: "quiet", text: t("rows", { shown: count(Math.min(rows.length, sorting.most)), count: count(rows.length) }) }), ...(more ? [more] : []));
}

/** Draw the weights of families and measures and the goal lines; `change` is called with what a person did. */
function drawWishes(place, view, change) {
  const { table, t, wish } = view, families = [...new Set(table.names.map((name) => table.homes[name]))];
  const several = families.length > 1 && !families.includes("");
  const slider = (label, value, set, share) => {
    const figure = html("span", { class: "figure", text: share });
    const input = html("input", { type: "range", min: "0", max: "3", step: "0.1", value: String(Math.min(3, value)), "aria-label": label });
    input.addEventListener("input", () => { set(Number(input.value)); change(); });
    return [html("label", { class: "weight" }, [html("span", { text: label }), input, figure]), figure];
  };
  const figures = [], groups = families.map((family) => {
    const inside = table.names.filter((name) => table.homes[name] === family), rows = [];
    const told = () => percent(inside.reduce((total, name) => total + view.wish.shares[table.names.indexOf(name)], 0));
    if (several) {
      const [row, figure] = slider(t(`family_${family}`), wish.sliders.families[family], (v) => { wish.sliders.families[family] = v; }, told());
      row.classList.add("family");
      rows.push(row);
      figures.push([figure, told]);
    }
    for (const name of inside) {
      const share = () => percent(view.wish.shares[table.names.indexOf(name)]);
      const [row, figure] = slider(view.labels[name] ?? name, wish.sliders.measures[name], (v) => { wish.sliders.measures[name] = v; }, share());
      rows.push(row);
      figures.push([figure, share]);
    }
    return html("div", { class: "group-box" }, rows);
  });
  place.replaceChildren(
    html("p", { class: "quiet", text: t("weights_help") }), html("div", { class: "weights" }, groups),
    html("h3", { text: t("goals") }), html("p", { class: "quiet", text: t("goals_help") }), goalRows(view, change),
    html("button", { type: "button", text: t("reset"), onclick: view.reset }));
  return () => figures.forEach(([figure, told]) => { figure.textContent = told(); });
}

function goalRows(view, change) {
  const { table, t, wish } = view, names = ["performance", "interpretability", ...table.names];
  const label = (name) => (name === "performance" ? table.metric.label : name === "interpretability" ? t("interpretability") : view.labels[name] ?? name);
  const rows = wish.goals.map((goal, at) => {
    const sign = goal.name === "performance" && !table.metric.maximise ? "≤" : "≥";
    const input = html("input", { type: "number", step: "any", value: String(goal.value), "aria-label": `${t("goal")}: ${label(goal.name)}` });
    const hint = html("span", { class: "warn-text" });
    input.addEventListener("change", () => {
      const value = Number(input.value), tried = { name: goal.name, value };
      const fits = input.value !== "" && Number.isFinite(value) && (goal.name === "performance" ? limitOf(tried, table.metric) !== null : value >= 0 && value <= 1);
      hint.textContent = fits ? "" : t("goal_refused", { best: goal.name === "performance" ? number(table.metric.best) : "1" });
      if (fits) { goal.value = value; change(); }
    });
    return html("div", { class: "goal-row" }, [html("span", { text: `${label(goal.name)} ${sign}` }), input,
      html("button", { type: "button", class: "plain", text: t("remove"), onclick: () => { wish.goals.splice(at, 1); change(true); } }), hint]);
  });
  const free = names.filter((name) => !wish.goals.some((goal) => goal.name === name));
  const choice = html("select", { "aria-label": t("goal_add") }, [html("option", { value: "", text: t("goal_add") }), ...free.map((name) => html("option", { value: name, text: label(name) }))]);
  choice.addEventListener("change", () => {
    if (!choice.value) return;
    const best = view.ranked.best, m = table.names.indexOf(choice.value);
    const now = best === null ? NaN : choice.value === "performance" ? table.performance[best] : m < 0 ? view.ranked.interpretability[best] : table.measures[best * table.names.length + m];
    wish.goals.push({ name: choice.value, value: Number.isFinite(now) ? Number(now.toPrecision(3)) : choice.value === "performance" ? table.metric.worst : 0.5 });
    if (limitOf(wish.goals.at(-1), table.metric) === null) wish.goals.at(-1).value = now;
    change(true);
  });
  return html("div", { class: "goal-rows" }, [...rows, choice]);
}

/** Draw how the hypervolume grew, and what was done to the run. */
function drawSearch(place, view) {
  const { table, t } = view, upto = table.volume.points.filter(([at]) => at <= view.n);
  const events = table.events[view.language] ?? [];
  const marks = events.filter(([at]) => at > 0 && at < table.count).map(([at, time, words]) => ({ at, words: `${time} ${words}` }));
  const parts = [html("h3", { text: t("volume") }), html("p", { class: "quiet", text: t("volume_help") })];
  if (table.volume.points.length > 1) {
    parts.push(lineChart({
      width: Math.max(420, place.clientWidth), height: 220, floor: table.volume.floor, marks, label: t("volume"), xLabel: t("candidates"), yLabel: t("volume"), class: "volume",
      series: [{ name: "", points: upto.length > 1 ? upto : table.volume.points.slice(0, 2) }],
    }));
  }
  parts.push(html("h3", { text: t("events") }));
  parts.push(events.length ? html("ol", { class: "events" }, events.map(([at, time, words]) => html("li", { class: at > view.n ? "later" : "" }, [
    html("button", { type: "button", class: "plain link", text: t("after", { count: count(at) }), onclick: () => view.go(Math.max(1, at)) }), html("span", { class: "quiet", text: time }), html("span", { text: words }),
  ]))) : html("p", { class: "quiet", text: t("events_none") }));
  place.replaceChildren(...parts);
}
