/**
 * Runs in a browser whose worker is killed at random moments, and that go on: after each all that was kept is readable, and at the end the files are those of
 * a run that nobody disturbed. `CAMBIUM_KILLS=40` kills as often; by default a few times.
 */
import process from "node:process";
import * as assert from "uvu/assert";
import { random } from "../../src/random.ts";
import { browserTest, runTests } from "./check.ts";

const module = "tests/browser/pages/killed.ts";
const kills = Number(process.env.CAMBIUM_KILLS ?? 4);

browserTest(`${kills} kills of a run in a browser change no bit and leave nothing behind`, async ({ inWorker, inWindow }) => {
  await inWorker(module, "furnish");
  const begin = Date.now();
  assert.is(await inWorker(module, "go", "/undisturbed"), "ended");
  const longest = Date.now() - begin;
  const wanted = await inWorker(module, "digests", "/undisturbed");
  const { uniform } = random(process.env.CAMBIUM_KILLS === undefined ? 1 : Date.now(), "kills", 0);
  let [killed, runs] = [0, 0];
  while (killed < kills) {
    const out = `/disturbed-${runs++}`;
    for (let how = "killed"; how === "killed"; ) {
      how = await inWindow(module, "goAndKill", out, killed < kills ? uniform() * longest : 1e6);
      if (how === "killed") killed++;
      else assert.is(how, "ended");
      await inWindow(module, "readKept", out);
    }
    assert.equal(await inWorker(module, "digests", out), wanted);
  }
});

runTests();
