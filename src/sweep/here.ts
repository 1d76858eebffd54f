/** A queue that this process alone has: its pieces are taken in the order in which they were put. */
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { pause } from "../platform/pause.ts";
import type { Piece, Queue, Standing } from "../platform/queue.ts";

/** Milliseconds before a piece that somebody else is at is tried again. */
const patience = 2_000;

/** A queue of this process. */
export const here = (): Queue => {
  const pieces = new Map<string, { readonly piece: Piece; readonly standing: Standing }>();
  const waiting = (): readonly Piece[] => [...pieces.values()].filter(({ standing }) => standing.state === "waiting").map(({ piece }) => piece);
  const settle = (piece: Piece, standing: Standing): void => void pieces.set(piece.id, { piece, standing });
  return {
    put: (all, { again = false } = {}) => {
      for (const piece of all) {
        const state = pieces.get(piece.id)?.standing.state;
        if (state === undefined || state === "done" || (again && state === "failed")) settle(piece, { state: "waiting" });
      }
      return TE.right(undefined);
    },
    take:
      (perform, { until, signal } = {}) =>
      async () => {
        for (let held = 0; signal?.aborted !== true; ) {
          const [piece] = waiting();
          if (piece === undefined) {
            if (until !== undefined) break;
            await pause(patience, signal);
            continue;
          }
          const { broken, ...verdict } = await perform(piece)();
          if (verdict.kind === "done") settle(piece, { state: "done" });
          if (verdict.kind === "failed") settle(piece, { state: "failed", detail: verdict.detail });
          if (broken !== undefined) return TE.left<Failure, void>(broken)();
          if (verdict.kind === "stopped") break;
          held = verdict.kind === "later" ? held + 1 : 0;
          if (verdict.kind === "later") {
            pieces.delete(piece.id);
            settle(piece, { state: "waiting" });
            if (held >= waiting().length) await pause(patience, signal);
          }
          if (until === "one" && verdict.kind !== "later") break;
        }
        return TE.right<Failure, void>(undefined)();
      },
    standing: (ids) => TE.right(ids.map((id) => pieces.get(id)?.standing ?? { state: "unknown" })),
    close: async () => undefined,
  };
};
