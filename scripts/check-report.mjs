#!/usr/bin/env node
// Opens pages of `kuu report` in headless Chromium and checks what only a browser can tell: that a page loads nothing, logs no
// error, fits a phone and a desk in light and dark, prints, has no violation that axe-core finds, and has enough contrast, in its
// plots too, which axe-core does not look at.
//
//   scripts/check-report.mjs [--into DIR] PAGE.html...
//
// Needs node, npm and Chromium (Debian: apt-get install chromium; CHROMIUM names another). puppeteer-core and axe-core are
// installed below the target directory when they are not there. Screenshots and the printed page are left in DIR.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const PACKAGES = ["puppeteer-core@25.16.0", "axe-core@4.14.1"];
const WIDTHS = [390, 1280];
const SCHEMES = ["light", "dark"];
// WCAG 2.2, 1.4.3 and 1.4.11.
const TEXT_CONTRAST = 4.5;
const SHAPE_CONTRAST = 3;

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const target = resolve(process.env.CARGO_TARGET_DIR ?? join(root, "target"));

function options(words) {
  const found = { into: join(target, "report-check"), pages: [] };
  while (words.length > 0) {
    const word = words.shift();
    if (word === "--into" && words.length > 0) found.into = words.shift();
    else if (word.startsWith("-")) found.help = true;
    else found.pages.push(word);
  }
  if (found.help || found.pages.length === 0) {
    console.log("usage: scripts/check-report.mjs [--into DIR] PAGE.html...");
    process.exit(found.pages.length === 0 && !found.help ? 2 : 0);
  }
  return found;
}

function tools() {
  const home = join(target, "report-check-tools");
  if (!existsSync(join(home, "node_modules", "axe-core"))) {
    mkdirSync(home, { recursive: true });
    execFileSync("npm", ["install", "--silent", "--no-save", "--prefix", home, ...PACKAGES], { stdio: "inherit" });
  }
  const require = createRequire(join(home, "x.js"));
  const chromium = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  const browser = chromium.find((path) => path && existsSync(path));
  if (!browser) {
    console.error("no Chromium: apt-get install chromium, or name one with CHROMIUM=/path");
    process.exit(2);
  }
  return { axe: readFileSync(require.resolve("axe-core/axe.min.js"), "utf8"), puppeteer: require.resolve("puppeteer-core"), browser };
}

// What runs in the page: contrast of every text and of everything that plots draw, against what is behind it.
function contrastOf(least) {
  const channel = (value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const luminance = (color) => {
    const [red, green, blue] = color.match(/[\d.]+/g).map((value) => channel(Number(value) / 255));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const paper = luminance(getComputedStyle(document.body).backgroundColor);
  const faults = [];
  let worst = { text: 99, shape: 99 };
  const see = (kind, element, color, ground = paper) => {
    const [low, high] = [luminance(color), ground].sort((one, other) => one - other);
    const ratio = (high + 0.05) / (low + 0.05);
    worst[kind] = Math.min(worst[kind], ratio);
    if (ratio < least[kind]) faults.push(`${element.textContent || element.getAttribute("class")}: ${ratio.toFixed(2)} of ${color}`);
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (!/, 0\)$|^transparent$/.test(color)) return luminance(color);
    }
    return paper;
  };
  for (const element of document.querySelectorAll("body *:not(svg, svg *)")) {
    const says = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (says) see("text", element, getComputedStyle(element).color, behind(element));
  }
  document.querySelectorAll("svg text").forEach((text) => see("text", text, getComputedStyle(text).fill));
  document.querySelectorAll("svg .line, svg .interval, svg .ceiling, svg .axis").forEach((it) => see("shape", it, getComputedStyle(it).stroke));
  document.querySelectorAll("svg .bar, svg .dot").forEach((it) => see("shape", it, getComputedStyle(it).fill));
  return { faults: [...new Set(faults)], worst };
}

