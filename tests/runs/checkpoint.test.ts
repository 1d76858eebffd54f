/** Learners on disk: what is read is what was written, the same bits and the same objects; a stream that goes on from there ends as one that never stopped. */
import { createHash } from "node:crypto";
import { cpSync, existsSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe, get, type Failure } from "../../src/failure.ts";
import { readArrays, writeArrays, type NumberArray } from "../../src/formats/safetensors.ts";
import { color } from "../../src/methods/color.ts";
import { duallora } from "../../src/methods/duallora.ts";
import { keeploraPlus, keeploraPlusPlus } from "../../src/methods/keeplora.ts";
import { moram } from "../../src/methods/moram.ts";
import { learner, type Learner } from "../../src/model/learner.ts";
import { readModelAs } from "../../src/model/model.ts";
import { vit as vitArchitecture } from "../../src/model/vit.ts";
import { readLearner, writeLearner } from "../../src/runs/checkpoint.ts";
import { course, type Method } from "../../src/stages/learn.ts";
import { bytesKept } from "../../src/model/memory.ts";
import type { Event } from "../../src/training/runtime.ts";
import type { ClassStream } from "../../src/data/task.ts";
import { left, temporaryFolder } from "../fixtures/datasets.ts";
import { patternTask } from "../fixtures/patterns.ts";
import { tinyClip } from "../fixtures/tinyClip.ts";
import { runtimeOf } from "../methods/trace.ts";
import { deviceTest, runTests, sameBits } from "../tensor/check.ts";

const { dir, remove } = temporaryFolder("checkpoint");
test.after(remove);
const at = (...path: readonly string[]): string => join(dir, ...path);

/** All there is to know of a value: kinds, orders, bits, and which objects are one. */
const portrait = (value: unknown): string => {
  const met = new Map<object, number>();
  const shown = (v: unknown): unknown => {
    if (typeof v !== "object" || v === null) return [typeof v, Object.is(v, -0) ? "-0" : String(v)];
    const before = met.get(v);
    if (before !== undefined) return before;
    met.set(v, met.size);
    const kind = Object.getPrototypeOf(v).constructor.name as string;
    if (ArrayBuffer.isView(v)) return [kind, Buffer.from(v.buffer, v.byteOffset, v.byteLength).toString("hex")];
    return [kind, [...(v instanceof Map ? v : Object.entries(v))].map(([key, part]) => [key, shown(part)])];
  };
  return JSON.stringify(shown(value));
};

/** Asserts that two learners are the same: the same bits, and the same objects in what they keep beside the model. */
const sameLearner = ({ model: got, ...gotKept }: Learner, { model: want, ...wantKept }: Learner): void => {
  assert.equal(
    [got.config, got.preprocess, got.files, got.tokenizer?.encode("a cat")],
    [want.config, want.preprocess, want.files, want.tokenizer?.encode("a cat")],
  );
  assert.equal([...got.weights.keys()], [...want.weights.keys()]);
  for (const [name, { shape, data }] of want.weights) {
    assert.equal(got.weights.get(name)!.shape, shape);
    sameBits(got.weights.get(name)!.data, data, name);
  }
  assert.is(portrait(gotKept), portrait(wantKept));
  assert.is(bytesKept(gotKept), bytesKept(wantKept));
};

/** Writes a learner and reads it back. */
const throughDisk = async (before: Learner, name = "learner"): Promise<Learner> => {
  await get(writeLearner(at(name), before));
  return await get(readLearner(at(name)));
};

const bytesOf = (name: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(at(name)).map((file) => [
      file,
      createHash("sha256")
        .update(readFileSync(at(name, file)))
        .digest("hex"),
    ]),
  );

