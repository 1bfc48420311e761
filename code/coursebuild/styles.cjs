// One style sheet of many: the rules that some page or script of the site can use. Asked on the
// standard input for {styles, content}, lists of files; answers on the standard output.

const { readFileSync } = require("fs");
const esbuild = require("esbuild");
const postcss = require("postcss");
const { PurgeCSS } = require("purgecss");

const MADE_UP = [/^bs-tooltip/]; // a name that Bootstrap's script puts together
const MODE = /\[data-theme=["']?(light|dark)["']?\]/g;

/** A copy of a rule for what its selectors say of one theme, under a condition. */
function copied(rule, theme, params) {
  const selectors = rule.selectors.filter((selector) => selector.match(MODE));
  const copy = rule.clone({ selectors: selectors.map((s) => s.replaceAll(MODE, theme)) });
  return postcss.atRule({ name: "media", params, nodes: [copy] });
}

/** Take out the fonts that no rule names. */
function dropFonts(sheet) {
  const rest = sheet.clone();
  rest.walkAtRules("font-face", (rule) => rule.remove());
  const used = rest.toString();
  sheet.walkAtRules("font-face", (rule) => {
    const [family] = rule.nodes.filter(({ prop }) => prop === "font-family");
    if (!used.includes(family.value.replaceAll(/["']/g, ""))) rule.remove();
  });
}

/** Without a script a page has its system's theme, and on paper each is light: by the same rules. */
function settleThemes(sheet) {
  const rules = [];
  sheet.walkRules((rule) => {
    const modes = new Set([...rule.selector.matchAll(MODE)].map((match) => match[1]));
    if (modes.size === 1 && rule.parent.name !== "keyframes") rules.push([rule, [...modes][0]]);
  });
  for (const [rule, mode] of rules) {
    const system = `screen and (prefers-color-scheme: ${mode})`;
    const copies = [copied(rule, "[data-theme=auto]", system)];
    if (mode === "light") copies.push(copied(rule, "[data-theme]", "print"));
    rule.after(copies);
    if (mode === "dark") {
      const others = rule.selectors.filter((selector) => !selector.match(MODE));
      if (others.length) rule.before(rule.clone({ selectors: others }));
      rule.replaceWith(copied(rule, `[data-theme=${mode}]`, "screen"));
    }
  }
}

async function main() {
  const { styles, content } = JSON.parse(readFileSync(0, "utf8"));
  const raw = styles.map((name) => readFileSync(name, "utf8")).join("\n");
  const [{ css }] = await new PurgeCSS().purge({ content, css: [{ raw }], safelist: MADE_UP });
  const sheet = postcss.parse(css);
  // the icons are drawn by book/_static/icons.css
  sheet.walkAtRules("font-face", (rule) => rule.toString().includes("Font Awesome") && rule.remove());
  dropFonts(sheet);
  sheet.walkComments((comment) => comment.remove());
  settleThemes(sheet);
  const { code } = esbuild.transformSync(sheet.toString(), { loader: "css", minify: true });
  process.stdout.write(code);
}

main();
