// The page: state, what is drawn from it, and what a hand does.

const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);

function readTable() {
  const c = data.columns, coded = (column) => { const at = unpack(column.at); return Array.from(at, (k) => column.values[k]); };
  const table = { count: data.count, names: data.names, homes: data.families, metric: data.metric, details: data.details, events: data.events };
  for (const name of ["performance", "performance_low", "performance_high", "performance_loss", "parameters", "operations", "seconds", "finished", "index", "eligible", "inside", "measures", "measures_low", "measures_high"]) table[name] = unpack(c[name]);
  for (const name of ["status", "operator", "origin"]) table[name] = coded(c[name]);
  table.landmarks = table.operator.slice(0, 64).flatMap((operator, i) => (operator.startsWith("landmark:") ? [i] : []));
  table.built = (i) => (data.built[i] ?? data.details[i]?.built ?? "").split(" · ").map(spoken).join(" · ");
  table.madeBy = (i) => spoken(table.operator[i].replace("landmark:", "").trim());
  table.detail = (i) => data.details[i];
  const at = unpack(data.volume.at), value = unpack(data.volume.value);
  table.volume = { floor: data.volume.floor, points: Array.from(at, (k, i) => [k + 1, value[i]]) };
  return table;
}

const table = readTable();
const positionOf = (number) => { const at = table.index.indexOf(number); return at < 0 ? null : at; };
const decided = data.decided === null ? null : positionOf(data.decided);
const state = {
  language: data.language, tab: decided === null ? "candidates" : "decision", n: table.count, pinned: decided, playing: 0, wish: startingWish(),
  sorting: { by: "rank", down: false, only: false, words: "", most: PAGE },
};
let range = null, ranked = null, ribbon = [], refreshWeights = () => {};

/** Return the preference the file begins with; sliders stand at 1 where everything counts the same. */
function startingWish() {
  const start = data.preference, sliders = { measures: {}, families: {} }, M = data.names.length;
  for (const family of new Set(Object.values(data.families))) {
    const inside = data.names.filter((name) => data.families[name] === family), own = inside.map((name) => start.shares[data.names.indexOf(name)]);
    const total = own.reduce((a, b) => a + b, 0);
    sliders.families[family] = (total * M) / inside.length;
    inside.forEach((name, k) => { sliders.measures[name] = total > 0 ? (own[k] * inside.length) / total : 1; });
  }
  return { weight: start.weight, shares: start.shares.slice(), goals: start.goals.map((goal) => ({ ...goal })), sliders };
}

/** Work out how much each measure counts from the sliders; equal where they leave nothing that counts. */
function reweigh() {
  const { sliders } = state.wish, families = Object.keys(sliders.families), sizes = {};
  for (const name of table.names) sizes[table.homes[name]] = (sizes[table.homes[name]] ?? 0) + 1;
  const several = families.length > 1 && !families.includes("");
  const wanted = several ? Object.fromEntries(families.map((f) => [f, sizes[f] * sliders.families[f]])) : {};
  const found = shares(table.names, table.homes, simplex(sliders.measures), simplex(wanted));
  state.wish.shares = sum(found) > 0 ? found : table.names.map(() => 1 / table.names.length);
}

/** Return words of the engine in the language of the page. */
function spoken(words) {
  return data.spoken?.[state.language]?.[words] ?? words;
}

