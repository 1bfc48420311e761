/** Measures of two vectors, as `layerlab` defines them. */

const EULER = 0.5772156649015329;

export function cityBlock(x, y) {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += Math.abs(x[i] - y[i]);
  return sum;
}

export function euclidean(x, y) {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i] - y[i]) ** 2;
  return Math.sqrt(sum);
}

export const mean = (x) => x.reduce((sum, value) => sum + value, 0) / x.length;

/** Pearson's r; NaN where a vector is constant. */
export function pearson(x, y) {
  const [meanX, meanY] = [mean(x), mean(y)];
  let [xx, yy, xy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const [a, b] = [x[i] - meanX, y[i] - meanY];
    xx += a * a;
    yy += b * b;
    xy += a * b;
  }
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : NaN;
}

/**
 * Mutual information in bits: the first estimator of Kraskov and others, from the distances to the
 * k-th nearest neighbour; never below 0. It is layerlab's but for the noise (a ten-billionth) that
 * tells equal values apart there: activations in 24 binary digits are not equal.
 *
 * Neighbours are looked for outwards in the order of x, no farther than the k-th found.
 */
export function mutualInformation(x, y, k = 3) {
  const n = x.length;
  const { order, sorted: xs } = prepared(x);
  const { values, sorted: sortedY } = prepared(y);
  const ys = Float64Array.from(order, (place) => values[place]);
  const nearest = new Float64Array(k);
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const radius = distanceTo(nearest, xs, ys, i);
    sum += digamma(nWithin(xs, xs[i], radius)) + digamma(nWithin(sortedY, ys[i], radius));
  }
  return Math.max(0, (digamma(n) + digamma(k) - sum / n) / Math.LN2);
}

/** Distance of the k-th nearest neighbour of point i, where `nearest` has room for k. */
function distanceTo(nearest, xs, ys, i) {
  const k = nearest.length;
  nearest.fill(Infinity);
  let [left, right, radius] = [i - 1, i + 1, Infinity];
  for (;;) {
    const toLeft = left < 0 ? Infinity : xs[i] - xs[left];
    const toRight = right < xs.length ? xs[right] - xs[i] : Infinity;
    const dx = toLeft < toRight ? toLeft : toRight;
    if (dx >= radius || dx === Infinity) return radius;
    const dy = Math.abs(ys[toLeft < toRight ? left-- : right++] - ys[i]);
    const distance = dx > dy ? dx : dy;
    if (distance < radius) {
      insert(nearest, distance);
      radius = nearest[k - 1];
    }
  }
}

function insert(nearest, distance) {
  let place = nearest.length - 1;
  for (; place > 0 && nearest[place - 1] > distance; place--) nearest[place] = nearest[place - 1];
  nearest[place] = distance;
}

/** How many of sorted values are nearer to one of them than a radius, itself included. */
function nWithin(sorted, value, radius) {
  const start = firstPlace(sorted, (other) => value - other < radius);
  const end = firstPlace(sorted, (other) => other - value >= radius);
  return Math.max(1, end - start); // of equal values none is nearer than 0
}

function firstPlace(sorted, isReached) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isReached(sorted[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}

const kept = new WeakMap();

/** Over the standard deviation, so that distances in x and in y compare; and in order. */
function prepared(x) {
  if (!kept.has(x)) {
    const middle = mean(x);
    const deviation = Math.sqrt(mean(Float64Array.from(x, (value) => (value - middle) ** 2)));
    const values = Float64Array.from(x, (value) => value / (deviation || 1));
    const order = Int32Array.from(values.keys()).sort((i, j) => values[i] - values[j]);
    kept.set(x, { values, order, sorted: Float64Array.from(order, (place) => values[place]) });
  }
  return kept.get(x);
}

const harmonic = [0];

/** The digamma function of a whole number from 1: the harmonic number before it, less Euler's constant. */
export function digamma(n) {
  while (harmonic.length < n) harmonic.push(harmonic.at(-1) + 1 / harmonic.length);
  return harmonic[n - 1] - EULER;
}
