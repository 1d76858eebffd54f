/** Where the ready-made worker lies. Bundlers that know `new URL(…, import.meta.url)` copy it beside what they make. */

/** The address of the ready-made worker of the package for browsers. */
export const workerAddress = (): string => new URL("../../worker.min.js", import.meta.url).href;
