/** What the laboratory can do, one method for each question; it knows no page and no worker. */

import {
  cityBlock,
  euclidean,
  mean,
  mutualInformation,
  pearson,
} from "../lib/measures.js";
import { COMPONENTS, Model, meanOfRows, rowsAt } from "../lib/lab-model.js";
import { divergence, likeliest, logProbabilities } from "../lib/lab-predictions.js";
import { kendallTau, mantelP } from "../lib/ranks.js";
import { LaboratoryError, plan, readingOf, textsOf } from "../lib/lab-texts.js";
import { permuted, untrained } from "../lib/lab-weights.js";

export const MEASURES = { MI: mutualInformation, L1: cityBlock, L2: euclidean, r: pearson };

const MAKERS = {
  trained: (weights) => weights,
  untrained,
  permuted: (weights, _, seed) => permuted(weights, seed),
};

export class Laboratory {
  /**
   * @param ort ONNX Runtime.
   * @param tokenizer Of the package `@huggingface/tokenizers`.
   * @param {{graph: Uint8Array, weights: Uint8Array, config: object}} files
   */
  constructor(ort, tokenizer, files) {
    Object.assign(this, { ort, tokenizer, files });
    [this.reading, this.measured] = [null, {}];
  }

  async start() {
    this.model = await this.#load("trained");
    const { n_layer: nLayers, n_head: nHeads, n_positions: context } = this.files.config;
    return { nLayers, nHeads, context };
  }

  /** Part 3: the tokens, and which targets are compared. */
  read({ text, target, ...options }) {
    const ids = this.#encode(text);
    const pieces = this.#encode(target);
    this.#check(target, pieces, ids);
    this.plan = plan(ids, pieces[0], { ...options, context: this.files.config.n_positions });
    [this.reading, this.measured] = [null, {}];
    const { all, positions, pairs, gaps, nPast } = this.plan;
    const tokens = textsOf(ids, (some) => this.tokenizer.decode(some));
    return { tokens, all, positions, pairs, gaps, nPast };
  }

