/** Measures of two vectors, as `layerlab` defines them. */

const EULER = 0.5772156649015329;

/** The pairs i < j of n items, in SciPy's order: (0, 1), (0, 2), … */
export function pairsOf(n) {
  const pairs = [];
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) pairs.push([i, j]);
  return pairs;
}

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
 */
export function mutualInformation(x, y, k = 3) {
  const n = x.length;
  const [a, b] = [scaled(x), scaled(y)];
  const [dx, dy] = [new Float64Array(n), new Float64Array(n)];
  const nearest = new Float64Array(k);
  let sum = 0;
  for (let i = 0; i < n; i++) {
    nearest.fill(Infinity);
    for (let j = 0; j < n; j++) {
      dx[j] = Math.abs(a[j] - a[i]);
      dy[j] = Math.abs(b[j] - b[i]);
      const distance = dx[j] > dy[j] ? dx[j] : dy[j];
      if (distance < nearest[k - 1] && j !== i) insert(nearest, distance);
    }
    const radius = nearest[k - 1];
    let [inX, inY] = [0, 0]; // the point itself is among them
    for (let j = 0; j < n; j++) {
      if (dx[j] < radius) inX++;
      if (dy[j] < radius) inY++;
    }
    sum += digamma(Math.max(inX, 1)) + digamma(Math.max(inY, 1));
  }
  return Math.max(0, (digamma(n) + digamma(k) - sum / n) / Math.LN2);
}

function insert(nearest, distance) {
  let place = nearest.length - 1;
  for (; place > 0 && nearest[place - 1] > distance; place--) nearest[place] = nearest[place - 1];
  nearest[place] = distance;
}

/** Over the standard deviation, so that distances in x and in y compare. */
function scaled(x) {
  const middle = mean(x);
  const deviation = Math.sqrt(mean(Float64Array.from(x, (value) => (value - middle) ** 2)));
  return Float64Array.from(x, (value) => value / (deviation || 1));
}

const harmonic = [0];

/** Of a whole number from 1: the harmonic number before it, less Euler's constant. */
function digamma(n) {
  while (harmonic.length < n) harmonic.push(harmonic.at(-1) + 1 / harmonic.length);
  return harmonic[n - 1] - EULER;
}