// Text of plots that meets other text, or leaves its plot.
function plotOverlaps() {
  const faults = [];
  for (const svg of document.querySelectorAll("svg")) {
    const frame = svg.getBoundingClientRect();
    const boxes = [...svg.querySelectorAll("text")].map((text) => ({ words: text.textContent, box: text.getBoundingClientRect() }));
    boxes.forEach(({ words, box }, at) => {
      if (box.left < frame.left - 2 || box.right > frame.right + 2) faults.push(`${svg.id}: "${words}" leaves the plot`);
      for (const other of boxes.slice(at + 1)) {
        const apart = box.right <= other.box.left || other.box.right <= box.left || box.bottom <= other.box.top + 2 || other.box.bottom <= box.top + 2;
        if (!apart) faults.push(`${svg.id}: "${words}" meets "${other.words}"`);
      }
    });
  }
  return faults;
}

async function look(browser, axe, file, width, scheme, into) {
  const faults = [];
  const page = await browser.newPage();
  await page.setViewport({ width, height: 844, deviceScaleFactor: 1 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  const address = pathToFileURL(resolve(file)).href;
  page.on("console", (said) => faults.push(`console: ${said.text()}`));
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("request", (request) => {
    if (request.url() !== address && !request.url().startsWith("data:")) faults.push(`request: ${request.url()}`);
  });
  await page.goto(address, { waitUntil: "load" });
  const name = `${basename(file, ".html")}-${width}-${scheme}`;
  await page.screenshot({ path: join(into, `${name}.png`), fullPage: true });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  if (wide > width) faults.push(`the page is ${wide} pixels wide`);
  const texts = await page.evaluate(() => document.querySelector("main h2")?.textContent);
  if (texts !== "Verdict") faults.push(`the first heading is ${texts}`);
  await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
  await page.evaluate(axe);
  const result = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations", "incomplete"] }));
  for (const violation of result.violations) {
    faults.push(`axe ${violation.id}: ${violation.help}: ${violation.nodes.slice(0, 3).map((node) => node.html.slice(0, 120)).join(" | ")}`);
  }
  const contrast = await page.evaluate(contrastOf, { text: TEXT_CONTRAST, shape: SHAPE_CONTRAST });
  faults.push(...contrast.faults.map((words) => `contrast: ${words}`));
  faults.push(...(await page.evaluate(plotOverlaps)));
  const unsure = result.incomplete.map((it) => `${it.id} (${it.nodes.length})`).join(", ") || "nothing";
  const shapes = contrast.worst.shape < 99 ? `${contrast.worst.shape.toFixed(1)} of shapes` : "no plots";
  const least = `${contrast.worst.text.toFixed(1)} of text, ${shapes}`;
  console.log(`${name}: axe-core: ${result.passes.length} rules pass, ${result.violations.length} violations, unsure of ${unsure}; least contrast ${least}`);
  await page.close();
  return faults.map((words) => `${name}: ${words}`);
}

async function print(browser, file, into) {
  const page = await browser.newPage();
  await page.goto(pathToFileURL(resolve(file)).href);
  const pdf = await page.pdf({ path: join(into, `${basename(file, ".html")}.pdf`), format: "A4", margin: { top: "15mm", bottom: "15mm", left: "12mm", right: "12mm" } });
  await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
  const nodes = [];
  const walk = (node) => {
    nodes.push(node);
    (node.children ?? []).forEach(walk);
  };
  walk(await page.accessibility.snapshot({ interestingOnly: false }));
  const pictures = nodes.filter((node) => ["image", "img", "graphics-document"].includes(node.role));
  const images = pictures.length;
  const named = pictures.filter((node) => node.name && node.description).length;
  await page.close();
  console.log(`${basename(file)}: printed, ${pdf.length} bytes; a screen reader meets ${images} pictures, ${named} with a name and a description`);
  return images === named ? [] : [`${file}: ${images - named} pictures without a name or a description`];
}

const { into, pages } = options(process.argv.slice(2));
const { axe, puppeteer, browser: path } = tools();
mkdirSync(into, { recursive: true });
const { default: driver } = await import(pathToFileURL(puppeteer).href);
const browser = await driver.launch({ executablePath: path, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
const faults = [];
for (const file of pages) {
  for (const width of WIDTHS) {
    for (const scheme of SCHEMES) faults.push(...(await look(browser, axe, file, width, scheme, into)));
  }
  faults.push(...(await print(browser, file, into)));
}
await browser.close();
faults.forEach((words) => console.error(words));
console.log(faults.length === 0 ? `fine: screenshots are in ${into}` : `${faults.length} faults`);
process.exit(faults.length === 0 ? 0 : 1);
