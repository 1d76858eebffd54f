/** Readers under damaged input: each property builds input and holds one reader to what it owes (see `answer.ts`). */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import fc from "fast-check";
import sharp from "sharp";
import * as assert from "uvu/assert";
import { readAnswerTask } from "../../src/data/answerTask.ts";
import { decodeFile } from "../../src/data/decode.ts";
import { parquetFolder } from "../../src/data/parquetFolder.ts";
import { clipPreprocess, imageTransform, outputSize, readPreprocess } from "../../src/data/preprocess.ts";
import { rowReader } from "../../src/data/rowReader.ts";
import { webDataset } from "../../src/data/webdataset.ts";
import { readJsonAs } from "../../src/formats/files.ts";
import { readSafetensors, writeArrays, writeSafetensors } from "../../src/formats/safetensors.ts";
import { indexTar, readMember } from "../../src/formats/tar.ts";
import { readTextTokenizer } from "../../src/formats/textTokenizer.ts";
import { readTokenizer } from "../../src/formats/tokenizer.ts";
import { learner } from "../../src/model/learner.ts";
import { readModel } from "../../src/model/model.ts";
import { readPeft } from "../../src/model/peft/read.ts";
import { platform } from "../../src/platform/default.ts";
import type { Files } from "../../src/platform/files.ts";
import { decodeLog, logLine } from "../../src/report/log.ts";
import { decodePredictions } from "../../src/report/predictions.ts";
import type { RunResult } from "../../src/report/result.ts";
import { parseRunResult } from "../../src/report/resultCodec.ts";
import { lossesOf, parseAnswers } from "../../src/report/runReport.ts";
import { textTable } from "../../src/report/table.ts";
import { readLearner, writeLearner } from "../../src/runs/checkpoint.ts";
import { Job } from "../../src/runs/job.ts";
import { encodePlain } from "../../src/runs/plainData.ts";
import { readProgress, readTraining, writeTraining, type Within } from "../../src/runs/runFolder.ts";
import { png, right, shard, tar } from "../fixtures/datasets.ts";
import { picture } from "../fixtures/images.ts";
import { memoryFiles } from "../fixtures/memoryPlatform.ts";
import { tinyClip } from "../fixtures/tinyClip.ts";
import { learned } from "../report/fixture.ts";
import { answered, readOnly } from "./answer.ts";
import { damaged, hostileJson, hostileText } from "./hostile.ts";

type Contents = Readonly<Record<string, Uint8Array | string>>;

/** What a function writes, by path. */
const written = async (write: (files: Files) => TE.TaskEither<unknown, void>): Promise<Contents> => {
  const { files, paths } = memoryFiles();
  assert.ok(E.isRight(await write(files)()));
  const contents: Record<string, Uint8Array> = {};
  for (const path of paths()) {
    const bytes = await files.read(path)();
    if (E.isRight(bytes)) contents[path] = bytes.right;
  }
  return contents;
};

const folder = (dir: string): Contents => Object.fromEntries(readdirSync(dir).map((name) => [`/model/${name}`, new Uint8Array(readFileSync(join(dir, name)))]));

const textOf = (content: Uint8Array | string): string => (typeof content === "string" ? content : new TextDecoder().decode(content));
const jsonOf = (content: Uint8Array | string): unknown => JSON.parse(textOf(content));

/** A file of these, in which the JSON of one is damaged, or its bytes. */
const spoiled = (contents: Contents, path: string): fc.Arbitrary<Contents> =>
  fc
    .oneof({ weight: 3, arbitrary: hostileJson(jsonOf(contents[path])) }, { weight: 1, arbitrary: damaged(new TextEncoder().encode(textOf(contents[path]))) })
    .map((content) => ({ ...contents, [path]: content }));

/** A safetensors file with this header and so many bytes of data. */
const withHeader = (header: string, data: number): Uint8Array => {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + data);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
};

/** A block of a tar archive whose sum is right. */
const tarHeader = (name: string, flag: string, size: string, magic: string): Uint8Array => {
  const bytes = new Uint8Array(512);
  const put = (text: string, at: number, most: number): void => bytes.set(new TextEncoder().encode(text).subarray(0, most), at);
  put(name, 0, 100);
  put(size, 124, 12);
  put("        ", 148, 8);
  put(flag, 156, 1);
  put(magic, 257, 8);
  put(
    `${bytes
      .reduce((a, b) => a + b, 0)
      .toString(8)
      .padStart(6, "0")}\0 `,
    148,
    8,
  );
  return bytes;
};

