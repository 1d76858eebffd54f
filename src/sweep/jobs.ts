/** The jobs of a sweep: checked whole, in a fixed order, each with a folder of its own. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import { protocols, taskCount, isAnswerProtocol, type Protocol } from "../data/protocols.ts";
import type { Failure } from "../failure.ts";
import { printed } from "../formats/json.ts";
import { basename, join } from "../formats/path.ts";
import { preset } from "../methods/presets.ts";
import { onTop } from "../methods/declare.ts";
import { methods, type MethodName } from "../methods/table.ts";
import type { Job } from "../runs/job.ts";
import { methodOf } from "../runs/methodOf.ts";
import { isOrder } from "../runs/source.ts";
import { misplaced } from "../runs/misplaced.ts";
import type { Sweep } from "./sweep.ts";

/** A job of a sweep, and what its folder is called. */
export interface SweepJob {
  readonly name: string;
  readonly job: Job;
}

type Choice = Sweep["methods"][number];
type Options = Readonly<Record<string, unknown>>;

/** The first 12 digits of the SHA-256 of a text. */
export const digest = (text: string): string => bytesToHex(sha256(utf8ToBytes(text))).slice(0, 12);

/** The value of an option as part of a folder's name. */
const word = (value: unknown): string => {
  if (Array.isArray(value)) return value.map(word).join("+");
  if (typeof value !== "object" || value === null) return String(value);
  return Object.entries(value)
    .map(([key, part]) => `${key}${word(part)}`)
    .join("+");
};

/** Names that are longer, or hold what a folder's name should not, are told apart by a digest. */
const longest = 80;

const folderName = (text: string): string => {
  const plain = text.replace(/[^\w.+=-]+/g, "_");
  return plain === text && text.length <= longest ? text : `${plain.slice(0, longest - 20)}-${digest(text)}`;
};

const optionWords = (options: Options): readonly string[] => Object.entries(options).map(([name, value]) => `${name}=${word(value)}`);

/** Every choice of one value an option; the last option changes first. */
const grid = (options: Readonly<Record<string, readonly unknown[]>>): readonly Options[] =>
  Object.entries(options).reduce<readonly Options[]>((all, [name, values]) => all.flatMap((some) => values.map((value) => ({ ...some, [name]: value }))), [{}]);

const comesAgain = <A>(items: readonly A[], text: (item: A) => string): number =>
  items.findIndex((item, i) => items.slice(0, i).some((other) => text(other) === text(item)));

/** What the tasks of a source are called in an order. */
const taskNames = (source: Job["source"]): readonly string[] => {
  if ("folders" in source) return source.folders.map((folder) => basename(folder));
  const protocol: Protocol = protocols[source.protocol];
  return isAnswerProtocol(protocol) || protocol.groups === undefined
    ? protocol.datasets.map(({ name }) => name)
    : Array.from({ length: taskCount(protocol) }, (_, i) => `${i}`);
};

/** Orders as positions. */
export const positions = ({ base: { source }, orders = [] }: Sweep): E.Either<Failure, readonly (readonly number[])[]> => {
  const names = taskNames(source);
  const at = (task: string | number): number =>
    typeof task === "number" ? task : names.includes(task) ? names.indexOf(task) : "folders" in source ? source.folders.indexOf(task) : -1;
  const all = orders.map((order) => order.map(at));
  const wrong = all.findIndex((order) => !isOrder(order, names.length));
  if (wrong >= 0) {
    const detail = `should have each of ${names.join(", ")} once, by name or by position from 0 on, not ${printed(orders[wrong])}`;
    return E.left(misplaced(`orders[${wrong}]`, detail));
  }
  const again = comesAgain(all, String);
  return again < 0 ? E.right(all) : E.left(misplaced(`orders[${again}]`, "is an order that was given before"));
};

/** The source of a job whose tasks come in another order. */
const ordered = (source: Job["source"], order?: readonly number[]): Job["source"] => {
  if (order === undefined) return source;
  return "folders" in source ? { ...source, folders: order.map((i) => source.folders[i]) } : { ...source, order: [...order] };
};

/** What a protocol says of a method, below what the sweep says. */
const presetOf = (base: Sweep["base"], method: string, given: Options): { readonly options: Options; readonly rest: Partial<Job> } => {
  const { source, facts, shots } = base;
  if ("folders" in source) return { options: {}, rest: {} };
  const protocol: Protocol = protocols[source.protocol];
  const { options, evaluate, firstTemplate, classOrder, pixels, stated } = preset(protocol, method as MethodName);
  const untouched = Object.keys(given).length === 0 && base.pixels === undefined && source.classOrder === undefined;
  const known = { hyperParameters: stated && untouched ? "stated" : "our choice", shots: shots ?? protocol.shots ?? null };
  return {
    options,
    rest: {
      evaluate: { templates: evaluate.templates ?? "single" },
      facts: { ...known, ...facts },
      ...(pixels === undefined ? {} : { pixels }),
      source: { ...(firstTemplate === undefined ? {} : { firstTemplate }), ...(classOrder === undefined ? {} : { classOrder }), ...source },
    },
  };
};

/** One of the jobs. */
const jobOf = (sweep: Sweep, method: Choice, values: Options, order: readonly number[] | undefined, seed: number): Omit<Job, "out"> => {
  const { base } = sweep;
  const given = { ...method.options, ...values };
  const { options, rest } = presetOf(base, method.name, given);
  return {
    version: 1,
    evaluate: { templates: "single" },
    onCorrupt: "fail",
    ...rest,
    ...base,
    ...(rest.facts === undefined ? {} : { facts: rest.facts }),
    source: ordered(rest.source ?? base.source, order),
    method: { name: method.name, options: onTop(methods[method.name as MethodName]?.declaration ?? { options: {} }, options, given) },
    seed,
  };
};

