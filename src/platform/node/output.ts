/** Where a program of Node or Deno shows things: in its terminal, or below the cell of a notebook that Deno's kernel runs. */
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import type { MimeBundle, Output, Sink } from "../platform.ts";

/** What of Deno's kernel is used here. */
interface Kernel {
  readonly display: (bundle: MimeBundle, options: { readonly raw: true }) => Promise<void>;
  readonly broadcast: (type: "stream", content: { readonly name: "stdout"; readonly text: string }) => Promise<void>;
}

/** The kernel that runs this program as the cells of a notebook, if one does. Deno throws where none does. */
const kernel = (): Kernel | undefined => {
  try {
    return (globalThis as { readonly Deno?: { readonly jupyter?: Kernel } }).Deno?.jupyter;
  } catch {
    return undefined;
  }
};

/** Long enough for the kernel to send what was shown before it says that the cell is done: nbconvert leaves out what comes later. */
const sendingMilliseconds = 100;

const below = ({ display }: Kernel): Output => {
  const bundle = (shown: MimeBundle) => async (): Promise<void> => {
    await display(shown, { raw: true });
    await setTimeout(sendingMilliseconds);
  };
  return { bundle, text: (text) => bundle({ "text/plain": text }) };
};

/** Where results are shown. */
export const output = (): Output => {
  const notebook = kernel();
  if (notebook !== undefined) return below(notebook);
  return {
    // A terminal that does not know its width says 0.
    columns: process.stdout.columns || undefined,
    text: (text) => async () => void process.stdout.write(`${text}\n`),
  };
};

/** Where progress is written. A kernel does not show what goes to the process's own stderr. */
export const progress = (): Sink => {
  const notebook = kernel();
  return notebook === undefined ? process.stderr : { write: (text) => notebook.broadcast("stream", { name: "stdout", text }) };
};