/** A value whose parts may be one object with parts of others. */
const anything: fc.Arbitrary<unknown> = fc.letrec((tie) => {
  const key = fc.oneof(fc.string(), fc.constantFrom("", "__proto__", "a/b", "a~1b", "~", "0", "same", "tensor", "\ud800"));
  const few = { maxLength: 3 };
  const bits = fc.uint8Array({ minLength: 0, maxLength: 3 }).map((b) => Uint8Array.from([...b, ...b, ...b, ...b, ...b, ...b, ...b, ...b]));
  const types = [Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Uint8Array, Uint16Array, Uint32Array, BigInt64Array, BigUint64Array] as const;
  // Floats that are not finite are refused: a test of their own says so.
  const numbers = fc
    .tuple(bits, fc.constantFrom(...types))
    .map(([{ buffer }, Type]) => new Type(buffer as ArrayBuffer))
    .map((a) => (a instanceof Float32Array || a instanceof Float64Array ? a.map((x) => (Number.isFinite(x) ? x : -0)) : a));
  const parts = fc.array(fc.tuple(key, tie("value")), few);
  return {
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constantFrom(null, undefined, -0, NaN, Infinity, -Infinity), numbers),
      fc.array(tie("value"), few),
      parts.map((entries) => new Map(entries)),
      parts.map((entries) => Object.fromEntries(entries)),
      tie("value").map((one) => [one, new Map([["again", one]]), { again: [one] }]),
    ),
  };
}).value;

const vit = await get(readModelAs(vitArchitecture, "tests/fixtures/vit-tiny"));

test("whatever plain data a memory holds comes back with its bits and its sharing, and a second write gives the same bytes", async () => {
  const memories = fc.dictionary(fc.string(), anything, { noNullPrototype: true });
  await fc.assert(
    fc.asyncProperty(memories, fc.array(fc.string()), async (memory, seen) => {
      const before = { ...learner(vit), seen, memory };
      const after = await throughDisk(before);
      sameLearner(after, before);
      await get(writeLearner(at("again"), after));
      assert.equal(bytesOf("again"), bytesOf("learner"));
    }),
    { numRuns: 50 },
  );
  assert.equal(readdirSync(dir).sort(), ["again", "learner"]);
});

const stream: ClassStream = {
  labelSpace: "union",
  tasks: [patternTask("first", ["ant", "bee"], 1, { train: 4, test: 2 }), patternTask("second", ["cat", "dog"], 2, { train: 4, test: 2 })],
};

const quick = { steps: 2, batch: 4, rank: 2, lr: 1e-2 } as const;
const few = { energy: { vision: 0.5, text: 0.3 }, featureEnergy: 0.8 } as const;
const methods: Readonly<Record<string, Method>> = {
  "KeepLoRA++": keeploraPlusPlus({ ...quick, ...few }),
  "KeepLoRA+": keeploraPlus({ ...quick, ...few }),
  DualLoRA: duallora({ ...quick, threshold: 0.9 }),
  CoLoR: color(quick),
  MoRAM: moram(quick),
};

for (const [name, method] of Object.entries(methods)) {
  deviceTest(`${name}: stopped after a task, written, read and continued, it ends with the bits of a run that never stopped`, async (device) => {
    const learned: Learner[] = [];
    const emit = (event: Event): void => void (event.type === "lesson" && learned.push(event.learner));
    const whole = await get(method.run(course(learner(await tinyClip()), stream))({ ...runtimeOf(device), emit }));
    const [first, second] = learned;
    const stopped = await throughDisk(first, name);
    sameLearner(stopped, first);
    assert.is(bytesKept(stopped), whole.reports[0].bytesKept);
    const rest = await get(method.run(course(stopped, stream, { from: 1 }))(runtimeOf(device)));
    sameLearner(rest.learner, second);
    assert.is(portrait(rest.reports), portrait(whole.reports.slice(1)));
    sameLearner(await throughDisk(second, name), second);
  });
}

const basis = { d: 2, columns: [Float32Array.of(1, 2), Float32Array.of(3, 4)] };
const embed = vit.config.vision.width;
const example: Learner = {
  ...learner(vit),
  seen: ["cat"],
  head: { kind: "linear", scale: 1, rows: new Float32Array(embed), bias: new Float32Array(1) },
  memory: {
    bases: new Map([
      ["k", basis],
      ["v", basis],
    ]),
    counts: Uint32Array.of(2 ** 32 - 1),
  },
};

