/** What becomes of the prediction of the next token. */

/** Natural logarithms of the probabilities, from scores. */
export function logProbabilities(scores) {
  const highest = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  let sum = 0;
  for (const score of scores) sum += Math.exp(score - highest);
  const all = highest + Math.log(sum);
  return Float64Array.from(scores, (score) => score - all);
}

/** Kullback-Leibler divergence in bits, of the changed prediction from the unchanged one. */
export function divergence(before, after) {
  let nats = 0;
  for (let i = 0; i < before.length; i++) nats += Math.exp(before[i]) * (before[i] - after[i]);
  return nats / Math.LN2;
}

/** The likeliest tokens before or after a change, with both probabilities. */
export function likeliest(before, after, nTop) {
  const top = (values) =>
    Array.from(values.keys())
      .sort((i, j) => values[j] - values[i])
      .slice(0, nTop);
  return [...new Set([...top(before), ...top(after)])].map((id) => ({
    id,
    before: Math.exp(before[id]),
    after: Math.exp(after[id]),
  }));
}
