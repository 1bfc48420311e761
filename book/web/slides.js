// Shows a chapter as slides. Keys: arrows and space go on and back, S opens the speaker's view with
// the notes, Esc the overview, F fills the screen, B darkens it, C returns to the chapter.

import Reveal from "reveal.js";
import Notes from "reveal.js/plugin/notes";

const place = document.querySelector(".reveal");
const deck = new Reveal(place, {
  plugins: [Notes],
  disableLayout: true, // the style sheet fits a slide into the window; what is scaled has other clicks
  display: "flex",
  hash: true,
  slideNumber: "c/t",
  transition: "none",
});
deck.initialize().then(() => {
  deck.addKeyBinding({ keyCode: 67, key: "C", description: "Back to the chapter" }, () => {
    location.href = place.dataset.page;
  });
});
