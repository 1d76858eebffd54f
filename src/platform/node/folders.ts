/** Folders that are made with those above them. */
import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** Makes a folder and those above it, one after another: Node's own recursion never ends where the system can make none, such as under /proc. */
export const makeFolder = async (path: string): Promise<void> => {
  const missing: string[] = [];
  for (let at = resolve(path); ; at = dirname(at)) {
    const there = await stat(at).catch((error: { readonly code?: string }) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (there?.isDirectory()) break;
    if (there !== undefined) throw new Error(`${at} is not a folder`);
    if (dirname(at) === at) throw new Error(`there is no ${at}`);
    missing.push(at);
  }
  for (const folder of missing.reverse()) {
    // Another process may have made it meanwhile.
    await mkdir(folder).catch((error: { readonly code?: string }) => {
      if (error.code !== "EEXIST") throw error;
    });
  }
};
