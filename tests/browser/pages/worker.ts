/** A dedicated worker that calls one function of a module, or runs the tests of a bundled test file, and posts what came of it. */

/** What a worker is asked: a function of a module at an address, with its arguments. */
export interface Call {
  readonly module: string;
  readonly name: string;
  readonly args: readonly unknown[];
}

/** What a worker answers. */
export type Answer = { readonly value: unknown } | { readonly error: string };

self.onmessage = async ({ data: { module, name, args } }: MessageEvent<Call>) => {
  const answer = (message: Answer): void => self.postMessage(message);
  try {
    answer({ value: await (await import(module))[name](...args) });
  } catch (error) {
    answer({ error: error instanceof Error ? String(error.stack) : String(error) });
  }
};
