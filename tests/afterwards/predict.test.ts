/** Asking a model: what transformers' pipeline says of the same pictures, every form of a picture, and failures that name it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import { learner } from "../../src/model/learner.ts";
import { classify, embedImages, embedTexts } from "../../src/afterwards/predict.ts";
import { openLearner } from "../../src/runs/openLearner.ts";
import type { Event } from "../../src/training/runtime.ts";
import { left, png, temporaryFolder, write } from "../fixtures/datasets.ts";
import { tinyClip } from "../fixtures/tinyClip.ts";
import { deviceTest, runTests } from "../tensor/check.ts";

const { dir, remove } = temporaryFolder("predict");
test.after(remove);

interface Golden {
  readonly model: string;
  readonly labels: readonly string[];
  readonly cases: readonly {
    readonly picture: string;
    readonly template: string;
    readonly labels: readonly { readonly label: string; readonly score: number }[];
  }[];
}
const golden = JSON.parse(readFileSync("tests/fixtures/zero-shot.json", "utf8")) as Golden;
const pictures = [...new Set(golden.cases.map(({ picture }) => picture))];
const icons = await get(openLearner(golden.model));

deviceTest("scores are those of transformers' zero-shot-image-classification pipeline", async (device) => {
  for (const template of new Set(golden.cases.map((one) => one.template))) {
    const got = await get(classify(icons, pictures, golden.labels, { template, device }));
    for (const { picture, labels } of golden.cases.filter((one) => one.template === template)) {
      const own = got.find((one) => one.picture === picture)!.labels;
      for (const { label, score } of labels) {
        const off = Math.abs(own.find((one) => one.label === label)!.score - score);
        assert.ok(off < 1e-4, `${picture}: ${label} is off by ${off} of ${score}`);
      }
      own.slice(1).forEach(({ score }, i) => assert.ok(score <= own[i].score));
    }
  }
});

deviceTest("the default is the first of the default templates, all labels are given, and top takes the first of them", async (device) => {
  const [named] = await get(classify(icons, pictures[0], golden.labels, { template: "a photo of a {c}.", device }));
  const [plain] = await get(classify(icons, pictures[0], golden.labels, { device }));
  assert.equal(plain, named);
  const [top] = await get(classify(icons, pictures[0], golden.labels, { device, top: 2 }));
  assert.equal(top.labels, plain.labels.slice(0, 2));
});

deviceTest("a path, its bytes and its pixels are one picture", async (device) => {
  const [path] = pictures;
  const { data, info } = await sharp(path).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const pixels = { width: info.width, height: info.height, data: new Uint8Array(data) };
  const got = await get(classify(icons, [path, new Uint8Array(readFileSync(path)), pixels], golden.labels, { device }));
  assert.equal(
    got.map(({ picture }) => picture),
    [path, "picture 2", "picture 3"],
  );
  assert.equal([got[1].labels, got[2].labels], [got[0].labels, got[0].labels]);
  assert.equal(await get(classify(icons, [], golden.labels, { device })), []);
});

deviceTest("features have length 1, and the scores follow from them", async (device) => {
  const images = await get(embedImages(icons, pictures, { device }));
  const texts = await get(
    embedTexts(
      icons,
      golden.labels.map((label) => `a photo of a ${label}.`),
      { device },
    ),
  );
  const width = images.shape[1];
  assert.equal([images.shape, texts.shape, images.pictures], [[pictures.length, width], [golden.labels.length, width], pictures]);
  const row = ({ data }: { readonly data: Float32Array }, i: number): Float32Array => data.subarray(i * width, (i + 1) * width);
  const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, i) => sum + x * b[i], 0);
  pictures.forEach((_, i) => assert.ok(Math.abs(dot(row(images, i), row(images, i)) - 1) < 1e-6));
  const scale = Math.exp(icons.learner.model.weights.get("logit_scale")!.data[0]);
  const [first] = await get(classify(icons, pictures[0], golden.labels, { device }));
  const parts = golden.labels.map((_, c) => Math.exp(scale * dot(row(images, 0), row(texts, c))));
  const whole = parts.reduce((a, b) => a + b, 0);
  golden.labels.forEach((name, c) => assert.ok(Math.abs(first.labels.find(({ label }) => label === name)!.score - parts[c] / whole) < 1e-5));
  assert.equal((await get(embedTexts(icons, [], { device }))).shape, [0, width]);
});

deviceTest("a learner as a value will do, and several templates are an ensemble", async (device) => {
  const clip = learner(await tinyClip());
  const bytes = await png(200, 30, 16, 16);
  const ask = async (template: readonly string[]) => (await get(classify(clip, bytes, ["ant", "bee"], { device, template })))[0].labels;
  const [one, other, both] = [await ask(["a {c}"]), await ask(["{c}, large"]), await ask(["a {c}", "{c}, large"])];
  const rounded = (of: typeof one) => of.map(({ label, score }) => [label, score.toFixed(6)]);
  assert.equal(rounded(await ask(["a {c}", "a {c}"])), rounded(one));
  assert.not.equal(one, other);
  assert.not.equal(both, one);
});

deviceTest("a picture that cannot be decoded is named, and left out where that was asked for", async (device) => {
  write(dir, { "good.png": await png(9, 9), "bad.png": "no picture", "cut.png": (await png(50, 60, 300, 300)).slice(0, 80) });
  const [good, bad, cut] = ["good.png", "bad.png", "cut.png"].map((name) => join(dir, name));
  const failure = async (...given: Parameters<typeof classify>) => describe(left(await classify(...given)()));
  assert.match(await failure(icons, [good, bad], ["ant"], { device }), /bad\.png cannot be decoded: it is no picture/);
  assert.match(await failure(icons, [good, join(dir, "no.png")], ["ant"], { device }), /Cannot read .*no\.png/);
  assert.match(await failure(icons, [new Uint8Array([1, 2])], ["ant"], { device }), "picture 1 cannot be decoded");
  const skipped: Event[] = [];
  const watch = (event: Event): void => void skipped.push(event);
  const got = await get(classify(icons, [bad, good, cut], ["ant"], { device, onCorrupt: "skip", watch }));
  assert.equal(got, [{ picture: good, labels: [{ label: "ant", score: 1 }] }]);
  assert.equal(
    skipped.map((event) => event.type === "skipped" && event.id),
    [bad, cut],
  );
});

test("without a device of its caller's it opens one, and closes it; labels are looked at first", async () => {
  let opened = "";
  await get(classify(icons, pictures[0], ["cat"], { opened: (adapter) => (opened = adapter) }));
  assert.ok(opened.length > 0);
  const failed = await classify(icons, pictures[0], [], { device: { platform: undefined, adapter: "gpu" } })();
  assert.match(describe(left(failed)), "labels: there are none");
});

runTests();
