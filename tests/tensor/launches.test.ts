/** How many launches training steps take on a GPU that is described. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { WorkName } from "../../bench/steps.ts";
import { h100, planned, stepOf } from "../fixtures/gpu.ts";

const most: readonly (readonly [name: WorkName, batch: number | undefined, launches: number])[] = [
  ["icon", undefined, 280],
  ["icon-keeplora", undefined, 240],
  ["nano", undefined, 340],
  ["small-llama", undefined, 200],
  ["b16", 4, 1100],
  ["b16", 64, 1000],
];

for (const [name, batch, launches] of most) {
  test(`a step of ${name} takes at most ${launches} launches`, () => {
    const { length } = planned(stepOf(name, batch), h100).launches;
    assert.ok(length <= launches, `${length}`);
  });
}

test.run();
