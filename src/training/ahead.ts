/** Batches that are prepared before they are needed, while the device works on those before them. */
import * as E from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Device } from "../device/device.ts";
import type { Failure } from "../failure.ts";
import type { HostRecord } from "../tensor/replay.ts";

/** Batches are prepared so many ahead at most, and as many as are that large together. */
const mostAhead = 4;
const mostBytes = 2 ** 28;

/** The bytes of a batch on the host. */
export const bytesOf = (batch: HostRecord): number => Object.values(batch).reduce((n, { byteLength }) => n + byteLength, 0);

/** Batches in their order. */
export interface Ahead<A> {
  /** The next batch. */
  readonly next: () => Promise<E.Either<Failure, A>>;
  /** Begins to prepare those behind it. Called when the device has its work. */
  readonly more: () => void;
}

/** The batches from `from` up to, but without, `until`, which `at` gives. How many are prepared ahead depends on their bytes. */
export const ahead = <A>(at: (i: number) => TaskEither<Failure, A>, from: number, until: number, bytesOf: (batch: A) => number): Ahead<A> => {
  const begun: Promise<E.Either<Failure, A>>[] = [];
  let [asked, depth] = [from, 1];
  const more = (): void => {
    while (asked < until && begun.length < depth) begun.push(at(asked++)());
  };
  return {
    more,
    next: async () => {
      if (begun.length === 0) more();
      const batch = await begun.shift()!;
      if (E.isRight(batch)) depth = Math.max(1, Math.min(mostAhead, Math.floor(mostBytes / Math.max(1, bytesOf(batch.right)))));
      return batch;
    },
  };
};

/** Runs that a GPU has before it at most: it never waits for the host, and what is written for them does not fill the memory. */
const mostQueued = 3;

/**
 * Called after every run; waits where the device has enough to do. A CPU adapter computes on the cores that prepare batches, and to ask it costs one of them:
 * there nobody waits before something is read.
 */
export const pace = ({ adapter, settled }: Device): (() => Promise<E.Either<Failure, void>>) => {
  const marks: Promise<E.Either<Failure, void>>[] = [];
  return async () => {
    if (adapter.kind === "cpu") return E.right(undefined);
    marks.push(settled());
    return marks.length > mostQueued ? marks.shift()! : E.right(undefined);
  };
};

/** Runs between two reads of what was recorded at most. */
const mostUnread = 10;

/** Milliseconds between two reads on a CPU adapter, where a read is waited for. */
const unreadFor = 500;

/** When what was recorded is read. */
export interface Reads {
  /** Asked after every run: whether it is time. */
  readonly due: () => boolean;
  /** Told that all was read. */
  readonly done: () => void;
}

/** Reads often enough to see a run go on, also where a step takes long, and seldom enough not to wait: after some runs, or on a CPU adapter after some time. */
export const reads = ({ adapter: { kind } }: Pick<Device, "adapter">, now: () => number = () => performance.now()): Reads => {
  let [every, unread, began] = [kind === "cpu" ? 1 : mostUnread, 0, now()];
  return {
    due: () => ++unread >= every,
    done: () => {
      const milliseconds = Math.max(now() - began, 1e-3);
      if (kind === "cpu") every = Math.max(1, Math.min(mostUnread, Math.round((unread * unreadFor) / milliseconds)));
      [unread, began] = [0, now()];
    },
  };
};
