/** An architecture that the library does not know, in one file: read, written, and taught by methods that do not know it either. */
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import { sequentialLora } from "../../src/methods/baselines.ts";
import { codyra } from "../../src/methods/codyra.ts";
import { keeploraPlusPlus } from "../../src/methods/keeplora.ts";
import { architectures, networkOf, readModel, writeModel, type Model } from "../../src/model/model.ts";
import { learner, type Learner } from "../../src/model/learner.ts";
import { initialModel } from "../../src/model/model.ts";
import { runMethod, type Run } from "../../src/runs/run.ts";
import { evaluate } from "../../src/stages/evaluate.ts";
import { adapt } from "../../src/stages/adapt.ts";
import { encode } from "../../src/stages/encode.ts";
import { method, type Method } from "../../src/stages/learn.ts";
import { merge } from "../../src/stages/merge.ts";
import { pipeline } from "../../src/stages/stage.ts";
import { gradient, repeat, update } from "../../src/stages/steps.ts";
import { remembered } from "../../src/subspace/bases.ts";
import { lora } from "../../src/model/adapters/lora.ts";
import { textToImage } from "../../src/training/objective.ts";
import { sgd } from "../../src/training/optimizer.ts";
import { constantly } from "../../src/training/schedule.ts";
import type { Device } from "../../src/device/device.ts";
import { left, temporaryFolder } from "../fixtures/datasets.ts";
import { patternTask } from "../fixtures/patterns.ts";
import { residualMlp, type MlpConfig, type MlpOutputs } from "../fixtures/residualMlp.ts";
import { runtimeOf } from "../methods/trace.ts";
import { deviceTest, runTests, sameBits } from "../tensor/check.ts";

const { dir, remove } = temporaryFolder("own-architecture");
test.after(remove);

const config: MlpConfig = { size: 12, width: 20, hidden: 28, blocks: 3 };
const fresh = (): Model<MlpOutputs, MlpConfig> => initialModel(residualMlp, config, 3);

const stream = {
  labelSpace: "task" as const,
  tasks: [patternTask("first", ["a", "b", "c"], 5, { side: 12 }), patternTask("second", ["d", "e"], 6, { side: 12 })],
};

const run = async (device: Device, of: Method, start: Learner): Promise<Run> => await get(runMethod(of, start, stream)(runtimeOf(device)));

test("a folder is written and read back; one that is not among the architectures is refused by name", async () => {
  const model = fresh();
  const path = join(dir, "model");
  await get(writeModel(path, model));
  assert.match(describe(left(await readModel(path)())), `model_type is "residual-mlp"; ${architectures.map(({ name }) => name).join(" and ")} are supported`);
  const again = await get(readModel(path, { architectures: [residualMlp] }));
  assert.is(again.architecture, residualMlp);
  assert.equal(again.config, config);
  for (const [name, { data }] of model.weights) sameBits(again.weights.get(name)!.data, data, name);
});

test("an optional parameter that a folder lacks is not in the network", async () => {
  const model = fresh();
  const weights = new Map([...model.weights].filter(([name]) => name !== "note"));
  const path = join(dir, "lacking");
  await get(writeModel(path, { ...model, weights }));
  const again = await get(readModel(path, { architectures: [residualMlp] }));
  assert.ok(networkOf(model).parameters.has("note"));
  assert.not(networkOf(again).parameters.has("note"));
});

const options = { steps: 12, batch: 12, rank: 3, lr: 0.02 };

const all = {
  "sequential-lora": sequentialLora(options),
  codyra: codyra({ ...options, kappa: 1e-4 }),
  "keeplora++": keeploraPlusPlus({ ...options, modules: ["up", "down"], energy: { trunk: 0.3 }, featureEnergy: 0.5, depthTowers: ["trunk"] }),
} as const;

for (const [name, of] of Object.entries(all)) {
  deviceTest(`${name} teaches it two tasks with a head each`, async (device) => {
    const start = learner(fresh());
    const { result, learner: end } = await run(device, of, start);
    assert.equal(result.zeroShot, [null, null]);
    assert.is(end.head?.bias.length, 5);
    assert.equal(end.seen, ["a", "b", "c", "d", "e"]);
    const [first, second] = result.matrix;
    assert.is(first[1], null);
    assert.ok(first[0]! > 100 / 3 && second[1]! > 50, JSON.stringify(result.matrix));
    const changed = [...end.model.weights].filter(([key, { data }]) => data.some((x, i) => x !== start.model.weights.get(key)!.data[i])).map(([key]) => key);
    const layers = networkOf(start.model).layers.map((layer) => `${layer.name}.weight`);
    assert.equal(
      changed.filter((key) => !layers.includes(key)),
      [],
    );
    assert.ok(changed.length > 0);
  });
}

deviceTest("keeplora++ remembers bases in the space of every layer's inputs", async (device) => {
  const { learner: end } = await run(device, all["keeplora++"], learner(fresh()));
  const bases = remembered(end);
  for (const layer of networkOf(end.model).layers) {
    assert.is(bases.get(layer.name)!.d, layer.in, layer.name);
    assert.ok(bases.get(layer.name)!.columns.length > 0, layer.name);
  }
});

deviceTest("what it lacks is said: an output that an objective needs, a tower, a kind of layer", async (device) => {
  const matching = method(
    "matching",
    {},
    pipeline(
      encode({ batch: 4, steps: 1 }),
      adapt({ adapters: lora({ rank: 1 }), steps: repeat(1, gradient(textToImage), update(sgd({ lr: constantly(1) }))) }),
      merge(),
      evaluate(),
    ),
  );
  // @ts-expect-error the type checker knows that its outputs lack logitsPerText
  runMethod(matching, learner(fresh()), stream);
  const said = async (of: Method): Promise<string> => describe(left(await runMethod(of, learner<any>(fresh()), stream)(runtimeOf(device))()));
  assert.is(await said(matching), "textToImage: it needs logitsPerText, which a residual-mlp does not give; a residual-mlp gives features");
  assert.is(await said(sequentialLora({ ...options, modules: ["q"] })), "layers: a residual-mlp has no layer of the kind q; it has up, down");
  assert.is(await said(sequentialLora({ ...options, towers: ["vision"] })), "layers: a residual-mlp has no tower vision; it has trunk");
});

runTests();
