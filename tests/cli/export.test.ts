/** `cambium export` as a process: what it prints, as text and as JSON, and its flags in what it refuses. */
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import { writeModel } from "../../src/model/model.ts";
import { mergeUpdate } from "../../src/model/adapters/update.ts";
import { readPeft } from "../../src/model/peft/read.ts";
import { temporaryFolder } from "../fixtures/datasets.ts";
import { tinyClip } from "../fixtures/tinyClip.ts";
import { cambium } from "./command.ts";

const { dir, remove } = temporaryFolder("export-command");
test.after(remove);
const at = (name: string): string => join(dir, name);
const layer = "vision_model.encoder.layers.0.mlp.fc1";

test.before(async () => {
  const clip = await tinyClip();
  const factors = new Map([[layer, { rank: 1, B: new Float64Array(32).fill(1), A: new Float32Array(16).fill(0.5) }]]);
  await get(writeModel(at("before"), clip));
  await get(writeModel(at("after"), mergeUpdate(clip, { factors })));
  const bias = `${layer}.bias`;
  const moved = { shape: [32], data: Float32Array.from(clip.weights.get(bias)!.data, (x) => x + 1) };
  await get(writeModel(at("in-full"), { ...clip, weights: new Map(clip.weights).set(bias, moved) }));
});

test("a model and an adapter, said in words", async () => {
  const { code, stdout, stderr } = await cambium(["export", "after", "--base", "before", "--peft", "adapter", "--out", "half", "--dtype", "bf16"], undefined, {
    cwd: dir,
  });
  assert.is(code, 0, stderr);
  assert.is(stdout, "model written to half (bf16)\nadapter written to adapter (1 layer, rank 1); its base is before\n");
  assert.is(stderr, "");
});

test("an adapter merged into a model, as one JSON value", async () => {
  const { code, stdout } = await cambium(["export", at("before"), "--adapter", at("adapter"), "--out", at("again"), "--json"]);
  assert.is(code, 0);
  assert.equal(JSON.parse(stdout), { model: { folder: at("again"), dtype: "f32" }, leftOut: [] });
  assert.is((await get(readPeft(at("adapter"), await tinyClip()))).factors.get(layer)!.rank, 1);
});

test("failures speak of flags", async () => {
  for (const [args, said] of [
    [["export", at("after")], /^--out: is missing, and --peft too/m],
    [["export", at("after"), "--peft", at("none")], /^--base: is missing/m],
    [["export", at("after"), "--out", at("before")], /^--out: .*before is there already and is not an empty folder; name another/m],
    [["export", "--out", at("none")], /SOURCE|run, a learner/],
    [["export", at("after"), "--out", at("none"), "--dtype", "f8"], /--dtype/],
    [["export", at("in-full"), "--base", at("before"), "--peft", at("none")], /write the whole model: cambium export \S*in-full --out DIR\n$/],
  ] as const) {
    const { code, stdout, stderr } = await cambium(args);
    assert.equal([code, stdout], [code, ""]);
    assert.is.not(code, 0);
    assert.match(stderr, said);
  }
});

test.run();
