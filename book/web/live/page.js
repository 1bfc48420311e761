/** The cells of a page: edited, run in order, put back. */

import { CHANGED, get, set } from "../lib/store.js";
import { worded } from "../lib/words.js";
import { beside, button, make } from "./dom.js";
import { editorOf } from "./editor.js";
import { Gone, kernelAt } from "./kernel.js";
import { receiver } from "./outputs.js";

const KEYS = worded(
  "Tab indents; press Escape, then Tab, to go on from the code. Shift and Enter together run the cell.",
);

/** The cells of a page, with their editors, as far as the page shows them. */
function cellsOf(program, changed) {
  const shown = [...document.querySelectorAll(".bd-article div.cell")];
  let number = 0;
  return program.map(({ source, place, step, check }, index) => {
    const element = place === null ? null : shown[place];
    const input = element?.querySelector(".cell_input");
    const cell = { index, source, step, check, element, input, ran: null, failed: false };
    cell.editor = input ? editorOf(source, ++number, () => changed(cell)) : null;
    cell.number = number;
    cell.code = () => (cell.editor ? cell.editor.code() : source);
    cell.isOpen = () => Boolean(cell.editor?.open());
    return cell;
  });
}

/** Where a cell's outputs go; the page's own are kept for a reset. */
function outputOf(cell) {
  if (!cell.element) return (cell.unseen = make("div"));
  cell.output ??= cell.element.querySelector(".cell_output");
  cell.output ??= cell.input.closest("details, .cell").appendChild(make("div", { className: "cell_output" }));
  cell.printed ??= { nodes: [...cell.output.childNodes], classes: cell.output.className };
  return cell.output;
}

/** Let what can be touched in a new output be touched: its script runs anew, and finds it. */
function wake(output) {
  const names = [...output.querySelectorAll(".explorable[data-script]")].map(({ dataset }) => dataset.script);
  for (const name of new Set(names)) document.head.append(make("script", { src: beside(`${name}.js`) }));
}

/** Let keys move what is longer than its place. */
function letScroll(output) {
  for (const pre of output.querySelectorAll("pre")) {
    if (pre.scrollHeight <= pre.clientHeight + 1) continue;
    Object.assign(pre, { tabIndex: 0, role: "group", ariaLabel: worded("Long output") });
  }
}

/** What a cell said last, in a line. */
function lastWords(cell) {
  return (cell.output ?? cell.unseen).textContent.trim().split("\n").at(-1);
}

function resetOutput({ output, printed }) {
  if (!printed) return;
  output.replaceChildren(...printed.nodes);
  output.className = printed.classes;
}

/** What runs before a cell: from the first cell on that is new or changed, what can be run.
 *
 * Blanks of other steps may stay open, and checks run when they are asked for. */
function due(cells, asked) {
  const isOwn = (cell) => asked.check && asked.step === cell.step;
  const before = cells.slice(0, asked.index).filter((cell) => !cell.check && (isOwn(cell) || !cell.isOpen()));
  const first = before.findIndex((cell) => cell.ran !== cell.code());
  return first < 0 ? [] : before.slice(first);
}

const toGo = (n) => (n === 1 ? worded("1 cell to go") : worded("{n} cells to go", { n }));
const above = (cells, asked) => cells.slice(0, asked.index).filter((cell) => !cell.isOpen());

/** Make the cells of a page editable and runnable.
 *
 * @param page its name, as `book/01-minkowski`
 * @param program its code, as the site's build wrote it
 * @param options of the server, as `kernelAt` takes them
 */
