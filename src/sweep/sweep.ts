/** A sweep as data: methods x options x orders x seeds over one job. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as t from "io-ts";
import type { Failure } from "../failure.ts";
import { isObject, list } from "../formats/json.ts";
import { Evaluate, natural, OnCorrupt, Source, Unsaid } from "../runs/job.ts";
import { explained, surplusField } from "../runs/misplaced.ts";

const Base = t.intersection([t.type({ model: t.string, source: Source }), t.partial({ evaluate: Evaluate, onCorrupt: OnCorrupt }), Unsaid]);

const Choice = t.intersection([
  t.type({ name: t.string }),
  t.partial({
    options: t.UnknownRecord,
    /** What the folders of its jobs begin with. Default: its name and these options. */
    folder: t.string,
  }),
]);

const Folder = new t.Type<string>(
  "the path of a folder",
  (u): u is string => typeof u === "string" && u !== "",
  (u, c) => (typeof u === "string" && u !== "" ? t.success(u) : t.failure(u, c)),
  t.identity,
);

/**
 * A sweep as data: every method with every value of every option, in every order of the tasks and with every seed, over one job.
 *
 * ```ts
 * const sweep = Sweep.decode({
 *   version: 1, base: { model: "/models/clip", source: { folders: ["/data/pets", "/data/cars"] } },
 *   methods: [{ name: "codyra", options: { kappa: 0.01 } }, { name: "keeplora" }], options: { rank: [4, 8] }, orders: [["pets", "cars"], ["cars", "pets"]],
 *   seeds: [0, 1, 2], out: "/runs/sweep",
 * });
 * assert.equal(sweep._tag, "Right");
 * ```
 */
export const Sweep = t.intersection([
  t.type({
    version: t.literal(1),
    /** What the jobs have in common; evaluated with the first template where it does not say how, or as the protocol's preset of a method does. */
    base: Base,
    /** The methods, each with options that are not its defaults; over a protocol those of its preset are given already. */
    methods: list(Choice),
    seeds: list(natural),
    /** The folder that the folders of the jobs are in. */
    out: Folder,
  }),
  t.partial({
    /** Each an order of the tasks, by the names of their folders or by their positions in the source. Default: that of the source. */
    orders: list(list(t.union([t.string, natural]))),
    /** Values by the names of options that every method has. */
    options: t.record(t.string, list(t.unknown)),
  }),
]);

/** A sweep as data. */
export type Sweep = t.TypeOf<typeof Sweep>;

/** A field of a sweep that no codec knows. */
const unknownField = (u: unknown): Failure | undefined => {
  if (!isObject(u)) return undefined;
  const { base, methods } = u;
  const places: readonly (readonly [string, t.Any, unknown])[] = [
    ["", Sweep, u],
    ["base.", Base, base],
    ...(Array.isArray(methods) ? methods : []).map((method, i) => [`methods[${i}].`, Choice, method] as const),
  ];
  for (const [place, codec, value] of places) {
    const surplus = surplusField(codec, value, place);
    if (surplus !== undefined) return surplus;
  }
  return undefined;
};

/** Reads a sweep from anything. Fails with `BadOption`, which names the place that is wrong. */
export const decodeSweep = (u: unknown): E.Either<Failure, Sweep> => {
  const unknown = unknownField(u);
  return unknown === undefined ? pipe(Sweep.decode(u), E.mapLeft(explained("the sweep"))) : E.left(unknown);
};
