/** What the type checker says of a program that it refuses: Deno's kernel runs cells without checking their types. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";

const cache = fileURLToPath(new URL("../../.cache", import.meta.url));

/** Checks a program that imports "../../mod.ts" and gives the first error; throws where there is none. */
export const refusal = async (program: string): Promise<string> => {
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, "refusal-"));
  try {
    const file = join(folder, "program.ts");
    await writeFile(file, program);
    const said = await new Promise<string>((resolve) => {
      // A surrounding that forces colours wins over what is asked for here.
      execFile(process.execPath, ["check", "--quiet", file], (_error, _stdout, stderr) => resolve(stripVTControlCharacters(stderr)));
    });
    const error = said.split(/^(?=TS\d)/m).find((part) => part.includes("/program.ts:"));
    if (error === undefined) throw new Error(`The type checker does not refuse it. ${said}`);
    return error.replace(/\n +at [\s\S]*/, "");
  } finally {
    await rm(folder, { recursive: true });
  }
};
