// Reads pages of the site in Firefox as a reader does, and prints what came of it as JSON.

const puppeteer = require("puppeteer-core");

const [program, address, width, ...names] = process.argv.slice(2);
const PATIENCE = 120_000; // ms: a busy machine turns no test red
const WORD = "minkowski";

/** Make a page as wide as asked. A Firefox that turns no screens does so, too, and complains. */
async function resize(page) {
  await page.setViewport({ width: Number(width), height: 900 }).catch((error) => {
    if (!error.message.includes("setScreenOrientationOverride")) throw error;
  });
  await page.waitForFunction((wide) => innerWidth === wide, {}, Number(width));
}

/** A page, with what it complains of and what it asks for beside the site's own files. */
async function open(browser, name) {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  await resize(page);
  const problems = [];
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("requestfailed", (request) => problems.push(`failed: ${request.url()}`));
  page.on("request", (request) => {
    const url = request.url();
    if (![address, "data:", "blob:"].some((own) => url.startsWith(own))) problems.push(url);
  });
  await page.goto(`${address}/${name}.html`);
  return { page, problems };
}

const textOf = (page, what) => page.$eval(what, (element) => element.textContent);

/** Press a key on the first control of each explorable; true for each whose sentence changed. */
async function touch(page) {
  const answered = {};
  for (const part of await page.$$(".explorable")) {
    const name = await part.evaluate((element) => element.dataset.script);
    const control = await part.waitForSelector(".stage :is(input, button)");
    const readout = await part.$(".readout");
    const before = await readout.evaluate((element) => element.textContent);
    const isSlider = await control.evaluate((element) => element.type === "range");
    await control.focus();
    await page.keyboard.press(isSlider ? "ArrowRight" : "Enter");
    await page.waitForFunction((element, text) => element.textContent !== text, {}, readout, before);
    answered[name] = (await part.$$(".stage svg *")).length > 5;
  }
  return answered;
}

/** Predict, come back, and see what is still chosen and told. */
async function predict(page) {
  const first = '.predict input[type="radio"]';
  await page.waitForSelector(first);
  await page.$eval(first, (input) => input.click());
  await page.reload();
  await page.waitForSelector(first);
  const kept = await page.$eval(first, (input) => input.checked);
  return kept && /^You had said: /.test(await textOf(page, ".said:not([hidden]) .what"));
}

/** Open the search by its keys, look for a word, and go to the second result by the arrows. */
async function search(page) {
  await page.keyboard.down("Control");
  await page.keyboard.press("k");
  await page.keyboard.up("Control");
  const field = "dialog[open] form.bd-search input";
  await page.waitForSelector(field);
  await page.type(field, WORD);
  await page.waitForSelector("dialog[open] .search-results li");
  for (const key of ["ArrowDown", "ArrowDown"]) await page.keyboard.press(key);
  const results = await page.$$("dialog[open] .search-results li a");
  const reached = await results[1].evaluate((link) => link === document.activeElement);
  await page.keyboard.press("Escape");
  return reached ? results.length : 0;
}

/** The themes that the switch goes through. */
async function switchTheme(page) {
  const theme = () => page.$eval("html", (element) => element.dataset.theme);
  const seen = new Set([await theme()]);
  for (let i = 0; i < 3; i++) {
    await page.$eval(".theme-switch-button", (button) => button.click());
    seen.add(await theme());
  }
  return [...seen].sort();
}

/** Let the laboratory compute. */
async function compute(page) {
  await page.waitForSelector("[data-load]:not([disabled])");
  await page.click("[data-load]");
  await page.waitForSelector("[data-results]:not([hidden])");
  await page.waitForFunction(() => !document.querySelector(".laboratory").hasAttribute("aria-busy"));
  await page.$eval("[data-predict]", (button) => button.click());
  await page.waitForSelector("[data-prediction] table");
  return { counts: await textOf(page, "[data-counts]"), curves: (await page.$$("svg.lab-drawing")).length };
}

/** The fonts that the page asked for, and has in none of their ways. */
const lostFonts = (page) =>
  page.evaluate(async () => {
    const faces = [...(await document.fonts.ready)];
    const families = (wanted) => faces.filter(({ status }) => status === wanted).map(({ family }) => family);
    return families("error").filter((family) => !families("loaded").includes(family));
  });

async function read(browser, name) {
  const { page, problems } = await open(browser, name);
  const has = async (what) => Boolean(await page.$(what));
  const came = { problems };
  came.themes = await switchTheme(page);
  came.touched = await touch(page);
  came.found = await search(page);
  came.lostFonts = await lostFonts(page);
  if (await has('.predict input[type="radio"]')) came.predicted = await predict(page);
  if (await has(".laboratory")) came.laboratory = await compute(page);
  came.wider = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  await page.close();
  return came;
}

async function main() {
  const browser = await puppeteer.launch({ browser: "firefox", executablePath: program, headless: true });
  const came = {};
  try {
    for (const name of names) came[name] = await read(browser, name);
  } finally {
    await browser.close();
  }
  console.log(JSON.stringify(came));
}

main();