function t(key, values = {}) {
  const sentence = data.texts[state.language].words[key] ?? data.texts.en.words[key] ?? key;
  return sentence.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

function viewNow() {
  const best = ranked.best, shown = state.pinned !== null && state.pinned < state.n ? state.pinned : best;
  return {
    table, ranked, t, best, shown, decided, n: state.n, language: state.language, labels: data.texts[state.language].measures, range, goals: state.wish.goals, wish: state.wish,
    pinned: state.pinned !== null, moving: state.n < table.count, nearestOnly: best !== null && state.wish.goals.length > 0 && !ranked.meets[best], sorting: state.sorting,
    pick: (i, keep) => { state.pinned = i; render(); if (keep) document.querySelector("#front svg").focus(); },
    unpin: () => { state.pinned = null; render(); },
    sort: (name) => { state.sorting.down = state.sorting.by === name ? !state.sorting.down : ["metric", "interpretability", "front"].includes(name) && (name !== "metric" || table.metric.maximise); state.sorting.by = name; drawTab(); },
    more: () => { state.sorting.most += 5 * PAGE; drawTab(); }, go: (n) => { state.n = Math.min(n, table.count); rerank(); },
    reset: () => { state.wish = { ...startingWish(), weight: state.wish.weight }; rerank(); drawTab(true); },
  };
}

/** Rank again and draw; without `moved` only λ has changed, so the ribbon stays. */
function rerank() {
  ranked = rank(table, state.wish, state.n);
  ribbon = winners(ranked.losses, ranked.leaders);
  render();
}

function render() {
  const view = viewNow(), { best, shown } = view;
  $("weight").value = state.wish.weight;
  $("weight").setAttribute("aria-valuetext", `λ = ${state.wish.weight.toFixed(2)}`);
  $("lambda").textContent = state.wish.weight.toFixed(2);
  drawRibbon($("ribbon"), ribbon, table, state.wish.weight, t, (weight) => { state.wish.weight = weight; state.pinned = null; rerank(); });
  const said = best === null ? t("sentence_none") : t(view.nearestOnly ? "sentence_nearest" : "sentence", {
    weight: state.wish.weight.toFixed(2), number: table.index[best], metric: table.metric.label,
    performance: interval(table.performance[best], table.performance_low[best], table.performance_high[best]), interpretability: number(ranked.interpretability[best]),
  });
  $("sentence").textContent = said;
  drawFront($("front"), view);
  const panel = $("panel");
  panel.replaceChildren(...(shown === null ? [html("p", { class: "quiet", text: t("sentence_none") })] : drawPanel(view, shown)));
  $("scrub").value = state.n;
  $("scrub").setAttribute("aria-valuetext", t("after", { count: count(state.n) }));
  $("moment").textContent = t("of", { n: count(state.n), count: count(table.count) });
  drawTab();
}

function drawTab(afresh = false) {
  const view = viewNow();
  for (const name of ["decision", "candidates", "wishes", "search"]) {
    const on = name === state.tab;
    $(`tab-${name}`).setAttribute("aria-selected", String(on));
    $(`tab-${name}`).tabIndex = on ? 0 : -1;
    $(`pane-${name}`).hidden = !on;
  }
  if (state.tab === "candidates") drawTable($("table"), view);
  if (state.tab === "search") drawSearch($("pane-search"), view);
  if (state.tab === "wishes" && (afresh || !$("pane-wishes").childElementCount)) {
    refreshWeights = drawWishes($("pane-wishes"), view, (goals) => { reweigh(); state.pinned = null; range = fullRange(); rerank(); if (goals) drawTab(true); refreshWeights(); });
  }
}

const fullRange = () => performanceRange(table, rank(table, state.wish, table.count).onFront, state.wish.goals);

function speak() {
  document.documentElement.lang = state.language;
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", t(element.dataset.label));
  const when = new Date(data.made * 1000).toLocaleDateString(state.language);
  $("subtitle").textContent = t("subtitle", { data: data.run.data, metric: table.metric.label, count: count(table.count), strategy: data.run.strategy, when });
  // written by the maker of the file, who escaped every word a person typed; the page's policy runs no script from it
  $("record").innerHTML = data.texts[state.language].decision;
  for (const button of document.querySelectorAll("[data-language]")) button.setAttribute("aria-pressed", String(button.dataset.language === state.language));
  drawLegend();
  render();
  drawTab(true);
}

function drawLegend() {
  const kinds = ["front", "best", "shown", ...(decided === null ? [] : ["decided"]), ...(table.landmarks.length ? ["landmark"] : []), "cloud", ...(table.inside.every((x) => x) ? [] : ["outside"])];
  const marks = {
    front: svg("circle", { class: "front-dot", cx: 8, cy: 8, r: 4 }), best: svg("circle", { class: "best", cx: 8, cy: 8, r: 6 }), shown: svg("circle", { class: "shown", cx: 8, cy: 8, r: 5.5 }),
    decided: svg("circle", { class: "decided", cx: 8, cy: 8, r: 6.5 }), landmark: svg("path", { class: "landmark", d: "M8 2L14 8L8 14L2 8Z" }), cloud: svg("path", { class: "cloud", d: "M8 8h0" }), outside: svg("path", { class: "outside", d: "M8 8h0" }),
  };
  $("legend").replaceChildren(...kinds.map((kind) => html("span", {}, [svg("svg", { width: 16, height: 16, "aria-hidden": "true" }, [marks[kind]]), document.createTextNode(t(`legend_${kind}`))])));
}

function play() {
  if (state.playing) return stopPlaying();
  if (state.n >= table.count) state.n = 1;
  const began = performance.now(), from = state.n, seconds = Math.max(3, Math.min(14, (table.count - from) / 40));
  state.pinned = null;
  $("play").setAttribute("aria-pressed", "true");
  $("play").textContent = "❚❚";
  const step = (now) => {
    const share = Math.min(1, (now - began) / (1000 * seconds)), n = Math.max(1, Math.round(from + share * (table.count - from)));
    if (n !== state.n) { state.n = n; rerank(); }
    if (share < 1) state.playing = requestAnimationFrame(step);
    else stopPlaying();
  };
  state.playing = requestAnimationFrame(step);
}

function stopPlaying() {
  cancelAnimationFrame(state.playing);
  state.playing = 0;
  $("play").setAttribute("aria-pressed", "false");
  $("play").textContent = "▶";
}

function wire() {
  $("weight").addEventListener("input", (event) => { state.wish.weight = Number(event.target.value); state.pinned = null; rerank(); });
  $("scrub").max = Math.max(1, table.count);
  $("scrub").addEventListener("input", (event) => { stopPlaying(); state.n = Number(event.target.value); rerank(); });
  $("play").addEventListener("click", play);
  $("only").addEventListener("change", (event) => { state.sorting.only = event.target.checked; drawTab(); });
  $("find").addEventListener("input", (event) => { state.sorting.words = event.target.value; drawTab(); });
  $("print").addEventListener("click", () => window.print());
  $("theme").addEventListener("click", () => { const root = document.documentElement, dark = (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark"; root.dataset.theme = dark ? "light" : "dark"; });
  for (const button of document.querySelectorAll("[data-language]")) button.addEventListener("click", () => { state.language = button.dataset.language; speak(); });
  const tabs = [...document.querySelectorAll("[role=tab]")];
  tabs.forEach((tab, at) => {
    tab.addEventListener("click", () => { state.tab = tab.id.slice(4); drawTab(true); });
    tab.addEventListener("keydown", (event) => {
      const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (way) { const next = tabs.filter((one) => !one.hidden).at((tabs.filter((one) => !one.hidden).indexOf(tab) + way) % tabs.filter((one) => !one.hidden).length); next.focus(); next.click(); }
    });
  });
  drawEventMarks();
  let wait = 0;
  addEventListener("resize", () => { cancelAnimationFrame(wait); wait = requestAnimationFrame(render); });
  addEventListener("beforeprint", () => render());
}

function drawEventMarks() {
  $("marks").replaceChildren(...(table.events.en ?? []).filter(([at]) => at > 0 && at < table.count).slice(0, 200).map(([at, time, words]) => {
    const mark = html("i", { title: `${time} ${words}` });
    mark.style.left = `${(100 * (at - 1)) / Math.max(1, table.count - 1)}%`;
    return mark;
  }));
}

if (decided === null) $("tab-decision").hidden = true;
wire();
range = fullRange();
ranked = rank(table, state.wish, state.n);
ribbon = winners(ranked.losses, ranked.leaders);
speak();
document.documentElement.dataset.ready = "yes";