/** Whether a method is one and takes its options; a failure names the place in the sweep. */
const checkOptions = (name: string, options: Options, place: (option: string) => string, hint = ""): E.Either<Failure, unknown> =>
  pipe(
    methodOf({ method: { name, options }, evaluate: { templates: "single" } }),
    E.mapLeft((failure) => (failure._tag === "BadOption" ? misplaced(place(failure.option), `${failure.detail}${hint}`) : failure)),
  );

/** Whether every method takes every option. */
const checkMethods = ({ base: { accumulate }, methods, options = {} }: Sweep): E.Either<Failure, unknown> => {
  const checks = [
    ...methods.map(
      ({ name, options: own = {} }, i) =>
        () =>
          checkOptions(name, own, (at) => `methods[${i}].${at === "method" ? "name" : `options.${at}`}`),
    ),
    ...methods.map(
      ({ name, options: own = {} }) =>
        () =>
          pipe(
            methodOf({ method: { name, options: own }, evaluate: { templates: "single" }, accumulate }),
            E.mapLeft((failure) => (failure._tag === "BadOption" ? misplaced("base.accumulate", `is not for ${name}: ${failure.detail}`) : failure)),
          ),
    ),
    ...Object.entries(options).flatMap(([option, values]) =>
      values.flatMap((value, k) =>
        methods.map(
          ({ name }) =>
            () =>
              checkOptions(name, { [option]: value }, () => `options.${option}[${k}]`, "; options that not all methods have are given beside each method"),
        ),
      ),
    ),
    ...methods.flatMap(({ options: own = {} }, i) =>
      Object.keys(own)
        .filter((option) => Object.hasOwn(options, option))
        .map((option) => () => E.left(misplaced(`methods[${i}].options.${option}`, "is among the options of the whole sweep, too; give it once"))),
    ),
  ];
  return checks.reduce<E.Either<Failure, unknown>>((before, check) => (E.isLeft(before) ? before : check()), E.right(undefined));
};

/** Whether the lists of a sweep have something in them, and nothing twice. */
const checkLists = ({ methods, seeds, orders, options = {} }: Sweep): E.Either<Failure, unknown> => {
  const lists: readonly (readonly [string, readonly unknown[] | undefined])[] = [
    ["methods", methods],
    ["seeds", seeds],
    ["orders", orders],
    ...Object.entries(options).map(([name, values]) => [`options.${name}`, values] as const),
  ];
  for (const [name, values] of lists) {
    if (values?.length === 0) return E.left(misplaced(name, "is empty"));
    const again = name === "methods" || name === "orders" ? -1 : comesAgain(values ?? [], (value) => JSON.stringify(value));
    if (again >= 0) return E.left(misplaced(`${name}[${again}]`, `${printed(values?.[again])} was given before`));
  }
  return E.right(undefined);
};

/** Names that are given to folders twice, or are none. */
const checkNames = ({ methods }: Sweep, folders: readonly string[]): E.Either<Failure, unknown> => {
  const bad = methods.findIndex(({ folder }) => folder !== undefined && !/^[\w.+=-]*$/.test(folder));
  if (bad >= 0) return E.left(misplaced(`methods[${bad}].folder`, `should have letters, digits and . _ + = - alone, not ${printed(methods[bad].folder)}`));
  const again = comesAgain(folders, (folder) => folder);
  return again < 0
    ? E.right(undefined)
    : E.left(misplaced(`methods[${again}]`, `has jobs in the same folders as one before, ${folders[again] || "without a name"}; give it another folder`));
};

/**
 * The jobs of a sweep: of each method those of all values, orders and seeds; seeds change first. The folder of a job says the method and its own options, the
 * values of the sweep's options, the order by its number from 1 on, and the seed, as in `codyra-rank=8-order-2-seed-0`. Fails with `BadOption`, which names the
 * place that is wrong: a method that is none, an option that a method does not have or a value that it does not take, an order that is none of the tasks,
 * a list that is empty or has something twice.
 *
 * ```ts
 * const base = { model: "/models/clip", source: { folders: ["/data/pets", "/data/cars"] } };
 * const jobs = jobsOf({ version: 1, base, methods: [{ name: "codyra" }], options: { rank: [4, 8] }, seeds: [0, 1], out: "/runs/ranks" });
 * assert.ok(jobs._tag === "Right");
 * assert.deepEqual(jobs.right.map(({ name }) => name), ["codyra-rank=4-seed-0", "codyra-rank=4-seed-1", "codyra-rank=8-seed-0", "codyra-rank=8-seed-1"]);
 * ```
 */
export const jobsOf = (sweep: Sweep): E.Either<Failure, readonly SweepJob[]> => {
  const { methods, options = {}, seeds, out } = sweep;
  const folders = methods.map(({ name, options: own = {}, folder }) => folder ?? [name, ...optionWords(own)].join("-"));
  return pipe(
    checkLists(sweep),
    E.chain(() => checkMethods(sweep)),
    E.chain(() => checkNames(sweep, folders)),
    E.chain(() => positions(sweep)),
    E.map((orders) => {
      const numbered = orders.length === 0 ? [undefined] : orders.map((order, i) => ({ order, name: `order-${i + 1}` }));
      return methods.flatMap((method, m) =>
        grid(options).flatMap((values) =>
          numbered.flatMap((given) =>
            seeds.map((seed): SweepJob => {
              const parts = [folders[m], ...optionWords(values), given?.name ?? "", `seed-${seed}`];
              const name = folderName(parts.filter((part) => part !== "").join("-"));
              return { name, job: { ...jobOf(sweep, method, values, given?.order, seed), out: join(out, name) } };
            }),
          ),
        ),
      );
    }),
  );
};
