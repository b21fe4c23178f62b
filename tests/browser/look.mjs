// node look.mjs BROWSER PAGE FOLDER: looks at a page, and writes pictures of it to a folder.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [executablePath, path, folder] = process.argv.slice(2);
const address = pathToFileURL(path).href;
const axe = readFileSync(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });

// A page from disk that asks for anything, or says anything to the console, has failed.
async function open(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  page.told = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(address)) page.told.push(`request: ${request.url().slice(0, 80)}`);
  });
  page.on("console", (message) => page.told.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => page.told.push(`error: ${error.message}`));
  await page.goto(address);
  await page.waitForTimeout(300);
  return page;
}

async function close(page, name) {
  assert.deepEqual(page.told, [], `${name}: the page asks or complains`);
  await page.context().close();
}

const looks = {
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  narrow: { viewport: { width: 400, height: 800 } },
};

for (const [name, options] of Object.entries(looks)) {
  const page = await open(options);
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(sideways <= 0, `${name}: the page is wider than its window by ${sideways} px`);
  await page.screenshot({ path: `${folder}/report-${name}.png`, fullPage: true });
  await page.evaluate(() => {
    document.querySelectorAll("details").forEach((fold) => { fold.open = true; });
  });
  await page.addScriptTag({ content: axe }).catch(() => page.evaluate(axe));
  const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  const grave = found.violations.filter((it) => ["serious", "critical"].includes(it.impact));
  const said = grave.map((it) => `${it.id}: ${it.nodes[0].html.slice(0, 120)}`);
  assert.deepEqual(said, [], `${name}: axe has serious findings`);
  console.log(`${name}: no request, nothing on the console, ${found.passes?.length ?? 0} rules of axe pass`);
  await close(page, name);
}

// Without script the answer, the matrix and still pictures are there.
{
  const page = await open({ javaScriptEnabled: false });
  assert.ok(await page.locator("#answer .verdicts dd").first().isVisible(), "no answer");
  assert.ok(await page.locator("#timeline svg.mini").count() > 0, "no still pictures");
  await close(page, "without script");
  console.log("without script: the answer and still pictures are there");
}

// Charts: zoom by drag, double click, fields and keyboard; arms to choose.
{
  const page = await open();
  const range = () => page.evaluate(() => ["from", "to"].map(
    (end) => Number.parseFloat(document.querySelector(`#timeline-${end}`).value)));
  const columns = () => page.locator("[data-charts=timeline] .column").count();
  const whole = await range();
  assert.ok(await columns() >= 2, "fewer than two arms are drawn");
  const plot = page.locator("[data-charts=timeline] .column").first().locator(".u-over").first();
  await plot.scrollIntoViewIfNeeded();
  const box = await plot.boundingBox();
  await page.mouse.move(box.x + box.width * 0.2, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 30, { steps: 5 });
  await page.mouse.up();
  await page.waitForTimeout(100);
  const zoomed = await range();
  assert.ok(zoomed[1] - zoomed[0] < (whole[1] - whole[0]) * 0.5, `drag does not zoom: ${zoomed}`);
  await page.mouse.dblclick(box.x + 40, box.y + 20);
  await page.waitForTimeout(100);
  assert.deepEqual(await range(), whole, "a double click does not show the whole");
  await page.fill("#timeline-from", "5");
  await page.keyboard.press("Enter");
  assert.equal((await range())[0], 5, "the field does not zoom");
  await page.focus("#timeline-reset");
  await page.keyboard.press("Enter");
  assert.deepEqual(await range(), whole, "the button does not show the whole");
  await page.click("details.arms > summary");
  await page.click("#timeline-all");
  const boxes = page.locator("#timeline-arms input");
  assert.equal(await columns(), await boxes.count(), "not all arms are drawn");
  await boxes.last().uncheck();
  await page.waitForTimeout(100);
  assert.equal(await columns(), await boxes.count() - 1, "an arm that is not chosen is drawn");
  await close(page, "charts");
  console.log("charts: zoom by drag, double click, field and button; arms can be chosen");
}

// The keyboard goes through the page in the order of reading, and a count leads to its story.
{
  const page = await open();
  const tops = [];
  for (let stop = 0; stop < 400; stop += 1) {
    await page.keyboard.press("Tab");
    const top = await page.evaluate(() => {
      const at = document.activeElement;
      return at === document.body ? null : at.closest("main")
        ? at.getBoundingClientRect().top + scrollY : -1;
    });
    if (top === null) break;
    if (top >= 0) tops.push(top);
  }
  assert.ok(tops.length > 10, `only ${tops.length} stops`);
  const back = tops.filter((top, i) => i > 0 && top < tops[i - 1] - 400);
  assert.ok(back.length === 0, `the keyboard goes back: ${back}`);
  const link = page.locator("#promises td.broken a").first();
  if (await link.count() > 0) {
    const story = (await link.getAttribute("href")).slice(1);
    await link.click();
    await page.waitForTimeout(300);
    const isOpen = await page.evaluate(
      (id) => document.getElementById(id).querySelector("details.telling").open, story);
    assert.ok(isOpen, `${story} is not unfolded`);
  }
  await close(page, "keyboard");
  console.log(`keyboard: ${tops.length} stops in the order of reading; a count leads to its story`);
}

{
  const page = await open({ colorScheme: "dark" });
  await page.pdf({ path: `${folder}/report-print.pdf`, format: "A4" });
  await close(page, "print");
  console.log("print: written");
}

await browser.close();
