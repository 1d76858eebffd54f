/** What every reader owes to whatever it is given: an answer soon, and where it is a failure, one short line. */
import process from "node:process";
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import * as assert from "uvu/assert";
import { describe, type Failure } from "../../src/failure.ts";
import { basename, dirname, join } from "../../src/formats/path.ts";
import { unreadable, unwritable } from "../../src/platform/failures.ts";
import type { Files } from "../../src/platform/files.ts";

const bytesOf = (content: Uint8Array | string): Uint8Array => (typeof content === "string" ? new TextEncoder().encode(content) : content);

/** Files that stand in one folder and are only read. */
export const readOnly = (contents: Readonly<Record<string, Uint8Array | string>>): Files => {
  const tree = new Map(Object.entries(contents).map(([path, content]) => [path, bytesOf(content)] as const));
  const read = (path: string): TE.TaskEither<Failure, Uint8Array> => {
    const found = tree.get(join(path));
    return found === undefined ? TE.left(unreadable(path)("no such file or directory")) : TE.right(found.slice());
  };
  const refused = (path: string): TE.TaskEither<Failure, never> => TE.left(unwritable(path)("these files are only read"));
  return {
    exists: (path) => async () => tree.has(join(path)) || [...tree.keys()].some((file) => file.startsWith(`${join(path)}/`)),
    list: (path) => TE.right([...tree.keys()].filter((file) => dirname(file) === join(path)).map((file) => ({ name: basename(file), kind: "file" as const }))),
    read,
    open: (path, use) =>
      TE.chain((bytes: Uint8Array) =>
        use({
          path,
          size: bytes.length,
          read: (into, position) => {
            const found = bytes.subarray(position, position + into.length);
            into.set(found);
            return TE.right(found.length);
          },
        }),
      )(read(path)),
    write: refused,
    writeFolder: refused,
    append: refused,
    rename: refused,
    remove: refused,
    lock: refused,
    unfinished: () => false,
    absolute: (path) => join("/", path),
    real: (path) => async () => join("/", path),
  };
};

/** A failure's line: short, without what ends a line or changes a terminal. */
export const checkLine = (failure: Failure): void => {
  const line = describe(failure);
  assert.ok(line.length < 2700, `a line of ${line.length} characters`);
  assert.not.match(line, /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
};

/** Seconds of the processor, which do not depend on what else a machine does, and the most memory so far, in MiB. */
const spent = (): { readonly seconds: number; readonly memory: number } => {
  const { user, system } = process.cpuUsage();
  return { seconds: (user + system) / 1e6, memory: process.memoryUsage.rss() / 2 ** 20 };
};

/** Runs a reader and checks what it owes; gives what was read, where it was. A throw is a throw. */
export const answered = async <A>(read: TE.TaskEither<Failure, A>): Promise<A | undefined> => {
  const before = spent();
  const result = await read();
  const after = spent();
  assert.ok(after.seconds - before.seconds < 1, `${(after.seconds - before.seconds).toFixed(1)} s`);
  assert.ok(after.memory - before.memory < 200, `${(after.memory - before.memory).toFixed()} MiB`);
  if (E.isRight(result)) return result.right;
  checkLine(result.left);
  return undefined;
};
