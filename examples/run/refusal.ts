/** What the type checker says of a program that it refuses: Deno's kernel runs cells without checking their types. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const cache = fileURLToPath(new URL("../../.cache", import.meta.url));

/** Checks a program that imports "../../mod.ts" and gives the first error; throws where there is none. */
export const refusal = async (program: string): Promise<string> => {
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, "refusal-"));
  try {
    const file = join(folder, "program.ts");
    await writeFile(file, program);
    const said = await new Promise<string>((resolve) => {
      execFile(process.execPath, ["check", "--quiet", file], { env: { ...process.env, NO_COLOR: "1" } }, (_error, _stdout, stderr) => resolve(stderr));
    });
    const error = said.split(/^(?=TS\d)/m).find((part) => part.includes("/program.ts:"));
    if (error === undefined) throw new Error(`The type checker does not refuse it. ${said}`);
    return error.replace(/\n +at [\s\S]*/, "");
  } finally {
    await rm(folder, { recursive: true });
  }
};
