// One visit to the status page: page.mjs CHROMIUM SCRIPT; SCRIPT is JSON with the steps, the answer is JSON
// on stdout with what was seen. Driven by page.py.
import { createRequire } from "node:module";

const [, , chromiumPath, text] = process.argv;
const { url, width = 1280, height = 900, scheme = "light", steps } = JSON.parse(text);
const { chromium } = createRequire(process.env.PLAYWRIGHT_FOLDER + "/")("playwright-core");

// Asked from outside: the page's own policy lets nothing be evaluated in it.
async function until(page, condition, milliseconds) {
  const deadline = Date.now() + milliseconds;
  while (!await page.evaluate(condition)) {
    if (Date.now() > deadline) throw new Error(`did not come: ${condition}`);
    await new Promise(done => setTimeout(done, 25));
  }
}

const browser = await chromium.launch({
  executablePath: chromiumPath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
});
const seen = { complaints: [], elsewhere: [], values: [] };
try {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme });
  const origin = new URL(url).origin;
  page.on("console", m => ["error", "warning"].includes(m.type()) && seen.complaints.push(m.text()));
  page.on("pageerror", e => seen.complaints.push(e.message));
  page.on("dialog", d => { seen.complaints.push(`dialog: ${d.message()}`); d.dismiss(); });
  page.on("request", r => new URL(r.url()).origin !== origin && seen.elsewhere.push(r.url()));
  await page.goto(url);
  for (const step of steps) {
    if (step.wait) await until(page, step.wait, step.timeout ?? 30000);
    if (step.keys) for (const key of step.keys) await page.keyboard.press(key);
    if (step.value) seen.values.push(await page.evaluate(step.value));
    if (step.picture) await page.screenshot({ path: step.picture });
    // Tells the driver that it may go on, and waits until it has.
    if (step.tell) {
      process.stdout.write(`${step.tell}\n`);
      await new Promise(done => process.stdin.once("data", done));
    }
  }
} catch (e) {
  seen.complaints.push(String(e.message ?? e));
} finally {
  await browser.close();
}
process.stdout.write(JSON.stringify(seen) + "\n");
process.exit(0);
