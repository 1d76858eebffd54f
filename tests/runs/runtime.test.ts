/** The runtime with defaults: what it opens, what it was given, who is told. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import { progress } from "../../src/report/progress.ts";
import { runtime } from "../../src/runs/runtime.ts";
import type { Event } from "../../src/training/runtime.ts";
import { left } from "../fixtures/datasets.ts";

test("it opens a device and closes it; one that was given stays open", async () => {
  const own = await get(runtime());
  assert.is(own.seed, 0);
  const given = await get(runtime({ device: own.device, seed: 4 }));
  assert.is(given.device, own.device);
  assert.is(given.seed, 4);
  await given.close();
  await get(own.device.settled);
  await own.close();
  assert.is(left(await own.device.settled())._tag, "DeviceLost");
});

test("who watches is told of every event, and progress is written where it is asked for", async () => {
  let said = "";
  const events: Event[] = [];
  const bars = progress({ sink: { write: (text) => (said += text) } });
  const own = await get(runtime({ progress: bars, watch: (event) => events.push(event) }));
  own.emit({ type: "training", task: "pets", position: 0, steps: 2 });
  own.emit({ type: "note", detail: "a note" });
  await own.close();
  assert.equal(
    events.map(({ type }) => type),
    ["training", "note"],
  );
  assert.match(said, /^a note\nlearn pets: stopped at 0 of 2 after /);
});

test("get throws an error with the failure's sentence and the failure", async () => {
  const failure = { _tag: "BadOption", option: "--seed", detail: "is none" } as const;
  await get(async () => ({ _tag: "Left", left: failure })).then(
    () => assert.unreachable(),
    (error: Error) => {
      assert.is(error.message, describe(failure));
      assert.is(error.cause, failure);
    },
  );
});

test.run();
