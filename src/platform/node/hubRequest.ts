/** Requests to a hub: with the token of its user, again after a pause where a connection breaks, and ended where nothing comes. */
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

/** A hub that will not be there in a moment either. */
class Absent extends Unreachable {}

/** A connection over which nothing comes. */
export class Silent extends Unreachable {}

/** What is there answers as no hub does. */
export class Foreign extends Error {
  constructor(url: string, what: string) {
    super(`${hostOf(url)} answers something else than a hub does: ${what}`);
  }
}

const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : "it");

/** Somebody has asked to stop. */
export class Stopped extends Error {}

/** The answer to a request. What of it throws, throws {@link Unreachable} or {@link Stopped}. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The next bytes; undefined where all have come. */
  readonly read: () => Promise<Uint8Array | undefined>;
  /** Must be called when nothing more is read. */
  readonly close: () => Promise<void>;
}

/** How requests are made. They throw {@link Refusal}, {@link Unreachable}, {@link Foreign} or {@link Stopped}. */
export interface Requests {
  readonly open: (url: string, headers: Readonly<Record<string, string>>) => Promise<Answer>;
  /** What the hub's package asks by: the answer has come whole, and is JSON. */
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
  return new Unreachable(meanings.find(([sign]) => sign.test(words))?.[1] ?? words.replace(/\bhttps?:\/\/\S+/g, hostOf));
};

/** Whether asking again in a moment is of no use. */
const absent = (words: string): boolean => /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|refused|lookup|getaddrinfo|Invalid URL/i.test(words);

/** What a fetch says of an address that a hub leads to and that is none of the web. */
const leadsAstray = /scheme|non HTTP|redirect count|number of redirects/i;

/** A request to stop. */
type Signal = { readonly aborted: boolean } | undefined;

/** Ends a connection that gives no sign of life for so many milliseconds, or when somebody asks to stop. */
const watchdog = (silence: number, stop: Signal) => {
  const controller = new AbortController();
  let last = Date.now();
  const timer = setInterval(
    () => {
      if (stop?.aborted === true || Date.now() - last > silence) controller.abort();
    },
    Math.min(100, silence),
  );
  return {
    signal: controller.signal,
    alive: (): void => void (last = Date.now()),
    release: () => clearInterval(timer),
    /** What a request has failed by. */
    cause: (error: unknown): Error => {
      if (stop?.aborted === true) return new Stopped();
      return controller.signal.aborted ? new Silent(`nothing has come for ${silence / 1000} seconds`) : unreachable(error);
    },
  };
};

/** Options of {@link requests}. */
export interface RequestOptions {
  readonly pauses: readonly number[];
  /** Milliseconds without a byte after which a connection is taken for broken. */
  readonly silence: number;
  readonly signal: Signal;
}

/** One request, until its answer begins. */
const begin = async (url: string, headers: Headers, { silence, signal }: RequestOptions): Promise<Answer> => {
  if (!/^https?:/i.test(url)) throw new Foreign(url, "it leads to an address that is none of the web");
  const dog = watchdog(silence, signal);
  try {
    const response = await fetch(url, { headers, signal: dog.signal });
    const reader = response.body?.getReader();
    const close = async (): Promise<void> => {
      dog.release();
      await reader?.cancel().catch(() => undefined);
    };
    if (!response.ok) {
      await close();
      throw new Refusal(response);
    }
    dog.alive();
    const read = async (): Promise<Uint8Array | undefined> => {
      const next = await reader?.read().catch((error: unknown) => {
        throw dog.cause(error);
      });
      dog.alive();
      return next?.value;
    };
    return { status: response.status, headers: response.headers, read, close };
  } catch (error) {
    dog.release();
    if (error instanceof Refusal) throw error;
    if (leadsAstray.test(reason(error))) throw new Foreign(url, "it leads to an address that is none of the web, or to itself");
    throw absent(reason(error)) ? new Absent(unreachable(error).message) : dog.cause(error);
  }
};

/** All of an answer, which is JSON. */
const whole = async (url: string, answer: Answer): Promise<Response> => {
  const chunks: Uint8Array[] = [];
  try {
    for (let chunk = await answer.read(); chunk !== undefined; chunk = await answer.read()) chunks.push(chunk);
  } finally {
    await answer.close();
  }
  const text = await new Blob(chunks as Uint8Array<ArrayBuffer>[]).text();
  try {
    JSON.parse(text);
  } catch {
    throw new Foreign(url, `it is no JSON, and begins with ${JSON.stringify(text.slice(0, 40))}`);
  }
  return new Response(text, { status: answer.status, headers: answer.headers });
};

/** Requests of a user; only the hub itself is told who it is. */
export const requests = ({ endpoint, authorization }: HubSettings, options: RequestOptions): Requests => {
  const { pauses, signal } = options;
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
  /** Whether asking again in a moment may be of use. */
  const passing = (error: unknown): boolean =>
    error instanceof Refusal
      ? error.status === 429 || error.status >= 500
      : error instanceof Unreachable && !(error instanceof Absent) && !(error instanceof Silent);
  const asked = async <A>(url: string, given: RequestInit["headers"], use: (answer: Answer) => Promise<A>): Promise<A> => {
    const headers = new Headers(given);
    headers.set("user-agent", "cambium");
    if (authorization !== undefined && url.startsWith(`${endpoint}/`)) headers.set("authorization", authorization);
    for (let attempt = 0; ; attempt++) {
      check();
      try {
        return await use(await begin(url, headers, options));
      } catch (error) {
        check();
        if (!passing(error) || attempt >= pauses.length) throw error;
      }
      await pause(pauses[attempt]);
    }
  };
  return {
    open: (url, headers) => asked(url, headers, async (answer) => answer),
    fetch: (url, init) => asked(String(url), init?.headers, (answer) => whole(String(url), answer)),
    pauses,
    pause,
    check,
  };
};
