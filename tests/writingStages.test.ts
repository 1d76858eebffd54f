/** docs/WRITING-STAGES.md: its program runs, what it writes is short, its links lead somewhere. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { temporaryFolder, writeColours } from "./fixtures/datasets.ts";
import { runScript } from "./script.ts";

const text = readFileSync("docs/WRITING-STAGES.md", "utf8");
const blocks = [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, body]) => body);

/** What the page says does not compile. */
const refused = `
const [encoding, plain] = [stage.encode({ steps: 1 }), adapter.lora({ rank: 1 })];
const steps = stage.repeat(1, stage.gradient(confidence), stage.update(optimizer.sgd({ lr: schedule.constantly(1) })));
stage.pipeline(encoding, stage.adapt({ adapters: plain, steps }), keeping("B", 1));
// @ts-expect-error there are no adapters yet
stage.pipeline(encoding, keeping("B", 1));
// @ts-expect-error a plain LoRA has no gates
stage.pipeline(encoding, stage.adapt({ adapters: plain, steps }), keeping("gate", 1));
// @ts-expect-error nor for an objective that needs them
stage.adapt({ adapters: plain, steps: stage.repeat(1, stage.gradient(objective.objective<"gate">("gated", () => tensor.constant(0, [])))) });
// @ts-expect-error there are no gradients yet
stage.repeat(1, clipped(1), stage.gradient(confidence));
`;

test("its program type-checks, holds and runs", async () => {
  const { dir, remove } = temporaryFolder("writing-stages");
  try {
    await writeColours(dir, { pets: [240, 30], cars: [60, 10] });
    const code = ["data/pets", "data/cars"].reduce(
      (now, folder) => {
        assert.ok(now.includes(`"${folder}"`), folder);
        return now.replace(`"${folder}"`, JSON.stringify(join(dir, folder.slice("data/".length))));
      },
      `${blocks.join("\n")}${refused}`,
    );
    const ended = await runScript(code);
    assert.is(ended.code, 0, ended.output);
    assert.match(ended.output, /^zero-shot .*\nmine /m);
  } finally {
    remove();
  }
});

test("an objective, a stage of a step, a stage of a task and an adapter have ten lines at most", () => {
  for (const beginning of ["const confidence =", "const clipped =", "const keeping =", "const biases:"]) {
    const block = blocks.find((code) => code.startsWith(beginning));
    assert.ok(block, beginning);
    assert.ok(block.trimEnd().split("\n").length <= 10, block);
  }
});

test("what it links to is there", () => {
  const targets = [...text.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, target]) => target).filter((target) => !/^https?:/.test(target));
  assert.ok(targets.length > 0);
  for (const target of targets) assert.ok(existsSync(join("docs", target)), target);
});

test.run();
