/** What one sees, as files. */

/** Rows as CSV; what holds a comma, a quote or a line's end is quoted. */
export function toCsv(rows) {
  const cell = (value) =>
    /[",\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : String(value);
  return rows.map((row) => row.map(cell).join(",")).join("\n") + "\n";
}

/** All pairs in every block, one a line. */
export function rowsOf({ pairs, gaps, positions, sweeps, nLayers }) {
  const names = Object.keys(Object.values(sweeps)[0].measures);
  const rows = [["model", "component", "block", "position", "position_2", "gap", ...names]];
  for (const [kind, { measures }] of Object.entries(sweeps)) {
    for (let place = 0; place < 2 * nLayers; place++) {
      pairs.forEach(([i, j], m) => {
        const where = [kind, place < nLayers ? "att" : "mlp", place % nLayers];
        const pair = [positions[i], positions[j], gaps[m]];
        rows.push([...where, ...pair, ...names.map((name) => measures[name][place][m])]);
      });
    }
  }
  return rows;
}

/** A drawing on its own: with the colours that the page gives it. */
export function toSvg(drawing) {
  const copy = drawing.cloneNode(true);
  const [from, to] = [drawing, copy].map((svg) => [svg, ...svg.querySelectorAll("*")]);
  to.forEach((node, i) => {
    const style = getComputedStyle(from[i]);
    for (const name of ["fill", "stroke", "stroke-width", "stroke-dasharray", "font-size"]) {
      node.style.setProperty(name, style.getPropertyValue(name));
    }
    node.style.fontFamily = "sans-serif";
  });
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return new XMLSerializer().serializeToString(copy);
}

/** Hand a text over as a file. */
export function download(name, text, type) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address));
}
