/** The worker as the page sees it. */
import type { Event, Learner } from "./protocol.ts";

/** What a worker computes, behind the requests and events of the protocol. A worker that cannot be started is told of as a failure. */
export const workerLearner = (worker: Worker): Learner => ({
  ask: (request) => worker.postMessage(request),
  listen: (listener) => {
    worker.onmessage = ({ data }: MessageEvent<Event>) => listener(data);
    worker.onerror = ({ message }) =>
      listener({ type: "failed", request: "open", sentence: `The worker of this page has stopped: ${message ?? "it cannot be loaded"}. Load the page again.` });
  },
});
