/** What a page does for the tests: it calls functions of modules in workers. */
import type { Answer, Call } from "./worker.ts";

/** Calls a function of a module in a dedicated worker of its own, and gives what it returns. */
export const inWorker = (call: Call): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const worker = new Worker("/modules/tests/browser/pages/worker.js", { type: "module" });
    const end = (settle: () => void): void => {
      worker.terminate();
      settle();
    };
    worker.onmessage = ({ data }: MessageEvent<Answer>) => end(() => ("error" in data ? reject(new Error(data.error)) : resolve(data.value)));
    worker.onerror = ({ message }) => end(() => reject(new Error(`the worker ended: ${message}`)));
    worker.postMessage(call);
  });
