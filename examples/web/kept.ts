/**
 * What is kept of a visit, so that the next goes on where it was: `study.json`, and for every method the learner behind its last task. The file is written
 * after the learner that it names, so that whatever ends a visit, the file and the learners in it fit together.
 */
import * as E from "fp-ts/lib/Either.js";
import * as t from "io-ts";
import { get, platform, readLearner, writeLearner, type Learner } from "../../mod.ts";
import { readJsonAs, writeJson } from "../../src/formats/files.ts";
import { methodNames, type MethodName, type Preview, type Rival, type Taught } from "./protocol.ts";

const { files } = platform;

/** A method's learner on disk, and what it has learned. */
export interface KeptMethod extends Taught {
  readonly folder: string;
}

/** What is kept. */
export interface Kept {
  readonly version: 1;
  readonly rival: Rival;
  readonly previews: Readonly<Record<string, Preview>>;
  readonly methods: Readonly<Partial<Record<MethodName, KeptMethod>>>;
}

const guess = t.type({ label: t.string, score: t.number });
const accuracy = t.union([t.number, t.null]);
const lesson = t.type({ task: t.string, row: t.record(t.string, accuracy), guesses: t.record(t.string, t.record(t.string, t.array(guess))) });
const curve = t.type({ task: t.string, steps: t.number, losses: t.array(t.number) });
const shown = t.type({ id: t.string, image: t.string, label: t.string, guesses: t.array(guess) });
const method = t.type({ folder: t.string, lessons: t.array(lesson), curves: t.array(curve) });

const Kept = t.type({
  version: t.literal(1),
  rival: t.keyof({ codyra: null, "keeplora++": null }),
  previews: t.record(t.string, t.type({ accuracy, shown: t.array(shown) })),
  methods: t.partial({ "sequential-lora": method, codyra: method, "keeplora++": method }),
});

/** Nothing yet. */
export const nothingKept: Kept = { version: 1, rival: "codyra", previews: {}, methods: {} };

const fileIn = (folder: string): string => `${folder}/study.json`;

/** What an earlier visit has kept in a folder; nothing where it has kept nothing. Throws where it cannot be read. */
export const readKept = async (folder: string): Promise<Kept> => ((await files.exists(fileIn(folder))()) ? get(readJsonAs(Kept, fileIn(folder))) : nothingKept);

/** Writes what is kept. Throws where it cannot be written; what was kept is then as it was. */
export const writeKept = (folder: string, kept: Kept): Promise<void> => get(writeJson(fileIn(folder), kept));

/** The learner of a method. */
export const readKeptLearner = (folder: string, { folder: name }: KeptMethod): Promise<Learner> => get(readLearner(`${folder}/${name}`));

/** Writes the learner of a method behind a task, beside the one before it, and gives the name of its folder. */
export const writeKeptLearner = async (folder: string, name: MethodName, tasks: number, learner: Learner): Promise<string> => {
  const own = `${name}-${tasks}`;
  await get(writeLearner(`${folder}/${own}`, learner));
  return own;
};

/** Removes learners that the file does not name: those that were overtaken, and one that was written when a visit ended. */
export const sweepKept = async (folder: string, { methods }: Kept): Promise<void> => {
  const named = new Set(methodNames.map((name) => methods[name]?.folder));
  const listed = await files.list(folder)();
  if (E.isLeft(listed)) return;
  for (const { name, kind } of listed.right) if (kind === "folder" && !named.has(name)) await files.remove(`${folder}/${name}`)();
};
