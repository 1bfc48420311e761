/** The laboratory: the embedded model in the reader's browser. The page's part of it. */

import { Client, missing, sizeOf } from "./lab/client.js";
import { digits, element, quoted, spread, table } from "./lab/dom.js";
import { colourBar, curvesDrawing, heatMap, viridis } from "./lab/draw.js";
import { download, rowsOf, toCsv, toSvg } from "./lab/saving.js";
import { DEFAULTS, holdsChoices, isCut, read, seen, written } from "./lab/state.js";
import { UNITS, VIEW } from "./lab/view.js";

const P_TICKS = { 999: [0.001, 0.01, 0.1, 1], 9999: [0.0001, 0.001, 0.01, 0.1, 1] }; // by shuffles
const OUTSIDE = "A number is missing, or outside its limits.";
const NAMES = { att: "attention", mlp: "MLP" };
const FILLED_LATER = ["at", "kind"]; // lists of what a run finds
const FOLDER = new URL("../lab/", document.currentScript.src).href;

class Page {
  constructor(root) {
    this.root = root;
    this.state = read(location.hash);
    this.seeFirst = seen(location.hash);
    this.client = new Client(FOLDER);
    addEventListener("hashchange", () => this.follow());
    root.innerHTML = VIEW;
    this.form = this.find("form");
    this.status = this.find("status");
    [this.turn, this.waiting, this.round] = [Promise.resolve(), 0, 0];
  }

  find(name) {
    return this.root.querySelector(`[data-${name}]`);
  }

  field(name) {
    return this.root.querySelectorAll(`[name="${name}"]`);
  }

  // ---- loading ------------------------------------------------------------------------------

  async offer() {
    const lacks = missing();
    if (lacks) return this.say(`The model cannot run in this browser: it has no ${lacks}.`);
    const button = this.find("load");
    const size = await sizeOf(FOLDER);
    button.textContent += ` (${Math.round(size / 1e6)} MB)`;
    button.disabled = false;
    button.addEventListener("click", () => this.load(button));
  }

  async load(button) {
    const bar = this.root.querySelector("progress");
    button.disabled = true;
    bar.hidden = false;
    try {
      this.model = await this.client.start((what, share) => {
        this.say(what === "loading" ? "Loading…" : "Starting the model…");
        if (Number.isNaN(share)) bar.removeAttribute("value");
        else bar.value = share;
      });
    } catch (error) {
      button.disabled = false;
      return this.say(`The model could not be started: ${error.message}. Press the button to try again.`);
    } finally {
      bar.hidden = true;
    }
    button.hidden = true;
    this.say("The model runs in this page. Nothing that you write leaves it.");
    await this.open();
  }

  say(words, where = this.status) {
    where.textContent = words;
  }

