/** The worker: answers the page's questions, one after another, says how far it is, and stops when asked. */

import { Tokenizer } from "@huggingface/tokenizers";
import * as ort from "onnxruntime-web/wasm";
import { unpack } from "./pieces.js";
import { Laboratory } from "./laboratory.js";

let laboratory = null;
let turn = Promise.resolve();
let unwanted = -1; // this question and those before it

/** Nobody waits for the answer any more. */
class Stopped extends Error {}

const { port1, port2 } = new MessageChannel();
port1.start();

/** Let what the page sent meanwhile be heard. */
function listen() {
  return new Promise((resolve) => {
    port1.addEventListener("message", resolve, { once: true });
    port2.postMessage(null);
  });
}

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
  const goOn = async () => {
    await listen();
    if (id <= unwanted) throw new Stopped("stopped");
  };
  const report = async (what, share) => {
    self.postMessage({ id, what, share });
    await goOn();
  };
  try {
    await goOn();
    const result = await (question === "start"
      ? start(argument)
      : laboratory[question](argument, report));
    self.postMessage({ id, result });
  } catch (error) {
    const isStop = error instanceof Stopped;
    self.postMessage({ id, error: error.message, isOurs: error.name === "LaboratoryError", isStop });
  }
}

self.onmessage = ({ data }) => {
  if (data.question === "stop") unwanted = data.id;
  else turn = turn.then(() => answer(data));
};
