/** What the reader has chosen, as the part of the address after #. */

const PARTS = ["tokens", "sweep", "pairs", "one"];
const LONGEST = 2000; // characters of a text that an address carries

export const DEFAULTS = {
  text: "", // empty: the course's article
  target: " coffee",
  n: "10",
  design: "worksheet",
  past: "255",
  component: "mlp",
  block: "3",
  measure: "L2",
  summary: "mean",
  controls: "",
  seed: "0",
  draws: "1",
  shuffles: "999",
  kind: "trained",
  at: "",
  head: "0",
  part: "att",
  to: "zero",
  where: "last",
};

/** The address's part for a state: only what differs from the defaults. */
export function written(state) {
  const changed = Object.entries(state).filter(
    ([name, value]) =>
      isChoice(name) && value !== DEFAULTS[name] && !(name === "text" && value.length > LONGEST),
  );
  return new URLSearchParams(changed).toString();
}

const isChoice = (name) => Object.hasOwn(DEFAULTS, name);
const parsed = (hash) => new URLSearchParams(hash.replace(/^#/, ""));

/** A state from the address's part; what is unknown there is left out. */
export function read(hash) {
  const known = [...parsed(hash)].filter(([name]) => isChoice(name));
  return { ...DEFAULTS, ...Object.fromEntries(known) };
}

/** Whether the address's part holds choices, and is not the name of a place on the page. */
export const holdsChoices = (hash) => [...parsed(hash).keys()].some((name) => isChoice(name) || name === "see");

/** The part of the page that the address leads to, if it names one. */
export const seen = (hash) => PARTS.find((name) => name === parsed(hash).get("see"));

/** Whether a state's text is too long for an address. */
export const isCut = ({ text }) => text.length > LONGEST;
