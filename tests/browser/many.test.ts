/**
 * Tasks that the page learns one after the other leave the device and the heap of its worker where they were, but for its pictures. `CAMBIUM_TASKS=10` learns as many; by default
 * some.
 */
import { join } from "node:path";
import process from "node:process";
import type { Page } from "playwright-core";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { png, temporaryFolder, write } from "../fixtures/datasets.ts";
import { browserTest, runTests } from "./check.ts";
import { begin, built, choose, idle, open, pageFolder } from "./teach.ts";

const tasks = Number(process.env.CAMBIUM_TASKS ?? 3);
const { dir, remove } = temporaryFolder("many");
await built();

/** A folder of pictures of two classes of one colour each, named after the task. */
const written = async (task: number): Promise<string> => {
  const name = `task ${task}`;
  const files: Record<string, Uint8Array> = {};
  for (const [c, of] of ["plain", "striped"].entries())
    for (let i = 0; i < 4; i++) files[`${of} ${task}/${i}.png`] = await png(200 * c + 10 * i, 20 * task, 32, 32);
  write(join(dir, name), files);
  return join(dir, name);
};

/** Remembers the bytes that the worker tells are alive on the device. */
const listening = `
  const Own = Worker;
  globalThis.Worker = class extends Own {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", ({ data }) => data.type === "alive" && (globalThis.alive = data.bytes));
    }
  };
`;

/** Asks the page's worker for the bytes that its heap has when its rubbish was collected. */
const heapOf = async (page: Page): Promise<() => Promise<number>> => {
  const devtools = await page.context().newCDPSession(page);
  const attached = new Promise<string>((resolve) => devtools.once("Target.attachedToTarget", ({ sessionId }) => resolve(sessionId)));
  await devtools.send("Target.setAutoAttach", { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
  const sessionId = await attached;
  let id = 0;
  const ask = async (method: string): Promise<{ readonly usedSize?: number }> => {
    const own = ++id;
    const answer = new Promise<string>((resolve) => {
      const listen = ({ message }: { readonly message: string }): void => {
        if (JSON.parse(message).id !== own) return;
        devtools.off("Target.receivedMessageFromTarget", listen);
        resolve(message);
      };
      devtools.on("Target.receivedMessageFromTarget", listen);
    });
    await devtools.send("Target.sendMessageToTarget", { sessionId, message: JSON.stringify({ id: own, method }) });
    return JSON.parse(await answer).result;
  };
  return async () => {
    await ask("HeapProfiler.collectGarbage");
    return (await ask("Runtime.getHeapUsage")).usedSize ?? Number.NaN;
  };
};

browserTest(
  `${tasks} tasks one after the other leave the device's bytes and the heap where they were`,
  async (tab) => {
    const { page } = tab;
    await page.addInitScript(listening);
    await page.reload();
    await open(tab);
    const heap = await heapOf(page);
    const along = await page.locator("button.card").count();
    const alive: number[] = [];
    const heaps: number[] = [];
    for (let task = 0; task < tasks; task++) {
      await page.locator("input[webkitdirectory]").setInputFiles(await written(task));
      await page
        .locator("button.card")
        .nth(along + task)
        .waitFor();
      await choose(page, along + task);
      await begin(page, 1);
      await page.getByText("Both have learned this").waitFor();
      await idle(page);
      alive.push(await page.evaluate<number>("alive"));
      heaps.push(await heap());
    }
    assert.is(alive.at(-1), alive[0]);
    // What is kept of each task: its pictures, so that it can be tested again.
    if (process.env.CAMBIUM_TASKS !== undefined) process.stdout.write(`bytes of the heap: ${heaps.join(", ")}\n`);
    assert.ok((heaps.at(-1)! - heaps[0]) / (tasks - 1) < 2 ** 19, `bytes of the heap behind each task: ${heaps.join(", ")}`);
  },
  { folder: pageFolder },
);

test.after(remove);
runTests();
