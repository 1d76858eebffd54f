/**
 * Folders that one process holds. The file `.lock` names the process by its number and by when it was started, since numbers come again, and by the space of
 * numbers that it is in: a container has its own. What is held by a process that has died is free; one of another space is taken for dead when it has not
 * touched the file for a while.
 */
import { readFile, readlink, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import process from "node:process";
import * as TE from "fp-ts/lib/TaskEither.js";
import { unwritable } from "../failures.ts";
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
  return text?.slice(text.lastIndexOf(")") + 2).split(" ")[19];
};

/** The space that process numbers are of: a machine, or a container on it. */
const space = async (): Promise<string> => `${hostname()}/${await readlink("/proc/self/ns/pid").catch(() => "")}`.replace(/\s/g, "_");

interface Holder {
  readonly space: string;
  readonly pid: number;
  readonly start: string;
}

const parse = (text: string): Holder | undefined => {
  const [, where, pid, start] = /^(\S+) (\d+) (\S+)\n$/.exec(text) ?? [];
  return start === undefined ? undefined : { space: where, pid: Number(pid), start };
};

/** Whether the process that a lock names is still there. */
const alive = async (path: string, holder: Holder): Promise<boolean> => {
  if (holder.space === (await space())) return (await startOf(holder.pid)) === holder.start;
  const touched = await stat(path).catch(() => undefined);
  return touched !== undefined && Date.now() - touched.mtimeMs < deadAfter;
};

/** Holds a folder of the disk. */
export const lock: Files["lock"] = (folder) =>
  TE.tryCatch(async () => {
    await makeFolder(folder);
    const path = join(folder, ".lock");
    const mine = `${await space()} ${process.pid} ${await startOf(process.pid)}\n`;
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        await writeFile(path, mine, { flag: "wx" });
        const touch = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), touchEvery);
        touch.unref();
        return {
          release: async () => {
            clearInterval(touch);
            await rm(path, { force: true });
          },
        };
      } catch (error) {
        if ((error as { readonly code?: string }).code !== "EEXIST") throw error;
        const holder = parse(await withFile(path, (handle) => handle.readFile("utf8")).catch(() => ""));
        if (holder !== undefined && (await alive(path, holder))) throw new Error(`process ${holder.pid} is writing to it`);
        await rm(path, { force: true });
      }
    }
    throw new Error("another process is writing to it");
  }, unwritable(folder));
