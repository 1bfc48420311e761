/** What a reader leaves here is kept in this browser, under one prefix, and nowhere else.
 *
 * Where a browser refuses to keep anything (private windows, pages from files in some), what is set
 * lasts as long as the page, and `lasting()` says so. */

import { fits } from "./kept.js";

export const PREFIX = "course:";

const PROBE = `${PREFIX}?`;

/** Told to the window whenever something is set or cleared. */
export const CHANGED = "course:changed";

// One for all scripts of a page, each of which has its own copy of this module.
const forThisPage = (globalThis[Symbol.for(PREFIX)] ??= new Map());
const tell = () => globalThis.dispatchEvent?.(new Event(CHANGED));

/** The browser's storage; null where it is refused.  A full one can still be read. */
function storage() {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}

function keys(kept) {
  const names = Array.from({ length: kept.length }, (_, i) => kept.key(i));
  return names.filter((name) => name.startsWith(PREFIX) && name !== PROBE);
}

/** Whether what is set is still there when the page is left.
 *
 * Asked by writing, of which other tabs hear: once a page, and never in answer to what these write. */
export function lasting() {
  try {
    const kept = storage();
    kept.setItem(PROBE, "");
    kept.removeItem(PROBE);
    return true;
  } catch {
    return false;
  }
}

/** Call that function whenever something is set or cleared, on this page or in another tab. */
export function onChange(act) {
  addEventListener(CHANGED, act);
  addEventListener("storage", ({ key }) => {
    if (key === null || (key.startsWith(PREFIX) && key !== PROBE)) act();
  });
}

/** The value kept under that name, undefined if there is none or it is none that the course keeps. */
export function get(name) {
  const text = forThisPage.get(name) ?? storage()?.getItem(PREFIX + name);
  try {
    const value = JSON.parse(text ?? null);
    return fits(name, value) ? value : undefined;
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
  return Object.fromEntries(wanted.map((name) => [name, get(name)]).filter(([, value]) => value !== undefined));
}

/** Forget what is kept under names that begin so; without one, all of it. */
export function clear(beginning = "") {
  const kept = storage();
  const begins = (name) => name.startsWith(beginning);
  for (const key of kept ? keys(kept) : []) if (begins(key.slice(PREFIX.length))) kept.removeItem(key);
  for (const name of [...forThisPage.keys()].filter(begins)) forThisPage.delete(name);
  tell();
}
