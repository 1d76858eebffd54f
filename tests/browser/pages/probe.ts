/** What a browser has, for the test of the harness itself. */

/** Whether this is a dedicated worker. */
const isWorker = "DedicatedWorkerGlobalScope" in globalThis;

/** Where the module runs, and whether there is WebGPU. */
export const surroundings = async (): Promise<readonly [string, boolean]> => [isWorker ? "worker" : "window", (await navigator.gpu?.requestAdapter()) != null];

/** Throws an error with a message. */
export const fail = (message: string): never => {
  throw new Error(message);
};

/** Asks an address, which may not be there, and complains in the console. */
export const ask = async (address: string): Promise<string> => {
  console.error("a complaint");
  return fetch(address).then(
    () => "answered",
    () => "refused",
  );
};

/** The first bytes of a file, by a request of a range. */
export const range = async (address: string): Promise<readonly [number, string | null, string]> => {
  const response = await fetch(address, { headers: { range: "bytes=2-5" } });
  return [response.status, response.headers.get("content-range"), await response.text()];
};
