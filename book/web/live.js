// Runs a page's code in the page, in a kernel that `make live` or a Jupyter server elsewhere starts.

import { beside, make } from "./live/dom.js";
import { start } from "./live/page.js";

async function load(page) {
  const answer = await fetch(beside(`../live/${page}.json`));
  if (!answer.ok) throw new Error(`the code of this page cannot be loaded (${answer.status})`);
  return answer.json();
}

function style() {
  const link = make("link", { rel: "stylesheet", href: beside("live.css") });
  document.head.append(link);
}

/** Ask for the address and the token of a Jupyter server, and start when they are given. */
function offer(place) {
  const address = make("input", { type: "url", required: true, value: place.dataset.jupyter });
  const token = make("input", { type: "password", required: true, autocomplete: "off" });
  const said = make("p");
  said.setAttribute("role", "status");
  const form = make(
    "form",
    {},
    make("label", {}, "Jupyter server ", address),
    make("label", {}, "Token ", token),
    make("button", { className: "live-button live-run" }, "Connect"),
    said,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const program = await load(place.dataset.page);
      start(place.dataset.page, program, { baseUrl: address.value, token: token.value });
      place.remove();
    } catch (error) {
      said.textContent = `Not connected: ${error.message}.`;
    }
  });
  const words = make("summary", {}, "Run this page’s code on a Jupyter server");
  place.append(make("details", { className: "live-offer" }, words, form));
}

const mark = document.querySelector('meta[name="course-live"]');
const elsewhere = document.querySelector("[data-jupyter]");
if (mark) {
  style();
  const baseUrl = beside("../../../").href; // the site lies in a folder of the server's root
  load(mark.content).then((program) => start(mark.content, program, { baseUrl }));
} else if (elsewhere) {
  style();
  offer(elsewhere);
}
