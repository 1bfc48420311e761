/** Python's words in the colours of the page: code in, elements out. */

const KEYWORDS =
  "False|None|True|and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|" +
  "for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise|return|try|while|with|yield";
const BUILTINS =
  "abs|all|any|bool|dict|enumerate|float|int|isinstance|len|list|map|max|min|open|print|range|" +
  "reversed|round|set|sorted|str|sum|tuple|type|zip";
const TEXT = String.raw`"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?`;
const TOKEN = new RegExp(
  [
    "(?<c1>#.*)",
    `(?<s2>(?<!\\w)[rbfuRBFU]{0,2}(?:${TEXT}))`,
    `(?<k>\\b(?:${KEYWORDS})\\b)`,
    `(?<nb>(?<![.\\w])(?:${BUILTINS})\\b(?!\\s*=[^=]))`,
    "(?<mi>(?<![\\w.])\\d[\\w.]*)",
  ].join("|"),
  "g",
);

/** The code as texts and elements with the classes that the page's highlighter uses. */
export function coloured(code) {
  const parts = [];
  let end = 0;
  for (const match of code.matchAll(TOKEN)) {
    const [name] = Object.entries(match.groups).find(([, text]) => text !== undefined);
    const span = document.createElement("span");
    span.className = name;
    span.textContent = match[0];
    parts.push(code.slice(end, match.index), span);
    end = match.index + match[0].length;
  }
  return [...parts, code.slice(end)];
}
