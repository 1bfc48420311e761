/** A model's file of weights, and the two controls that are made of it: other weights, same file. */

import { normalSource, randomSource, shuffle } from "./random.js";

/** Name, shape and place (bytes) of each tensor in a file of the format safetensors. */
export function tensorsOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const nHeader = Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + nHeader)));
  return Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, { shape, data_offsets: [start, end] }]) => ({
      name,
      shape,
      halves: new Uint16Array(bytes.slice(8 + nHeader + start, 8 + nHeader + end).buffer),
      offset: 8 + nHeader + start,
    }));
}

/** The same numbers, shuffled within each matrix; vectors stay. */
export function permuted(bytes, seed = 0) {
  const uniform = randomSource(seed);
  return rewritten(bytes, ({ shape, halves }) => {
    if (shape.length > 1) shuffle(halves, uniform);
  });
}

/**
 * Fresh weights as GPT-2 begins with: normal with the deviation of the configuration, smaller in
 * the projections back into the stream, biases 0, the gains of norms 1. They are drawn by another
 * generator than layerlab's, so they are another draw from the same distribution.
 */
export function untrained(bytes, config, seed = 0) {
  const normal = normalSource(randomSource(seed));
  const deviation = config.initializer_range;
  return rewritten(bytes, ({ name, shape, halves }) => {
    if (shape.length === 1) halves.fill(/ln_\w+\.weight$/.test(name) ? toHalf(1) : 0);
    else {
      const back = name.endsWith("c_proj.weight") ? 1 / Math.sqrt(2 * config.n_layer) : 1;
      for (let i = 0; i < halves.length; i++) halves[i] = toHalf(deviation * back * normal());
    }
  });
}

function rewritten(bytes, change) {
  const copy = bytes.slice();
  for (const tensor of tensorsOf(copy)) {
    change(tensor);
    copy.set(new Uint8Array(tensor.halves.buffer), tensor.offset);
  }
  return copy;
}

const word = new DataView(new ArrayBuffer(4));

/** The nearest number of half precision, as its 16 bits; for numbers below 65504. */
export function toHalf(value) {
  const size = Math.abs(value);
  const sign = value < 0 ? 0x8000 : 0;
  if (size < 2 ** -14) return sign | Math.round(size * 2 ** 24); // even spacing below this
  word.setFloat32(0, size);
  return sign | ((word.getUint32(0) - 0x38000000 + 0x1000) >>> 13);
}
