import { test } from "uvu";
import * as assert from "uvu/assert";
import { waitingFor } from "../../src/platform/node/wait.ts";

const later = (turns: number): Promise<number> =>
  new Promise((resolve) => {
    const turn = (left: number): void => {
      if (left === 0) resolve(turns);
      else setImmediate(turn, left - 1);
    };
    turn(turns);
  });

for (const kind of ["cpu", "gpu"] as const) {
  const patiently = waitingFor({ isFallbackAdapter: kind === "cpu" });

  test(`${kind}: gives what the promise gives, several at once and again`, async () => {
    assert.equal(await Promise.all([3, 1, 5].map((n) => patiently(later(n)))), [3, 1, 5]);
    assert.is(await patiently(later(2)), 2);
  });

  test(`${kind}: passes a rejection on and stops napping`, async () => {
    try {
      await patiently(Promise.reject(new Error("refused")));
      assert.unreachable();
    } catch (error) {
      assert.match(String(error), /refused/);
    }
    assert.is(await later(1), 1);
  });
}

test.run();
