import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { trainBpe, writeIconTokenizer, iconContext, iconVocabularySize } from "../../examples/icons/tokenizer.ts";
import { svgOf } from "../../examples/icons/sets.ts";
import { render } from "../../examples/icons/render.ts";
import { baseSets, testSets } from "../../examples/icons/tasks.ts";
import { iconPretraining, iconStream } from "../../examples/icons/world.ts";
import { get } from "../../src/failure.ts";
import { readTokenizer } from "../../src/formats/tokenizer.ts";
import type { Example } from "../../src/data/example.ts";
import { decoderOf } from "../../src/data/decode.ts";

const size = 32;

const vendor = (s: Example): string => s.id.split(":")[0];

test("the stream has at least six tasks and 200 classes, with names that differ", () => {
  const { tasks, labelSpace } = iconStream(size);
  assert.is(labelSpace, "task");
  assert.ok(tasks.length >= 6);
  assert.ok(tasks.reduce((n, t) => n + t.classNames.length, 0) >= 200);
  tasks.forEach((t) => {
    assert.is(new Set(t.classNames.map((c) => c.toLowerCase())).size, t.classNames.length, t.name);
    assert.is(t.templates.length, 3);
    assert.ok(t.templates.every((s) => s.includes("{c}")));
  });
  // The union label space needs names that differ over all tasks.
  const all = tasks.flatMap((t) => t.classNames.map((c) => c.toLowerCase()));
  assert.is(new Set(all).size, all.length);
});

test("every class has training and test drawings, from different vendors", async () => {
  for (const task of iconStream(size).tasks) {
    const [train, testing] = [await get(task.train), await get(task.test)];
    const vendors = new Set(train.map(vendor));
    assert.not.ok(
      testing.some((s) => vendors.has(vendor(s))),
      task.name,
    );
    task.classNames.forEach((name, label) => {
      assert.ok(
        train.some((s) => s.label === label),
        `${name} has no training drawing`,
      );
      assert.ok(
        testing.some((s) => s.label === label),
        `${name} has no test drawing`,
      );
    });
    assert.is(new Set([...train, ...testing].map((s) => s.id)).size, train.length + testing.length, `${task.name}: a drawing twice`);
  }
});

test("pre-training has over 1,000 names, those of the stream by vendors of their own, and shares no drawing with the stream", async () => {
  const p = await get(iconPretraining(size));
  const { tasks, probes = [] } = iconStream(size);
  const streamNames = new Set(tasks.flatMap((t) => t.classNames));
  const streamDrawings = new Set((await Promise.all([...tasks, ...probes].flatMap((t) => [get(t.train), get(t.test)]))).flat().map((s) => s.id));
  assert.ok(p.classNames.length > 1000);
  assert.is(new Set(p.classNames.map((c) => c.toLowerCase())).size, p.classNames.length);
  assert.not.ok(p.examples.some((s) => streamDrawings.has(s.id)));
  assert.is(new Set(p.examples.map((s) => s.id)).size, p.examples.length);
  const known = p.examples.filter((s) => streamNames.has(p.classNames[s.label]));
  assert.equal([...new Set(known.map(vendor))].sort(), [...baseSets].sort());
  const trained = new Set((await Promise.all(tasks.map((t) => get(t.train)))).flat().map(vendor));
  assert.not.ok([...baseSets].some((set) => trained.has(set) || testSets.has(set)));
  p.classNames.forEach((name, label) => assert.ok(p.captions[label].length >= 3 && p.captions[label].every((c) => c.includes(name)), name));
});

test("the probe asks for 200 names outside of the stream, one held-out drawing each, which pre-training knows by others", async () => {
  const { tasks, probes = [] } = iconStream(size);
  assert.is(probes.length, 1);
  const [probe] = probes;
  assert.is(probe.classNames.length, 200);
  assert.not.ok(probe.classNames.some((name) => tasks.some((t) => t.classNames.includes(name))));
  const test = await get(probe.test);
  assert.equal(
    test.map((s) => s.label).sort((a, b) => a - b),
    Array.from({ length: 200 }, (_, i) => i),
  );
  const { classNames, examples } = await get(iconPretraining(size));
  const learned = new Map<string, number>();
  for (const { label } of examples) learned.set(classNames[label], (learned.get(classNames[label]) ?? 0) + 1);
  assert.ok(probe.classNames.every((name) => learned.get(name)! >= 4));
  assert.ok(new Set(test.map(vendor)).size > 5);
});