const tarBlock = fc.oneof(
  fc
    .record({
      name: fc.oneof(fc.constantFrom("a.cls", "a.png", "b.png", "x/", "PaxHeader"), hostileText),
      flag: fc.constantFrom("0", "1", "2", "3", "5", "7", "x", "g", "L", "K", "N", "S", "\0", "Z"),
      size: fc.oneof(
        fc.constantFrom("0", "12", "777", "77777777777", "-1", "9", " ", "\u0080\u0001"),
        fc.nat({ max: 4096 }).map((n) => n.toString(8)),
      ),
      magic: fc.constantFrom("ustar\0" + "00", "ustar  \0", "ustar"),
    })
    .map(({ name, flag, size, magic }) => tarHeader(name, flag, size, magic)),
  fc.constantFrom("18 path=long/name\n", "12 size=77\n", "99 path=", "x", "0 =\n", "-5 a=b\n").map((text) => {
    const bytes = new Uint8Array(512);
    bytes.set(new TextEncoder().encode(text));
    return bytes;
  }),
  fc.constant(new Uint8Array(512)),
  fc.uint8Array({ maxLength: 512 }),
);

const concatenated = (parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** A property by name, made when it is asked for: what is damaged has to be written first. */
export interface Fuzzed {
  readonly name: string;
  readonly property: () => Promise<fc.IAsyncProperty<[any]>>;
}

const safetensors = async (): Promise<fc.IAsyncProperty<[Uint8Array]>> => {
  const tensors = new Map([
    ["w", { shape: [2, 3], data: Float32Array.from({ length: 6 }, (_, i) => i) }],
    ["b", { shape: [], data: Float32Array.of(1) }],
  ]);
  const a = await written((files) => writeSafetensors("/a", tensors, { metadata: { format: "pt" } }, files));
  const b = await written((files) =>
    writeArrays(
      "/a",
      new Map<string, any>([
        ["i", BigInt64Array.of(1n, -1n)],
        ["u", Uint8Array.of(1)],
      ]),
      files,
    ),
  );
  const files = [a["/a"], b["/a"]] as readonly Uint8Array[];
  const header = { __metadata__: { a: "b" }, w: { dtype: "F32", shape: [2, 1], data_offsets: [0, 8] }, x: { dtype: "I8", shape: [], data_offsets: [8, 9] } };
  const input = fc.oneof(
    damaged(...files),
    fc.tuple(hostileJson(header), fc.nat({ max: 64 })).map(([text, data]) => withHeader(text, data)),
  );
  return fc.asyncProperty(input, async (bytes) => void (await answered(readSafetensors("/a", readOnly({ "/a": bytes })))));
};

const config = async (): Promise<fc.IAsyncProperty<[Contents]>> => {
  const models = ["clip-gelu", "vit-tiny", "llama-grouped", "qwen2-tiny"].map((name) => folder(`tests/fixtures/${name}`));
  const texts = folder("tests/fixtures/tokenizer");
  const input = fc.oneof(...models.map((model) => spoiled({ ...texts, ...model }, "/model/config.json")));
  return fc.asyncProperty(input, async (contents) => void (await answered(readModel("/model", { files: readOnly(contents) }))));
};

const processor = async (): Promise<fc.IAsyncProperty<[Contents]>> => {
  const whole = {
    ...{ image_processor_type: "CLIPImageProcessor", do_resize: true, size: { shortest_edge: 8 }, resample: 3, do_center_crop: true },
    ...{ crop_size: { height: 8, width: 8 }, do_rescale: true, rescale_factor: 1 / 255, do_normalize: true, image_mean: [0.5, 0.5, 0.5], image_std: [1, 1, 1] },
  };
  const input = fc.oneof(
    spoiled({ "/m/preprocessor_config.json": JSON.stringify(whole) }, "/m/preprocessor_config.json"),
    spoiled({ "/m/processor_config.json": JSON.stringify({ image_processor: whole }) }, "/m/processor_config.json"),
  );
  return fc.asyncProperty(input, async (contents) => {
    const read = await answered(readPreprocess("/m", 8, clipPreprocess, readOnly(contents)));
    const size = read === undefined ? undefined : outputSize(read);
    // A model is asked first whether it takes images of that size.
    if (read === undefined || size === undefined || size.height * size.width > 2 ** 16) return;
    const { centre, normalise } = imageTransform(read, size);
    for (const image of [picture(9, 5), picture(1, 300)]) {
      const prepared = centre(image);
      assert.equal([prepared.height, prepared.width], [size.height, size.width]);
      normalise(prepared, new Float32Array(3 * size.height * size.width), 0);
    }
  });
};

const tokenizer = async (): Promise<fc.IAsyncProperty<[[Contents, string]]>> => {
  const { model, ...rest } = jsonOf(readFileSync("tests/fixtures/tokenizer/tokenizer.json")) as Record<string, any>;
  // Fewer words and merges: what is damaged is then more often something else.
  const vocab = Object.fromEntries(Object.entries(model.vocab as Record<string, number>).filter(([word]) => word.length < 3 || word.startsWith("<|")));
  const whole = { ...rest, model: { ...model, vocab, merges: (model.merges as unknown[]).slice(0, 20) } };
  const special = { bos_token: "<|startoftext|>", eos_token: { content: "<|endoftext|>", lstrip: false }, pad_token: null };
  const contents: Contents = {
    "/m/tokenizer.json": JSON.stringify(whole),
    "/m/special_tokens_map.json": JSON.stringify(special),
    "/v/vocab.json": JSON.stringify(vocab),
    "/v/merges.txt": "#version: 0.2\na b\n",
  };
  const input = fc.oneof(...["/m/tokenizer.json", "/m/tokenizer.json", "/m/special_tokens_map.json", "/v/vocab.json"].map((path) => spoiled(contents, path)));
  return fc.asyncProperty(fc.tuple(input, hostileText), async ([spoilt, text]) => {
    for (const dir of ["/m", "/v"]) {
      const read = await answered(readTokenizer(dir, readOnly(spoilt)));
      await answered(
        TE.fromIO(() => {
          read?.encode(text);
          read?.encode(`${text} `.repeat(Math.ceil(3000 / (text.length + 1))));
        }),
      );
    }
  });
};

const textTokenizer = async (): Promise<fc.IAsyncProperty<[[Contents, string, readonly number[]]]>> => {
  const wholes = ["bytes", "blanks", "words"].map((name) => folder(`tests/fixtures/text-tokenizer/${name}`));
  const input = fc.oneof(
    ...wholes.flatMap((whole) => ["/model/tokenizer.json", "/model/tokenizer.json", "/model/tokenizer_config.json"].map((path) => spoiled(whole, path))),
    spoiled({ ...wholes[0], "/model/generation_config.json": '{"eos_token_id":[2,1],"pad_token_id":0}' }, "/model/generation_config.json"),
  );
  return fc.asyncProperty(fc.tuple(input, hostileText, fc.array(fc.nat(500), { maxLength: 40 })), async ([spoilt, text, ids]) => {
    const read = await answered(readTextTokenizer("/model", { vocabulary: 500, files: readOnly(spoilt) }));
    await answered(
      TE.fromIO(() => {
        read?.decode(read.encode(text));
        read?.encode(`${text} `.repeat(Math.ceil(3000 / (text.length + 1))));
        read?.decode(ids);
      }),
    );
  });
};

const parquet = async (): Promise<fc.IAsyncProperty<[Uint8Array]>> => {
  const wholes = ["labels/data/train-00000-of-00002.parquet", "texts/default/train/0000.parquet", "paths/train.parquet"].map(
    (name) => new Uint8Array(readFileSync(join("tests", "fixtures", "parquet", name))),
  );
  return fc.asyncProperty(damaged(...wholes), async (bytes) => {
    const files = readOnly({ "/d/classnames.txt": "ant\nbee\ncat\n", "/d/train.parquet": bytes, "/d/test.parquet": wholes[0] });
    const task = await answered(parquetFolder("/d", { platform: { files, decodeImage: platform.decodeImage } }));
    const examples = task === undefined ? undefined : await answered(task.train);
    for (const { image } of examples?.slice(0, 9) ?? []) if (image.kind === "row") await answered(rowReader(files)(image));
  });
};

const archives = async (): Promise<fc.IAsyncProperty<[Uint8Array]>> => {
  const whole = await tar(await shard(0, 3, 2));
  const input = fc.oneof(damaged(whole), fc.array(tarBlock, { maxLength: 12 }).map(concatenated));
  return fc.asyncProperty(input, async (bytes) => {
    const files = readOnly({ "/d/classnames.txt": "a\nb\n", "/d/train/0.tar": bytes, "/d/test/0.tar": whole });
    const index = await answered(indexTar("/d/train/0.tar", () => true, files));
    for (const member of index?.members ?? []) await answered(readMember("/d/train/0.tar", member, files));
    for (const onCorrupt of ["fail", "skip"] as const) {
      const task = await answered(webDataset("/d", { onCorrupt, platform: { files, decodeImage: () => TE.left("no") } }));
      if (task !== undefined) await answered(task.train);
    }
  });
};

const questions = async (): Promise<fc.IAsyncProperty<[Contents]>> => {
  const turns = [
    { from: "human", value: "<image>\nWhat is it?" },
    { from: "gpt", value: "a cat" },
  ];
  const records = [
    { prompt: "Is it red?", answer: ["no", 0], choices: ["yes", "no", "0"], image: null },
    { id: "1", image: "images/a.png", conversations: turns },
    { question_id: 2, text: "What happens?", answer: "it", video: "b.gif" },
  ];
  const lines = records.map((record) => JSON.stringify(record)).join("\n");
  const json = {
    "/q/test.json": JSON.stringify(records),
    "/q/task.json": JSON.stringify({ score: "exact", chat: "vicuna", choices: ["no", "a cat", "it"], frames: 2 }),
  };
  const contents: Contents = { ...json, "/q/images/a.png": "x", "/q/b.gif": "x" };
  const input = fc.oneof(
    spoiled(contents, "/q/test.json"),
    spoiled(contents, "/q/task.json"),
    damaged(new TextEncoder().encode(lines)).map((bytes): Contents => ({ ...contents, "/q/test.jsonl": bytes })),
    damaged(await tar({ "a.json": JSON.stringify(records[0]), "a.png": "x" })).map((bytes): Contents => ({ "/q/test/0.tar": bytes })),
  );
  return fc.asyncProperty(input, async (spoilt) => {
    const files = readOnly(spoilt);
    for (const onCorrupt of ["fail", "skip"] as const) {
      const task = await answered(readAnswerTask("/q", { onCorrupt, platform: { files, decodeImage: () => TE.left("no") } }));
      if (task !== undefined) await answered(task.test);
    }
  });
};

const learners = async (): Promise<fc.IAsyncProperty<[Contents]>> => {
  const kept = { bases: new Map([["q", { d: 2, columns: [Float32Array.of(1, 0)] }]]), steps: Float64Array.of(1, 2), none: undefined, nan: NaN };
  const whole = { ...learner(await tinyClip()), seen: ["cat", "dog"], memory: { kept, again: kept } };
  const contents = await written((files) => writeLearner("/l", whole, { files }));
  const input = fc.oneof(
    { weight: 3, arbitrary: spoiled(contents, "/l/learner.json") },
    {
      weight: 1,
      arbitrary: damaged(contents["/l/learner.safetensors"] as Uint8Array).map((bytes): Contents => ({ ...contents, "/l/learner.safetensors": bytes })),
    },
  );
  return fc.asyncProperty(input, async (spoilt) => void (await answered(readLearner("/l", { files: readOnly(spoilt) }))));
};

const adapters = async (): Promise<fc.IAsyncProperty<[Contents]>> => {
  const base = right(await readModel("tests/fixtures/vit-tiny")());
  const file = (name: string): Uint8Array => new Uint8Array(readFileSync(`tests/fixtures/peft/vit/${name}`));
  const contents: Contents = { "/a/adapter_config.json": file("adapter_config.json"), "/a/adapter_model.safetensors": file("adapter_model.safetensors") };
  const input = fc.oneof(
    { weight: 3, arbitrary: spoiled(contents, "/a/adapter_config.json") },
    {
      weight: 1,
      arbitrary: damaged(contents["/a/adapter_model.safetensors"] as Uint8Array).map(
        (bytes): Contents => ({ ...contents, "/a/adapter_model.safetensors": bytes }),
      ),
    },
  );
  return fc.asyncProperty(input, async (spoilt) => void (await answered(readPeft("/a", base, { files: readOnly(spoilt) }))));
};

const runFolders = async (): Promise<fc.IAsyncProperty<[Contents]>> => {
  const answers = [{ ids: ["a", "b"], labels: [0, 1], answers: [1, 1] }, null];
  const evaluated = { row: [50, null], also: { union: [40, 30] }, probes: [{ accuracy: 50, images: 2 }], answers };
  const trained = { trainableParameters: 7, ranks: new Map([["m", 2]]) };
  const reached = { zeroShot: evaluated, reports: [{ ...evaluated, task: "a", bytesKept: 0, mergeError: 0, trained }], seconds: 1, logged: 10, skipped: ["x"] };
  const kept = { nth: 1, training: { step: 3, values: { A: Float32Array.of(1, 2) }, moments: { m: Float32Array.of(0) } } };
  const training = await written((files) => writeTraining("/r", { reached, kept } as unknown as Within, files));
  const job = {
    ...{ version: 1, model: "/m", source: { folders: ["/d"] }, method: { name: "codyra", options: { rank: 8 } }, seed: 0, evaluate: { templates: "single" } },
    ...{ onCorrupt: "fail", out: "/r", shots: 4, probes: ["/p"] },
  };
  const progress = right(encodePlain(reached) as E.Either<never, { readonly json: unknown }>).json;
  const contents: Contents = { ...training, "/r/job.json": JSON.stringify(job), "/r/progress.json": JSON.stringify(progress) };
  const input = fc.oneof(
    spoiled(contents, "/r/job.json"),
    spoiled(contents, "/r/progress.json"),
    damaged(contents["/r/training.safetensors"] as Uint8Array).map((bytes): Contents => ({ ...contents, "/r/training.safetensors": bytes })),
  );
  return fc.asyncProperty(input, async (spoilt) => {
    const files = readOnly(spoilt);
    await answered(readJsonAs(Job, "/r/job.json", files));
    await answered(readProgress("/r", files));
    await answered(readTraining("/r", files));
  });
};

const images = async (): Promise<fc.IAsyncProperty<[Uint8Array]>> => {
  const colours = sharp(await png(200, 30, 40, 30));
  const made = await Promise.all([colours.clone().gif(), colours.clone().tiff(), colours.clone().avif()].map((image) => image.toBuffer()));
  const there = ["rgb.jpg", "progressive.jpg", "cmyk.jpg", "palette-transparent.png", "lossy.webp", "lossless.webp"].map((name) =>
    readFileSync(join("tests/fixtures/preprocess", name)),
  );
  // A BMP of 3 x 2 pixels with 24 bits each.
  const bmp = new Uint8Array(78);
  bmp.set([0x42, 0x4d, 78, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 24, 0]);
  const input = damaged(...[...made, ...there].map((bytes) => new Uint8Array(bytes)), bmp);
  return fc.asyncProperty(input, async (bytes) => void (await answered(decodeFile("/d", "a", TE.right(bytes)))));
};

const results = async (): Promise<fc.IAsyncProperty<[string]>> => {
  const probes = [{ name: "p", classes: 2, images: 4, chance: 50, zeroShot: 50, after: [25, 50, null] }];
  const whole: RunResult = { ...learned(1, 0), classes: [1, 2, 3], images: [4, 5, 6], chance: [100, 50, 100 / 3], probes };
  const answers = [{ dataset: "d", classNames: ["a", "b"], ids: ["1", "2"], labels: [0, 1], learned: [0, null], last: [1, 1] }];
  const head = { method: "m", seed: 0, task: 1, dataset: "d" };
  const lines = [
    { type: "step", ...head, step: 1, steps: 2, loss: 0.5 },
    { type: "eval", ...head, accuracy: 50, images: 4 },
    { type: "probe", ...head, accuracy: null, images: 0 },
    { type: "task", ...head, effectiveRank: null, mergeError: 0, seconds: 1 },
  ] as const;
  const prediction = { after: 1, task: "d", sample: "1", label: "a", score: 0.25, top: [{ label: "b", score: 0.75 }] };
  const input = fc.oneof(
    hostileJson(whole, answers, prediction),
    damaged(new TextEncoder().encode(JSON.stringify(whole)), new TextEncoder().encode(lines.map(logLine).join(""))).map(textOf),
    hostileJson(...lines),
  );
  return fc.asyncProperty(input, async (text) => {
    const read = await answered(TE.fromEither(parseRunResult("result.json")(text)));
    if (read !== undefined) await answered(TE.fromIO(() => textTable([read])));
    await answered(TE.fromEither(parseAnswers("answers.json")(text)));
    await answered(TE.fromEither(decodePredictions("predictions.jsonl")(`${text}\n${text}\n`)));
    const log = await answered(TE.fromEither(decodeLog("log.jsonl")(`${text}\n${text}\n`)));
    if (log !== undefined) await answered(TE.fromIO(() => lossesOf(log)));
  });
};

/** Every property, by what is damaged. */
export const fuzzed: readonly Fuzzed[] = [
  { name: "safetensors", property: safetensors },
  { name: "config.json", property: config },
  { name: "image processor", property: processor },
  { name: "tokenizer", property: tokenizer },
  { name: "tokenizer of a language model", property: textTokenizer },
  { name: "tar", property: archives },
  { name: "parquet", property: parquet },
  { name: "questions", property: questions },
  { name: "learner", property: learners },
  { name: "PEFT", property: adapters },
  { name: "run folder", property: runFolders },
  { name: "image bytes", property: images },
  { name: "results and logs", property: results },
];
