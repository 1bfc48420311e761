/** Chance that is the same on every machine: a reader and the next one see the same shuffles. */

/** Uniform numbers in [0, 1) from a whole number: the generator sfc32 of PractRand. */
export function randomSource(seed) {
  let [a, b, c, counter] = [0, seed | 0, 0x9e3779b9, 1];
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 15; i++) next(); // until the seed has reached every bit
  return next;
}

/** Standard normal numbers, two of them from two uniform ones. */
export function normalSource(uniform) {
  let spare = null;
  return () => {
    if (spare !== null) {
      const kept = spare;
      spare = null;
      return kept;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}

/** Shuffle in place, every order equally likely. */
export function shuffle(values, uniform) {
  for (let last = values.length - 1; last > 0; last--) {
    const other = Math.floor(uniform() * (last + 1));
    [values[last], values[other]] = [values[other], values[last]];
  }
  return values;
}

/** The list in random order; the list given stays as it is. */
export const shuffled = (list, uniform) => shuffle([...list], uniform);

/** The numbers 0 to n - 1. */
export function range(n) {
  return Array.from({ length: n }, (_, i) => i);
}

/** n samples of two normal variables with that correlation: [x, y]. */
export function normalPair(n, rho, uniform) {
  const normal = normalSource(uniform);
  const x = range(n).map(normal);
  const y = x.map((value) => rho * value + Math.sqrt(1 - rho * rho) * normal());
  return [x, y];
}
