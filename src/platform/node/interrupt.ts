/** Ctrl-C: the first asks the run to stop after the step under way, the second ends the process. */
import process from "node:process";

/** A request to stop, for as long as it is listened for. */
export interface Interrupt {
  readonly signal: AbortSignal;
  readonly release: () => void;
}

/** npm hands on the signal that the terminal has sent already: what comes so soon is the same Ctrl-C. */
const sameCtrlC = 500;

/** Listens for SIGINT and SIGTERM: `first` is called at once, `second` just before the process ends with exit code 130. */
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
  process.on("SIGINT", listener);
  process.on("SIGTERM", listener);
  return {
    signal: controller.signal,
    release: () => {
      process.off("SIGINT", listener);
      process.off("SIGTERM", listener);
    },
  };
};
