// Formulas in, HTML out: a list of {tex, display} as JSON on the standard input, and on the
// standard output a list of {html} or, where KaTeX cannot read the formula, of {error}.

const katex = require("katex");

function draw({ tex, display }) {
  const options = { displayMode: display, output: "htmlAndMathml", strict: "error" };
  try {
    const html = katex.renderToString(tex, options);
    return { html: html.replaceAll("<svg ", '<svg aria-hidden="true" ') }; // roots and long arrows
  } catch (error) {
    return { error: error.message };
  }
}

const formulas = JSON.parse(require("fs").readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(formulas.map(draw)));
