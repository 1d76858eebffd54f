/** What a run was begun with: options of its method that have other defaults now would make it go on as another method. */
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../failure.ts";
import { printed } from "../formats/json.ts";
import type { Method } from "../stages/learn.ts";

/** Options by name, as plain data. */
export type PlainOptions = Readonly<Record<string, unknown>>;

/** The options of a method as plain data, but for how it is scored, which its job says. */
export const plainOptions = ({ options }: Pick<Method, "options">): PlainOptions => {
  const { evaluate: _, ...own } = JSON.parse(JSON.stringify(options)) as Record<string, unknown>;
  return own;
};

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const listed = (names: readonly string[], of: PlainOptions): string =>
  names.map((name) => (name in of ? `${name} ${printed(of[name])}` : `no ${name}`)).join(", ");

/** The method where a run that was begun with some options goes on with them; else `BadOption`. What else stands beside the options does not count. */
export const unchanged =
  (kept: PlainOptions | undefined) =>
  <M extends Pick<Method, "name" | "options">>(method: M): E.Either<Failure, M> => {
    if (kept === undefined) return E.right(method);
    const now = plainOptions(method);
    const names = Object.keys(now);
    const differing = names.filter((name) => !same(kept[name], now[name]));
    if (differing.length === 0) return E.right(method);
    const begun = `it was begun with ${listed(differing, kept)}, and would go on with ${listed(differing, now)}`;
    // An option that was not there then has no value by which the method is what it was.
    const wayOut = differing.every((name) => name in kept)
      ? "write those of then into method.options of its job.json, or begin anew"
      : "begin anew, or end it with the version that began it";
    const detail = names.some((name) => name in kept)
      ? `${method.name} has other options than when this run began: ${begun}; ${wayOut}`
      : `an older version kept this run and did not write down with which options ${method.name} learned; begin anew`;
    return E.left({ _tag: "BadOption", option: "method", detail });
  };
