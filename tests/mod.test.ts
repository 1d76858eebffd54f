/** The public face: the names that scripts rely on are there, and a pipeline composed from them alone describes itself. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as cambium from "../mod.ts";

const {
  adamW,
  adapt,
  cosine,
  encode,
  evaluate,
  gatedLora,
  gradient,
  imageToText,
  manifest,
  merge,
  method,
  ramp,
  randomResizedCrop,
  rankSelect,
  repeat,
  selected,
  softThreshold,
  sum,
  task,
  textToImage,
  update,
} = cambium;

const functions: Readonly<Record<string, readonly string[]>> = {
  failures: ["describe"],
  device: ["openDevice", "withDevice"],
  methods: ["zeroShot", "sequentialLora", "joint", "codyra"],
  "six verbs": ["encode", "adapt", "project", "rankSelect", "merge", "evaluate"],
  composition: ["method", "named", "scan", "course", "learner", "manifest", "taskStage", "stepStage"],
  running: ["runMethod", "watch", "train", "accuracies", "writeLearner", "readLearner"],
  model: ["readClip", "writeClip", "readTokenizer", "tokenise", "lora", "gatedLora", "parameters", "modules"],
  streams: ["taskFromFolder", "webDataset", "imageFolder", "fewShot", "limitTest", "batches", "imageCache", "randomResizedCrop"],
  formats: ["readSafetensors", "writeSafetensors"],
  report: ["transfer", "average", "last", "forgetting", "bwt", "fwt", "runResult", "textTable", "markdownTable", "htmlReport", "display", "progress"],
  random: ["random"],
};

for (const [room, names] of Object.entries(functions)) {
  test(`${room}: ${names.join(", ")}`, () => {
    for (const name of names) assert.type((cambium as Readonly<Record<string, unknown>>)[name], "function", name);
  });
}

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
    task.pipeline(
      encode({ batch: 4, steps: 2, augment: randomResizedCrop(0.9, 1) }),
      adapt({
        adapters: gatedLora({ rank: 4 }),
        steps: repeat(2, gradient(sum(imageToText, textToImage)), update(adamW({ lr: cosine(1e-3) })), rankSelect(softThreshold(ramp(0.005)))),
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
