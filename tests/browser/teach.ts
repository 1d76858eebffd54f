/** The page of examples/web as tests use it: built, opened, and clicked. */
import type { Page } from "playwright-core";
import { run } from "../runtime.ts";
import { hasBrowser } from "./check.ts";
import type { Tab } from "./tab.ts";

/** Where the page is built. */
export const pageFolder = "dist/web";

/** Builds the page where there is a browser to show it. */
export const built = async (): Promise<void> => {
  if (!hasBrowser) return;
  const { code, output } = await run("node", [".ci/web.mjs"]);
  if (code !== 0) throw new Error(output);
};

/** Waits for the model, a minute at most: what follows waits as long. */
export const open = async ({ page }: Tab): Promise<void> => {
  page.setDefaultTimeout(60_000);
  await page.locator(".runs strong").waitFor();
};

/** Waits until nothing is under way. */
export const idle = (page: Page): Promise<void> => page.locator(".progress:not(.shown)").waitFor({ state: "attached" });

/** Chooses a task by its place, and waits for what the model says of it. */
export const choose = async (page: Page, place: number): Promise<string> => {
  const card = page.locator("button.card").nth(place);
  const name = (await card.locator(".name").textContent()) ?? "";
  await card.click();
  await page.getByRole("heading", { name, exact: true }).waitFor();
  await page.locator(".pictures img").first().waitFor();
  await idle(page);
  return name;
};

/** Begins to learn the chosen task. */
export const begin = async (page: Page, steps: number): Promise<void> => {
  await page.getByLabel("Steps").fill(String(steps));
  await page.locator("form.learn button.primary").click();
};
