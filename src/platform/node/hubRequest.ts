/** Requests to a hub: with the token of its user, and again after a pause where a connection breaks. */
import { setTimeout } from "node:timers/promises";
import { firstLine } from "../failures.ts";
import type { HubSettings } from "./hubSettings.ts";

/** What a hub answers where it refuses. */
export class Refusal extends Error {
  readonly status: number;
  /** The hub's own word for it, such as `GatedRepo`. */
  readonly code: string;
  constructor({ status, headers, url }: Response) {
    super(`${url} answers ${status}`);
    this.status = status;
    this.code = headers.get("x-error-code") ?? "";
  }
}

/** A hub that is not there, or whose connections break. */
export class Unreachable extends Error {}

/** Somebody has asked to stop. */
export class Stopped extends Error {}

/** How requests are made. */
export interface Requests {
  /** Throws {@link Refusal}, {@link Unreachable} or {@link Stopped}. */
  readonly fetch: typeof fetch;
  /** Milliseconds between attempts, one after the other. */
  readonly pauses: readonly number[];
  /** Waits; throws {@link Stopped} where somebody asks to stop. */
  readonly pause: (milliseconds: number) => Promise<void>;
  /** Throws {@link Stopped} where somebody has asked to stop. */
  readonly check: () => void;
}

/** The message of what a request fails by: that of its cause, which says more than "fetch failed". */
const reason = (error: unknown): string => firstLine((error as { readonly cause?: unknown }).cause ?? error);

/** What stands in a reason, and what it means. */
const meanings: readonly (readonly [RegExp, string])[] = [
  [/ENOTFOUND|EAI_AGAIN|getaddrinfo|lookup/i, "no network, or no such address"],
  [/ECONNREFUSED|refused/i, "the connection is refused"],
  [/ETIMEDOUT|timeout/i, "no answer in time"],
  [/ECONNRESET|socket|terminated|closed/i, "the connection breaks"],
];

/** What a connection fails by, in words. */
export const unreachable = (error: unknown): Unreachable => {
  const words = reason(error);
  return new Unreachable(meanings.find(([sign]) => sign.test(words))?.[1] ?? words);
};

/** Whether asking again in a moment is of no use. */
const absent = (words: string): boolean => /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|refused|lookup|getaddrinfo|Invalid URL/i.test(words);

const passing = (status: number): boolean => status === 429 || status >= 500;

/** Requests of a user; only the hub itself is told the token. */
export const requests = ({ endpoint, token }: HubSettings, pauses: readonly number[], signal: { readonly aborted: boolean } | undefined): Requests => {
  const check = (): void => {
    if (signal?.aborted === true) throw new Stopped();
  };
  const pause = async (milliseconds: number): Promise<void> => {
    for (let left = milliseconds; left > 0; left -= 100) {
      check();
      await setTimeout(Math.min(left, 100));
    }
    check();
  };
  const once = async (url: string, init: RequestInit): Promise<Response> => {
    const headers = new Headers(init.headers);
    headers.set("user-agent", "cambium");
    if (token !== undefined && url.startsWith(`${endpoint}/`)) headers.set("authorization", `Bearer ${token}`);
    const signals = [init.signal, signal].filter((one) => one instanceof AbortSignal);
    const response = await fetch(url, { ...init, headers, ...(signals.length === 0 ? {} : { signal: AbortSignal.any(signals) }) });
    if (response.ok) return response;
    await response.body?.cancel();
    throw new Refusal(response);
  };
  const asked: typeof fetch = async (url, init = {}) => {
    for (let attempt = 0; ; attempt++) {
      check();
      try {
        return await once(String(url), init);
      } catch (error) {
        check();
        const again = error instanceof Refusal ? passing(error.status) : !absent(reason(error));
        if (!again || attempt >= pauses.length) throw error instanceof Refusal ? error : unreachable(error);
      }
      await pause(pauses[attempt]);
    }
  };
  return { fetch: asked, pauses, pause, check };
};