test("the files say what is where", async () => {
  await throughDisk(example);
  const {
    version,
    learner: { object },
  } = JSON.parse(readFileSync(at("learner", "learner.json"), "utf8"));
  assert.is(version, 1);
  assert.equal(object.memory.object.bases.map, [
    ["k", { object: { d: 2, columns: [{ tensor: 2 }, { tensor: 2 }] } }],
    ["v", { same: "memory/bases/k" }],
  ]);
  const arrays = await get(readArrays(at("learner", "learner.safetensors")));
  assert.equal([...arrays.keys()], ["head/bias", "head/rows", "memory/bases/k/columns/0", "memory/bases/k/columns/1", "memory/counts"]);
  assert.equal(arrays.get("memory/counts"), Uint32Array.of(2 ** 32 - 1));
});

test("a number of a head, a memory or a weight that is not finite is refused by its place, when it is read and before it is written", async () => {
  const places = fc.constantFrom("head/rows", "head/bias", "memory/past/q", "memory/wide");
  const values = fc.constantFrom(NaN, Infinity, -Infinity);
  const holding = (place: string, at: number, value: number): Learner => {
    const damaged = <A extends Float32Array | Float64Array>(name: string, data: A): A => (name === place ? (data.with(at % data.length, value) as A) : data);
    return {
      ...example,
      head: {
        ...example.head!,
        rows: damaged("head/rows", new Float32Array(embed)),
        bias: damaged("head/bias", new Float32Array(1)),
      },
      memory: { past: new Map([["q", damaged("memory/past/q", new Float32Array(5))]]), wide: damaged("memory/wide", new Float64Array(3)) },
    };
  };
  const refused = (place: string) => ({ _tag: "BadTensor", path: at("infinite", "learner.safetensors"), tensor: place });
  await fc.assert(
    fc.asyncProperty(places, fc.nat(9), values, async (place, index, value) => {
      rmSync(at("infinite"), { recursive: true, force: true });
      const { detail, ...failure } = left(await writeLearner(at("infinite"), holding(place, index, value))()) as Failure & { readonly _tag: "BadTensor" };
      assert.equal(failure, refused(place));
      assert.match(detail, new RegExp(`is not finite: its element \\d+ of \\d+ is ${value}$`));
      assert.not.ok(existsSync(at("infinite")));
      await get(writeLearner(at("infinite"), holding("", 0, 0)));
      const arrays = await get(readArrays(at("infinite", "learner.safetensors")));
      const data = (arrays.get(place) as Float32Array).with(0, value);
      await get(writeArrays(at("infinite", "learner.safetensors"), new Map([...arrays, [place, data]])));
      const { detail: read, ...again } = left(await readLearner(at("infinite"))()) as Failure & { readonly _tag: "BadTensor" };
      assert.equal([again, read], [refused(place), `is not finite: its element 0 of ${data.length} is ${value}`]);
    }),
    { numRuns: 20 },
  );
  const weights = new Map([...vit.weights].map(([name, tensor]) => [name, { ...tensor, data: tensor.data.with(0, NaN) }]));
  const failure = left(await writeLearner(at("no-model"), { ...example, model: { ...vit, weights } })());
  assert.match(describe(failure), `${at("no-model", "model.safetensors")}: tensor ${[...weights.keys()][0]} is not finite: its element 0 of`);
  assert.not.ok(existsSync(at("no-model")));
});

test("what is no plain data is refused, by its place, and nothing is written", async () => {
  class Own {}
  const round: Record<string, unknown> = {};
  round.about = { turn: round };
  const refused: readonly (readonly [unknown, string])[] = [
    [() => 1, "memory/x is a function"],
    [1n, "memory/x is a bigint"],
    [[new Own()], "memory/x/0 is no plain object"],
    [{ "a/b": new Set() }, "memory/x/a~1b is no plain object"],
    [new Map([[1, 2]]), "memory/x has a key that is no string"],
    [round, "memory/x/about/turn is memory/x, which holds it"],
  ];
  for (const [x, detail] of refused) {
    const failure = left(await writeLearner(at("refused"), { ...example, memory: { x } })());
    assert.is(describe(failure), `Cannot write ${at("refused", "learner.json")}: ${detail}; a learner is plain data`);
  }
  assert.not.ok(existsSync(at("refused")));
});

/** The failure of reading an example that was damaged. */
const damaged = async (damage: (file: (name: string) => string) => unknown): Promise<Failure> => {
  await get(writeLearner(at("whole"), example));
  rmSync(at("damaged"), { recursive: true, force: true });
  cpSync(at("whole"), at("damaged"), { recursive: true });
  await damage((name) => at("damaged", name));
  return left(await readLearner(at("damaged"))());
};

