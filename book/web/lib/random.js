/** Chance that is the same on every machine: a reader and the next one see the same shuffles. */

/** Numbers between 0 and 1 from a seed (the generator "mulberry32"). */
export function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The list in random order; the list given stays as it is. */
export function shuffled(list, random) {
  const out = [...list];
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [out[i], out[j]] = [out[j], out[i]];
  }
  return out;
}

/** The numbers 0 to n - 1. */
export function range(n) {
  return Array.from({ length: n }, (_, i) => i);
}

/** A number from the standard normal distribution (Box and Muller's way). */
export function normal(random) {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** n samples of two normal variables with that correlation: [x, y]. */
export function normalPair(n, rho, random) {
  const x = range(n).map(() => normal(random));
  const y = x.map((value) => rho * value + Math.sqrt(1 - rho * rho) * normal(random));
  return [x, y];
}
