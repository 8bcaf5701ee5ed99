// Both of the runner's pages in Chromium, as somebody uses them.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const api = process.env.API;
const pictures = process.env.PICTURES ? new URL("../../docs/pictures/", import.meta.url).pathname : null;
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const context = await browser.newContext({ viewport: { width: 1400, height: 860 } });
const page = await context.newPage();
page.setDefaultTimeout(15_000);

const wrong = [];
context.on("request", (request) => {
  const { hostname, protocol } = new URL(request.url());
  if (hostname !== "127.0.0.1" && !["data:", "blob:"].includes(protocol)) wrong.push(`asks ${request.url()}`);
});
context.on("weberror", (error) => wrong.push(`fails: ${error.error().message}`));
page.on("console", (message) => message.type() === "error" && wrong.push(`complains: ${message.text()}`));

const ask = async (path, body) => (await fetch(api + path, body && { method: "POST", body: JSON.stringify(body) })).json();

async function picture(name) {
  if (pictures) await page.screenshot({ path: `${pictures}${name}.png` });
}

/** That at these widths nothing is cut off: what is wider than the page scrolls in a place of its own. */
async function fits(what) {
  for (const width of [400, 1400]) {
    await page.setViewportSize({ width, height: 860 });
    const over = await page.evaluate(() => {
      const scrolls = (element) =>
        element && (/auto|scroll|hidden/.test(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
      const sticksOut = (element) => {
        const { right, width } = element.getBoundingClientRect();
        return width > 0 && right > innerWidth + 1 && !scrolls(element.parentElement);
      };
      return [...document.querySelectorAll("body *")].filter(sticksOut).map((element) => element.outerHTML.slice(0, 120));
    });
    assert.deepEqual(over, [], `${what} at ${width} pixels`);
  }
}

/** Opens an operation of the reference, found by its name, sends its example or `body`, and reads the answer. */
async function attempt(name, body) {
  await page.fill(".operation-filter-input", name);
  await page.locator(".opblock-tag").nth(1).waitFor({ state: "detached" });
  await page.locator(".opblock-tag").click();
  const operation = page.locator(`[id$="-${name}"]`);
  await operation.locator(".opblock-summary-control").first().click();
  if (body) await operation.locator("textarea").first().fill(JSON.stringify(body, null, 2));
  await operation.locator("button.execute").click();
  const answer = operation.locator(".live-responses-table .response-col_description pre").first();
  await answer.waitFor();
  return JSON.parse((await answer.innerText()).replace(/\n?Download$/, ""));
}

// The reference: signed in as Anna, publish an article and see it.
await page.goto(`${api}/docs`);
await page.getByRole("button", { name: "anna" }).click();
await page.locator('#people button[aria-pressed="true"]', { hasText: "anna" }).waitFor();
await page.locator(".opblock-tag").first().waitFor();
await fits("the reference");
const content = "Written in the reference.";
const published = await attempt("article_publish", { content });
assert.equal(published.code, 0, JSON.stringify(published));
await fits("an operation of the reference");
// The token is kept while other pages are looked at.
await page.goto(`${api}/docs`);
await page.locator('#people button[aria-pressed="true"]', { hasText: "anna" }).waitFor();
const { my_article_list: [mine] } = await attempt("my_article_list", { limit: 1 });
assert.deepEqual([mine.article_id, mine.content], [published.article_id, content]);
// What is looked for is found in operations, wherever they are.
await page.goto(`${api}/docs`);
await page.fill(".operation-filter-input", "comment");
await page.locator(".opblock-tag", { hasText: "C account" }).waitFor({ state: "detached" });
await page.locator(".opblock-tag", { hasText: "D article" }).click();
await page.locator(".opblock", { hasText: "article_comment_reply" }).waitFor();
await page.locator(".filter").evaluate((filter) => filter.scrollIntoView());
await picture("reference");

// The desk: that request and its units.
await page.goto(`${api}/desk`);
const row = page.locator("tr.entry", { hasText: "article_publish" }).first();
await row.waitFor();
const figures = await row.locator(".figure").allInnerTexts();
const entries = await ask("/_local/desk/requests");
const entry = entries.findLast((entry) => entry.operation === "article_publish");
assert.ok(entry.write_units > 0 && entry.rounds > 0, JSON.stringify(entry));
const shown = [entry.millis.toFixed(1), entry.rounds, entry.calls.length, entry.read_units, entry.write_units, entry.million.toFixed(2)];
assert.deepEqual(figures, shown.map(String));
await row.getByRole("button").click();
await page.locator("tr.calls", { hasText: "TransactWriteItems" }).waitFor();
await picture("desk");
await fits("the desk's requests");

// The SMS.
const phone = `137${String(Date.now()).slice(-8)}`;
await ask("/send_sms_code", { country: "86", phone });
await page.getByRole("link", { name: "SMS" }).click();
const message = page.locator("#texts li", { hasText: phone });
await message.waitFor();
const { code } = await ask(`/_local/sms?country=86&phone=${phone}`);
assert.equal(await message.locator(".code").innerText(), code);
await fits("the desk's messages");

// What is stored, whatever it holds.
const bold = `<b id="not-html">${content}</b>`;
const { token } = await ask("/user_login", { country: "86", phone: "13800138003", password: "plaza2026" });
await ask("/article_publish", { token, content: bold });
await page.getByRole("link", { name: "Articles" }).click();
await page.locator("#items li", { hasText: bold }).waitFor();
assert.equal(await page.locator("#not-html").count(), 0);
await page.locator("#items img").first().scrollIntoViewIfNeeded();
await page.waitForFunction(() => [...document.querySelectorAll("#items img")].some((image) => image.naturalWidth > 0));
await page.locator("#items summary").first().click();
await page.locator("#items .inside h3").first().waitFor();
await fits("the desk's articles");

// Orders lie with whoever ordered.
await page.getByRole("link", { name: "Orders" }).click();
await page.locator("#items h2", { hasText: "/ ORDER#" }).first().waitFor();
await fits("the desk's orders");

// An import.
await page.getByRole("link", { name: "Import" }).click();
await page.getByRole("button", { name: "Import" }).click();
await page.locator("#imported", { hasText: "1 imported" }).waitFor();
await fits("the desk's import");
await page.getByRole("link", { name: "Games" }).click();
await page.locator("#items li", { hasText: "Kites" }).first().waitFor();

await browser.close();
assert.deepEqual([...new Set(wrong)], []);
console.log("both pages do what they should, at 400 and 1,400 pixels");
