// The engine's ranking in JavaScript: nas_core/preferences.py, search/limits.py, search/ranking.py, search/fronts.py.
// A test compares every number with theirs. n candidates, M measures; NaN: undefined, or not eligible.

const FLOOR = 0.01, AUGMENTATION = 0.05, NEGLIGIBLE = 1e-9;
const KINDS = { f8: Float64Array, f4: Float32Array, i4: Int32Array, u1: Uint8Array };

/** Return the numbers of a packed column: bytes in base64, little-endian as every browser's machine is. */
function unpack(column) {
  const text = atob(column.b), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return new KINDS[column.t](bytes.buffer);
}

/** Add up numbers in the order NumPy does (eight running sums from eight terms on), so that ties stay ties. */
function sum(terms) {
  const n = terms.length;
  if (n < 8) return terms.reduce((total, term) => total + term, 0);
  const r = Array.from(terms.slice(0, 8));
  let at = 8;
  for (; at < n - (n % 8); at += 8) for (let k = 0; k < 8; k++) r[k] += terms[at + k];
  let total = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
  for (; at < n; at++) total += terms[at];
  return total;
}

/** Return weights that sum to 1, as a Preference stores them; none where there are none. */
function simplex(weights) {
  const total = Object.values(weights).reduce((a, b) => a + b, 0);
  if (!(total > 0)) return {};
  return Object.fromEntries(Object.entries(weights).map(([name, weight]) => [name, weight / total]));
}

/** Return the share of each of `names`; `homes` says which family a measure belongs to. Preference.shares. */
function shares(names, homes, measures, families) {
  const known = Object.keys(measures).length, several = Object.keys(families).length;
  if (!several) return names.map((name) => (known ? measures[name] ?? 0 : 1 / names.length));
  const weights = names.map(() => 0);
  for (const [family, share] of Object.entries(families)) {
    const inside = names.map((name, at) => at).filter((at) => homes[names[at]] === family);
    const named = Object.keys(measures).some((name) => homes[name] === family);
    const own = inside.map((at) => (named ? measures[names[at]] ?? 0 : 1)), total = sum(own);
    if (total > 0) inside.forEach((at, k) => { weights[at] = (share * own[k]) / total; });
  }
  const total = sum(weights);
  return total > 0 ? weights.map((weight) => weight / total) : weights;
}

/** Return the weighted geometric mean (n) of scores (n × M), NaN where no weighted measure is defined. */
function interpretability(scores, n, weights) {
  const M = weights.length, means = new Float64Array(n), terms = new Array(M), present = new Array(M);
  for (let i = 0; i < n; i++) {
    for (let m = 0; m < M; m++) {
      const score = scores[i * M + m], missing = Number.isNaN(score);
      present[m] = missing ? 0 : weights[m];
      terms[m] = present[m] * Math.log((FLOOR + (missing ? 1 : score)) / (1 + FLOOR));
    }
    const total = sum(present);
    means[i] = total > 0 ? Math.exp(sum(terms) / total) : NaN;
  }
  return means;
}

/** Return which of the candidates that count are not dominated in two losses; equal ones do not dominate each other. */
function nonDominated(losses, counts) {
  const n = counts.length, mask = new Uint8Array(n), order = [];
  for (let i = 0; i < n; i++) if (counts[i]) order.push(i);
  order.sort((a, b) => losses[0][a] - losses[0][b] || losses[1][a] - losses[1][b]);
  let before = Infinity;
  for (let at = 0; at < order.length;) {
    const loss = losses[0][order[at]], least = losses[1][order[at]];
    if (least < before) {
      for (let k = at; k < order.length && losses[0][order[k]] === loss && losses[1][order[k]] === least; k++) mask[order[k]] = 1;
      before = least;
    }
    while (at < order.length && losses[0][order[at]] === loss) at++;
  }
  return mask;
}

/** Return the best value and the range of each loss on a front; a range of nothing counts as one. */
function frontScale(losses, mask) {
  const ideal = [Infinity, Infinity], worst = [-Infinity, -Infinity];
  for (let i = 0; i < mask.length; i++) {
    if (!mask[i]) continue;
    for (let k = 0; k < 2; k++) {
      ideal[k] = Math.min(ideal[k], losses[k][i]);
      worst[k] = Math.max(worst[k], losses[k][i]);
    }
  }
  return { ideal, span: ideal.map((low, k) => (worst[k] - low > NEGLIGIBLE ? worst[k] - low : 1)) };
}

function tchebycheff(performance, simplicity, weight) {
  const a = performance * (1 - weight), b = simplicity * weight;
  return Math.max(a, b) + AUGMENTATION * (a + b);
}

/** Return the largest loss that reaches a goal; null where no model can reach it. Limits.of. */
function limitOf(goal, metric) {
  if (goal.name !== "performance") return 1 - goal.value;
  const share = (metric.best - goal.value) / (metric.best - metric.worst);
  return share >= 0 ? Math.min(1, share) : null;
}

