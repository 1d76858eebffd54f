/** Files of a browser, for tests: their laws, and what is done to them while a tab is closed or a storage is full. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { describe, get, type Failure } from "../../../src/failure.ts";
import type { FolderSource } from "../../../src/platform/mount.ts";
import { files, mount } from "../../../src/platform/web/files.ts";
import { filesLaws } from "../../fixtures/filesLaws.ts";
import { inWorker } from "./window.ts";

/** The laws that do not hold, and why. */
export const brokenLaws = async (root: string): Promise<readonly string[]> => {
  const broken: string[] = [];
  for (const [name, holds] of filesLaws(files, root)) await holds().catch((error: Error) => broken.push(`${name}: ${error.stack ?? error.message}`));
  return broken;
};

/** Tells the window that something is under way, which then never ends: the window ends the worker. */
const never = (): Promise<never> => {
  self.postMessage({ value: "under way" });
  return new Promise(() => undefined);
};

const mebibyte = new Uint8Array(2 ** 20).fill(65);

const mebibytes = function* (n: number): Generator<Uint8Array> {
  for (let i = 0; i < n; i++) yield mebibyte;
};

const told = (outcome: E.Either<Failure, unknown>): string => (E.isLeft(outcome) ? describe(outcome.left) : "written");

/** Writes a folder with one file. */
export const writeFolder = async (path: string, n: number): Promise<string> =>
  told(await files.writeFolder(path, (at) => files.write(`${at}/big`, mebibytes(n)))());

/** Writes a file of so many MiB. */
export const write = async (path: string, n: number): Promise<string> => told(await files.write(path, mebibytes(n))());

/** Begins to write a folder, and does not end. */
export const writeFolderForever = (path: string): Promise<unknown> =>
  files.writeFolder(path, (at) =>
    pipe(
      files.write(`${at}/big`, mebibytes(1)),
      TE.chain(() => TE.fromTask(never)),
    ),
  )();

/** Begins to write a file, and does not end. */
export const writeForever = (path: string): Promise<unknown> =>
  files.write(
    path,
    (async function* () {
      yield mebibyte;
      await never();
    })(),
  )();

/** Holds a folder and writes a line, and lets neither go. */
export const holdForever = async (folder: string): Promise<void> => {
  await get(files.lock(folder));
  const log = await get(files.append(`${folder}/log`));
  for (const line of ["one\n", "two\n"]) log.write(line);
  await never();
};

/** Whether a folder can be held. */
export const hold = async (folder: string): Promise<string> => {
  const lock = await files.lock(folder)();
  if (E.isRight(lock)) await lock.right.release();
  return told(lock);
};

/** Lets a file grow by so many MiB at most; how many it took, why no more, and its size then. */
export const grow = async (path: string, n: number): Promise<readonly [number, string, number]> => {
  const log = await get(files.append(path));
  const text = "x".repeat(2 ** 20);
  let [taken, last] = [0, "written"];
  for (let i = 0; i < n && last === "written"; i++) {
    last = told(log.write(text));
    if (last === "written") taken++;
    await new Promise((later) => setTimeout(later, 20));
  }
  await log.close();
  return [taken, last, (await get(files.read(path))).length];
};

/** The text of a file. */
export const read = async (path: string): Promise<string> => new TextDecoder().decode(await get(files.read(path)));

/** What stands in a folder, in order. */
export const list = async (path: string): Promise<readonly string[]> => (await get(files.list(path))).map(({ name, kind }) => `${name} ${kind}`).sort();

/** How many names in a folder say that they are not whole. */
export const unfinished = async (path: string): Promise<number> => (await get(files.list(path))).filter(({ name }) => files.unfinished(name)).length;

/** Replaces a folder, again and again. */
export const replaceOften = async (path: string, times: number): Promise<void> => {
  for (let i = 0; i < times; i++)
    await get(
      files.writeFolder(path, (at) =>
        pipe(
          files.write(`${at}/a`, mebibytes(0)),
          TE.chain(() => files.write(`${at}/b`, mebibytes(0))),
        ),
      ),
    );
};

/** What a window sees in a folder, each once, while a worker replaces it. */
export const seenMeanwhile = async (path: string, times: number): Promise<readonly string[]> => {
  await replaceOften(path, 1);
  const seen = new Set<string>();
  let over = false;
  const replaced = inWorker({ module: "/modules/tests/browser/pages/files.js", name: "replaceOften", args: [path, times] }).finally(() => (over = true));
  while (!over) {
    const listed = await files.list(path)();
    seen.add(
      E.isLeft(listed)
        ? describe(listed.left)
        : listed.right
            .map(({ name }) => name)
            .sort()
            .join(),
    );
  }
  await replaced;
  return [...seen];
};

/** Removes what stands at a path. */
export const remove = (path: string): Promise<void> => get(files.remove(path));

/** Every name in the storage, as the browser has it, without what differs between two runs. */
export const stored = async (): Promise<readonly string[]> => {
  const names = async (folder: FileSystemDirectoryHandle, above: string): Promise<readonly string[]> => {
    const found: string[] = [];
    for await (const [name, handle] of folder.entries()) {
      const path = `${above}/${name.replace(/[0-9a-f-]{36}/, "ID")}`;
      found.push(path, ...(handle.kind === "directory" ? await names(handle as FileSystemDirectoryHandle, path) : []));
    }
    return found;
  };
  return [...(await names(await navigator.storage.getDirectory(), ""))].sort();
};

/** Bytes in use. */
export const used = async (): Promise<number> => (await navigator.storage.estimate()).usage ?? 0;

/** What is found in something that was picked: the names, and the text of a file. */
export const lookInto = async (source: FolderSource, file: string): Promise<readonly [readonly string[], string]> => {
  const path = await get(mount("picked", source));
  return [await list(path), await read(`${path}/${file}`)];
};

const looking = (source: FolderSource, file: string): Promise<unknown> =>
  inWorker({ module: "/modules/tests/browser/pages/files.js", name: "lookInto", args: [source, file] });

/** What a worker finds in the files of the page's input. */
export const lookIntoFiles = (file: string): Promise<unknown> => looking([...document.querySelector("input")!.files!], file);

/** What a worker finds in a folder by its handle. */
export const lookIntoFolder = async (name: string, file: string): Promise<unknown> =>
  looking(await (await navigator.storage.getDirectory()).getDirectoryHandle(name), file);

/** The bytes of a file of a server from one place to another. */
export const part = (path: string, from: number, to: number): Promise<readonly number[]> =>
  get(
    files.open(path, (file) => {
      const into = new Uint8Array(to - from);
      return pipe(
        file.read(into, from),
        TE.map((n) => [...into.subarray(0, n)]),
      );
    }),
  );
