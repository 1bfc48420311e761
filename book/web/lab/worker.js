/** The worker: answers the page's questions, one after another, and says how far it is. */

import { Tokenizer } from "@huggingface/tokenizers";
import * as ort from "onnxruntime-web/wasm";
import { unpack } from "./pieces.js";
import { Laboratory } from "./laboratory.js";

let laboratory = null;
let turn = Promise.resolve();

async function start(packed) {
  const files = {};
  for (const [name, pieces] of Object.entries(packed)) files[name] = await unpack(pieces);
  const text = (name) => new TextDecoder().decode(files[name]);
  ort.env.wasm.wasmBinary = files["runtime.wasm"].buffer;
  ort.env.wasm.numThreads = 1; // more would need a server that isolates the page
  laboratory = new Laboratory(ort, new Tokenizer(JSON.parse(text("tokenizer.json")), {}), {
    graph: files["graph.onnx"],
    weights: files["model.safetensors"],
    config: JSON.parse(text("config.json")),
  });
  return { ...(await laboratory.start()), article: text("article.txt") };
}

async function answer({ id, question, argument }) {
  const report = async (what, share) => self.postMessage({ id, what, share });
  try {
    const result = await (question === "start"
      ? start(argument)
      : laboratory[question](argument, report));
    self.postMessage({ id, result });
  } catch (error) {
    self.postMessage({ id, error: error.message, isOurs: error.name === "LaboratoryError" });
  }
}

self.onmessage = ({ data }) => {
  turn = turn.then(() => answer(data));
};
