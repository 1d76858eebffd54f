/** The worker as the page sees it. */
import type { Event, Learner, Request } from "./protocol.ts";

/** What leaves something in the browser's storage that a person would miss. */
const keeping: readonly Request["type"][] = ["add", "learn"];

/** Asks the browser to keep what is stored also where its disk runs low; it may say no. */
const persist = (): void => void navigator.storage?.persist?.().catch(() => undefined);

/** What a worker computes, behind the requests and events of the protocol. A worker that cannot be started is told of as a failure. */
export const workerLearner = (worker: Worker): Learner => ({
  ask: (request) => {
    if (keeping.includes(request.type)) persist();
    worker.postMessage(request);
  },
  listen: (listener) => {
    worker.onmessage = ({ data }: MessageEvent<Event>) => listener(data);
    worker.onerror = ({ message }) =>
      listener({ type: "failed", request: "open", sentence: `The worker of this page has stopped: ${message ?? "it cannot be loaded"}. Load the page again.` });
  },
});
