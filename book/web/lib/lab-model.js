/** The model as functions: tokens in, arrays out. The graph is that of `coursebuild.export`. */

const WEIGHTS = "model.safetensors"; // as the graph names the file that its weights lie in

export const COMPONENTS = ["att", "mlp"];

export class Model {
  /**
   * @param ort ONNX Runtime, of the web or of Node.
   * @param {Uint8Array} graph
   * @param {Uint8Array} weights
   * @param {object} config The model's own `config.json`.
   */
  static async start(ort, graph, weights, config) {
    const session = await ort.InferenceSession.create(graph, {
      executionProviders: ["wasm"],
      externalData: [{ path: WEIGHTS, data: weights }],
    });
    return new Model(ort, session, config);
  }

  constructor(ort, session, config) {
    this.ort = ort;
    this.session = session;
    this.nLayers = config.n_layer;
    this.nHeads = config.n_head;
    this.width = config.n_embd;
    this.headWidth = config.n_embd / config.n_head;
  }

  /**
   * One pass over a text.
   *
   * @param {number[]} ids
   * @param {{rows?: number[], asked?: number[], change?: object}} wanted `rows`: positions whose
   *   components are recorded; `asked`: positions whose prediction and attention are; `change`: as
   *   `switchesFor` makes it.
   * @returns {Promise<Record<string, {data: Float32Array, dims: number[]}>>}
   */
  async run(ids, { rows = [0], asked = [ids.length - 1], change = null } = {}) {
    const feeds = {
      token_ids: this.#whole(ids, [1, ids.length]),
      rows: this.#whole(rows, [rows.length]),
      asked: this.#whole(asked, [asked.length]),
      ...this.#switches(ids.length, change),
    };
    return this.session.run(feeds);
  }

  release() {
    return this.session.release();
  }

  /**
   * @param {{block: number, component: string, head?: number, value?: Float32Array,
   *   lastOnly: boolean}} change What is added instead is `value` (of a head: before its
   *   projection), or nothing.
   */
  #switches(nTokens, change) {
    const { nLayers, nHeads, width, headWidth } = this;
    const sizes = {
      where: [nTokens],
      gain: [2, nLayers],
      instead: [2, nLayers, width],
      head_gain: [nLayers, nHeads],
      head_instead: [nLayers, nHeads, headWidth],
    };
    const arrays = Object.fromEntries(
      Object.entries(sizes).map(([name, dims]) => [
        name,
        new Float32Array(dims.reduce((a, b) => a * b)).fill(name.endsWith("gain") ? 1 : 0),
      ]),
    );
    if (change) {
      const isHead = change.head !== undefined && change.head !== null;
      const place = isHead
        ? change.block * nHeads + change.head
        : COMPONENTS.indexOf(change.component) * nLayers + change.block;
      const [gain, instead] = isHead ? ["head_gain", "head_instead"] : ["gain", "instead"];
      arrays[gain][place] = 0;
      if (change.value) arrays[instead].set(change.value, place * change.value.length);
      arrays.where.fill(1, change.lastOnly ? nTokens - 1 : 0);
    }
    return Object.fromEntries(
      Object.entries(arrays).map(([name, data]) => [
        name,
        new this.ort.Tensor("float32", data, sizes[name]),
      ]),
    );
  }

  #whole(values, dims) {
    return new this.ort.Tensor("int64", BigInt64Array.from(values, BigInt), dims);
  }
}

/** The rows at a place of an array (…, n_rows, width) whose leading axes are flattened. */
export function rowsAt({ data, dims }, place) {
  const [nRows, width] = dims.slice(-2);
  return Array.from({ length: nRows }, (_, row) => {
    const start = (place * nRows + row) * width;
    return Float64Array.from(data.subarray(start, start + width));
  });
}

/** The mean over these rows. */
export function meanOfRows(array, place) {
  const rows = rowsAt(array, place);
  return rows[0].map((_, i) => rows.reduce((sum, row) => sum + row[i], 0) / rows.length);
}
