/** Waiting that ends: after a time, or by a request to stop. */

const turn = 100;

/** A request to stop. */
type Signal = { readonly aborted: boolean } | undefined;

/** Waits so many milliseconds, or until a request to stop. */
export const pause = async (milliseconds: number, signal?: Signal): Promise<void> => {
  const end = Date.now() + milliseconds;
  while (Date.now() < end && signal?.aborted !== true) await new Promise((resolve) => setTimeout(resolve, Math.min(turn, milliseconds)));
};

/** What a promise gives; undefined where it has not given it when `waiting` is over, which is told when nobody waits any more. */
const unlessOver = <A>(pending: Promise<A>, waiting: (given: { aborted: boolean }) => Promise<void>): Promise<A | undefined> => {
  const given = { aborted: false };
  return Promise.race([pending, waiting(given).then(() => undefined)]).finally(() => (given.aborted = true));
};

/** What a promise gives within so many milliseconds; undefined where it has given nothing by then. */
export const within = <A>(milliseconds: number, pending: Promise<A>): Promise<A | undefined> => unlessOver(pending, (given) => pause(milliseconds, given));

/** What a promise gives; undefined where it has given nothing two seconds after a request to stop. */
export const unlessStopped = <A>(pending: Promise<A>, signal: Signal): Promise<A | undefined> =>
  unlessOver(pending, async (given) => {
    while (!given.aborted && signal?.aborted !== true) await pause(turn);
    await pause(2_000, given);
  });
