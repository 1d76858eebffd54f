/** Declared methods: defaults, options that follow from others, readings, and what of a declaration is said. */
import * as E from "fp-ts/lib/Either.js";
import * as RTE from "fp-ts/lib/ReaderTaskEither.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe } from "../../src/failure.ts";
import { cLora } from "../../src/methods/cLora.ts";
import { codyra } from "../../src/methods/codyra.ts";
import { byTower, count, modules, oneOf, share } from "../../src/methods/codecs.ts";
import {
  declareMethod,
  decodeOption,
  forAnswers,
  onTop,
  option,
  optionNames,
  reading,
  scoring,
  withDefaults,
  type OptionsOf,
} from "../../src/methods/declare.ts";
import { optionRows } from "../../src/methods/describe.ts";
import { methodFor, skip, type Method } from "../../src/stages/learn.ts";
import { taskStage } from "../../src/stages/stage.ts";
import type { Stream } from "../../src/data/task.ts";
import { left, right } from "../either.ts";
import { patternTask } from "../fixtures/patterns.ts";
import { colourTask } from "../fixtures/tinyLlama.ts";

const options = {
  rank: option(count, 16, "Rank of every adapter."),
  kept: option(count, ({ rank }: { readonly rank: number }) => rank / 2, "Components that are merged."),
  shrink: option(oneOf("paper", "code"), "paper", "The shrink operator.", { paper: "paper", code: "code" }),
  evaluate: scoring(),
};
const thinned = declareMethod({ name: "thinned", paper: "1234.56789", does: "keeps some components", options }, () => skip);

test("a method names all of its options, in the order of the declaration; how it is scored comes last, where it is given", () => {
  assert.is(thinned().name, "thinned");
  assert.equal(thinned().options, { rank: 16, kept: 8, shrink: "paper" });
  assert.equal(Object.keys(thinned({ evaluate: { templates: "single" }, shrink: "code", rank: 4 }).options as object), ["rank", "kept", "shrink", "evaluate"]);
});

test("an option follows from those before it, unless it is given; one that is undefined is not given", () => {
  assert.equal(thinned({ rank: 4 }).options, { rank: 4, kept: 2, shrink: "paper" });
  assert.equal(thinned({ rank: 4, kept: 3 }).options, { rank: 4, kept: 3, shrink: "paper" });
  assert.equal(thinned({ rank: undefined }).options, { rank: 16, kept: 8, shrink: "paper" });
});

test("other defaults leave the rest of a declaration as it is", () => {
  const thinner = declareMethod(
    { name: "thinner", does: "keeps fewer", options: withDefaults(options, { rank: 8, evaluate: { templates: "ensemble" } }) },
    () => skip,
  );
  assert.equal(thinner().options, { rank: 8, kept: 4, shrink: "paper", evaluate: { templates: "ensemble" } });
  assert.equal(thinned().options, { rank: 16, kept: 8, shrink: "paper" });
});

test("options have the types of their codecs", () => {
  const given: OptionsOf<typeof thinned> = { rank: 4, shrink: "code" };
  assert.ok(thinned(given));
  // @ts-expect-error no such word
  assert.ok(thinned({ shrink: "both" }));
  // @ts-expect-error no such option
  assert.ok(thinned({ ranks: 4 }));
  // @ts-expect-error a default that its codec does not take
  assert.ok(option(count, "16", "Rank of every adapter."));
});

const classes = { stream: { tasks: [], labelSpace: "task", probes: [patternTask("p", ["a"], 1)] } };
const questions = { stream: { tasks: [colourTask("q", 0)], labelSpace: "task" } };

test("options may have other defaults for tasks that are answered in words; a method is then another for such a stream", async () => {
  const ran: unknown[] = [];
  const half = ({ rank }: { readonly rank: number }): number => rank / 4;
  const method = declareMethod({ name: "both", title: "Both", does: "either", options: forAnswers(options, { kept: half, shrink: "code" }) }, (o) =>
    taskStage("told", {}, (course) => {
      ran.push(o);
      return RTE.of(course);
    }),
  );
  const given = method({ rank: 8 });
  const [classified, answered] = [classes, questions].map(({ stream }) => right(methodFor(given, stream as unknown as Stream)));
  assert.equal(
    [classified.options, answered.options],
    [
      { rank: 8, kept: 4, shrink: "paper" },
      { rank: 8, kept: 2, shrink: "code" },
    ],
  );
  assert.equal([answered.name, answered.title], ["both", "Both"]);
  assert.equal(method({ shrink: "paper" }).answering?._tag, "Right");
  for (const course of [classes, questions]) await given.run(course as never)(undefined as never)();
  assert.equal(ran, [classified.options, answered.options]);
  assert.equal(
    optionRows(method).map(({ fallback, answered: other }) => [fallback, other]),
    [
      ["16", undefined],
      ["8", "4"],
      ["paper", "code"],
    ],
  );
  assert.equal(right(methodFor(thinned(), questions.stream as unknown as Stream)).options, thinned().options);
});