  /** Let the reader choose, and run what the address asks for. */
  async open() {
    const { nLayers, nHeads, article } = this.model;
    this.article = article;
    this.field("block")[0].max = nLayers - 1;
    this.field("head")[0].append(...options([...Array(nHeads).keys()]));
    this.takeState();
    this.form.hidden = false;
    this.find("run").focus(); // the button that was pressed is gone
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.busy(() => this.run());
    });
    this.field("text")[0].addEventListener("change", () => this.busy(() => this.suggest()));
    this.root.addEventListener("change", ({ target }) => this.changed(target.name));
    this.root.addEventListener("input", ({ target }) => {
      if (target.type === "range") this.changed(target.name);
    });
    this.find("stop").addEventListener("click", () => this.stop());
    this.find("predict").addEventListener("click", () => this.busy(() => this.predict()));
    for (const button of this.root.querySelectorAll("[data-save]")) {
      button.addEventListener("click", () => this.save(button.dataset.save));
    }
    new ResizeObserver(() => this.draw()).observe(this.find("map"));
    await this.runAsAsked();
  }

  /** Another address of this page, written or pasted by somebody. */
  follow() {
    if (!holdsChoices(location.hash)) return;
    this.state = read(location.hash);
    this.seeFirst = seen(location.hash);
    if (!this.article) return; // the model is still to come
    this.takeState();
    this.runAsAsked();
  }

  takeState() {
    this.state.text ||= this.article;
    this.mendState();
    this.showState();
  }

  runAsAsked() {
    return this.busy(async () => {
      await this.suggest();
      await this.run();
      await this.goTo(this.seeFirst);
    });
  }

  /** Show the part of the page that the address names; what becomes of a token is computed first. */
  async goTo(name) {
    if (!name) return;
    if (name === "one") await this.predict();
    const heading = this.root.querySelector(`#lab-${name}`);
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
    heading.scrollIntoView();
  }

  /** Do something that takes time, after what was asked for before; what goes wrong is said. */
  busy(act) {
    const { round } = this;
    this.waiting++;
    this.root.setAttribute("aria-busy", "true");
    this.find("stop").ariaDisabled = "false";
    this.turn = this.turn.then(async () => {
      const said = round === this.round ? await this.outcome(act) : this.stopped();
      this.say(said, this.find("busy"));
      if (--this.waiting) return;
      this.root.removeAttribute("aria-busy");
      this.find("stop").ariaDisabled = "true"; // and still in reach: the focus stays where it is
    });
    return this.turn;
  }

  /** Give up what is computed, and all that waits for it. */
  stop() {
    if (!this.waiting) return;
    this.round++;
    this.client.stop();
  }

  async outcome(act) {
    try {
      await act();
      return "";
    } catch (error) {
      if (error.isOurs) return error.message;
      if (error.isStop) return this.stopped();
      console.error(error);
      return `Something went wrong: ${error.message}`;
    }
  }

  stopped() {
    this.goBack();
    return "Stopped. What was computed before is kept.";
  }

  report(kind) {
    return (what, share) => this.say(`${kind}: ${what} ${Math.round(100 * share)}%`, this.find("busy"));
  }

  // ---- what is chosen -----------------------------------------------------------------------

  /** Back to the default wherever an address names what there is not. */
  mendState() {
    for (const [name, value] of Object.entries(DEFAULTS)) {
      const fields = [...this.field(name)];
      const isKnown =
        fields[0].type === "radio"
          ? fields.some((field) => field.value === this.state[name])
          : FILLED_LATER.includes(name) || (isOffered(fields[0], this.state[name]) && fits(fields[0], this.state[name]));
      if (!isKnown) this.state[name] = value;
    }
  }

  showState() {
    for (const [name, value] of Object.entries(this.state)) {
      for (const field of this.field(name)) {
        if (field.type === "radio") field.checked = field.value === value;
        else if (field.type === "checkbox") field.checked = value.split(" ").includes(field.value);
        else field.value = value;
      }
    }
    this.showOptions();
  }

  /** Show those that have an effect with what is chosen. */
  showOptions() {
    const isFixed = this.state.design === "fixed-past";
    this.show("past", isFixed);
    this.field("past")[0].disabled = !isFixed; // what nobody sees is not asked for
    this.show("shuffles", this.state.summary === "p");
  }

  /** Show all that bears a name, or none of it. */
  show(name, isThere) {
    for (const element of this.root.querySelectorAll(`[data-${name}]`)) element.hidden = !isThere;
  }

  readState() {
    for (const name of Object.keys(this.state)) {
      const fields = [...this.field(name)];
      if (!isOffered(fields[0], this.state[name])) continue; // its list is still to come
      const chosen = fields.filter((field) => !/radio|checkbox/.test(field.type) || field.checked);
      this.state[name] = chosen.map((field) => field.value).join(" ");
    }
    const state = { ...this.state };
    if (state.text === this.article) state.text = "";
    if (state.at === String(this.plan?.positions.at(-1))) state.at = "";
    this.say(isCut(state) ? "Your text is too long for it: keep the text yourself." : "", this.find("cut"));
    history.replaceState(null, "", `#${written(state)}`);
  }

  changed(name) {
    this.readState();
    this.showOptions();
    if (!this.plan) return;
    if (["controls", "draws", "seed", "summary", "measure", "shuffles"].includes(name)) this.busy(() => this.compare());
    else if (["block", "component", "kind"].includes(name)) this.draw();
    if (name === "at") this.busy(() => this.look());
    else if (name === "head" || name === "block") this.drawLooks();
    if (["at", "head", "block", "part", "to", "where"].includes(name)) this.forgetPrediction();
  }

  /** What the numbers on the page were made with; what is chosen may go on before them. */
  shownState() {
    const at = this.attention ? { at: String(this.attention.position) } : {};
    return { ...this.state, ...this.asked, ...this.compared, ...at };
  }

  /** Choices whose numbers were given up go back to those of the numbers on the page. */
  goBack() {
    if (!this.plan) return;
    Object.assign(this.state, this.compared, { at: this.shownState().at });
    this.showState();
    this.readState();
    this.draw();
    this.drawLooks();
  }

  // ---- questions to the model ---------------------------------------------------------------

  async suggest() {
    const targets = await this.client.ask("targetsIn", { text: this.field("text")[0].value });
    const list = this.root.querySelector("datalist");
    list.replaceChildren(
      ...targets.slice(0, 100).map(({ token, count }) => element("option", { value: token }, `${count}×`)),
    );
  }

  async run() {
    this.readState();
    if (!this.form.reportValidity()) throw ourError(OUTSIDE);
    const { text, target, design, n, past } = this.state;
    const question = { text, target, design, nTargets: Number(n), nPast: Number(past) };
    this.plan = null;
    this.find("results").hidden = true;
    this.plan = await this.client.ask("read", question);
    this.asked = { text, target, design, n, past };
    [this.sweeps, this.tests, this.kinds, this.attention] = [{}, {}, null, null];
    this.offerTest();
    this.find("results").hidden = false;
    this.showTokens();
    try {
      await this.compare();
      await this.look();
    } catch (error) {
      this.plan = null; // half of a run is none
      this.find("results").hidden = true;
      throw error;
    }
    this.forgetPrediction();
  }

  /** The Mantel test, where all pairs are compared; else tau in its place. */
  offerTest() {
    const hasAll = this.plan.nPast === null;
    this.root.querySelector('[name="summary"] [value="p"]').disabled = !hasAll;
    this.show("overlap", !hasAll);
    if (hasAll || this.state.summary !== "p") return;
    this.state.summary = "tau";
    this.showState();
    this.readState();
  }

  /** Sweep the trained model and the controls that are chosen, and test what is asked for. */
  async compare() {
    if (!["draws", "seed"].every((name) => this.field(name)[0].checkValidity())) throw ourError(OUTSIDE);
    const { measure, summary, seed, draws, shuffles, controls } = this.state; // they may go on
    const kinds = controls.split(" ").filter(Boolean);
    const numbers = Array.from({ length: Number(draws) }, (_, i) => Number(seed) + i);
    const asked = kinds.flatMap((kind) => numbers.map((number) => ({ kind, seed: number })));
    const all = [{ kind: "trained", seed: 0 }, ...asked];
    for (const one of all) {
      const name = one.kind === "trained" ? one.kind : `${one.kind}, draw ${one.seed}`;
      this.sweeps[keyOf(one)] ??= await this.client.ask("sweep", one, this.report(name));
      if (summary !== "p") continue;
      const question = { ...one, measure, nPermutations: Number(shuffles) };
      this.tests[testOf(one, { measure, shuffles })] ??= await this.client.ask("test", question, this.report(name));
    }
    this.shown = all;
    this.kinds = ["trained", ...kinds];
    this.compared = { measure, summary, seed, draws, shuffles, controls };
    this.draw();
  }

  /** The draws of a kind that are shown: one of the trained model. */
  drawsOf(kind) {
    return this.shown.filter((one) => one.kind === kind);
  }

  async look() {
    const position = Number(this.state.at);
    this.attention = { position, ...(await this.client.ask("attend", { position })) };
    this.drawLooks();
  }

  /** What is to be replaced, and at which token. */
  change() {
    const { at, block, part, head, to, where } = this.state;
    return {
      position: Number(at),
      block: Number(block),
      component: part === "mlp" ? "mlp" : "att",
      head: part === "head" ? Number(head) : null,
      to,
      lastOnly: where === "last",
    };
  }

  async predict() {
    const change = this.change();
    const prediction = await this.client.ask("predict", change);
    if (JSON.stringify(change) !== JSON.stringify(this.change())) return; // chosen anew meanwhile
    this.prediction = prediction;
    this.showPrediction();
  }

  // ---- what is shown ------------------------------------------------------------------------

  showTokens() {
    const { tokens, all, positions, pairs } = this.plan;
    const targets = new Set(all);
    const compared = new Set(positions);
    this.say(
      `${tokens.length} tokens; ${all.length} are the target, ${positions.length} of them compared, in ${pairs.length} pairs.`,
      this.find("counts"),
    );
    this.find("tokens").replaceChildren(
      ...tokens.flatMap((token, place) => (targets.has(place) ? marked(token, place, compared.has(place)) : token)),
    );
    const places = this.field("at")[0];
    places.replaceChildren(...options(positions));
    if (!positions.map(String).includes(this.state.at)) this.state.at = String(positions.at(-1));
    places.value = this.state.at;
  }

  /** A curve over the blocks of one component: the middle of its draws, and the ends of a band. */
  curve(kind, component) {
    const { measure, summary } = this.state;
    const lists = this.drawsOf(kind).map((one) => {
      const { means, taus } = this.sweeps[keyOf(one)];
      return { mean: means[measure], tau: taus[measure], p: this.tests[testOf(one, this.state)] }[summary];
    });
    if (lists.includes(undefined)) return undefined; // still to come
    const start = component === "att" ? 0 : this.model.nLayers;
    const spreads = Array.from({ length: this.model.nLayers }, (_, block) =>
      spread(lists.map((list) => list[start + block])),
    );
    const [values, low, high] = ["middle", "low", "high"].map((name) => spreads.map((one) => one[name]));
    return { name: kind, values, low, high, isBand: lists.length > 1 };
  }

  /** The curves as numbers: a column each, and two for the ends of a band. */
  showNumbers(unit, curves) {
    const columns = Object.entries(curves).flatMap(([component, list]) =>
      list.flatMap(({ name, values, low, high, isBand }) => {
        const head = `${NAMES[component]}, ${name}`;
        const band = isBand ? [{ head: `${head}, lowest`, values: low }, { head: `${head}, highest`, values: high }] : [];
        return [{ head: isBand ? `${head}, middle` : head, values }, ...band];
      }),
    );
    const rows = columns[0].values.map((_, at) => [String(at), ...columns.map(({ values }) => digits(values[at]))]);
    const heads = ["block", ...columns.map(({ head }) => head)];
    this.find("numbers").replaceChildren(table(`${unit} in every block`, heads, rows));
  }

  draw() {
    if (!this.kinds || !this.find("curves").clientWidth) return;
    this.drawCurves();
    const kind = this.field("kind")[0];
    kind.replaceChildren(...options(this.kinds));
    if (!this.kinds.includes(this.state.kind)) this.state.kind = "trained";
    kind.value = this.state.kind;
    this.drawMap();
  }

  /** The curves, unless some are still to come. */
  drawCurves() {
    const { summary, measure, block, shuffles } = this.state;
    const place = this.find("curves");
    const wide = place.clientWidth;
    if (!this.kinds.every((kind) => this.curve(kind, "att"))) return;
    const width = wide > 560 ? (wide - 16) / 2 : wide;
    const unit = { mean: UNITS[measure], tau: "tau", p: "p" }[summary];
    const curves = Object.fromEntries(
      Object.keys(NAMES).map((component) => [component, this.kinds.map((kind) => this.curve(kind, component))]),
    );
    const isLog = summary === "p";
    const limits = isLog ? P_TICKS[shuffles] : Object.values(curves).flat().flatMap(({ low, high }) => [...low, ...high]);
    place.replaceChildren(
      ...Object.keys(NAMES).map((component) =>
        curvesDrawing(width, {
          title: NAMES[component],
          unit,
          label: `${unit} in every block of the ${NAMES[component]}; the numbers stand below`,
          curves: curves[component],
          limits,
          isLog,
          block: Number(block),
        }),
      ),
    );
    this.find("legend").replaceChildren(
      ...this.kinds.map((name) => {
        const n = this.drawsOf(name).length;
        return element("li", { class: `lab-${name}` }, n > 1 ? `${name}: middle and range of ${n} draws` : name);
      }),
    );
    this.showNumbers(unit, curves);
  }

  drawMap() {
    const { block, component, measure, kind } = this.state;
    for (const output of this.root.querySelectorAll("[data-block]")) output.textContent = block;
    const at = Number(block) + (component === "att" ? 0 : this.model.nLayers);
    const [first] = this.drawsOf(kind);
    const values = this.sweeps[keyOf(first)].measures[measure][at];
    const { pairs, positions, gaps } = this.plan;
    const drawing = heatMap(this.find("map").clientWidth, {
      label: `${UNITS[measure]} between the targets, in block ${block} of the ${NAMES[component]}, ${kind}`,
      values,
      pairs,
      positions,
      onPoint: (m) => {
        const words =
          m === null
            ? ""
            : `${positions[pairs[m][0]]} and ${positions[pairs[m][1]]}: ${digits(values[m])} ${UNITS[measure]}, ${gaps[m]} tokens apart`;
        this.say(words, this.find("pair"));
      },
    });
    this.find("map").replaceChildren(drawing);
    const rows = pairs.map(([i, j], m) => [
      `${positions[i]} and ${positions[j]}`,
      digits(values[m]),
      String(gaps[m]),
    ]);
    const heads = ["positions", UNITS[measure], "tokens apart"];
    this.find("pairs").replaceChildren(table("The pairs of targets", heads, rows));
    const { low, high, gradient } = colourBar(values, UNITS[measure]);
    this.find("bar").replaceChildren(low, element("span", { style: `background: ${gradient}` }), high);
  }

  drawLooks() {
    if (!this.attention) return; // still to come
    const { block, head } = this.state;
    const { from, weights, position } = this.attention;
    const list = weights[block][head];
    const highest = Math.max(...list);
    const { tokens } = this.plan;
    this.find("looks").replaceChildren(
      ...list.map((weight, i) =>
        element("span", { style: `--weight: ${(weight / highest).toFixed(3)}` }, tokens[from + i]),
      ),
    );
    this.find("looks").scrollTop = this.find("looks").scrollHeight; // to the token itself
    const order = [...list.keys()].sort((a, b) => list[b] - list[a]).slice(0, 5);
    const rows = order.map((i) => [quoted(tokens[from + i]), String(from + i), digits(list[i])]);
    const caption = `What head ${head} of block ${block} looks at most, from position ${position}`;
    this.find("top-looks").replaceChildren(table(caption, ["token", "position", "weight"], rows));
  }

  forgetPrediction() {
    this.prediction = null;
    this.find("prediction").replaceChildren();
    this.say("", this.find("cost"));
  }

  showPrediction() {
    const { top, divergence, next, surprise } = this.prediction;
    const followed =
      next === null
        ? ""
        : ` ${quoted(next)}, which follows, is ${digits(Math.abs(surprise))} bits ${surprise > 0 ? "less" : "more"} expected.`;
    this.say(`The change costs ${digits(divergence)} bits (Kullback–Leibler).${followed}`, this.find("cost"));
    const rows = top.map(({ token, before, after }) => [quoted(token), digits(before), digits(after)]);
    const caption = "The likeliest next tokens, before and after the change";
    this.find("prediction").replaceChildren(table(caption, ["token", "before", "after"], rows));
  }

  // ---- to keep ------------------------------------------------------------------------------

  save(kind) {
    const drawn = (kind) => this.drawsOf(kind).map((one) => ({ seed: one.seed, ...this.sweeps[keyOf(one)] }));
    const sweeps = Object.fromEntries(this.kinds.map((kind) => [kind, drawn(kind)]));
    const found = { ...this.plan, sweeps, nLayers: this.model.nLayers };
    if (kind === "csv") download("pairs.csv", toCsv(rowsOf(found)), "text/csv");
    if (kind === "json") {
      const { attention, prediction, tests } = this;
      const all = { state: this.shownState(), ...found, tests, attention, prediction };
      download("laboratory.json", JSON.stringify(all), "application/json");
    }
    if (kind === "svg") {
      const drawings = [...this.root.querySelectorAll("svg.lab-drawing")];
      download("drawings.svg", toSvg(drawings), "image/svg+xml");
    }
  }
}

