/** The worker of the page: everything that computes runs here, so that the page stays responsive. */
import type { Event, Request } from "./protocol.ts";
import { studying } from "./studying.ts";

/** The global scope of a dedicated worker, as far as it is used. */
const scope = globalThis as unknown as {
  readonly location: { readonly href: string };
  readonly postMessage: (event: Event) => void;
  onmessage: ((message: { readonly data: Request }) => void) | null;
};

const learner = studying({ from: new URL("along", scope.location.href).href, root: "/teach" });
learner.listen((event) => scope.postMessage(event));
scope.onmessage = ({ data }) => learner.ask(data);