test("a method of classes alone says why before anything runs", async () => {
  const alone = declareMethod({ name: "alone", does: "one kind", classesAlone: "it has a row for every class", options }, () => skip);
  const why = "method: alone learns tasks of classes alone, and these are answered in words: it has a row for every class";
  assert.is(describe(left(methodFor(alone(), questions.stream as unknown as Stream))), why);
  assert.is(describe(left(await alone().run(questions as never)(undefined as never)())), why);
  assert.is(right(methodFor(alone(), classes.stream as unknown as Stream)).name, "alone");
});

test("values are decoded by the declaration, and readings read from it", () => {
  const { declaration } = thinned;
  assert.equal(optionNames(declaration), ["rank", "kept", "shrink"]);
  assert.equal(decodeOption(declaration, "rank", 4), E.right(4));
  assert.equal(decodeOption(declaration, "rank", -1), E.left("a whole number of at least 1"));
  assert.equal(reading(declaration, "code"), { shrink: "code" });
  assert.equal(thinned({ ...reading(declaration, "code"), rank: 4 }).options, { rank: 4, kept: 2, shrink: "code" });
});

test("a reading is given like an option; for answers it may be another, and what it sets wins over options that it is given on top of", () => {
  const words = declareMethod({ name: "words", does: "either", options: forAnswers(options, {}, { shrink: { paper: "paper", code: "paper" } }) }, () => skip);
  const read = words({ reading: "code", rank: 4 });
  assert.equal(read.options, { rank: 4, kept: 2, shrink: "code" });
  assert.equal(right(methodFor(read, questions.stream as unknown as Stream)).options, { rank: 4, kept: 2, shrink: "paper" });
  assert.equal(words({ reading: "code", shrink: "paper" }).options, { rank: 16, kept: 8, shrink: "paper" });
  assert.equal(onTop(words.declaration, { shrink: "paper", rank: 2 }, { reading: "code" }), { rank: 2, reading: "code" });
  assert.equal(onTop(words.declaration, { shrink: "paper", rank: 2 }, { rank: 4 }), { shrink: "paper", rank: 4 });
});

test("a value that an option does not take makes a run fail, and is told before anything runs", async () => {
  const refused = async (method: Method): Promise<string> => describe(left(await method.run(undefined as never)(undefined as never)()));
  // @ts-expect-error no such word
  assert.is(await refused(thinned({ shrink: "both" })), 'shrink: should be one of paper, code, not "both"');
  assert.is(await refused(thinned({ reading: "both" as never })), 'reading: should be one of paper, code, not "both"');
  assert.is(await refused(cLora({ reading: "code" })), "reading: the paper of c-lora and the code of its authors do not differ in its options");
  assert.is(await refused(codyra({ rank: -1 })), "rank: should be a whole number from 1 to 4096, not -1");
  assert.is(await refused(codyra({ lr: [1e-3, -1] })), "lr: should be a number above 0, or one for each task joined by +, not [0.001,-1]");
  assert.match(await refused(codyra({ modules: ["q", "q"] })), /^modules: should be a list joined by \+, /);
});

test("a program may name layers and towers of its own; text from outside those that come with Cambium", () => {
  assert.ok(modules.is(["inner", "outer"]) && modules.is("all"));
  assert.is(modules.decode(["inner", "outer"])._tag, "Left");
  assert.equal(modules.decode("q"), E.right(["q"]));
  assert.equal(modules.decode("all"), E.right("all"));
  assert.ok(byTower(share).is({ trunk: 0.5 }));
  assert.is(byTower(share).decode({ trunk: 0.5 })._tag, "Left");
  assert.equal(byTower(share).decode({ vision: 0.5 }), E.right({ vision: 0.5 }));
});

test("every option in words", () => {
  assert.equal(optionRows(thinned), [
    { name: "rank", fallback: "16", meaning: "Rank of every adapter.", takes: "a whole number of at least 1" },
    { name: "kept", fallback: "8", meaning: "Components that are merged.", takes: "a whole number of at least 1" },
    { name: "shrink", fallback: "paper", meaning: "The shrink operator.", takes: "one of paper, code", readings: { paper: "paper", code: "code" } },
  ]);
});

test.run();
