/** The command `cambium` as a process, in the runtime that runs the tests. */
import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { inDeno } from "../runtime.ts";

const source = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const command = existsSync(source) ? source : source.replace(/ts$/, "js");

/** What starts it: a program and its first arguments. */
export const commandLine: readonly string[] = [process.execPath, ...(inDeno ? ["run", "-A", "--no-check", command] : [...process.execArgv, command])];

/** What a command left. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Sends a signal to a process that runs. */
export type Send = (signal: "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGKILL") => void;

/** Starts the command. */
export const start = (
  args: readonly string[],
  { env, ...options }: Pick<SpawnOptions, "cwd" | "env" | "stdio"> = {},
  watch: (printed: string, send: Send) => void = () => undefined,
): { readonly child: ChildProcess; readonly ended: Promise<Ended> } => {
  const [program, ...first] = commandLine;
  // These tests may run under npm, which says where its own user stands.
  const stands = options.cwd === undefined ? {} : { INIT_CWD: String(options.cwd) };
  const child = spawn(program, [...first, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...stands, NO_COLOR: "1", ...env },
    ...options,
  });
  const printed = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.on("data", (chunk: { readonly toString: (encoding: string) => string }) => {
      printed[name] += chunk.toString("utf8");
      // Deno says of a child that its own kill() was called for that the signal ended it, whatever it did.
      watch(printed.stdout + printed.stderr, (signal) => process.kill(child.pid as number, signal));
    });
  }
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, ...printed }));
  });
  return { child, ended };
};

/** Runs the command; `watch` sees all of stdout and stderr so far and may send a signal. */
export const cambium = (
  args: readonly string[],
  watch?: (printed: string, send: Send) => void,
  options?: Pick<SpawnOptions, "cwd" | "env" | "stdio">,
): Promise<Ended> => start(args, options, watch).ended;
