/** Both readings of every method whose paper and code differ: they run, results name what was chosen, and they do not learn the same. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import { reading, type Declaration, type Reading } from "../../src/methods/declare.ts";
import { hasReadings } from "../../src/methods/describe.ts";
import { methods, type MethodName } from "../../src/methods/table.ts";
import { learner } from "../../src/model/learner.ts";
import { runMethod } from "../../src/runs/run.ts";
import type { ClassStream } from "../../src/data/task.ts";
import { patternTask } from "../fixtures/patterns.ts";
import { tinyClip } from "../fixtures/tinyClip.ts";
import { deviceTest, runTests } from "../tensor/check.ts";
import { runtimeOf } from "./trace.ts";

const stream: ClassStream = { labelSpace: "task", tasks: [patternTask("warm", ["red", "orange"], 1), patternTask("cold", ["blue", "green"], 2)] };
const names = (Object.keys(methods) as readonly MethodName[]).filter((name) => hasReadings(methods[name].declaration));

test("one word sets all in which paper and code differ", () => {
  const code = (name: MethodName) => reading(methods[name].declaration as Declaration, "code");
  assert.equal(code("codyra"), { shrink: "code" });
  for (const name of ["keeplora", "keeplora++", "keeplora+", "keeplora++cls"] as const)
    assert.equal(code(name), { side: "output", counting: "below", accumulate: "code-mean", padding: "zero" });
  assert.equal(code("dac"), { agoPast: "all", agoReduce: "abs-sum", router: "frozen-random" });
});

for (const name of names) {
  deviceTest(`${name} by the paper, and by the code of its authors`, async (device) => {
    const model = await tinyClip();
    const learned = async (as: Reading) => {
      const chosen = reading(methods[name].declaration, as);
      const run = await get(runMethod(methods[name]({ steps: 3, batch: 4, lr: 0.02, ...chosen }), learner(model), stream)(runtimeOf(device)));
      for (const [option, value] of Object.entries(chosen)) assert.equal((run.result.options as Readonly<Record<string, unknown>>)[option], value, option);
      return [...run.learner.model.weights.values()].flatMap(({ data }) => [...data]);
    };
    const [paper, code] = [await learned("paper"), await learned("code")];
    assert.ok(paper.every(Number.isFinite) && code.every(Number.isFinite));
    assert.ok(
      paper.some((x, i) => x !== code[i]),
      "both learn the same",
    );
  });
}

runTests();
