/** The laboratory's form: what it holds before anything is computed. */

const choices = (name, legend, options) => `
  <fieldset><legend>${legend}</legend>
    ${Object.entries(options)
      .map(([value, words]) => `<label><input type="radio" name="${name}" value="${value}"> ${words}</label>`)
      .join("")}
  </fieldset>`;

const options = (pairs) =>
  Object.entries(pairs)
    .map(([value, words]) => `<option value="${value}">${words}</option>`)
    .join("");

export const UNITS = { MI: "bits", L1: "L1", L2: "L2", r: "r" };
const MEASURES = {
  MI: "mutual information",
  L1: "L1 distance",
  L2: "L2 distance",
  r: "Pearson’s r",
};

export const VIEW = `
<div class="lab-start">
  <button type="button" class="lab-button" data-load disabled>Load the model</button>
  <progress max="1" aria-label="Loading" hidden></progress>
  <p role="status" data-status></p>
</div>
<form data-form hidden>
  <label class="lab-wide">Text <textarea name="text" rows="6" spellcheck="false"></textarea></label>
  <div class="lab-row">
    <label>Target <input name="target" list="lab-targets" size="14" autocomplete="off"></label>
    <datalist id="lab-targets"></datalist>
    <label>Targets compared <input name="n" type="number" min="3" max="40" required></label>
    <label>Each is read <select name="design">${options({
      worksheet: "in one pass over the text",
      "fixed-past": "at the end of its own window",
    })}</select></label>
    <label data-past>Tokens before it <input name="past" type="number" min="1" max="1023" required></label>
    <button class="lab-button" data-run>Run</button>
  </div>
</form>
<div class="lab-busy">
  <p role="status" data-busy></p>
  <button type="button" class="lab-button" data-stop aria-disabled="true">Stop</button>
</div>
<div data-results hidden>
  <section aria-labelledby="lab-tokens">
    <h2 id="lab-tokens">The tokens</h2>
    <p data-counts></p>
    <p class="lab-tokens" data-tokens tabindex="0" role="group" aria-label="The text, token by token"></p>
  </section>
  <section aria-labelledby="lab-sweep">
    <h2 id="lab-sweep">Through the blocks</h2>
    <div class="lab-row" data-choices>
      <label>Measure <select name="measure">${options(MEASURES)}</select></label>
      <label>Curve <select name="summary">${options({
        mean: "mean over the pairs",
        tau: "Kendall’s tau with token distance",
        p: "Mantel p of that tau",
      })}</select></label>
      <fieldset><legend>Beside the trained model</legend>
        <label><input type="checkbox" name="controls" value="untrained"> untrained</label>
        <label><input type="checkbox" name="controls" value="permuted"> permuted</label>
        <label>draws <input name="draws" type="number" min="1" max="9" required></label>
        <label>from number <input name="seed" type="number" min="0" max="999" required></label>
      </fieldset>
      <label data-shuffles>Shuffles <select name="shuffles">${options({ 999: "999", 9999: "9999" })}</select></label>
    </div>
    <p class="lab-note" data-overlap>Only pairs whose windows overlap are compared, as in the course's <a href="13-fixed-past.html">chapter on it</a>. A Mantel p would deal names over all pairs, so it is there for one pass only.</p>
    <ul class="lab-legend" data-legend></ul>
    <p class="lab-note" data-shuffles>p counts the other ways to name the targets, all of them or as many as you ask for: with three targets it is 1/6 at least, with four 1/24, with many 1/1000 or 1/10000.</p>
    <div class="lab-pair" data-curves></div>
    <details><summary>The curves as numbers</summary><div class="lab-scroll" data-numbers></div></details>
  </section>
  <section aria-labelledby="lab-pairs">
    <h2 id="lab-pairs">The pairs in one block</h2>
    <div class="lab-row">
      <label>Block <input name="block" type="range" min="0" step="1"> <output data-block></output></label>
      <label>Model <select name="kind"><option>trained</option></select></label>
      ${choices("component", "Part", { att: "attention", mlp: "MLP" })}
    </div>
    <div data-map></div>
    <p class="lab-bar" data-bar></p>
    <p data-pair></p>
    <details><summary>The pairs as numbers</summary><div class="lab-scroll lab-tall" data-pairs tabindex="0" role="group" aria-label="The pairs"></div></details>
  </section>
  <section aria-labelledby="lab-one">
    <h2 id="lab-one">One token</h2>
    <p>Position <select name="at" aria-label="Position of the token"></select>, in block
      <output data-block></output>, head <select name="head" aria-label="Head"></select></p>
    <h3>What it looks at</h3>
    <p class="lab-tokens" data-looks tabindex="0" role="group" aria-label="The tokens up to it"></p>
    <div class="lab-scroll" data-top-looks></div>
    <h3>What becomes of the next token</h3>
    <div class="lab-row">
      ${choices("part", "Replace", { head: "this head", att: "the whole attention", mlp: "the MLP" })}
      ${choices("to", "By", { zero: "zero", mean: "its mean" })}
      ${choices("where", "Where", { last: "at this token", all: "at every token read" })}
      <button type="button" class="lab-button" data-predict>Predict</button>
    </div>
    <p class="lab-note">The mean is that over the compared targets if this token is changed, over all tokens read if every one is.</p>
    <p role="status" data-cost></p>
    <div class="lab-scroll" data-prediction></div>
  </section>
  <section aria-labelledby="lab-keep">
    <h2 id="lab-keep">To keep</h2>
    <p>The address of this page holds what you chose. <span data-cut></span></p>
    <div class="lab-row">
      <button type="button" class="lab-button" data-save="csv">All pairs (CSV)</button>
      <button type="button" class="lab-button" data-save="json">All numbers (JSON)</button>
      <button type="button" class="lab-button" data-save="svg">The drawings (SVG)</button>
    </div>
  </section>
</div>`;
