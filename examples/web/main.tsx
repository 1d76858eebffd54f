/** The page: a window on the worker that learns. */
import { workerLearner } from "./client.ts";
import { show } from "./show.tsx";

show(workerLearner(new Worker("worker.js", { type: "module" })), document.querySelector<HTMLElement>("#page")!);