test("every drawing of the stream renders, is not blank, and is the same every time", async () => {
  const { tasks } = iconStream(size);
  const decode = decoderOf(tasks[0]);
  for (const s of (await Promise.all(tasks.flatMap((t) => [get(t.train), get(t.test)]))).flat()) {
    const { width, height, data } = await get(decode(s));
    assert.is(width, size);
    assert.is(height, size);
    assert.is(data.length, size * size * 3);
    const [low, high] = [data.reduce((a, b) => Math.min(a, b)), data.reduce((a, b) => Math.max(a, b))];
    assert.ok(high - low > 40, `${s.id} is blank`);
  }
  const again = await get(iconStream(size).tasks[0].train);
  const first = await get(tasks[0].train);
  assert.equal(
    again.map((s) => [s.id, s.label]),
    first.map((s) => [s.id, s.label]),
  );
});

test("rendering: fitted on white, the same bytes twice, flips follow the alias", async () => {
  const set = {
    prefix: "x",
    width: 16,
    height: 16,
    icons: { left: { body: `<path fill="#f00" d="M0 0h8v16H0z"/>` }, wide: { body: `<path d="M0 0h32v16H0z"/>`, width: 32 } },
    aliases: { right: { parent: "left", hFlip: true }, down: { parent: "left", rotate: 3 }, same: { parent: "right" } },
  };
  const pixels = async (icon: string): Promise<Uint8Array> => (await get(render({ set: "noto", icon, svg: svgOf(set, icon)! }, 8))).data;
  const at = (d: Uint8Array, x: number, y: number): readonly number[] => [...d.slice(3 * (8 * y + x), 3 * (8 * y + x) + 3)];
  const [red, white, black] = [
    [255, 0, 0],
    [255, 255, 255],
    [0, 0, 0],
  ];
  assert.equal([at(await pixels("left"), 1, 4), at(await pixels("left"), 6, 4)], [red, white]);
  assert.equal([at(await pixels("right"), 1, 4), at(await pixels("right"), 6, 4)], [white, red]);
  assert.equal([at(await pixels("same"), 1, 4), at(await pixels("same"), 6, 4)], [white, red]);
  assert.equal([at(await pixels("down"), 4, 1), at(await pixels("down"), 4, 6)], [white, red]);
  assert.equal([at(await pixels("wide"), 4, 0), at(await pixels("wide"), 4, 4)], [white, black]);
  assert.equal(await pixels("left"), await pixels("left"));
  assert.is(svgOf(set, "missing"), undefined);
});

test("BPE: the most frequent pair first, ties in code point order", () => {
  const { vocabulary, merges } = trainBpe(["ab ab ab", "cd cd", "ce ce"], 512 + 2 + 2);
  assert.equal(merges, ["a b</w>", "c d</w>"]);
  assert.is(vocabulary.length, 516);
  assert.equal(vocabulary.slice(512), ["ab</w>", "cd</w>", "<|startoftext|>", "<|endoftext|>"]);
  assert.is(trainBpe(["ab"], 600).vocabulary.length, 514);
});

test("the tokenizer is the same every time, and every caption and prompt fits the context", async () => {
  const dirs = [await mkdtemp(join(tmpdir(), "icons-")), await mkdtemp(join(tmpdir(), "icons-"))];
  try {
    for (const dir of dirs) await get(writeIconTokenizer(dir));
    for (const file of ["tokenizer.json", "vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json"]) {
      assert.is(await readFile(join(dirs[0], file), "utf8"), await readFile(join(dirs[1], file), "utf8"), file);
    }
    const tokenizer = await get(readTokenizer(dirs[0]));
    assert.is(tokenizer.eos, iconVocabularySize - 1);
    const prompts = iconStream(size).tasks.flatMap((t) => t.classNames.flatMap((c) => t.templates.map((s) => s.replaceAll("{c}", c))));
    const { captions } = await get(iconPretraining(size));
    const long = [...captions.flat(), ...prompts].filter((text) => tokenizer.encode(text).length > iconContext - 2);
    assert.equal(long, []);
  } finally {
    for (const dir of dirs) await rm(dir, { recursive: true });
  }
});

test.run();
