/** What is kept under which names.  A value of another shape, as an edited file or another program
 * of this address may leave it, is none. */

const isFlag = (value) => typeof value === "boolean";
const isText = (value) => typeof value === "string";
const isNumber = (value) => Number.isFinite(value);
const isRecord = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const listOf = (fits) => (value) => Array.isArray(value) && value.every(fits);
const either = (...kinds) => (value) => kinds.some((fits) => fits(value));
const isPoint = (value) => listOf(isNumber)(value) && value.length === 2;

const SHAPES = {
  read: isFlag,
  done: isFlag,
  predict: (kept) => isRecord(kept) && isText(kept.words) && either(isNumber, listOf(isPoint))(kept.value),
  quiz: (kept) =>
    isRecord(kept) && either(isText, listOf(isText))(kept.given) && isFlag(kept.right) && isNumber(kept.tries),
  live: (kept) => isRecord(kept) && Object.values(kept).every(either(isText, listOf(isText))),
  checks: listOf(isText),
};

/** Whether a value is one that the course keeps under such a name, `kind:page…`. */
export function fits(name, value) {
  const [kind, page] = name.split(":");
  return Boolean(page) && Object.hasOwn(SHAPES, kind) && SHAPES[kind](value);
}
