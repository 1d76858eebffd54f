/** What checking a protocol takes, and what it gives: a stream, or everything that is missing. */
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../failure.ts";
import type { SourceOptions } from "./source.ts";
import type { Stream } from "./task.ts";

/** How a protocol is read from a folder. */
export interface ProtocolOptions extends SourceOptions {
  /** Seed of the few-shot examples and of the class order; the drawn splits have one of their own, the same in every run. */
  readonly seed: number;
  /** Whether training splits are needed. Default true. */
  readonly training?: boolean;
  /** Whose template comes first. Default: that of the protocol. */
  readonly firstTemplate?: "keeplora";
  /** In which order classes go into the groups of a class-incremental protocol. Default `seeded`. */
  readonly classOrder?: ClassOrder;
}

/** An order of classes: that of the protocol's labels (`natural`; the folder's, where its classes are not the protocol's), or one drawn from a seed. */
export type ClassOrder = "natural" | "seeded";

/** Where the datasets of a protocol are: in one folder, or each, by its name in the protocol, in its own. */
export type DatasetsAt = string | Readonly<Record<string, string>>;

/** A protocol whose data is there. */
export interface CheckedProtocol<S extends Stream = Stream> {
  readonly stream: S;
  /** What differs from the protocol and does not keep it from running, a sentence each. */
  readonly notes: readonly string[];
}

/** The result of checking one dataset: what is wrong with it, what is worth knowing, and its task where it can be made. */
export interface Checked<T> {
  readonly problems: readonly string[];
  readonly notes: readonly string[];
  readonly task?: T;
}

/** Collects what is found out about one dataset. */
export interface Findings<T> {
  readonly problem: (what: string) => void;
  readonly note: (what: string) => void;
  readonly checked: (task?: T) => Checked<T>;
}

/** Nothing found yet; every sentence will begin with the name of the dataset. */
export const findingsOn = <T>(name: string): Findings<T> => {
  const [problems, notes]: [string[], string[]] = [[], []];
  return {
    problem: (what) => void problems.push(`${name}: ${what}`),
    note: (what) => void notes.push(`${name}: ${what}`),
    checked: (task) => ({ problems, notes, task }),
  };
};

/** The tasks of all datasets of a protocol; fails with one `FileUnreadable` that lists everything that is wrong with any of them. */
export const allTasks = <T>(protocol: string, where: DatasetsAt, checked: readonly Checked<T>[]): E.Either<Failure, readonly T[]> => {
  const problems = checked.flatMap((c) => c.problems);
  if (problems.length === 0) return E.right(checked.flatMap(({ task }) => (task === undefined ? [] : [task])));
  const listed = problems.map((problem, i) => (problems.length === 1 ? problem : `(${i + 1}) ${problem}`)).join("; ");
  return E.left({ _tag: "FileUnreadable", path: typeof where === "string" ? where : protocol, detail: `it is not all that ${protocol} needs: ${listed}` });
};
