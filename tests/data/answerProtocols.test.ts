/** Protocols that are answered in words: what they say, and folders that have it or lack something. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { answerProtocols, type AnswerProtocol } from "../../src/data/answerProtocols.ts";
import { checkProtocol } from "../../src/data/checkProtocol.ts";
import type { CheckedProtocol } from "../../src/data/checked.ts";
import { protocols, taskCount } from "../../src/data/protocols.ts";
import type { AnswerStream } from "../../src/data/task.ts";
import { describe, get } from "../../src/failure.ts";
import { left, temporaryFolder, write } from "../fixtures/datasets.ts";

const test = suite("protocols that are answered in words");
const { dir: root, remove } = temporaryFolder("answer-protocols");
test.after(remove);

const check = (protocol: AnswerProtocol, dir: string): Promise<CheckedProtocol<AnswerStream>> => get(checkProtocol(protocol, dir, { seed: 0 }));

const complaint = async (protocol: AnswerProtocol, dir: string): Promise<string> => describe(left(await checkProtocol(protocol, dir, { seed: 0 })()));

/** Writes one file under a folder. */
const writeAt = (dir: string, name: string, text: string): void => write(dir, { [name]: text });

/** Records as LLaVA writes them. */
const conversation = (id: string, question: string, answer: string, image?: string): object => ({
  id,
  ...(image === undefined ? {} : { image }),
  conversations: [
    { from: "human", value: `${image === undefined ? "" : "<image>\n"}${question}` },
    { from: "gpt", value: answer },
  ],
});

const lines = (...records: readonly object[]): string => records.map((record) => JSON.stringify(record)).join("\n");

test("orders and scores", () => {
  const scores = ({ datasets }: AnswerProtocol): readonly string[] => datasets.map(({ name, score }) => `${name} ${score}`);
  assert.equal(scores(protocols.ucit), ["imagenet-r exact", "arxivqa exact", "vizwiz captions", "iconqa exact", "clevr-math exact", "flickr30k captions"]);
  assert.equal(scores(protocols["mllm-dcl"]), [
    "remote-sensing contained-word",
    "medicine contained",
    "driving contained-word",
    "science science",
    "finance exact-compact",
  ]);
  assert.equal(
    protocols["cl-vista"].datasets.map((d) => d.name),
    ["counting", "space", "traffic", "movie", "gui", "science", "sports", "star"],
  );
  assert.equal(scores(protocols.trace), [
    "c-stance exact",
    "fomc exact",
    "meetingbank rouge-l",
    "py150 edit-similarity",
    "scienceqa exact",
    "numglue-cm exact",
    "numglue-ds exact",
    "20minuten sari",
  ]);
  for (const [order, names] of [
    ["standard-cl-1", ["dbpedia", "amazon", "yahoo", "agnews"]],
    ["standard-cl-2", ["dbpedia", "amazon", "agnews", "yahoo"]],
    ["standard-cl-3", ["yahoo", "amazon", "agnews", "dbpedia"]],
  ] as const) {
    assert.equal(
      protocols[order].datasets.map((d) => d.name),
      names,
    );
  }
  for (const [name, protocol] of Object.entries(answerProtocols)) {
    assert.is(protocol.name, name);
    assert.is(taskCount(protocol), protocol.datasets.length);
  }
});

test("a root of JSON lines: tasks in order, with what the protocol says of them", async () => {
  const dir = join(root, "standard");
  for (const name of ["agnews", "amazon", "dbpedia", "yahoo"]) {
    writeAt(dir, `${name}/train.jsonl`, lines({ prompt: `${name}?`, answer: "yes", choices: ["yes", "no"] }));
    writeAt(
      dir,
      `${name}/test.jsonl`,
      lines({ prompt: `${name}!`, answer: "no", choices: ["yes", "no"] }, { prompt: "x", answer: "no", choices: ["yes", "no"] }),
    );
  }
  const { stream, notes } = await check(protocols["standard-cl-3"], dir);
  assert.equal(notes, []);
  assert.equal(
    stream.tasks.map(({ kind, name, score, maxTokens, context, chat }) => ({ kind, name, score, maxTokens, context, chat })),
    ["yahoo", "amazon", "agnews", "dbpedia"].map((name) => ({ kind: "answer", name, score: "exact", maxTokens: 50, context: 562, chat: undefined })),
  );
  assert.equal(
    (await get(stream.tasks[2].train)).map(({ prompt, answer, choices }) => [prompt, answer, choices]),
    [["agnews?", "yes", ["yes", "no"]]],
  );
  assert.is((await get(stream.tasks[2].test)).length, 2);
});

