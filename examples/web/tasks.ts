/** The tasks that can be learned: those that come along, and those of a person's own pictures. */
import * as E from "fp-ts/lib/Either.js";
import * as t from "io-ts";
import { data, get, platform } from "../../mod.ts";
import { readJsonAs, writeJson, writeText } from "../../src/formats/files.ts";
import type { Folder, Given, Task } from "./protocol.ts";
import { ordinals } from "../ordinals.ts";
import { shownExample, spread } from "./pictures.ts";

const { files } = platform;

const Along = t.type({
  digest: t.string,
  model: t.type({ name: t.string, files: t.array(t.string), template: t.string }),
  tasks: t.array(t.type({ name: t.string, files: t.array(t.string) })),
});

/** What comes along with the page. */
export type Along = t.TypeOf<typeof Along>;

/** A task as it is told of, and as it is learned. The name of its data is its id. */
export interface OpenTask {
  readonly task: Task;
  readonly data: data.ClassTask;
}

/** Copies what comes along from where the page is into its own files, where it is not there yet or another has come. Throws where that fails. */
export const fetchAlong = async (from: string, to: string): Promise<Along> => {
  const list = `${to}/along.json`;
  const read = await readJsonAs(Along, `${from}/along.json`)();
  const there = (await files.exists(list)()) ? await readJsonAs(Along, list)() : undefined;
  if (there !== undefined && E.isRight(there) && (E.isLeft(read) || read.right.digest === there.right.digest)) return there.right;
  if (E.isLeft(read)) throw read.left;
  const along = read.right;
  const wanted = [
    ...along.model.files.map((name) => `model/${name}`),
    ...along.tasks.flatMap((task) => task.files.map((name) => `tasks/${task.name}/${name}`)),
  ];
  await get(files.remove(list));
  for (const name of wanted) await get(files.write(`${to}/${name}`, [await get(files.read(`${from}/${name}`))]));
  // The list is written last: with it all is there.
  await get(writeJson(list, along));
  return along;
};

/** How many of a task's pictures are shown of it. */
const samples = 6;

/** Opens the task in a folder. Throws where it is none. */
export const openTask = async (folder: string, id: string, own: boolean): Promise<OpenTask> => {
  const read = await get(data.taskFromFolder(folder, { onCorrupt: "skip" }));
  const [train, test] = [await get(read.train), await get(read.test)];
  const task: data.ClassTask = { ...read, name: id };
  const shown = await Promise.all(spread(train, samples).map(shownExample(task)));
  const { name, classNames } = read;
  return { task: { id, name, own, classNames, train: train.length, test: test.length, samples: shown }, data: task };
};

/** The pictures in a picked folder, and in the folders in it. */
const inFolder = async (folder: Folder, path = folder.name): Promise<readonly Given[]> => {
  const found: Given[] = [];
  for await (const entry of folder.values()) {
    if (entry.name.startsWith(".")) continue;
    const at = `${path}/${entry.name}`;
    if (entry.kind === "directory") found.push(...(await inFolder(entry, at)));
    else found.push({ path: at, file: await entry.getFile() });
  }
  return found;
};

const isList = (pictures: readonly Given[] | Folder): pictures is readonly Given[] => Array.isArray(pictures);

/** A picture with the name of its class, and the split that its path names. */
interface Sorted {
  readonly path: string;
  readonly className: string;
  readonly split?: "train" | "test";
  readonly bytes: Uint8Array;
}

const splits: Readonly<Record<string, "train" | "test">> = { train: "train", test: "test", val: "test" };

/** Pictures by class, those that cannot be decoded left out. */
const sorted = async (given: readonly Given[]): Promise<{ readonly pictures: readonly Sorted[]; readonly left: number }> => {
  const pictures: Sorted[] = [];
  let left = 0;
  for (const { path, file } of [...given].sort((a, b) => a.path.localeCompare(b.path, "en", { numeric: true }))) {
    const parts = path.split("/").filter((part) => part !== "");
    const [above, className, name] = parts.slice(-3).length === 3 ? parts.slice(-3) : ["", ...parts.slice(-2)];
    if (name === undefined || name === "classnames.txt" || parts.some((part) => part.startsWith("."))) continue;
    const bytes = new Uint8Array(await file.arrayBuffer());
    if (E.isLeft(await data.decodeImage(bytes)())) left++;
    else pictures.push({ path, className: className.replaceAll("_", " ").normalize("NFC"), split: splits[above], bytes });
  }
  return { pictures, left };
};

