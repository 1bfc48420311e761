/** What the reader has chosen, as the part of the address after #. */

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
      name in DEFAULTS && value !== DEFAULTS[name] && !(name === "text" && value.length > LONGEST),
  );
  return new URLSearchParams(changed).toString();
}

/** A state from the address's part; what is unknown there is left out. */
export function read(hash) {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const known = [...given].filter(([name]) => name in DEFAULTS);
  return { ...DEFAULTS, ...Object.fromEntries(known) };
}

/** Whether a state's text is too long for an address. */
export const isCut = ({ text }) => text.length > LONGEST;