/**
 * Rank the first `n` candidates. `table` has performance_loss, measures (n × M), eligible, inside, names, metric;
 * `wish` has weight, shares (M) and goals. Returns what nas_core's Ranking holds, by the same names.
 */
function rank(table, wish, n) {
  const M = table.names.length, means = interpretability(table.measures, n, wish.shares);
  const losses = [new Float64Array(n), new Float64Array(n)], violation = new Float64Array(n);
  const ranked = new Uint8Array(n), counts = new Uint8Array(n);
  const limits = wish.goals.map((goal) => limitOf(goal, table.metric));
  let some = false;
  for (let i = 0; i < n; i++) {
    if (!table.eligible[i]) means[i] = NaN;
    losses[0][i] = Number.isNaN(means[i]) ? NaN : table.performance_loss[i];
    losses[1][i] = 1 - means[i];
    ranked[i] = Number.isNaN(losses[0][i]) || Number.isNaN(losses[1][i]) ? 0 : 1;
    some ||= ranked[i] && table.inside[i];
    const misses = wish.goals.map((goal, g) => {
      const at = table.names.indexOf(goal.name), kind = goal.name === "performance" ? 0 : goal.name === "interpretability" ? 1 : 2;
      const reached = kind < 2 ? losses[kind][i] : at < 0 ? 1 : 1 - table.measures[i * M + at];
      return Math.max(0, (Number.isNaN(reached) ? 1 : reached) - limits[g]);
    });
    violation[i] = ranked[i] ? sum(misses) : Infinity;
  }
  for (let i = 0; i < n; i++) counts[i] = ranked[i] && (!some || table.inside[i]) ? 1 : 0;
  const onFront = nonDominated(losses, counts);
  let least = Infinity;
  for (let i = 0; i < n; i++) if (counts[i]) least = Math.min(least, violation[i]);
  const nearest = counts.map((count, i) => (count && violation[i] <= least ? 1 : 0));
  const leaders = nearest.every((near, i) => near === counts[i]) ? onFront : nonDominated(losses, nearest);
  const any = leaders.some((leads) => leads), { ideal, span } = frontScale(losses, leaders);
  const score = new Float64Array(n).fill(Infinity), total = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    total[i] = losses[0][i] + losses[1][i];
    if (ranked[i]) score[i] = any ? tchebycheff((losses[0][i] - ideal[0]) / span[0], (losses[1][i] - ideal[1]) / span[1], wish.weight) : NaN;
  }
  const by = (values, a, b) => (values[a] === values[b] ? 0 : values[a] - values[b] || 0);
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) =>
    ranked[b] - ranked[a] || counts[b] - counts[a] || by(violation, a, b) || by(score, a, b) || by(total, a, b) || leaders[b] - leaders[a] || a - b);
  const meets = violation.map((missed, i) => (ranked[i] && missed === 0 ? 1 : 0));
  return { interpretability: means, losses, onFront, meets, violation, leaders, score, order, best: any ? order[0] : null };
}

/** Return who ranks first at which λ: intervals {position, low, high} that tile [0, 1]. search/ranking.winners. */
function winners(losses, leaders) {
  const mask = nonDominated(losses, leaders);
  let front = Array.from(mask.keys()).filter((i) => mask[i]);
  if (!front.length) return [];
  front.sort((a, b) => losses[0][a] - losses[0][b] || a - b);
  front = front.filter((i, k) => !k || losses[0][i] > losses[0][front[k - 1]]);
  const { ideal, span } = frontScale(losses, mask);
  const scaled = front.map((i) => [(losses[0][i] - ideal[0]) / span[0], (losses[1][i] - ideal[1]) / span[1]]);
  const stack = [];
  for (let at = 0; at < front.length; at++) {
    let start = 0;
    while (stack.length && (start = takeover(scaled[stack.at(-1)[0]], scaled[at])) <= stack.at(-1)[1]) stack.pop();
    stack.push([at, start]);
  }
  return stack.map(([at, low], k) => ({ position: front[at], low, high: k + 1 < stack.length ? stack[k + 1][1] : 1 }));
}

/** Return the λ at which the simpler of two candidates draws level with the more accurate one. */
function takeover(accurate, simple) {
  const inside = [accurate, simple].filter(([a, b]) => a + b > 0).map(([a, b]) => a / (a + b));
  const knots = [...new Set([0, 1, ...inside])].sort((a, b) => a - b);
  let before = 0, lead = tchebycheff(...accurate, 0) - tchebycheff(...simple, 0);
  for (const knot of knots.slice(1)) {
    const gap = tchebycheff(...accurate, knot) - tchebycheff(...simple, knot);
    if (gap >= 0) return gap > lead ? before + (knot - before) * (-lead / (gap - lead)) : knot;
    [before, lead] = [knot, gap];
  }
  return 1;
}
