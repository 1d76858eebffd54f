/** The public face: the names that scripts rely on are there, and a pipeline composed from them alone describes itself. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as cambium from "../mod.ts";

const { adapter, data, objective, optimizer, schedule } = cambium;
const { adapt, encode, evaluate, gradient, manifest, merge, method, pipeline, rankSelect, repeat, selected, softThreshold, update } = cambium.stage;

/** Functions by the namespace that has them; those of the face itself stand beside "". */
const functions: Readonly<Record<string, readonly string[]>> = {
  "": ["describe", "openDevice", "withDevice", "zeroShot", "sequentialLora", "joint", "codyra", "keeplora", "dac", "preset", "random"].concat([
    "learner",
    "course",
    "runMethod",
    "watch",
    "get",
    "runtime",
    "show",
    "compareRuns",
    "comparedTable",
    "comparedPage",
    "readModel",
    "writeModel",
    "readLearner",
    "writeLearner",
    "textTable",
    "htmlReport",
  ]),
  stage: ["encode", "adapt", "project", "rankSelect", "merge", "evaluate", "gradient", "update", "dropout", "repeat"].concat([
    "pipeline",
    "compose",
    "identity",
    "method",
    "named",
    "scan",
    "manifest",
    "taskStage",
    "stepStage",
    "memory",
    "train",
    "accuracies",
  ]),
  objective: ["sum", "weighted", "objective"],
  optimizer: ["adamW", "sgd"],
  schedule: ["constantly", "cosine", "oneCycle", "ramp", "byTask"],
  adapter: ["lora", "gatedLora", "expertPool", "parallel", "cosineHead"],
  subspace: ["principalWeights", "featureBasis", "residualGradient", "overlap", "past", "classMeans"],
  model: ["readModelAs", "writeModel", "initialModel", "readTokenizer", "tokenise", "network", "layersOf"],
  data: ["taskFromFolder", "webDataset", "imageFolder", "fewShot", "limitTest", "batches", "imageCache", "randomResizedCrop"],
  formats: ["readSafetensors", "writeSafetensors"],
  report: ["transfer", "average", "last", "forgetting", "bwt", "fwt", "runResult", "textTable", "markdownTable", "htmlReport", "display", "progress"],
  linalg: ["svd", "eigh", "extend"],
};

const valuesOf = (namespace: string): Readonly<Record<string, unknown>> =>
  namespace === "" ? cambium : (cambium as unknown as Readonly<Record<string, Readonly<Record<string, unknown>>>>)[namespace];

for (const [namespace, names] of Object.entries(functions)) {
  test(`${namespace || "the face itself"}: ${names.join(", ")}`, () => {
    for (const name of names) assert.type(valuesOf(namespace)[name], "function", name);
  });
}

test("a function that stands in several places is one thing, but for the operations of tensors", () => {
  const meanings = new Map<string, unknown>();
  for (const namespace of Object.keys(functions)) {
    for (const [name, value] of Object.entries(valuesOf(namespace)).filter(([, v]) => typeof v === "function")) {
      assert.is(meanings.get(name) ?? value, value, name);
      meanings.set(name, value);
    }
  }
});

test("names with two meanings, and those of the engine room, are not names of the face", () => {
  for (const name of ["sum", "gradient", "dropout", "encoder", "task", "inputsOf", "recorder", "unflatten"]) assert.not(name in cambium, name);
});

test("the tensor language has a name of its own", () => {
  const names = ["matmul", "softmax", "layerNorm", "sum", "gradient", "trace", "instantiate"] as const;
  for (const name of names) assert.type(cambium.tensor[name], "function", name);
});

test("every method is in the table under its own name", () => {
  for (const [name, make] of Object.entries(cambium.methods)) assert.is(make({}).name, name);
});

test("a pipeline of public names reads as its algorithm", () => {
  const mine = method(
    "mine",
    { rank: 4 },
    pipeline(
      encode({ batch: 4, steps: 2, augment: data.randomResizedCrop(0.9, 1) }),
      adapt({
        adapters: adapter.gatedLora({ rank: 4 }),
        steps: repeat(
          2,
          gradient(objective.sum(objective.imageToText, objective.textToImage)),
          update(optimizer.adamW({ lr: schedule.cosine(1e-3) })),
          rankSelect(softThreshold(schedule.ramp(0.005))),
        ),
      }),
      merge(selected),
      evaluate(),
    ),
  );
  const scan = manifest(mine).parts?.[0];
  assert.equal(
    scan?.parts?.map((part) => part.name),
    ["encode", "adapt", "merge", "evaluate"],
  );
});

test.run();
