/** The harness of browser tests itself: modules run in a window and in a worker, errors come back, and what goes wrong is noticed. */
import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { browserTest, runTests } from "./check.ts";

const probe = "tests/browser/pages/probe.ts";

const thrown = (pending: Promise<unknown>): Promise<string> =>
  pending.then(
    () => "nothing",
    (error: Error) => error.message,
  );

browserTest("modules run in a worker and in the window, with WebGPU", async ({ inWorker, inWindow }) => {
  assert.equal(await inWorker(probe, "surroundings"), ["worker", true]);
  assert.equal(await inWindow(probe, "surroundings"), ["window", true]);
});

browserTest("what a module throws is told, and one that does not compile says why", async ({ inWorker, inWindow }) => {
  assert.match(await thrown(inWorker(probe, "fail", "so it is")), /so it is/);
  assert.match(await thrown(inWindow(probe, "fail", "so it is")), /so it is/);
  for (const place of [inWorker, inWindow]) assert.match(await thrown(place("tests/browser/pages/absent.ts", "fail")), /Could not resolve.*absent/);
});

browserTest("errors in the console and requests to another host are noticed, in a worker too", async ({ inWorker, inWindow, complaints }) => {
  for (const place of [inWorker, inWindow]) {
    assert.is(await place(probe, "ask", "http://elsewhere.example/x"), "refused");
    const noticed = complaints.splice(0).join("\n");
    assert.match(noticed, /console: a complaint/);
    assert.match(noticed, /asked another host: http:\/\/elsewhere\.example\/x/);
  }
});

browserTest("files are served whole and in ranges", async ({ inWorker }) => {
  const whole = readFileSync("package.json");
  assert.equal(await inWorker(probe, "range", "/package.json"), [206, `bytes 2-5/${whole.length}`, whole.subarray(2, 6).toString()]);
});

runTests();
