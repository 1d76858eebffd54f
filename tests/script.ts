/**
 * Runs a script that a document shows: type-checked and compiled in Node, as it stands in Deno. It lies in this repository while it runs,
 * and imports the sources.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { inDeno, run, type Ended } from "./runtime.ts";

/** Imports of "cambium" become imports of the sources. */
const fromSources = (code: string): string => code.replaceAll(/from "cambium"/g, 'from "../../mod.ts"');

const configuration = {
  extends: "../../tsconfig.json",
  compilerOptions: { rootDir: "../..", outDir: "out", declaration: false, noUnusedLocals: false, noUnusedParameters: false },
  include: ["script.ts"],
};

/** Writes `code`, a module, where "../../mod.ts" is the public face, for as long as `use` needs it. */
const written = async (code: string, use: (folder: string, script: string) => Promise<Ended>): Promise<Ended> => {
  await mkdir(".cache", { recursive: true });
  const folder = await mkdtemp(join(".cache", "script-"));
  try {
    const script = join(folder, "script.ts");
    await writeFile(script, fromSources(code));
    return await use(folder, script);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const compile = async (folder: string): Promise<Ended> => {
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(configuration));
  return run(process.execPath, [...(inDeno ? ["run", "-A"] : []), join("node_modules", "typescript", "bin", "tsc"), "-p", folder]);
};

/** Runs `code`, a module in TypeScript, in the repository root; what the compiler refuses is its output, with exit code 1 or 2. */
export const runScript = (code: string): Promise<Ended> =>
  written(code, async (folder, script) => {
    if (inDeno) return run(process.execPath, ["run", "-A", "--no-check", script]);
    const compiled = await compile(folder);
    return compiled.code === 0 ? run(process.execPath, [join(folder, "out", folder, "script.js")]) : compiled;
  });

/** Checks the types of `code`, a module, and runs nothing. */
export const checkScript = (code: string): Promise<Ended> => written(code, compile);
