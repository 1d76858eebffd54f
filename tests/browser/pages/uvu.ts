/** Takes the place of uvu where a file of tests runs in a browser: its tests are registered as always, and run when the worker is asked to. */

/** What came of a test, and how long it took in milliseconds. */
export interface Ran {
  readonly name: string;
  readonly error?: string;
  readonly took: number;
}

type Work = () => unknown;

const registered: { readonly name: string; readonly body: Work }[] = [];
const afterwards: Work[] = [];

/** uvu's `test`, as far as files that run here use it. */
export const test = Object.assign((name: string, body: Work): void => void registered.push({ name, body }), {
  skip: (): void => undefined,
  after: (work: Work): void => void afterwards.push(work),
  run: (): void => undefined,
});

const ran = async (name: string, body: Work): Promise<Ran> => {
  const started = performance.now();
  const took = (): number => performance.now() - started;
  try {
    await body();
    return { name, took: took() };
  } catch (error) {
    return { name, error: error instanceof Error ? String(error.stack) : String(error), took: took() };
  }
};

/** Runs the tests that were registered, one after the other, whose name holds one of the words. */
export const run = async (words: readonly string[]): Promise<readonly Ran[]> => {
  const results: Ran[] = [];
  for (const { name, body } of registered) if (words.some((word) => name.includes(word))) results.push(await ran(name, body));
  for (const work of afterwards) await work();
  return results;
};