export function start(page, program, options) {
  const name = `live:${page}`;
  const cells = cellsOf(program, keep);
  const said = make("p", { className: "live-said" });
  said.setAttribute("role", "status");
  const left = make("span", { className: "live-left", ariaHidden: "true" }); // for the eye alone
  const stop = button(worded("Interrupt"), interrupt);
  const anew = button(worded("Restart"), restart);
  const folder = options.token ? "" : page.split("/").slice(0, -1).join("/");
  const kernel = kernelAt(options, folder, hear);
  let turn = Promise.resolve(); // one cell at a time
  let round = 0; // raised by whatever ends all that waits

  function tell(words) {
    said.textContent = words;
    left.textContent = "";
  }

  function hear(state, why) {
    stop.ariaDisabled = String(state !== "busy");
    if (state === "busy" || state === "idle") anew.ariaDisabled = "false";
    if (state === "starting") tell(worded("A kernel starts …"));
    if (state === "connecting") tell(worded("The connection to the server is interrupted …"));
    if (state === "connected") tell(worded("The connection to the server is back."));
    if (state === "gone") forget(why);
  }

  function forget(why) {
    round += 1;
    for (const cell of cells) {
      cell.ran = null;
      cell.element?.classList.remove("live-runs");
    }
    tell(why);
  }

  function keep(cell) {
    const kept = { ...get(name) };
    const state = cell.editor.state();
    if (state === null) delete kept[cell.source];
    else kept[cell.source] = state;
    set(name, kept);
  }

  async function execute(cell) {
    const code = cell.code();
    const take = receiver(outputOf(cell));
    let interrupted = false;
    cell.element?.classList.add("live-runs");
    cell.ran = code;
    cell.failed = !(await kernel.run(code, (type, content) => {
      take(type, content);
      if (type === "error" && content.ename === "KeyboardInterrupt") interrupted = true;
    }));
    cell.element?.classList.remove("live-runs");
    if (cell.output) {
      wake(cell.output);
      letScroll(cell.output);
    }
    if (cell.check) keepCheck(cell);
    if (interrupted) round += 1;
  }

  function keepCheck({ step, failed }) {
    const passed = new Set(get(`checks:${page}`) ?? []);
    passed[failed ? "delete" : "add"](step);
    set(`checks:${page}`, [...passed]);
  }

  /** Run cells in order, the last of which was asked for. */
  async function runAll(list, mine) {
    const asked = list.at(-1);
    const which = { n: asked.number };
    tell(list.length > 1 ? worded("Cell {n} runs, after what it needs …", which) : worded("Cell {n} runs …", which));
    for (const cell of list) {
      if (mine !== round) break;
      const rest = list.length - 1 - list.indexOf(cell);
      left.textContent = rest ? toGo(rest) : "";
      await execute(cell);
      if (cell.failed && cell !== asked && asked.check && cell.step === asked.step) {
        const both = { cell: cell.number, check: asked.number };
        tell(worded("Cell {cell}, which cell {check} checks, stopped with an error.", both));
        return;
      }
    }
    asked.output?.closest("details")?.setAttribute("open", "");
    if (mine === round) tell(summary(list, asked));
  }

  function summary(list, asked) {
    const failed = list.filter((cell) => cell.failed && cell !== asked);
    const n = asked.number;
    let here = worded("Cell {n} is done.", { n });
    if (asked.failed)
      here = asked.check
        ? worded("Cell {n} is not right yet.", { n })
        : worded("Cell {n} stopped with an error.", { n });
    if (!failed.length) return here;
    const shown = failed.filter((cell) => cell.editor).map((cell) => worded("cell {n}", { n: cell.number }));
    const unseen = failed.filter((cell) => !cell.editor).map(lastWords);
    const hidden = unseen.map((words) => worded("one that the page does not show ({words})", { words }));
    const which = [...shown, ...hidden].join(", ");
    return `${here} ${worded("Before it, {which} stopped with an error.", { which })}`;
  }

  function run(cell, before) {
    const mine = round;
    turn = turn.then(async () => {
      if (mine !== round) return;
      try {
        await runAll([...before(cells, cell), cell], mine);
      } catch (error) {
        if (!(error instanceof Gone)) tell(worded("No kernel could be had: {why}", { why: error.message }));
      }
    });
    return turn;
  }

  async function interrupt() {
    if (stop.ariaDisabled === "true") return;
    round += 1;
    tell(worded("Interrupting …"));
    await kernel.interrupt();
    await turn;
    tell(worded("Interrupted."));
  }

  async function restart() {
    if (anew.ariaDisabled === "true") return;
    forget(worded("The kernel starts anew …"));
    await kernel.restart();
    tell(worded("The kernel was started anew: it knows nothing of the cells yet."));
  }

  function reset(cell) {
    cell.editor.restore(null);
    keep(cell);
    resetOutput(cell);
    tell(worded("Cell {n} is as it was.", { n: cell.number }));
  }

  function equip(cell) {
    const named = (words, act, className) => {
      const made = button(words, act, className);
      made.setAttribute("aria-label", `${words}: ${worded("cell {n}", { n: cell.number })}`);
      return made;
    };
    const bar = make(
      "div",
      { className: "live-buttons" },
      make("span", { className: "live-number" }, worded("Cell {n}", { n: cell.number })),
      named(cell.check ? worded("Check") : worded("Run"), () => run(cell, due), "live-run"),
      named(worded("Run all above"), () => run(cell, above)),
      named(worded("Reset"), () => reset(cell)),
    );
    cell.input.replaceChildren(cell.editor.element);
    cell.input.after(bar);
    cell.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !event.shiftKey) return;
      event.preventDefault();
      run(cell, due);
    });
  }

  /** Cells as they are kept, from another visit or a file; or forgotten. */
  function recall() {
    const kept = get(name);
    for (const { editor, source } of cells) {
      const state = kept?.[source] ?? null;
      if (editor && JSON.stringify(editor.state()) !== JSON.stringify(state)) editor.restore(state);
    }
  }

  for (const cell of cells) if (cell.editor) equip(cell);
  recall();
  addEventListener(CHANGED, () => get(name) === undefined && recall()); // all was cleared
  stop.ariaDisabled = anew.ariaDisabled = "true"; // and still in reach: the focus stays where it is
  const bar = make("section", { className: "live-bar" }, said, left, stop, anew);
  bar.setAttribute("aria-label", worded("The kernel of this page"));
  document.body.append(make("p", { id: "live-keys", hidden: true }, KEYS), bar);
  document.documentElement.classList.add("live");
  tell(worded("Every cell runs here: Shift + Enter. A kernel starts with the first."));
  addEventListener("pagehide", () => {
    kernel.end();
    forget(worded("A kernel starts with the next cell that runs."));
  });
}
