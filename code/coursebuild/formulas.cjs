// Formulas in, HTML out: a list of {tex, display} as JSON on the standard input, and on the
// standard output a list of {html} or, where KaTeX cannot read the formula, of {error}.

const katex = require("katex");

// What MathML adds of TeX nobody sees or hears, and each formula would have three elements for it.
const TEX = /<semantics>(.*?)<annotation\b[^>]*>.*?<\/annotation><\/semantics>/gs;

function draw({ tex, display }) {
  const options = { displayMode: display, output: "htmlAndMathml", strict: "error" };
  try {
    const html = katex.renderToString(tex, options);
    const hidden = html.replaceAll("<svg ", '<svg aria-hidden="true" '); // roots and long arrows
    return { html: hidden.replace(TEX, "$1") };
  } catch (error) {
    return { error: error.message };
  }
}

const formulas = JSON.parse(require("fs").readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(formulas.map(draw)));