const structureWith =
  (change: (learner: any, file: any) => unknown) =>
  (file: (name: string) => string): void => {
    const json = JSON.parse(readFileSync(file("learner.json"), "utf8"));
    change(json.learner.object, json);
    writeFileSync(file("learner.json"), JSON.stringify(json));
  };

const arraysWith =
  (change: (arrays: Map<string, NumberArray>) => unknown) =>
  async (file: (name: string) => string): Promise<void> => {
    const arrays = new Map(await get(readArrays(file("learner.safetensors"))));
    change(arrays);
    await get(writeArrays(file("learner.safetensors"), arrays));
  };

const damages: readonly (readonly [string, Parameters<typeof damaged>[0], Failure["_tag"], RegExp])[] = [
  ["a folder without learner.json", (file) => rmSync(file("learner.json")), "FileUnreadable", /learner\.json/],
  ["a folder without learner.safetensors", (file) => rmSync(file("learner.safetensors")), "FileUnreadable", /learner\.safetensors/],
  ["a folder without a model", (file) => rmSync(file("config.json")), "FileUnreadable", /config\.json/],
  ["learner.json cut off", (file) => truncateSync(file("learner.json"), 100), "FileCorrupt", /learner\.json is damaged: it is not JSON/],
  ["learner.safetensors cut off", (file) => truncateSync(file("learner.safetensors"), 500), "FileCorrupt", /learner\.safetensors is damaged at byte \d+/],
  ["another version", structureWith((_, file) => (file.version = 2)), "BadConfig", /"version" should be 1 and is 2/],
  ["a learner without memory", structureWith((l) => delete l.memory), "BadConfig", /"memory" should be .* and is nothing/],
  ["no list of classes", structureWith((l) => (l.seen = "cat")), "BadConfig", /"seen" should be .* and is "cat"/],
  ["another kind of head", structureWith((l) => (l.head.object.kind = "round")), "BadConfig", /"head\.kind" should be .* and is "round"/],
  ["a head without its rows", structureWith((l) => (l.head.object.rows = [])), "BadConfig", /"head\.rows" should be an array of f32 and is \[\]/],
  [
    "a memory without what is in the tensors",
    structureWith((l) => delete l.memory.object.counts),
    "BadTensor",
    /tensor memory\/counts is not in learner\.json/,
  ],
  ["an unknown kind of value", structureWith((l) => (l.memory.object.bases = { set: [] })), "BadConfig", /"memory\/bases" is nothing that a learner keeps/],
  ["a map that is none", structureWith((l) => (l.memory.object.bases.map = [[1, 2]])), "BadConfig", /"memory\/bases" is nothing/],
  [
    "a place that does not come before",
    structureWith((l) => (l.memory.object.bases.map[1][1].same = "memory")),
    "BadConfig",
    /"memory\/bases\/v" is "memory", which does not stand before it/,
  ],
  ["a tensor that is missing", arraysWith((a) => a.delete("memory/counts")), "BadTensor", /learner\.safetensors: tensor memory\/counts is missing/],
  ["a tensor of another length", arraysWith((a) => a.set("memory/counts", Uint32Array.of(1, 2))), "BadTensor", /counts has 2 numbers where .* says 1/],
  ["a tensor too many", arraysWith((a) => a.set("memory/more", Uint32Array.of(1))), "BadTensor", /tensor memory\/more is not in learner\.json/],
];

for (const [name, damage, tag, sentence] of damages) {
  test(`refuses ${name}`, async () => {
    const failure = await damaged(damage);
    assert.is(failure._tag, tag);
    assert.match(describe(failure), sentence);
  });
}

test("refuses a head whose rows are not as wide as the model's features", async () => {
  const wide: Learner = { ...example, head: { ...example.head!, rows: new Float32Array(embed + 1) } };
  await get(writeLearner(at("wide"), wide));
  assert.match(describe(left(await readLearner(at("wide"))())), new RegExp(`tensor head/rows has ${embed + 1} numbers where 1 classes need ${embed} each`));
});

runTests();
