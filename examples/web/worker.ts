/** The worker of the page: everything that computes runs here, so that the page stays responsive. */
import { describe, platform } from "../../mod.ts";
import type { Event, Request } from "./protocol.ts";
import { studying } from "./studying.ts";

/** The global scope of a dedicated worker, as far as it is used. */
const scope = globalThis as unknown as {
  readonly location: { readonly href: string };
  readonly postMessage: (event: Event) => void;
  onmessage: ((message: { readonly data: Request }) => void) | null;
};

const root = "/teach";

/** Holds what the page keeps, for this tab alone. A tab that is being closed or loaded again lets go a moment later, so it is tried for some seconds. */
const held = async (): Promise<string | undefined> => {
  for (let attempt = 0; ; attempt++) {
    const lock = await platform.files.lock(root)();
    if (lock._tag === "Right") return undefined;
    if (!("held" in lock.left)) return describe(lock.left);
    if (attempt === 20) return "Another tab has this page open, and both would write to what was learned. Close the other one, and load this page again.";
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
};

const learner = studying({ from: new URL("along", scope.location.href).href, root });
learner.listen((event) => scope.postMessage(event));
const refused = held();
scope.onmessage = async ({ data }) => {
  const sentence = await refused;
  if (sentence === undefined) learner.ask(data);
  else scope.postMessage({ type: "failed", request: data.type, sentence });
};