test("UCIT as its authors publish it: instructions and pictures apart; what is fewer is told", async () => {
  const dir = join(root, "ucit");
  for (const { name, folders, train } of protocols.ucit.datasets as AnswerProtocol["datasets"]) {
    const image = `${name}/images/1.png`;
    writeAt(dir, `datasets/${image}`, "pixels");
    writeAt(dir, `${folders[0]}/${train![0]}`, JSON.stringify([conversation("1", "What is it?", "A pear.", image)]));
    writeAt(dir, `${folders[0]}/test_3000.json`, JSON.stringify([{ question_id: "7", image: `./${image}`, text: "What is it?", answer: "A pear." }]));
  }
  const captionsOf = (picture: number): string =>
    JSON.stringify({ images: [], annotations: ["A pear.", "One pear on a plate."].map((caption, id) => ({ id, image_id: picture, caption })) });
  writeAt(dir, "instructions/VizWiz/val_coco_type_3000.json", captionsOf(1));
  const { stream, notes } = await check(protocols.ucit, dir);
  assert.equal(
    stream.tasks.map(({ name, chat, maxTokens, context }) => [name, chat, maxTokens, context]),
    protocols.ucit.datasets.map(({ name }) => [name, "vicuna", 256, 2048]),
  );
  assert.is(notes.length, 6 + 1);
  assert.match(notes[0], /^imagenet-r: .*ImageNet-R has 1 test questions, the protocol 3000$/);
  assert.match(notes[6], /^flickr30k: .*Flickr30k has no val_coco_type_3000\.json, so the answers of its test questions are their only references$/);
  const [question] = await get(stream.tasks[0].test);
  assert.is(question.prompt, "What is it?");
  assert.is(question.pictures.length, 1);
  assert.is(question.answer, "A pear.");
  // The captions of a picture are the references of its question, in the order of the file.
  assert.equal((await get(stream.tasks[2].test))[0].answer, ["A pear.", "One pear on a plate."]);
  assert.is((await get(stream.tasks[2].train))[0].answer, "A pear.");

  writeAt(dir, "instructions/Flickr30k/val_coco_type_3000.json", captionsOf(7));
  assert.match(await complaint(protocols.ucit, dir), /flickr30k: .*val_coco_type_3000\.json: it has no caption of picture 1, that of question .*test.*$/);
  rmSync(join(dir, "instructions/Flickr30k/val_coco_type_3000.json"));

  // What lacks is named, each with its place; all at once.
  rmSync(join(dir, "instructions/IconQA"), { recursive: true });
  rmSync(join(dir, "instructions/VizWiz/test_3000.json"));
  rmSync(join(dir, "datasets/arxivqa"), { recursive: true });
  const words = await complaint(protocols.ucit, dir);
  assert.match(words, /it is not all that ucit needs: \(1\) arxivqa: .*arxivqa\/images\/1\.png/);
  assert.match(words, /vizwiz: .*instructions\/VizWiz.*\(it is published as test_3000\.json\)/);
  assert.match(words, /iconqa: there is no folder instructions\/IconQA or IconQA/);
  assert.not.match(words, /flickr30k|clevr|imagenet/);
});

test("each task in a folder of its own, wherever that is; without training nothing is to learn from", async () => {
  const dir = join(root, "apart");
  const names = ["dbpedia", "amazon", "yahoo", "agnews"];
  for (const name of names) writeAt(dir, `my-${name}/test.jsonl`, lines({ prompt: "a", answer: "b" }));
  const where = Object.fromEntries(names.map((name) => [name, join(dir, `my-${name}`)]));
  const { stream } = await get(checkProtocol(protocols["standard-cl-1"], where, { seed: 0, training: false }));
  assert.is(stream.tasks.length, 4);
  const words = describe(left(await checkProtocol(protocols["standard-cl-1"], { ...where, yahoo: "" }, { seed: 0 })()));
  assert.match(words, /standard-cl-1: it is not all that standard-cl-1 needs: \(1\) dbpedia: .*my-dbpedia/);
});

test("an empty root: every folder is named", async () => {
  const dir = join(root, "empty");
  mkdirSync(dir);
  for (const protocol of Object.values(answerProtocols) as readonly AnswerProtocol[]) {
    const words = await complaint(protocol, dir);
    for (const { name, folders } of protocol.datasets) assert.ok(words.includes(`${name}: there is no folder ${folders.join(" or ")}`), words);
  }
});

test("few shots are questions of each task, drawn by the seed", async () => {
  const dir = join(root, "few");
  for (const name of ["agnews", "amazon", "dbpedia", "yahoo"]) {
    writeAt(dir, `${name}/train.jsonl`, lines(...[1, 2, 3, 4, 5].map((n) => ({ prompt: `${n}`, answer: "b" }))));
    writeAt(dir, `${name}/test.jsonl`, lines({ prompt: "a", answer: "b" }));
  }
  const few: AnswerProtocol = { ...protocols["standard-cl-1"], shots: 2 };
  const prompts = async (seed: number): Promise<readonly string[]> => {
    const { stream } = await get(checkProtocol(few, dir, { seed }));
    return (await get(stream.tasks[0].train)).map((q) => q.prompt);
  };
  assert.is((await prompts(1)).length, 2);
  assert.equal(await prompts(1), await prompts(1));
});

test.run();
