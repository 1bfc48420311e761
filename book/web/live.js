// Runs a page's code in the page, in a kernel that `make live` or a Jupyter server elsewhere starts.

import { worded } from "./lib/words.js";
import { beside, make } from "./live/dom.js";
import { start } from "./live/page.js";
import { WAYS, kindOf } from "./live/servers.js";

async function load(page) {
  const answer = await fetch(beside(`../live/${page}.json`));
  if (!answer.ok) throw new Error(`the code of this page cannot be loaded (${answer.status})`);
  return answer.json();
}

function style() {
  const link = make("link", { rel: "stylesheet", href: beside("live.css") });
  document.head.append(link);
}

const PLACES = {
  server: worded("Run this page’s code on a Jupyter server"),
  hub: worded("Run this page’s code on a JupyterHub"),
  binder: worded("Run this page’s code through Binder"),
};

/** Fields for the address and the token, and where a hub gives one; Binder needs neither. */
function fieldsFor(kind, jupyter) {
  const address = make("input", { type: "url", required: true, value: jupyter });
  const token = make("input", { type: "password", required: true, autocomplete: "off" });
  if (kind === "binder") return { address, token, elements: [] };
  const elements = [make("label", {}, `${worded("Address")} `, address), make("label", {}, `${worded("Token")} `, token)];
  if (kind === "hub") {
    const href = new URL("token", jupyter.replace(/\/?$/, "/"));
    elements.push(make("p", {}, make("a", { href, target: "_blank" }, worded("The hub gives you a token")), "."));
  }
  return { address, token, elements };
}

/** Ask for what leads to a Jupyter server, and start when it is there. */
function offer(place) {
  const { jupyter, page } = place.dataset;
  const kind = kindOf(jupyter);
  const { address, token, elements } = fieldsFor(kind, jupyter);
  const said = make("p");
  said.setAttribute("role", "status");
  const connect = make("button", { className: "live-button live-run" }, worded("Connect"));
  const form = make("form", {}, ...elements, connect, said);
  const say = (words) => (said.textContent = words);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    connect.disabled = true;
    try {
      const program = await load(page);
      const way = WAYS[kindOf(address.value)];
      start(page, program, await way(address.value, token.value, say));
      place.remove();
    } catch (error) {
      say(worded("Not connected: {why}.", { why: error.message }));
      connect.disabled = false;
    }
  });
  const words = make("summary", {}, PLACES[kind]);
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
