/** The words of a script in the language of its page, which a page in another one than English brings. */

/** A text with its fields, `{name}`, filled in; in English where it is not translated. */
export function worded(text, fields = {}) {
  const said = globalThis.courseWords?.[text] ?? text;
  return said.replace(/\{(\w+)\}/g, (all, name) => String(fields[name] ?? all));
}
