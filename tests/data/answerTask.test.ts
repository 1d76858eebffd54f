import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import * as E from "fp-ts/lib/Either.js";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import { readAnswerTask, type AnswerTaskOptions } from "../../src/data/answerTask.ts";
import { datasetPaths } from "../../src/data/datasetPaths.ts";
import { decoderOf } from "../../src/data/decode.ts";
import { damageOf, pictureOf, type Question } from "../../src/data/question.ts";
import { readTask, taskFromFolder } from "../../src/data/taskFromFolder.ts";
import { isAnswered, type AnswerTask } from "../../src/data/task.ts";
import { left, png, tar, temporaryFolder, write, writeWebDataset } from "../fixtures/datasets.ts";

const test = suite("answered tasks");
const { dir: root, remove } = temporaryFolder("answers");
test.after(remove);

let count = 0;
const fresh = (files: Readonly<Record<string, Uint8Array | string>>): string => {
  const dir = join(root, `task-${count++}`);
  write(dir, files);
  return dir;
};

const record = (over: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({ prompt: "Is it red?", answer: "no", choices: ["yes", "no"], ...over });
const lines = (...records: readonly string[]): string => records.map((line) => `${line}\n`).join("");
const open = (dir: string, options: AnswerTaskOptions = {}): Promise<AnswerTask> => get(readAnswerTask(dir, options));

/** What there is to say of a split. */
const notesOf = async ({ notes }: AnswerTask, split: "train" | "test" = "test"): Promise<readonly string[]> => (await notes?.[split]()) ?? [];

/** The questions of one test file. */
const testOf = async (files: Readonly<Record<string, Uint8Array | string>>, options: AnswerTaskOptions = {}): Promise<readonly Question[]> =>
  get((await open(fresh(files), options)).test);

/** What is said of one damaged record. */
const saidOf = async (line: string, files: Readonly<Record<string, Uint8Array | string>> = {}): Promise<string> =>
  describe(left(await readAnswerTask(fresh({ ...files, "test.jsonl": line }))()));

test("JSON lines: prompt, answer, choices; named after the folder and scored by choice where every test question has choices", async () => {
  const dir = fresh({ "train.jsonl": lines(record(), record({ answer: "yes" })), "test.jsonl": lines(record({ prompt: "Is it blue?" })) });
  const task = await open(`${dir}/`);
  assert.equal([task.kind, task.name, task.score, task.maxTokens, task.chat], ["answer", "task-0", "choice", undefined, undefined]);
  assert.equal(await get(task.test), [{ id: `${join(dir, "test.jsonl")}:1`, prompt: "Is it blue?", pictures: [], answer: "no", choices: ["yes", "no"] }]);
  assert.equal(
    (await get(task.train)).map(({ id, answer }) => [id, answer]),
    [
      [`${join(dir, "train.jsonl")}:1`, "no"],
      [`${join(dir, "train.jsonl")}:2`, "yes"],
    ],
  );
  assert.is(await get(task.train), await get(task.train), "a second walk sees the same list");
  assert.equal(await notesOf(task), []);
});

test("some questions without choices are scored by exact match; several answers are references; question and text are prompts, too", async () => {
  const dir = fresh({ "test.jsonl": lines(record(), '{"question": "1 + 1?", "answer": ["2", "two"]}', '{"text": "2 + 2?", "answer": "4", "question_id": 7}') });
  const task = await open(dir, { name: "sums" });
  assert.equal([task.name, task.score], ["sums", "exact"]);
  assert.equal(
    (await get(task.test)).map(({ prompt, answer }) => [prompt, answer]),
    [
      ["Is it red?", "no"],
      ["1 + 1?", ["2", "two"]],
      ["2 + 2?", "4"],
    ],
  );
});

test("a byte order mark, CRLF, blank lines, null for what is not there, and other field names are no damage; fields that are not known are told", async () => {
  const dir = fresh({ "test.jsonl": `\ufeff${record({ image: null, id: 3 })}\r\n\r\n  \r\n${record({ source: "web", images: null, level: 2 })}\r\n` });
  const task = await open(dir);
  assert.equal(
    (await get(task.test)).map(({ id }) => id.slice(dir.length)),
    ["/test.jsonl:1", "/test.jsonl:4"],
  );
  assert.equal(await notesOf(task), ["left out fields that are not known: source, level"]);
});

test("an empty prompt is told, since a text may stand alone; a choice that comes twice counts once", async () => {
  const task = await open(fresh({ "test.jsonl": lines('{"prompt": "", "answer": "Once upon a time"}', record({ choices: ["no", "yes", "no"] })) }));
  assert.equal((await get(task.test))[1].choices, ["no", "yes"]);
  assert.equal(await notesOf(task), ["1 choice comes twice (test.jsonl:2); it counts once", "1 prompt is empty (test.jsonl:1); the answer stands alone"]);
});

test("a list where lines are expected, and lines where a list is", async () => {
  const [list, ofLines] = [`[${record()},\n ${record({ answer: "yes" })}]`, lines(record(), record({ answer: "yes" }))];
  for (const [name, text] of [list, ofLines].flatMap((text) => ["test.jsonl", "test.json"].map((name) => [name, text])))
    assert.equal(
      (await testOf({ [name]: text })).map(({ answer }) => answer),
      ["no", "yes"],
    );
});

test("numbers and truth values are answers as their text, and that is told", async () => {
  const dir = fresh({
    "test.jsonl": lines('{"prompt": "1 + 1?", "answer": 2}', '{"prompt": "1 = 1?", "answer": true}', '{"prompt": "?", "answer": 1, "choices": [1, 2.5]}'),
  });
  const task = await open(dir);
  assert.equal(
    (await get(task.test)).map(({ answer, choices }) => [answer, choices]),
    [
      ["2", undefined],
      ["true", undefined],
      ["1", ["1", "2.5"]],
    ],
  );
  assert.equal(await notesOf(task), ["3 answers or choices are numbers or truth values (such as test.jsonl:1); they count as text"]);
});

test("a record that is damaged is named by its line, and with skip stands in the split as a question that fails", async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    [`${record()},`, /is not JSON/],
    ["{'prompt': 'a', 'answer': 'b'}", /is not JSON/],
    ['"text"', /it is "text" and no object/],
    ["null", /it is null and no object/],
    ['{"prompt": "a"}', /it has no "answer"/],
    ['{"prompt": "a", "answer": null}', /it has no "answer"/],
    ['{"answer": "a"}', /it has no "prompt" \(nor "question", "text" or "conversations"\)/],
    ['{"prompt": "a", "answer": ""}', /its answer is empty/],
    ['{"prompt": "a", "answer": []}', /its answer is empty/],
    ['{"prompt": ["a"], "answer": "a"}', /"prompt" should be a text and is \["a"\]/],
    ['{"prompt": "a", "answer": {"text": "a"}}', /"answer" should be a text or a list of them and is \{"text":"a"\}/],
    ['{"prompt": "a", "question": "b", "answer": "c"}', /it has "prompt" and "question"; one of them is read/],
    [record({ answer: "maybe" }), /its answer "maybe" is none of its choices \["yes","no"\]/],
    [record({ answer: 1 }), /its answer "1" is none of its choices/],
    [record({ choices: ["yes", "no", " "] }), /one of its choices is empty/],
    ['{"prompt": "a", "answer": "<image> no"}', /<image> stands in an answer or a choice; pictures belong to prompts/],
    [record({ choices: ["yes", "no", "<image>"] }), /<image> stands in an answer or a choice/],
    [record({ choices: "yes,no" }), /"choices" should be a list and is "yes,no"/],
    [record({ prompt: "<image>\nIs it red?" }), /its prompt has <image> once, and it names 0 pictures/],
    [record({ image: "a.png", video: "b.gif" }), /it has "image" and "video"; one of them is read/],
  ];
  for (const [line, expected] of cases) {
    const dir = fresh({ "test.jsonl": lines(record(), line, record()) });
    const failure = left(await readAnswerTask(dir)());
    assert.ok(failure._tag === "CorruptSample" && failure.path === join(dir, "test.jsonl") && failure.member === "in line 2", line);
    assert.match(failure.detail, expected);
    const skipping = await open(dir, { onCorrupt: "skip" });
    assert.is(skipping.score, "choice", "what is damaged has no say in the score");
    assert.equal((await get(skipping.test)).map(damageOf), [undefined, failure, undefined], line);
  }
});

