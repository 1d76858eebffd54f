/**
 * Folders that one process holds. The file `.lock` names the process by its number and by when it was started, since numbers come again, and by the space of
 * numbers that it is in: a container has its own. What is held by a process that has died is free; one of another space is taken for dead when it has not
 * touched the file for a while.
 */
import { randomUUID } from "node:crypto";
import { link, readFile, readlink, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import process from "node:process";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../../failure.ts";
import { codeOf, message } from "../failures.ts";
import type { Files } from "../files.ts";
import { makeFolder } from "./folders.ts";
import { withFile } from "./regular.ts";

/** Milliseconds between two touches of a lock, and how long after the last one its holder is taken for dead. */
const [touchEvery, deadAfter] = [2_000, 15_000];

/** When a process was started, in ticks since the machine was; undefined where it is not running, "unknown" where the system does not tell. */
const startOf = async (pid: number): Promise<string | undefined> => {
  if (process.platform !== "linux") {
    try {
      process.kill(pid, 0);
      return "unknown";
    } catch {
      return undefined;
    }
  }
  // The name of a process stands in brackets and may hold anything; the start is the twentieth word behind it.
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  const [state, ...others] = text?.slice(text.lastIndexOf(")") + 2).split(" ") ?? ["X"];
  // One that has ended and that nobody has asked for yet is dead as well.
  return state === "Z" || state === "X" ? undefined : others[18];
};

/** The space that process numbers are of: a machine, or a container on it. */
const space = async (): Promise<string> => `${hostname()}/${await readlink("/proc/self/ns/pid").catch(() => "")}`.replace(/\s/g, "_");

interface Holder {
  readonly space: string;
  readonly pid: number;
  readonly start: string;
}

const parse = (text: string): Holder | undefined => {
  const [, where, pid, start] = /^(\S+) (\d+) (\S+) \S+\n$/.exec(text) ?? [];
  return start === undefined ? undefined : { space: where, pid: Number(pid), start };
};

/** Whether the process that a lock names is still there. */
const alive = async (path: string, holder: Holder): Promise<boolean> => {
  if (holder.space === (await space())) return (await startOf(holder.pid)) === holder.start;
  const touched = await stat(path).catch(() => undefined);
  return touched !== undefined && Date.now() - touched.mtimeMs < deadAfter;
};

/** Gives a file that is whole a second name, unless that is taken; throws `EEXIST` then. */
const place = async (whole: string, path: string): Promise<void> => {
  try {
    await link(whole, path);
  } catch (error) {
    if (codeOf(error) === "EEXIST") throw error;
    // Not every file system has second names.
    await writeFile(path, await readFile(whole, "utf8"), { flag: "wx" });
  }
};

const textOf = (path: string): Promise<string | undefined> => withFile(path, (handle) => handle.readFile("utf8")).catch(() => undefined);

/** Puts down a lock, whole from its first moment on. */
const acquire = async (path: string, mine: string): Promise<void> => {
  const whole = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFile(whole, mine, { flag: "wx" });
    await place(whole, path);
  } finally {
    await rm(whole, { force: true });
  }
};

/** Says that another process holds a folder. */
class Held extends Error {}

/** How often it is tried: a lock may be let go, or taken away by others, between two looks at it. */
const attempts = 10;

/**
 * Takes a lock away whose text is `dead`, one taker at a time: so nobody takes away a living one that was put in its place meanwhile. The taker holds a lock
 * of its own, which is named after the dead one and is taken away like it where the taker died, too. It has the name of a file that is not whole, so that one
 * which is left over is swept like others.
 */
const takeAway = async (path: string, dead: string, mine: string): Promise<void> => {
  const claim = `${path}.${/(\S+)\n$/.exec(dead)?.[1]}.tmp`;
  if (!(await acquired(claim, mine))) return;
  try {
    if ((await textOf(path)) === dead) await rm(path, { force: true });
  } finally {
    await rm(claim, { force: true });
  }
};

/** Whether a lock was free and is now ours; where its holder has died it is taken away, and free at the next try. */
const acquired = async (path: string, mine: string): Promise<boolean> => {
  try {
    await acquire(path, mine);
    return true;
  } catch (error) {
    // Whoever holds the folder sweeps what is not whole, also the lock of one who comes later.
    if (codeOf(error) !== "EEXIST" && codeOf(error) !== "ENOENT") throw error;
  }
  const there = await textOf(path);
  const holder = parse(there ?? "");
  if (there !== undefined && holder === undefined) throw new Error("its .lock is not that of a run; remove it");
  if (holder !== undefined && (await alive(path, holder))) throw new Held(`process ${holder.pid} is writing to it`);
  if (there !== undefined) await takeAway(path, there, mine);
  return false;
};

const refused =
  (folder: string) =>
  (error: unknown): Failure => ({ _tag: "FileUnwritable", path: folder, detail: message(error), ...(error instanceof Held ? { held: true } : {}) });

/** Holds a folder of the disk. */
export const lock: Files["lock"] = (folder) =>
  TE.tryCatch(async () => {
    await makeFolder(folder);
    const path = join(folder, ".lock");
    const mine = `${await space()} ${process.pid} ${await startOf(process.pid)} ${randomUUID()}\n`;
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (!(await acquired(path, mine))) continue;
      const touch = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), touchEvery);
      touch.unref();
      return {
        release: async () => {
          clearInterval(touch);
          if ((await textOf(path)) === mine) await rm(path, { force: true });
        },
      };
    }
    throw new Held("another process is writing to it, or its .lock is not a file");
  }, refused(folder));
