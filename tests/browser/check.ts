/** Tests in a browser: one Chromium for a file, a tab with a storage of its own for a test. Without a Chromium they are skipped. */
import { existsSync } from "node:fs";
import process from "node:process";
import { chromium, type Browser } from "playwright-core";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Ran } from "./pages/uvu.ts";
import { serve } from "./server.ts";
import { openTab, type Tab } from "./tab.ts";

const usualPlaces = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

const executablePath = process.env.CAMBIUM_CHROMIUM ?? usualPlaces.find((path) => existsSync(path));

/** Whether there is a browser for tests. */
export const hasBrowser = Boolean(executablePath);

if (!hasBrowser) process.stdout.write("skipped: there is no Chromium; CAMBIUM_CHROMIUM names one, and is empty for none\n");

/** WebGPU without a GPU; no host but our own is ever reached. */
const args = ["--no-sandbox", "--enable-unsafe-webgpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"];

let shared: Promise<Browser> | undefined;

/** No test of a browser takes so many milliseconds: one that does waits for what never comes. */
const patience = 240_000;

/** Rejects when a test has taken too long. */
const tooLong = (): { readonly promise: Promise<never>; readonly forget: () => void } => {
  let timer: ReturnType<typeof setTimeout>;
  const promise = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing after ${patience / 1000} s`)), patience);
  });
  return { promise, forget: () => clearTimeout(timer) };
};

/** Options of {@link browserTest}. */
export interface TabOptions {
  /** The folder that is served. Default: this repository. */
  readonly folder?: string;
  /** Which page is opened. Default: the root. */
  readonly path?: string;
}

/** A test with a tab, which must have nothing to complain about when it ends; what a test wants is a complaint it takes away itself. */
export const browserTest = (name: string, body: (tab: Tab) => Promise<void>, { folder = ".", path }: TabOptions = {}): void => {
  if (!hasBrowser) return void test.skip(name);
  test(name, async () => {
    const browser = await (shared ??= chromium.launch({ executablePath, headless: true, args }));
    const served = await serve(folder);
    const tab = await openTab(browser, served.origin, path);
    const { promise, forget } = tooLong();
    try {
      await Promise.race([body(tab), promise]);
      assert.equal(tab.complaints, []);
    } catch (error) {
      if (tab.complaints.length > 0 && error instanceof Error) error.message += `\n${tab.complaints.join("\n")}`;
      throw error;
    } finally {
      forget();
      await tab.close();
      await served.close();
    }
  });
};

/** Runs a file of tests in a worker of a browser, on its device: all its tests, or those whose name holds one of the words. */
export const runsInBrowser = (file: string, words: readonly string[] = [""]): void =>
  browserTest(`${file} in a worker`, async ({ inWorker }) => {
    const results = await inWorker<readonly Ran[]>(file, "run", words);
    assert.ok(results.length > 0, "no test of that name");
    assert.equal(
      results.filter(({ error }) => error !== undefined).map(({ name, error }) => `${name}: ${error}`),
      [],
    );
  });

/** Runs the tests of a file, and closes its browser. */
export const runTests = (): void => {
  test.after(async () => await (await shared)?.close());
  test.run();
};
