/** Two that reach for one folder at the same moment: one of them holds it, also where a dead process held it before. */
import { readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import * as E from "fp-ts/lib/Either.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import { platform } from "../../src/platform/default.ts";
import { left, temporaryFolder } from "../fixtures/datasets.ts";

const { dir, remove } = temporaryFolder("lock");
const { files } = platform;

test.after(remove);

test("of four that lock a folder at once one holds it, and its release frees it", async () => {
  for (let i = 0; i < 30; i++) {
    // Process 1 was not started at tick 0 of a space that nobody has.
    if (i % 2 === 1) writeFileSync(join(dir, ".lock"), `nowhere/${hostname()} 1 0 dead\n`);
    if (i % 2 === 1) utimesSync(join(dir, ".lock"), 0, 0);
    const locks = await Promise.all([1, 2, 3, 4].map(() => files.lock(dir)()));
    const held = locks.filter(E.isRight);
    assert.is(held.length, 1);
    assert.match(JSON.stringify(locks.find(E.isLeft)), /is writing to it","held":true/);
    await held[0].right.release();
    assert.equal(readdirSync(dir), []);
  }
});

test("one who died while a dead lock was taken away is in nobody's way", async () => {
  const [lock, claim] = [".lock", ".lock.first.tmp"].map((name) => join(dir, name));
  writeFileSync(lock, `nowhere/${hostname()} 1 0 first\n`);
  writeFileSync(claim, `nowhere/${hostname()} 1 0 second\n`);
  for (const path of [lock, claim]) utimesSync(path, 0, 0);
  await (await get(files.lock(dir))).release();
  assert.equal(readdirSync(dir), []);
});

test("a lock that is not one of a run is told, and left", async () => {
  writeFileSync(join(dir, ".lock"), "mine");
  const refused = left(await files.lock(dir)());
  assert.match(JSON.stringify(refused), /its \.lock is not that of a run; remove it"\}/);
  rmSync(join(dir, ".lock"));
  await (await get(files.lock(dir))).release();
});

test.run();
