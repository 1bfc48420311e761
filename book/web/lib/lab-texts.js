/** From tokens to the targets that are compared, and what each of them is read after. */

import { pairsOf } from "./pairs.js";

/** What the reader can mend. */
export class LaboratoryError extends Error {
  name = "LaboratoryError";
}

/**
 * Which targets are compared, and how each is read.
 *
 * @param {number[]} ids The text.
 * @param {number} targetId
 * @param {{design: string, nTargets: number, nPast: number, context: number}} options
 *   `worksheet`: the first targets, all in one pass over the text; `fixed-past`: each at the end
 *   of a window of its own, with `nPast` tokens before it, and only pairs whose windows overlap.
 */
export function plan(ids, targetId, { design, nTargets, nPast, context }) {
  const all = ids.flatMap((id, place) => (id === targetId ? [place] : []));
  const isFixed = design === "fixed-past";
  const usable = all.filter((place) => (isFixed ? place >= nPast : place < context));
  const positions = usable.slice(0, nTargets);
  if (positions.length < 3) {
    const where = isFixed ? `with ${nPast} tokens before it` : `within the first ${context} tokens`;
    const wayOut = isFixed && all.length > 2 ? " Fewer tokens in that past let more of them in." : "";
    const times = usable.length === 1 ? "once" : `${usable.length} times`;
    throw new LaboratoryError(
      `The target occurs ${times} ${where}; pairs are compared, so 3 are needed.${wayOut}`,
    );
  }
  const gapOf = ([i, j]) => positions[j] - positions[i];
  const pairs = pairsOf(positions.length).filter((pair) => !isFixed || gapOf(pair) <= nPast);
  if (pairs.length < 3) {
    throw new LaboratoryError(
      `With ${nPast} tokens before each of the ${positions.length} targets, the pairs whose windows ` +
        `overlap are ${pairs.length}, and 3 are needed. More targets make more pairs, and so does a longer past.`,
    );
  }
  return { ids, all, positions, pairs, gaps: pairs.map(gapOf), nPast: isFixed ? nPast : null, context };
}

const BROKEN = "\uFFFD"; // what stands for bytes that are no character
const MOST_TOKENS = 4; // of a character, which has no more bytes

/** The text of each token; a character that several tokens make stands with the last of them. */
export function textsOf(ids, decode) {
  let open = [];
  return ids.map((id) => {
    open.push(id);
    const text = decode(open);
    if (text.endsWith(BROKEN) && open.length < MOST_TOKENS) return "";
    open = [];
    return text;
  });
}

/** What a position is read in: the tokens up to it, as far back as the design says. */
export function readingOf({ ids, nPast, context }, position) {
  const from = Math.max(0, position - (nPast ?? context - 1));
  return { from, window: ids.slice(from, position + 1) };
}