  /** Refuse a target that is not one token of the text, with the nearest one that is. */
  #check(target, pieces, ids) {
    if (pieces.length === 1 && ids.includes(pieces[0])) return;
    const other = target.startsWith(" ") ? target.trimStart() : ` ${target}`;
    const [id, ...more] = this.#encode(other);
    const times = ids.filter((each) => each === id).length;
    const wayOut = times && !more.length ? `; “${other}” is one, and occurs ${times === 1 ? "once" : `${times} times`}` : "";
    const parts = pieces.map((piece) => `“${this.#decode(piece)}”`).join(" + ") || "no token";
    const what = pieces.length === 1 ? "it never occurs" : `it is ${parts}`;
    throw new LaboratoryError(`The target must be one token of the text, and ${what}${wayOut}.`);
  }

  /** Words of a text that are one token with the space before them, the most frequent first. */
  targetsIn({ text }) {
    const counts = new Map();
    for (const id of this.#encode(text)) counts.set(id, (counts.get(id) ?? 0) + 1);
    return Array.from(counts, ([id, count]) => ({ token: this.#decode(id), count }))
      .filter(({ token, count }) => count > 2 && /^ \p{L}{3,}$/u.test(token))
      .sort((a, b) => b.count - a.count);
  }

  /**
   * The laminar sweep of the model or of a draw of a control: each measure of every pair in every block.
   *
   * @returns {Promise<{measures: Record<string, number[][]>, means: object, taus: object}>} For
   *   each measure (2 * n_layers) lists over pairs, attention first; mean and tau of each list.
   */
  async sweep({ kind, seed = 0 }, report = () => {}) {
    const { components } = await (kind === "trained" ? this.#read(report) : this.#control(kind, seed, report));
    const nPlaces = 2 * this.model.nLayers;
    const measures = Object.fromEntries(Object.keys(MEASURES).map((name) => [name, []]));
    for (let place = 0; place < nPlaces; place++) {
      const rows = rowsAt(components, place);
      for (const [name, measure] of Object.entries(MEASURES)) {
        measures[name].push(this.plan.pairs.map(([i, j]) => measure(rows[i], rows[j])));
      }
      await report("measuring", (place + 1) / nPlaces);
    }
    const each = (summary) =>
      Object.fromEntries(
        Object.entries(measures).map(([name, lists]) => [name, lists.map(summary)]),
      );
    this.measured[`${kind} ${seed}`] = measures;
    return { measures, means: each(mean), taus: each((list) => kendallTau(list, this.plan.gaps)) };
  }

  /** The Mantel test of a measure with the gaps, in every block: (2 * n_layers) p-values. */
  async test({ kind, measure, seed = 0, nPermutations = 999 }, report = () => {}) {
    const lists = this.measured[`${kind} ${seed}`][measure];
    const found = [];
    for (const list of lists) {
      found.push(mantelP(list, this.plan.gaps, { nPermutations }));
      await report("shuffling", found.length / lists.length);
    }
    return found;
  }

  /** What a compared target looks at: the weights of the tokens up to it, by block and head. */
  async attend({ position }) {
    const { attention } = await this.#read();
    const [nBlocks, nHeads, nRows, length] = attention.dims;
    const { from, window } = readingOf(this.plan, position);
    const weights = (block, head) => {
      const row = (block * nHeads + head) * nRows + this.plan.positions.indexOf(position);
      return Array.from(attention.data.subarray(row * length, row * length + window.length));
    };
    const heads = (block) => Array.from({ length: nHeads }, (_, head) => weights(block, head));
    return { from, weights: Array.from({ length: nBlocks }, (_, block) => heads(block)) };
  }

  /**
   * The prediction after a compared target, with a component or a head as it is and with it replaced.
   *
   * @param {{position: number, block: number, component: string, head?: number, to: string,
   *   lastOnly: boolean}} change `to`: `zero`, or `mean`: that over the compared targets where it is
   *   replaced at the last token only, over all tokens that are read where everywhere.
   */
  async predict({ position, to, ...change }) {
    const { window } = readingOf(this.plan, position);
    const value = to === "mean" ? await this.#mean(window, change) : undefined;
    const before = logProbabilities(await this.#scores(position));
    const changed = await this.model.run(window, { change: { ...change, value } });
    const after = logProbabilities(changed.logits.data);
    const followedBy = this.plan.ids[position + 1];
    const top = likeliest(before, after, 10).map((row) => ({ ...row, token: this.#decode(row.id) }));
    return {
      top,
      divergence: divergence(before, after),
      next: followedBy === undefined ? null : this.#decode(followedBy),
      surprise: (before[followedBy] - after[followedBy]) / Math.LN2,
    };
  }

  /** Scores of all tokens after a compared target, nothing replaced. */
  async #scores(position) {
    const { data, dims } = (await this.#read()).logits;
    const start = this.plan.positions.indexOf(position) * dims.at(-1);
    return data.subarray(start, start + dims.at(-1));
  }

  async #mean(window, { block, component, head, lastOnly }) {
    const isHead = head !== undefined && head !== null;
    const recorded = lastOnly
      ? await this.#read()
      : await this.model.run(window, { rows: [...window.keys()] });
    const place = isHead
      ? block * this.model.nHeads + head
      : COMPONENTS.indexOf(component) * this.model.nLayers + block;
    return meanOfRows(isHead ? recorded.heads : recorded.components, place);
  }

  /** All that the model has to say at the compared targets, from one reading of them. */
  async #read(report = () => {}) {
    return (this.reading ??= await this.#readTargets(this.model, report));
  }

  /** The same of a draw of a control, whose model nobody needs afterwards. */
  async #control(kind, seed, report) {
    const model = await this.#load(kind, seed);
    try {
      return await this.#readTargets(model, report);
    } finally {
      await model.release();
    }
  }

  async #readTargets(model, report) {
    const { ids, positions, nPast } = this.plan;
    if (nPast === null) {
      const last = positions.at(-1);
      return model.run(ids.slice(0, last + 1), { rows: positions, asked: positions });
    }
    const each = [];
    for (const position of positions) {
      const { window } = readingOf(this.plan, position);
      each.push(await model.run(window, { rows: [window.length - 1] }));
      await report("reading", each.length / positions.length);
    }
    return Object.fromEntries(
      Object.keys(each[0]).map((name) => [name, joinRows(each.map((run) => run[name]))]),
    );
  }

  #load(kind, seed = 0) {
    const { graph, weights, config } = this.files;
    return Model.start(this.ort, graph, MAKERS[kind](weights, config, seed), config);
  }

  #encode(text) {
    return this.tokenizer.encode(text).ids;
  }

  #decode(id) {
    return this.tokenizer.decode([id]);
  }
}

/** Arrays (…, 1, width) side by side: (…, n, width). */
function joinRows(arrays) {
  const outer = arrays[0].dims.slice(0, -2);
  const width = arrays[0].dims.at(-1);
  const nPlaces = arrays[0].data.length / width;
  const data = new Float32Array(nPlaces * arrays.length * width);
  arrays.forEach((array, row) => {
    for (let place = 0; place < nPlaces; place++) {
      const from = array.data.subarray(place * width, (place + 1) * width);
      data.set(from, (place * arrays.length + row) * width);
    }
  });
  return { data, dims: [...outer, arrays.length, width] };
}