/** A target in the text, with its position; the space before it is not part of the mark. */
function marked(token, place, isCompared) {
  const word = token.trimStart() || token; // a target may be of spaces alone
  const attributes = { class: isCompared && "lab-compared" };
  return [token.slice(0, token.length - word.length), element("mark", attributes, word, element("sub", {}, String(place)))];
}

const keyOf = ({ kind, seed }) => `${kind} ${seed}`;
const testOf = (one, { measure, shuffles }) => `${keyOf(one)} ${measure} ${shuffles}`;

const ourError = (message) => Object.assign(new Error(message), { isOurs: true });

/** Whether a field could hold a value: a list only what it lists. */
const isOffered = (field, value) =>
  field.tagName !== "SELECT" || Array.from(field.options).some((option) => option.value === value);

/** Whether a number is within the limits of a field that the reader cannot see yet. */
const fits = ({ type, form, min, max }, value) =>
  type !== "number" || form || (/^\d+$/.test(value) && Number(value) >= Number(min) && Number(value) <= Number(max));

const options = (values) => values.map((value) => element("option", { value }, String(value)));

for (const root of document.querySelectorAll('[data-script="laboratory"]')) {
  const page = new Page(root);
  page.offer().catch((error) => page.say(`The laboratory is not here: ${error.message}.`));
}
