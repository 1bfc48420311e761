/** Kendall's tau and the Mantel test of two lists over the pairs of some items. */

import { itemsOf, pairsOf } from "./pairs.js";
import { randomSource, shuffle } from "./random.js";

/** Ranks from 0, equal values sharing one. */
function ranks(values) {
  const sorted = Float64Array.from(new Set(values)).sort();
  const places = new Map(Array.from(sorted, (value, place) => [value, place]));
  return Int32Array.from(values, (value) => places.get(value));
}

/** How many pairs of entries are equal. */
function nTies(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  let ties = 0;
  for (const count of counts.values()) ties += (count * (count - 1)) / 2;
  return ties;
}

/**
 * A function that counts concordant less discordant pairs of entries, in n log n steps: with one
 * list in order, a discordant pair is one that sorting the other list has to turn round (Knight
 * 1966). `second` is sorted once, for the first list changes from call to call.
 */
function concordanceWith(second) {
  const n = second.length;
  const order = Int32Array.from(second.keys()).sort((i, j) => second[i] - second[j]);
  const groups = [];
  for (let start = 0, end = 0; start < n; start = end) {
    while (end < n && second[order[end]] === second[order[start]]) end++;
    if (end - start > 1) groups.push([start, end]);
  }
  const [arranged, spare] = [new Int32Array(n), new Int32Array(n)];
  const comparable = (n * (n - 1)) / 2 - nTies(second);
  return (first, firstTies) => {
    for (let i = 0; i < n; i++) arranged[i] = first[order[i]];
    let both = 0;
    for (const [start, end] of groups) {
      const group = arranged.subarray(start, end).sort();
      both += nTies(group);
    }
    return comparable - firstTies + both - 2 * countTurns(arranged, spare);
  };
}

/** Sort by merging, and count the pairs that stood in the wrong order. */
function countTurns(values, spare) {
  let turns = 0;
  for (let width = 1; width < values.length; width *= 2) {
    for (let start = 0; start < values.length; start += 2 * width) {
      const middle = Math.min(start + width, values.length);
      const end = Math.min(start + 2 * width, values.length);
      let [left, right] = [start, middle];
      for (let place = start; place < end; place++) {
        if (left < middle && (right >= end || values[left] <= values[right])) {
          spare[place] = values[left++];
        } else {
          turns += middle - left;
          spare[place] = values[right++];
        }
      }
    }
    values.set(spare);
  }
  return turns;
}

/** Kendall's tau-b; NaN where a list is constant, or holds less than two values. */
export function kendallTau(x, y) {
  const all = (x.length * (x.length - 1)) / 2;
  const [first, second] = [ranks(x), ranks(y)];
  const [firstTies, secondTies] = [nTies(first), nTies(second)];
  const scale = Math.sqrt((all - firstTies) * (all - secondTies));
  return scale > 0 ? concordanceWith(second)(first, firstTies) / scale : NaN;
}

/**
 * The two-sided p-value of tau between two lists over the pairs of items: the items of the first
 * are renamed at random. All names are tried, and p is exact, where there are no more than
 * `nPermutations` ways. NaN where a list is constant.
 */
export function mantelP(first, second, { nPermutations = 999, seed = 0 } = {}) {
  const nItems = itemsOf(first.length);
  if (Number.isNaN(kendallTau(first, second))) return NaN;
  const ranked = ranks(first);
  const ties = nTies(ranked);
  const concordance = concordanceWith(ranks(second));
  const observed = Math.abs(concordance(ranked, ties));
  const renamed = renamer(ranked, nItems);
  const exact = factorial(nItems) <= nPermutations;
  let [reached, tried] = exact ? [0, 0] : [1, 1]; // by chance: the observed names count, too
  for (const names of exact ? allOrders(nItems) : someOrders(nItems, nPermutations, seed)) {
    if (Math.abs(concordance(renamed(names), ties)) >= observed) reached++;
    tried++;
  }
  return reached / tried;
}

/** A function that gives the list over pairs after its items got other names. */
function renamer(values, nItems) {
  const pairs = pairsOf(nItems);
  const matrix = new Int32Array(nItems * nItems);
  pairs.forEach(([i, j], m) => (matrix[i * nItems + j] = matrix[j * nItems + i] = values[m]));
  const found = new Int32Array(values.length);
  return (names) => {
    for (let i = 0, m = 0; i < nItems; i++) {
      const row = names[i] * nItems;
      for (let j = i + 1; j < nItems; j++) found[m++] = matrix[row + names[j]];
    }
    return found;
  };
}

const factorial = (n) => (n > 1 ? n * factorial(n - 1) : 1);

function* someOrders(n, times, seed) {
  const uniform = randomSource(seed);
  const names = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = 0; i < times; i++) yield shuffle(names, uniform);
}

function* allOrders(n, names = [...Array(n).keys()], fixed = 0) {
  if (fixed === n) yield names;
  for (let other = fixed; other < n; other++) {
    [names[fixed], names[other]] = [names[other], names[fixed]];
    yield* allOrders(n, names, fixed + 1);
    [names[fixed], names[other]] = [names[other], names[fixed]];
  }
}
