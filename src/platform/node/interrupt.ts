/** Ctrl-C: the first asks the run to stop after the step under way, the second ends the process. */
import process from "node:process";

/** A request to stop, for as long as it is listened for. */
export interface Interrupt {
  readonly signal: AbortSignal;
  readonly release: () => void;
}

/** npm hands on the signal that the terminal has sent already: what comes so soon is the same Ctrl-C. */
const sameCtrlC = 500;

/** What asks a process to end: Ctrl-C, a service manager, a terminal that was closed. */
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Listens for SIGINT, SIGTERM and SIGHUP: `first` is called at once, `second` just before the process ends with exit code 130. */
export const onInterrupt = (first: () => void, second: () => void): Interrupt => {
  const controller = new AbortController();
  let asked: number | undefined;
  const listener = (): void => {
    if (asked === undefined) {
      asked = Date.now();
      controller.abort();
      first();
    } else if (Date.now() - asked > sameCtrlC) {
      second();
      process.exit(130);
    }
  };
  for (const name of signals) process.on(name, listener);
  return {
    signal: controller.signal,
    release: () => {
      for (const name of signals) process.off(name, listener);
    },
  };
};
