/**
 * The page of examples/web, by clicks: its main path from the first look to a download, a reload that goes on, a lesson that is stopped, and what many lessons
 * leave behind. Screenshots go to .cache/screens.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Page } from "playwright-core";
import * as assert from "uvu/assert";
import { browserTest, runTests } from "./check.ts";
import { begin, built, choose, idle, open, pageFolder } from "./teach.ts";

const screens = ".cache/screens";
await built();
mkdirSync(screens, { recursive: true });

/** A picture that is in no lesson. */
const picture = resolve("tests/fixtures/preprocess/rgb.png");

const learn = async (page: Page, place: number, steps: number): Promise<string> => {
  const name = await choose(page, place);
  await begin(page, steps);
  await page.getByText("Both have learned this").waitFor();
  await idle(page);
  return name;
};

/** Pictures of the whole page, as a computer and as a phone show it. */
const shoot = async (page: Page, name: string): Promise<void> => {
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 844 });
    await page.screenshot({ path: join(screens, `${name}-${width}.png`), fullPage: true });
    const wide = await page.evaluate<number>("document.documentElement.scrollWidth");
    assert.ok(wide <= width, `${name}: ${wide} pixels wide in a window of ${width}`);
  }
  await page.setViewportSize({ width: 1280, height: 844 });
};

/** An event of a trace: `tdur` are the microseconds that its thread has worked, however busy the machine was with others. */
interface Traced {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** Milliseconds of work of the longest tasks of main threads while something is done, the longest first. */
const tasksWhile = async (page: Page, work: () => Promise<unknown>): Promise<readonly number[]> => {
  const browser = page.context().browser()!;
  await browser.startTracing(page, { categories: ["disabled-by-default-devtools.timeline"] });
  await work();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { readonly traceEvents: readonly Traced[] };
  const place = ({ pid, tid }: Traced): string => `${pid} ${tid}`;
  const main = new Set(traceEvents.filter(({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain").map(place));
  const tasks = traceEvents.filter((event) => /RunTask$/.test(event.name) && main.has(place(event)));
  return tasks.map(({ tdur = 0 }) => Math.round(tdur / 1000)).sort((one, other) => other - one);
};

browserTest(
  "two tasks are looked at and learned, a picture is guessed, pictures are found, an adapter is taken along, and a reload goes on",
  async (tab) => {
    const { page } = tab;
    await open(tab);
    await shoot(page, "opened");
    const first = await learn(page, 0, 6);
    assert.ok((await page.locator('section[aria-labelledby="lessons"] svg').count()) >= 2, "curves");
    let second = "";
    const tasks = await tasksWhile(page, async () => {
      second = await learn(page, 1, 6);
    });
    assert.ok(tasks.length > 0 && tasks[0] <= 50, `tasks of the main thread while it learns: ${tasks.slice(0, 5).join(", ")} ms`);
    assert.match((await page.locator(".verdict").textContent()) ?? "", new RegExp(`^Since it learned ${second}, of ${first}: `));
    assert.is(await page.locator("table.kept tbody tr").count(), 2);

    await page.locator('section[aria-labelledby="guess"] input[type="file"]').setInputFiles(picture);
    await page.locator(".guessed img").waitFor();
    assert.ok((await page.locator(".guessed").textContent())?.includes("Sequential LoRA"));
    await idle(page);
    await page.getByRole("searchbox").fill("a yellow fruit");
    await page.getByRole("button", { name: "Search" }).click();
    await page.locator(".found li").first().waitFor();
    await idle(page);
    await shoot(page, "learned");

    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page
        .getByRole("button", { name: /^Adapter/ })
        .last()
        .click(),
    ]);
    const zip = readFileSync(await download.path());
    assert.match(download.suggestedFilename(), /\.zip$/);
    assert.is(zip.subarray(0, 2).toString(), "PK");
    assert.ok(zip.includes("adapter_config.json") && zip.includes("adapter_model.safetensors"));

    await page.reload();
    await page.locator("table.kept tbody tr").nth(1).waitFor();
    assert.is(await page.locator("button.card .learned").count(), 2);
    await choose(page, 2);
    await begin(page, 500);
    await page.locator(".doing progress[max]").waitFor();
    await page.getByText(/^[1-9]\d* of 500/).waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByRole("button", { name: /^Go on with/ }).waitFor();
    await idle(page);
    assert.is(await page.locator(".failure").count(), 0);
  },
  { folder: pageFolder },
);

runTests();
