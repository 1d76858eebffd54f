/** Readers answer damaged input with a value or one short line, soon. `npm run fuzz -- --minutes 10` goes on for longer. */
import fc from "fast-check";
import { test } from "uvu";
import { fuzzed } from "./properties.ts";

for (const { name, property } of fuzzed) {
  test(`damaged input: ${name}`, async () => {
    await fc.assert(await property(), { numRuns: 200, interruptAfterTimeLimit: 3000, markInterruptAsFailure: false });
  });
}

test.run();
