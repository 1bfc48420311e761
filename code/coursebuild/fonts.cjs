// Cuts fonts. Asked on the standard input for a list of {from, to, letters, weights}: of a font's
// file, the letters and the weights to keep: one of these, {min, max}, or null for what there is.

const { readFileSync, writeFileSync } = require("fs");
const subset = require("subset-font");

const FEATURES = ["ccmp", "kern", "liga", "locl", "mark", "mkmk", "tnum"]; // what the pages use

async function main() {
  for (const { from, to, letters, weights } of JSON.parse(readFileSync(0, "utf8"))) {
    const variationAxes = weights === null ? undefined : { wght: weights };
    const options = { targetFormat: "woff2", keepFeatures: FEATURES, noHinting: true, variationAxes };
    writeFileSync(to, await subset(readFileSync(from), letters, options));
  }
}

main();
