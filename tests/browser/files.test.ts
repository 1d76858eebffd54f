/** Files in a browser: the same laws as on a disk, and what tabs that are closed, a full storage and what people pick do to them. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { test } from "uvu";
import { temporaryFolder } from "../fixtures/datasets.ts";
import { browserTest, runTests } from "./check.ts";

const module = "tests/browser/pages/files.ts";
const { dir, remove } = temporaryFolder("picked");
test.after(remove);

browserTest("the laws of files hold in a worker and in a window", async ({ inWorker, inWindow }) => {
  assert.equal(await inWorker(module, "brokenLaws", "/worker"), []);
  assert.equal(await inWindow(module, "brokenLaws", "/window"), []);
});

browserTest("what is cut off in the middle is not there, and its room is free when the next tab writes beside it", async ({ inWorker, inWindow }) => {
  assert.is(await inWorker(module, "writeFolder", "/a/learner", 1), "written");
  assert.is(await inWorker(module, "writeFolderForever", "/a/learner"), "under way");
  assert.is(await inWorker(module, "writeFolderForever", "/a/other"), "under way");
  assert.is(await inWorker(module, "writeForever", "/a/file"), "under way");
  // Every worker has removed what the one before it left.
  const cut = [".file.ID.tmp file", "learner folder"];
  assert.equal(
    (await inWindow<readonly string[]>(module, "list", "/a")).map((name) => name.replace(/[0-9a-f-]{36}/, "ID")),
    cut,
  );
  assert.equal(await inWindow(module, "list", "/a/learner"), ["big file"]);
  assert.is(await inWindow(module, "writeFolder", "/a/learner", 2), "written");
  assert.equal(await inWindow(module, "stored"), ["/a", "/a/.learner.ID.tmp", "/a/.learner.ID.tmp/big", "/a/.learner.whole"]);
  await inWindow(module, "remove", "/a/learner");
  assert.equal(await inWindow(module, "stored"), ["/a"]);
});

browserTest("whoever looks at a folder while it is replaced sees all of it", async ({ inWindow }) => {
  assert.equal(await inWindow(module, "seenMeanwhile", "/a/learner", 40), ["a,b"]);
});

browserTest("a tab that is closed lets go of what it held, and what it wrote stays", async ({ page, origin, inWorker, inWindow }) => {
  const other = await page.context().newPage();
  await other.goto(origin);
  const begin = "import('/modules/tests/browser/pages/files.js').then(({ holdForever }) => void holdForever('/run'))";
  const begun = other.evaluate(`new Promise((begun) => { onmessage = () => setTimeout(begun, 200); ${begin} })`);
  await begun;
  assert.is(await inWorker(module, "hold", "/run"), "Cannot write /run: another tab or worker of this page is writing to it");
  await other.close();
  // A browser lets go of a closed tab a moment later.
  for (let tries = 0; tries < 20 && (await inWorker(module, "hold", "/run")) !== "written"; tries++);
  assert.is(await inWorker(module, "hold", "/run"), "written");
  assert.is(await inWindow(module, "read", "/run/log"), "one\ntwo\n");
  // The harness ends a worker as soon as it says something.
  await inWorker(module, "holdForever", "/worker").catch(() => inWorker(module, "holdForever", "/worker"));
  assert.is(await inWindow(module, "hold", "/worker"), "written");
  assert.is(await inWindow(module, "read", "/worker/log"), "one\ntwo\n");
});

browserTest("a file that a window writes is not whole before its end, and gone with its tab", async ({ page, origin, inWindow, inWorker }) => {
  const other = await page.context().newPage();
  await other.goto(origin);
  await other.evaluate(
    `new Promise((begun) => { onmessage = begun; import('/modules/tests/browser/pages/files.js').then((m) => void m.writeForever('/file')) })`,
  );
  const names = ["/.file.ID.tmp", "/.file.ID.tmp.crswap"];
  assert.equal(await inWindow(module, "stored"), names);
  assert.equal(await inWindow(module, "unfinished", "/"), names.length);
  await other.close();
  // A browser lets go of a closed tab a moment later.
  for (let tries = 0; tries < 20 && (await inWindow<readonly string[]>(module, "stored")).join() !== "/another"; tries++)
    await inWorker(module, "write", "/another", 1);
  assert.equal(await inWindow(module, "stored"), ["/another"]);
});

for (const place of ["inWorker", "inWindow"] as const)
  browserTest(`a full storage is told, and nothing half-written stays (${place})`, async (tab) => {
    const call = tab[place];
    assert.is(await call(module, "write", "/file", 1), "written");
    assert.is(await call(module, "write", "/ballast", 3), "written");
    const devtools = await tab.page.context().newCDPSession(tab.page);
    await devtools.send("Storage.overrideQuotaForOrigin", { origin: tab.origin, quotaSize: (await tab.inWindow<number>(module, "used")) + 4 * 2 ** 20 });
    const full = "the browser gives this page no more room; remove what you no longer need from its storage, or free space on the disk, and try again";
    assert.is(await call(module, "write", "/file", 20), `Cannot write /file: ${full}`);
    assert.is(await call(module, "writeFolder", "/folder", 20), `Cannot write /folder/big: ${full}`);
    assert.equal(await call(module, "stored"), ["/ballast", "/file"]);
    const [taken, last, size] = await call<readonly [number, string, number]>(module, "grow", "/log", 20);
    assert.is(last, `Cannot write /log: ${full}`);
    assert.ok(size <= taken * 2 ** 20 && size % 2 ** 20 === 0, "no line is cut");
    await call(module, "remove", "/log");
    assert.is((await call<string>(module, "read", "/file")).length, 2 ** 20);
    await call(module, "remove", "/ballast");
    assert.is(await call(module, "writeFolder", "/folder", 3), "written");
  });

browserTest("what a person picks is read in a worker: files with their paths, and a folder", async ({ page, inWindow, inWorker }) => {
  mkdirSync(join(dir, "pets", "cat"), { recursive: true });
  writeFileSync(join(dir, "pets", "notes"), "of a pet");
  writeFileSync(join(dir, "pets", "cat", "a"), "a cat");
  await page.setContent('<input type="file" webkitdirectory>');
  await page.locator("input").setInputFiles(join(dir, "pets"));
  assert.equal(await inWindow(module, "lookIntoFiles", "cat/a"), [["cat folder", "notes file"], "a cat"]);
  await inWorker(module, "writeFolder", "/own/below", 1);
  await inWorker(module, "write", "/own/file", 0);
  assert.equal(await inWindow(module, "lookIntoFolder", "own", "file"), [["below folder", "file file"], ""]);
});

browserTest("a name that a browser does not allow is told", async ({ inWorker }) => {
  assert.is(await inWorker(module, "write", "/a\\b", 1), "Cannot write /a\\b: Name is not allowed.");
});

browserTest("a file of a server is read in parts", async ({ origin, inWorker }) => {
  const name = "models/icon-nano/model.safetensors";
  assert.equal(await inWorker(module, "part", `${origin}/${name}`, 100_000, 100_020), [...readFileSync(name).subarray(100_000, 100_020)]);
});

runTests();