/** How many pictures each class has. */
const countsOf = (pictures: readonly Pick<Sorted, "className">[]): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const { className } of pictures) counts.set(className, (counts.get(className) ?? 0) + 1);
  return counts;
};

/** The split of every picture: what its path says where all say one and both occur, else every class is divided, at least one picture for each split. */
export const divided = (pictures: readonly Pick<Sorted, "className" | "split">[], held: number): readonly ("train" | "test")[] => {
  const said = pictures.map(({ split }) => split);
  if (said.every((split) => split !== undefined) && new Set(said).size === 2) return said;
  const counts = countsOf(pictures);
  const nth = ordinals(pictures.map(({ className }) => className));
  return pictures.map(({ className }, at) => {
    const [i, all] = [nth[at], counts.get(className)!];
    const tests = Math.min(all - 1, Math.max(1, Math.round(held * all)));
    // Spread over the class, so that pictures taken one after the other come into both splits.
    return Math.floor(((i + 1) * tests) / all) > Math.floor((i * tests) / all) ? "test" : "train";
  });
};

/** What is wrong with pictures as a task, in a sentence. */
const faultOf = (pictures: readonly Sorted[], left: number): string | undefined => {
  const classes = countsOf(pictures);
  if (pictures.length === 0)
    return `There is no picture among them${left > 0 ? ` that can be decoded; ${left} cannot` : ""}. Give a folder that has one folder of pictures a class.`;
  if (classes.size < 2) return "A task tells at least two classes apart: put the pictures of each class into a folder of its own, called by the class.";
  const [single] = [...classes].find(([, count]) => count < 2) ?? [];
  return single === undefined ? undefined : `The class ${single} has one picture; two are needed, to learn from and to be tested on.`;
};

/** What was added: the name of its folder, and what was left out, in a sentence. */
export interface Added {
  readonly name: string;
  readonly note?: string;
}

/** The folder that pictures lie in, where they lie in one. */
const commonFolder = (given: readonly Given[]): string | undefined => {
  const tops = new Set(given.map(({ path }) => path.split("/").filter((part) => part !== "")).map((parts) => (parts.length > 2 ? parts[0] : "")));
  const [top] = tops;
  return tops.size === 1 && top !== "" ? top : undefined;
};

/** Writes a person's pictures as a task into a folder of `own`. Throws with a sentence where they are none; then nothing is written. */
export const addTask = async (own: string, pictures: readonly Given[] | Folder, name: string | undefined, held: number, template: string): Promise<Added> => {
  const given = isList(pictures) ? pictures : await inFolder(pictures);
  const { pictures: all, left } = await sorted(given);
  const fault = faultOf(all, left);
  if (fault !== undefined) throw new Error(fault);
  const wanted = (name ?? commonFolder(given) ?? "my pictures").replaceAll("/", " ").trim().replace(/^\.+/, "") || "my pictures";
  let free = wanted;
  for (let i = 2; await files.exists(`${own}/${free}`)(); i++) free = `${wanted} ${i}`;
  const into = divided(all, held);
  await get(
    files.writeFolder(`${own}/${free}`, (temporary) => async () => {
      for (const [i, { className, path, bytes }] of all.entries()) {
        const ending = /\.\w+$/.exec(path)?.[0].toLowerCase() ?? "";
        const written = await files.write(`${temporary}/${into[i]}/${className}/${`${i}`.padStart(5, "0")}${ending}`, [bytes])();
        if (E.isLeft(written)) return written;
      }
      return writeText(`${temporary}/zeroshot_classification_templates.txt`, `${template}\n`)();
    }),
  );
  return { name: free, ...(left === 0 ? {} : { note: `${left} of the files ${left === 1 ? "is" : "are"} no picture that can be read, and left out.` }) };
};

/** The names of a person's tasks. */
export const ownTasks = async (own: string): Promise<readonly string[]> => {
  const listed = (await files.exists(own)()) ? await get(files.list(own)) : [];
  return listed
    .filter(({ kind }) => kind === "folder")
    .map(({ name }) => name)
    .sort();
};
