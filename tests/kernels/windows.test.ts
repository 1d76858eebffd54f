import { test } from "uvu";
import * as assert from "uvu/assert";
import { input } from "../../src/kernels/launch.ts";
import { rowWindows, windows } from "../../src/kernels/windows.ts";

test("windows cover every element once, begin at multiples of 64 and fit the binding", () => {
  for (const maxBinding of [64, 100, 128, 1000]) {
    for (const count of [0, 1, 63, 64, 65, 129, 1009]) {
      let end = 0;
      for (const { first, count: inside, cut } of windows({ maxBinding }, count)) {
        assert.is(first, end);
        assert.is(first % 64, 0);
        assert.ok(inside > 0 && inside <= maxBinding);
        assert.equal(cut(input(2)), { from: "input", index: 2, offset: first, length: inside });
        end += inside;
      }
      assert.is(end, count);
    }
  }
});

test("windows of rows hold whole rows; their cuts are in elements", () => {
  const cuts = rowWindows({ maxBinding: 1000 }, 150, 7);
  assert.equal(
    cuts.map(({ first, count }) => [first, count]),
    [
      [0, 128],
      [128, 22],
    ],
  );
  assert.equal(cuts[1].cut(input(0)), { from: "input", index: 0, offset: 896, length: 154 });
});

test.run();
