/** The page's side: loads the laboratory's files, starts its worker, and asks it. */

import { fetchPieces, loadScript, unpack } from "./pieces.js";

const WORKER = "worker.js";

/** What the browser lacks, in words; empty where nothing is missing. */
export function missing() {
  if (typeof WebAssembly !== "object") return "WebAssembly";
  if (typeof Worker !== "function") return "workers";
  if (typeof DecompressionStream !== "function") return "decompression";
  return "";
}

/** Bytes that loading takes, from the list of the files. */
export async function sizeOf(folder) {
  await loadScript(`${folder}index.js?at=${Date.now()}`); // an old list would name pieces that are gone
  return self.courseLaboratory.size;
}

export class Client {
  /** @param {string} folder Address of the files, with its last slash. */
  constructor(folder) {
    this.folder = folder;
    this.waiting = new Map();
    this.count = 0;
  }

  /** Load all files and start the model; `report` is told what is done, and how far it is. */
  async start(report) {
    const { files, size } = self.courseLaboratory;
    const packed = {};
    let loaded = 0;
    for (const [name, names] of Object.entries(files)) {
      packed[name] = await fetchPieces(this.folder, names, (length) => {
        loaded += length;
        report("loading", Math.min(1, loaded / size));
      });
    }
    const program = await unpack(packed[WORKER]);
    delete packed[WORKER];
    const address = URL.createObjectURL(new Blob([program], { type: "text/javascript" }));
    this.worker?.terminate(); // one whose model did not start
    this.worker = new Worker(address);
    this.worker.onmessage = ({ data }) => this.#receive(data);
    this.worker.onerror = ({ message }) => this.#giveUp(message || "its worker does not start");
    report("starting", NaN);
    return this.ask("start", packed);
  }

  /** A question to the laboratory: the name of a method, and its argument. */
  ask(question, argument = {}, report = () => {}) {
    const id = this.count++;
    this.worker.postMessage({ id, question, argument });
    return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject, report }));
  }

  /** Give up all that was asked so far: who waits for it gets an error with `isStop`. */
  stop() {
    this.worker.postMessage({ id: this.count - 1, question: "stop" });
  }

  #giveUp(message) {
    for (const { reject } of this.waiting.values()) reject(new Error(message));
    this.waiting.clear();
  }

  #receive({ id, result, error, isOurs, isStop, what, share }) {
    const { resolve, reject, report } = this.waiting.get(id);
    if (what) return report(what, share);
    this.waiting.delete(id);
    if (error) reject(Object.assign(new Error(error), { isOurs, isStop }));
    else resolve(result);
  }
}
