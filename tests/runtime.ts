/**
 * Runs a file in a process of its own, in the runtime that runs this one: Node (with the same loader flags) or Deno.
 */
import { spawn } from "node:child_process";
import process from "node:process";

export const inDeno = "Deno" in globalThis;

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly output: string;
}

/** Runs a command; stdout and stderr together, in the order they came. */
export const run = (command: string, args: readonly string[], options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {}): Promise<Ended> =>
  new Promise((resolve) => {
    const chunks: Buffer[] = [];
    // This process may run under npm, which says where its own user stands.
    const stands = options.cwd === undefined ? {} : { INIT_CWD: options.cwd };
    const child = spawn(command, args, { cwd: options.cwd, env: { ...process.env, ...stands, ...options.env }, stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", (error) => resolve({ code: 127, signal: null, output: error.message }));
    child.on("close", (code, signal) => resolve({ code, signal, output: Buffer.concat(chunks).toString("utf8") }));
  });

/** Runs a module of this repository. */
export const runFile = (path: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  run(process.execPath, inDeno ? ["run", "-A", "--no-check", path, ...args] : [...process.execArgv, path, ...args], { env });
