// Shows a chapter as slides. Keys: arrows and space go on and back, S opens the speaker's view with
// the notes, Esc the overview, F fills the screen, B darkens it, C returns to the chapter.

import Reveal from "reveal.js";
import Notes from "reveal.js/plugin/notes";

const DOWN = ["ArrowDown", "PageDown", " "];
const UP = ["ArrowUp", "PageUp"];

/** Scroll a slide that is taller than the window, before a key leaves it; false if it is at its end. */
function scrolls({ key, shiftKey, ctrlKey, altKey, metaKey }) {
  if (ctrlKey || altKey || metaKey) return false;
  const slide = deck.getCurrentSlide();
  const isUp = UP.includes(key) || (key === " " && shiftKey);
  if (!isUp && !DOWN.includes(key)) return false;
  const rest = isUp ? slide.scrollTop : slide.scrollHeight - slide.clientHeight - slide.scrollTop;
  if (rest < 1) return false;
  const step = key.startsWith("Arrow") ? 0.2 : 0.8; // of the window
  slide.scrollBy({ top: (isUp ? -step : step) * slide.clientHeight });
  return true;
}

const place = document.querySelector(".reveal");
const deck = new Reveal(place, {
  plugins: [Notes],
  disableLayout: true, // the style sheet fits a slide into the window; what is scaled has other clicks
  display: "flex",
  hash: true,
  keyboardCondition: (event) => {
    if (!scrolls(event)) return true;
    event.preventDefault();
    return false;
  },
  slideNumber: "c/t",
  transition: "none",
});
deck.initialize().then(() => {
  deck.addKeyBinding({ keyCode: 67, key: "C", description: "Back to the chapter" }, () => {
    location.href = place.dataset.page;
  });
});
