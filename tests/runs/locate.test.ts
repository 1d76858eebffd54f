/** Where models and datasets are found. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import { locate } from "../../src/runs/locate.ts";
import { left, temporaryFolder } from "../fixtures/datasets.ts";

const { dir, remove } = temporaryFolder("locate");
test.after(remove);
mkdirSync(join(dir, "pets"));

test("a folder is found by its path, and named by that from the root on", async () => {
  const found = { folder: join(dir, "pets"), name: join(dir, "pets"), title: "pets" };
  assert.equal(await get(locate("dataset", join(dir, ".", "pets"))), found);
  assert.equal(await get(locate("dataset", "pets", { at: (path) => join(dir, path) })), found);
});

test("what is not there is no folder", async () => {
  assert.is(describe(left(await locate("model", join(dir, "clip"))())), `Cannot read ${join(dir, "clip")}: no such file or directory`);
});

test.run();
