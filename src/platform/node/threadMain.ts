/** What a thread runs: the function `work` of a module, as often as it is asked. */
import { parentPort } from "node:worker_threads";

/** A question to a thread. */
export interface Asked {
  readonly module: string;
  readonly input: object;
}

/** Its answer. */
export type Answered = { readonly output: unknown } | { readonly error: string };

/** The memory of an answer's arrays, which is handed over instead of copied. */
const handedOver = (output: unknown): readonly ArrayBuffer[] =>
  Object.values(output ?? {}).flatMap((value) => (ArrayBuffer.isView(value) && value.buffer instanceof ArrayBuffer ? [value.buffer] : []));

parentPort?.on("message", async ({ module, input }: Asked) => {
  try {
    const { work } = (await import(module)) as { readonly work: (input: object) => unknown };
    const output = work(input);
    parentPort!.postMessage({ output } satisfies Answered, handedOver(output));
  } catch (error) {
    parentPort!.postMessage({ error: error instanceof Error ? error.message : String(error) } satisfies Answered);
  }
});