test("files of questions that have none, beside a folder of their pictures, are told of and taken for no class folders", async () => {
  for (const [text, expected] of [
    ["[]", /Cannot read .*test\.json: it has no questions/],
    ["", /test\.json: the file is empty/],
    ["{}", /it has no "prompt"/],
    ['{\n  "data": []\n}', /it is one object over several lines; wanted a list of questions, or one question a line/],
  ] as const) {
    const dir = fresh({ "train.json": text, "test.json": text, "images/a.png": "pixels" });
    assert.match(describe(left(await readTask(dir)())), expected, text);
    assert.match(describe(left(await readTask(dir, { split: 0.5 })())), expected, text);
  }
});

test("a list that is no JSON, an empty file, a file that is not the file itself, one that is missing: named", async () => {
  assert.match(await saidOf(`[${record()},\n]`), /test\.jsonl is damaged: it is not JSON: .* \(in record 2, in line 2\)$/);
  assert.match(await saidOf(`[\r\n${record({ prompt: 'a ], \\" b' })},\r\n  {"prompt": a}, ${record()}]`), /it is not JSON: .* \(in record 2, in line 3\)$/);
  assert.match(await saidOf(`[${record()}`), /test\.jsonl is damaged: it is not JSON: (?!.*in record)/);
  assert.match(await saidOf(""), /Cannot read .*test\.jsonl: the file is empty/);
  assert.match(await saidOf(" \r\n"), /the file is empty/);
  assert.match(await saidOf("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), /git lfs pull/);
  assert.match(describe(left(await readAnswerTask(fresh({ "train.jsonl": record() }))())), /it has no questions to test; wanted test\.jsonl or test\.json/);
  const alone = await open(fresh({ "test.jsonl": record() }));
  assert.match(describe(left(await alone.train())), /it has no questions to train; wanted train\.jsonl or train\.json/);
});

test("validation stands in for a missing test; files beyond one a split are told", async () => {
  const dir = fresh({ "train.jsonl": record(), "validation.json": `[${record({ answer: "yes" })}]`, "val.jsonl": record() });
  const task = await open(dir);
  assert.is((await get(task.test))[0].answer, "yes");
  assert.equal(await notesOf(task), ["left out 1 file of another split (val.jsonl)"]);
  assert.is((await get((await open(dir, { test: "val.jsonl" })).test))[0].answer, "no");
});

test("where no split is for testing, one is drawn if that is asked for: the same in every run", async () => {
  const dir = fresh({ "train.jsonl": lines(...Array.from({ length: 10 }, (_, i) => record({ prompt: `${i}?` }))) });
  const prompts = async (split: "train" | "test"): Promise<readonly string[]> => {
    const task = await get(readTask(dir, { split: 0.8 }));
    assert.ok(isAnswered(task));
    return (await get(task[split])).map(({ prompt }) => prompt);
  };
  const [train, held] = [await prompts("train"), await prompts("test")];
  assert.equal([train.length, held.length, new Set([...train, ...held]).size], [8, 2, 10]);
  assert.equal(await prompts("test"), held);
  assert.equal(await notesOf(await open(dir, { split: 0.8 })), ["80 % of its 10 questions are drawn for training, the others are for testing"]);
  assert.match(describe(left(await readTask(dir)())), /it has no questions to test; .*; --split 0\.8 \(the option split\) draws 80 % for training/);
});

test("LLaVA's JSON: conversations to learn, questions and answers to test; every turn is a question", async () => {
  const image = await png(1, 2);
  const turns = (...values: readonly string[]) => values.map((value, i) => ({ from: i % 2 === 0 ? "human" : "gpt", value }));
  const dir = fresh({
    "images/a.png": image,
    "b.png": image,
    "train.json": JSON.stringify([
      { id: "1", image: "a.png", conversations: turns("<image>\nWhat is it?", "a cat") },
      { id: "2", image: "b.png", conversations: turns("Is it\n<image>?", "no", "What is it?", "a dog") },
      { id: "3", conversations: turns("Hello?", "Hello.") },
    ]),
    "test.json": JSON.stringify([{ question_id: 1, image: "images/a.png", text: "What is it?", answer: "a cat" }]),
  });
  const task = await open(dir);
  const train = await get(task.train);
  assert.equal(
    train.map(({ id, prompt, answer, pictures }) => [id.slice(dir.length), prompt, answer, pictures.length]),
    [
      ["/train.json:1", "<image>\nWhat is it?", "a cat", 1],
      ["/train.json:2.1", "Is it\n<image>?", "no", 1],
      ["/train.json:2.2", "What is it?", "a dog", 1],
      ["/train.json:3", "Hello?", "Hello.", 0],
    ],
  );
  assert.equal(train[0].pictures, [{ kind: "file", path: join(dir, "images/a.png") }]);
  assert.equal(train[1].pictures, [{ kind: "file", path: join(dir, "b.png") }]);
  assert.equal(await notesOf(task, "train"), ["1 record has several turns (train.json:2); each turn is a question of its own, without those before it"]);
  assert.is(task.score, "exact");
  const [question] = await get(task.test);
  assert.equal([question.prompt, question.answer], ["What is it?", "a cat"]);
  const { width, height } = await get(decoderOf(task)(pictureOf(question, 0)));
  assert.equal([width, height], [6, 5]);
});

test("conversations that are none", async () => {
  const said = (conversations: unknown): Promise<string> => saidOf(JSON.stringify([{ id: 1, conversations }]));
  const turn = (from: string) => ({ from, value: "a" });
  assert.match(await said([]), /number 1 cannot be decoded: its "conversations" are empty/);
  assert.match(await said([turn("human")]), /its conversation ends without an answer/);
  assert.match(await said([turn("system"), turn("human"), turn("gpt")]), /turn 1 of its conversation is from "system"; "human" and "gpt" take turns/);
  assert.match(await said([{ from: "human" }, turn("gpt")]), /"conversations\[0\].value" should be a text and is nothing/);
});

test("pictures: one, several, in a folder of another name, by a path of Windows; places in the prompt are as many as pictures, or none", async () => {
  const image = await png(1, 2);
  const dir = fresh({
    "pictures/x/a.png": image,
    "pictures/b.png": image,
    "test.jsonl": lines(
      record({ image: "x/a.png" }),
      record({ images: ["b.png", "x\\a.png"], prompt: "Is <image> like <image>?" }),
      record({ image: ["./b.png", "/b.png"] }),
    ),
  });
  const questions = await get((await open(dir, { images: `../${basename(dir)}/pictures` })).test);
  const [a, b] = [join(dir, "pictures/x/a.png"), join(dir, "pictures/b.png")];
  assert.equal(
    questions.map(({ pictures }) => pictures.map((picture) => (picture.kind === "file" ? picture.path : picture.kind))),
    [[a], [b, a], [b, b]],
  );
  const files = { "a.png": image };
  assert.match(await saidOf(record({ image: "b.png" }), files), /its picture b\.png is not there \(looked for in .* and .*images\)/);
  assert.match(await saidOf(record({ image: "../a.png" }), files), /its picture \.\.\/a\.png has no path below the folder of its task/);
  assert.match(await saidOf(record({ image: "a.png", prompt: "<image> <image> a?" }), files), /its prompt has <image> 2 times, and it names 1 picture$/);
  assert.match(await saidOf(record({ image: "a" }), { "a/1.png": image }), /its picture a is no file; a folder of frames is named as "video"/);
});

test("task.json says score, tokens, chat and choices; options win; what it does not know is refused", async () => {
  const files = { "train.jsonl": '{"prompt": "Is it red?", "answer": "no"}', "test.jsonl": '{"prompt": "Is it red?", "answer": "yes"}' };
  const settings = JSON.stringify({ score: "rouge-l", maxTokens: 5, context: 99, chat: "vicuna", choices: ["yes", "no"] });
  const dir = fresh({ ...files, "task.json": settings });
  const task = await open(dir);
  assert.equal([task.score, task.maxTokens, task.context, task.chat, (await get(task.test))[0].choices], ["rouge-l", 5, 99, "vicuna", ["yes", "no"]]);
  assert.equal((await open(dir, { score: "choice", chat: "{prompt}" })).score, "choice");
  const said = async (text: string): Promise<string> => describe(left(await readAnswerTask(fresh({ ...files, "task.json": text }))()));
  assert.match(await said('{"metric": "exact"}'), /task\.json: "metric" is none of score, maxTokens, context, chat, choices, frames, images/);
  assert.match(await said('{"score": "rouge"}'), /task\.json: "score" should be .*rouge-l.* and is "rouge"/);
  assert.match(await said('{"frames": 0}'), /"frames" should be a positive whole number and is 0/);
  const unchosen = await open(fresh({ ...files, "task.json": '{"score": "choice"}' }));
  assert.match(describe(left(await unchosen.test())), /in line 1 .*it has no choices, and its task is scored by choice/);
  assert.is((await get(unchosen.train)).length, 1, "what is learned needs none");
});

test("shards with .json: pictures of a sample in the order of their numbers, none, several; what is damaged is named", async () => {
  const [red, green] = [await png(200, 0), await png(0, 200)];
  const dir = fresh({
    "train/0.tar": await tar({ "a.json": record(), "b.json": record({ prompt: "Which?", image: "b.jpg" }), "b.png": red, "b.txt": "caption" }),
    "test/0.tar": await tar({ "c.10.png": green, "c.2.png": red, "c.json": record({ prompt: "<image> or <image>?" }) }),
  });
  const task = await get(readTask(dir));
  assert.ok(isAnswered(task) && task.score === "choice");
  const train = await get(task.train);
  assert.equal(
    train.map(({ id, prompt, pictures }) => [id.slice(dir.length), prompt, pictures.length]),
    [
      ["/train/0.tar:a.json", "Is it red?", 0],
      ["/train/0.tar:b.png", "Which?", 1],
    ],
  );
  assert.equal(await notesOf(task, "train"), ["left out 1 member that is neither picture nor answer (0.tar:b.txt)"]);
  const [question] = await get(task.test);
  const colours = await Promise.all([0, 1].map(async (k) => [...(await get(decoderOf(task)(pictureOf(question, k)))).data.subarray(0, 2)]));
  assert.equal(colours, [
    [200, 0],
    [0, 200],
  ]);
  const cases: readonly (readonly [Readonly<Record<string, Uint8Array | string>>, string, RegExp])[] = [
    [{ "d.png": red }, "d.png", /it has no \.json member/],
    [{ "d.json": "{" }, "d.json", /is not JSON/],
    [{ "d.json": record({ image: "d.png" }) }, "d.json", /it has "image", and there is no picture beside it/],
    [{ "d.png": red, "d.json": record({ prompt: "<image><image>" }) }, "d.json", /its prompt has <image> 2 times, and it names 1 picture$/],
  ];
  for (const [members, member, expected] of cases) {
    const damaged = fresh({ "test/0.tar": await tar({ ...members, "e.json": record() }) });
    const failure = left(await readAnswerTask(damaged)());
    assert.ok(failure._tag === "CorruptSample" && failure.member === member);
    assert.match(failure.detail, expected);
    const skipping = await get((await open(damaged, { onCorrupt: "skip" })).test);
    assert.equal(skipping.map(damageOf), [failure, undefined]);
  }
  const cut = fresh({ "test/0.tar": (await tar({ "a.json": record(), "b.json": record() })).subarray(0, 512 * 4) });
  assert.match(describe(left(await readAnswerTask(cut)())), /0\.tar is damaged/);
  assert.equal(
    (await get((await open(cut, { onCorrupt: "skip" })).test)).map((question) => damageOf(question)?._tag),
    [undefined, "FileCorrupt"],
  );
});

test("one function finds out what a folder is: questions, classes, or neither", async () => {
  const image = await png(1, 2);
  const shards = join(root, "shards");
  await writeWebDataset(shards);
  assert.not.ok(isAnswered(await get(readTask(shards))));
  const unnamed = fresh({ "train/0.tar": await tar({ "a.png": image, "a.cls": "0", "a.json": "{}" }) });
  assert.match(describe(left(await readTask(unnamed)())), /classnames\.txt/, "shards with classes want their names");
  const folders = fresh({ "train/a/1.png": image, "test/a/2.png": image, "train.json": '{"version": 1}' });
  assert.not.ok(isAnswered(await get(readTask(folders))), "an annotation file of another kind is none of questions");
  const questions = fresh({ "train/a/1.png": image, "test.jsonl": record({ image: "train/a/1.png" }), "train.jsonl": record() });
  assert.ok(isAnswered(await get(readTask(questions))));
  assert.match(describe(left(await taskFromFolder(questions)())), /it has questions that are answered in words, and no classes/);
  assert.match(describe(left(await readTask(fresh({ "a.txt": "" }))())), /it is no dataset: .* or \{train,test\}\.jsonl with prompts and answers/);
  assert.match(describe(left(await readTask(fresh({ "train.jsonl": "", "test.jsonl": "" }))())), /test\.jsonl: the file is empty/);
  const packed = describe(left(await readTask(fresh({ "train.jsonl.gz": "", "test.jsonl.gz": "" }))()));
  assert.match(packed, /; there is 2 compressed files, which are not unpacked \(such as (train|test)\.jsonl\.gz\)$/);
  const drawn = await get(readTask(questions, { split: 0.5 }));
  assert.ok((await drawn.notes?.train())?.includes("it has splits of its own, and none is drawn"));
});

test("of a dataset of questions on the hub: the splits, how it is asked, and all pictures", () => {
  const pictures = ["images/a.png", "frames/clip/1.jpg"];
  const paths = ["README.md", "task.json", "train.jsonl", "validation.json", "notes.txt", ...pictures];
  assert.equal(datasetPaths(paths), E.right(["task.json", "train.jsonl", "validation.json", ...pictures]));
  assert.equal(datasetPaths(paths, { training: false }), E.right(["task.json", "validation.json", ...pictures]));
  const configured = paths.map((path) => `vqa/${path}`);
  assert.equal(datasetPaths(configured, { config: "vqa" }), E.right(["task.json", "train.jsonl", "validation.json", ...pictures].map((path) => `vqa/${path}`)));
  assert.match((datasetPaths(configured) as E.Left<string>).left, /nor questions \(\{train,test\}\.jsonl\)/);
});

test("the records and the task.json that docs/DATASETS.md shows are read, and its table has every setting", async () => {
  const section = /^## Questions that are answered\n(.*?)^## /ms.exec(readFileSync("docs/DATASETS.md", "utf8"))?.[1] ?? "";
  const blocks = (language: string): readonly string[] => [...section.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))].map(([, body]) => body);
  const [[lines], [records, settings]] = [blocks("jsonl"), blocks("json")];
  const image = await png(1, 2);
  const pictures = { "cat.png": image, "images/dog.png": image, "clips/door/1.jpg": image };
  const questions = [...(await testOf({ ...pictures, "test.jsonl": lines })), ...(await testOf({ ...pictures, "test.json": records }))];
  assert.equal(
    questions.map((question) => question.pictures.length),
    [0, 1, 2, 8, 1, 1],
  );
  const dir = fresh({ "task.json": settings, "test.jsonl": record() });
  const { score, maxTokens, context, chat } = await open(dir);
  assert.equal({ ...JSON.parse(settings), score, maxTokens, context, chat }, JSON.parse(settings));
  assert.equal(
    [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name),
    Object.keys(JSON.parse(settings)),
  );
});

const shared = "../shared/data/text-stream";
(existsSync(shared) ? test : test.skip)("real text tasks (../shared/data/text-stream)", async () => {
  for (const [name, train, choices] of [
    ["agnews", 1000, 4],
    ["copa", 400, 2],
  ] as const) {
    const task = await open(join(shared, name));
    const [first, ...rest] = await get(task.train);
    assert.equal([task.name, task.score, first.choices?.length], [name, "choice", choices]);
    assert.ok(rest.length + 1 >= train / 2 && (await get(task.test)).every((question) => damageOf(question) === undefined));
    assert.equal(await notesOf(task), []);
  }
});

test.run();
