/** Files that the build compressed, wrote in base64 and cut into scripts. */

/** The bytes of a file from its pieces. */
export async function unpack(pieces) {
  const compressed = new Blob(pieces.map(decode)); // a piece is a multiple of four characters
  const stream = compressed.stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function decode(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}

/**
 * Fetch the pieces of a file, in order: by scripts, which work from `file://` too.
 *
 * @param {string} folder Address of the folder, with its last slash.
 * @param {string[]} names
 * @param {(length: number) => void} report Told of every piece.
 */
export async function fetchPieces(folder, names, report) {
  const pieces = [];
  for (const name of names) {
    self.courseLaboratory.take = (piece) => pieces.push(piece);
    await loadScript(folder + name);
    report(pieces.at(-1).length);
  }
  return pieces;
}

/** Run a script of the site once. */
export function loadScript(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${address} cannot be loaded`));
    script.src = address;
    document.head.append(script);
    script.addEventListener("load", () => script.remove());
  });
}
