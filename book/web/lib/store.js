/** What a reader leaves here is kept in this browser, under one prefix, and nowhere else.
 *
 * Where a browser refuses to keep anything (private windows, pages from files in some), what is set
 * lasts as long as the page, and `lasting()` says so. */

export const PREFIX = "course:";

/** Told to the window whenever something is set or cleared. */
export const CHANGED = "course:changed";

// One for all scripts of a page, each of which has its own copy of this module.
const forThisPage = (globalThis[Symbol.for(PREFIX)] ??= new Map());
const tell = () => globalThis.dispatchEvent?.(new Event(CHANGED));

function storage() {
  try {
    const { localStorage } = globalThis;
    localStorage.setItem(`${PREFIX}?`, "");
    localStorage.removeItem(`${PREFIX}?`);
    return localStorage;
  } catch {
    return null;
  }
}

function keys(kept) {
  const names = Array.from({ length: kept.length }, (_, i) => kept.key(i));
  return names.filter((name) => name.startsWith(PREFIX));
}

/** Whether what is set is still there when the page is left. */
export function lasting() {
  return storage() !== null;
}

/** The value kept under that name, undefined if there is none or it cannot be read. */
export function get(name) {
  const text = storage()?.getItem(PREFIX + name) ?? forThisPage.get(name);
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined; // written by something else than `set`
  }
}

/** Keep a value that JSON can hold; returns whether it lasts. */
export function set(name, value) {
  const text = JSON.stringify(value);
  try {
    storage().setItem(PREFIX + name, text);
    forThisPage.delete(name);
  } catch {
    forThisPage.set(name, text); // refused, or full
  }
  tell();
  return !forThisPage.has(name);
}

/** All that is kept whose name begins so: { name: value }. */
export function all(beginning = "") {
  const kept = storage();
  const names = [...forThisPage.keys(), ...(kept ? keys(kept) : []).map((k) => k.slice(PREFIX.length))];
  const wanted = names.filter((name) => name.startsWith(beginning)).sort();
  return Object.fromEntries(wanted.map((name) => [name, get(name)]));
}

/** Forget what is kept under names that begin so; without one, all of it. */
export function clear(beginning = "") {
  const kept = storage();
  for (const name of Object.keys(all(beginning))) {
    kept?.removeItem(PREFIX + name);
    forThisPage.delete(name);
  }
  tell();
}
