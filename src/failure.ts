/**
 * Everything that can go wrong, as values.
 *
 * ```ts
 * type Failure = { readonly _tag: "FileUnreadable"; readonly path: string; … } | …
 * ```
 *
 * Every case carries what a person needs to mend it; {@link describe} prints it as one sentence. Nothing in Cambium throws
 * across a public boundary but {@link get}: effects are `TaskEither<Failure, A>`, checks are `Either<Failure, A>`.
 */

import type { TaskEither } from "fp-ts/lib/TaskEither.js";

/** A failure: what went wrong, with what a person needs to mend it. */
export type Failure =
  /** No WebGPU adapter could be opened; `tried` says what each rung of the ladder answered, `advice` how one is got, in sentences. */
  | { readonly _tag: "NoAdapter"; readonly tried: readonly string[]; readonly advice?: string }
  /** The device went away while work was under way. */
  | { readonly _tag: "DeviceLost"; readonly adapter: string; readonly reason: string }
  /**
   * A buffer or a binding is larger than the adapter allows, or memory that it has not, beside `limit` bytes that are in use (`limitName` is "memory").
   * `option` names the option that sets the size, where one does; `instead` the flags that would make it fit, each with the bytes that are needed then.
   */
  | {
      readonly _tag: "OverLimit";
      readonly what: string;
      readonly bytes: number;
      readonly limit: number;
      readonly limitName: string;
      readonly adapter: string;
      readonly option?: string;
      readonly instead?: readonly string[];
    }
  /** An array that the memory of the process cannot hold. */
  | { readonly _tag: "OutOfMemory"; readonly detail: string }
  /** Dawn refused a kernel, a pipeline or a submission. */
  | { readonly _tag: "KernelInvalid"; readonly kernel: string; readonly detail: string }
  /** Shapes or dtypes that do not fit, found while tracing. */
  | { readonly _tag: "ShapeMismatch"; readonly op: string; readonly detail: string }
  /** A file or folder that is missing or cannot be read. */
  | { readonly _tag: "FileUnreadable"; readonly path: string; readonly detail: string }
  /** A file that was read and does not hold what it should. `offset` is in bytes. */
  | { readonly _tag: "FileCorrupt"; readonly path: string; readonly detail: string; readonly offset?: number }
  /** A file that could not be written; the target is as it was before. `held`: another process is writing there now. */
  | { readonly _tag: "FileUnwritable"; readonly path: string; readonly detail: string; readonly held?: true }
  /** A configuration that lacks a key, has a wrong type, or contradicts its weights. */
  | { readonly _tag: "BadConfig"; readonly path: string; readonly detail: string }
  /** A tensor that is missing or has another shape than its configuration says. */
  | { readonly _tag: "BadTensor"; readonly path: string; readonly tensor: string; readonly detail: string }
  /** One sample of a data set that cannot be decoded: `path` is the shard or folder, `member` the file in it. */
  | { readonly _tag: "CorruptSample"; readonly path: string; readonly member: string; readonly detail: string }
  /** An option outside of its range, or a flag that does not exist. */
  | { readonly _tag: "BadOption"; readonly option: string; readonly detail: string }
  /** A matrix that cannot be decomposed: `what` names it with its shape. */
  | { readonly _tag: "BadMatrix"; readonly what: string; readonly detail: string }
  /** A value that is NaN or infinite: one of the given step of a training, or one that no step computes. `advice` says what to do. */
  | { readonly _tag: "NotFinite"; readonly what: string; readonly step?: number; readonly advice?: string }
  /** The run was asked to stop (Ctrl-C). */
  | { readonly _tag: "Interrupted" };

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

/** Longer names are cut in their middle: what they begin and end with is what people know them by. */
const longestName = 300;
/** Details are sentences, may quote a name, and may list what is wrong with all datasets of a protocol. */
const longestDetail = 2000;
/** A name that a detail quotes has no blanks, as a rule. */
const longWord = /\S{201,}/gu;

/** What would end a line, clear a terminal or turn the direction of a text. */
const unprintable = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

const middleCut = (text: string, longest: number): string => (text.length > longest ? `${text.slice(0, longest / 2 - 1)}…${text.slice(-longest / 2)}` : text);

const shortened = (text: string, longest: number): string =>
  middleCut(longest === longestDetail ? text.replace(longWord, (word) => middleCut(word, 200)) : text, longest);

/** Text from outside as part of one line: control characters are escaped, and more than 300 characters are cut in their middle. */
export const legible = (text: string, longest = longestName): string => {
  const escaped = shortened(text, longest).replace(unprintable, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return shortened(escaped, longest);
};

const driverAdvice =
  "Three ways to get one: install a GPU driver with Vulkan, Metal or D3D12; install lavapipe (Debian and Ubuntu: mesa-vulkan-drivers 23.1 or newer); " +
  "or install the npm package @sparticuz/chromium, which carries SwiftShader.";

/** The same failure with texts that fit a line. */
const legibly = (failure: Failure): Failure =>
  Object.fromEntries(
    Object.entries(failure).map(([key, value]) => {
      const longest = key === "detail" || key === "advice" ? longestDetail : longestName;
      return [key, typeof value === "string" ? legible(value, longest) : Array.isArray(value) ? value.map((text) => legible(text, longest)) : value];
    }),
  ) as unknown as Failure;

/**
 * One clear sentence for a person, without a stack trace, in one line: control characters of names are escaped, long texts are cut.
 *
 * ```ts
 * assert.equal(describe({ _tag: "FileUnreadable", path: "a.json", detail: "there is no such file" }), "Cannot read a.json: there is no such file");
 * ```
 */
export const describe = (failure: Failure): string => {
  const f = legibly(failure);
  switch (f._tag) {
    case "NoAdapter":
      return `No WebGPU adapter: ${f.tried.join("; ")}. ${f.advice ?? driverAdvice}`;
    case "DeviceLost":
      return `The WebGPU device ${f.adapter} was lost (${f.reason}); start the process again, or load the page again: a lost device cannot be recovered.`;
    case "OverLimit":
      return (
        `${f.what} needs ${mebibytes(f.bytes)}, and ${f.adapter} ` +
        `${f.limitName === "memory" ? `has not so much beside the ${mebibytes(f.limit)} that are in use` : `allows ${mebibytes(f.limit)} (${f.limitName})`}; ` +
        `${f.instead === undefined ? "" : `a step would fit with ${f.instead.join(", or with ")}; else `}` +
        `${f.option === undefined ? "" : `lower ${f.option}, or `}use another adapter.`
      );
    case "OutOfMemory":
      return `There is not enough memory (${f.detail}); lower batch or rank, or take a smaller model.`;
    case "KernelInvalid":
      return `The kernel ${f.kernel} was refused by the device: ${f.detail}`;
    case "ShapeMismatch":
      return `${f.op}: ${f.detail}`;
    case "FileUnreadable":
      return `Cannot read ${f.path}: ${f.detail}`;
    case "FileCorrupt":
      return `${f.path} is damaged${f.offset === undefined ? "" : ` at byte ${f.offset}`}: ${f.detail}`;
    case "FileUnwritable":
      return `Cannot write ${f.path}: ${f.detail}`;
    case "BadConfig":
      return `${f.path}: ${f.detail}`;
    case "BadTensor":
      return `${f.path}: tensor ${f.tensor} ${f.detail}`;
    case "CorruptSample":
      return `${f.path}: sample ${f.member} cannot be decoded: ${f.detail}`;
    case "BadOption":
      return `${f.option}: ${f.detail}`;
    case "BadMatrix":
      return `The ${f.what} cannot be decomposed: ${f.detail}`;
    case "NotFinite":
      return `${f.what} is not finite${f.step === undefined ? "" : ` at step ${f.step}`}; ${f.advice ?? "lower the learning rate or check the data"}.`;
    case "Interrupted":
      return "Stopped on request; what was finished is kept.";
  }
};

/**
 * Awaits an effect: its value, or an `Error` whose message is the sentence of {@link describe} and whose `cause` is the failure. It is the one function of
 * Cambium that throws, for scripts and notebooks that should end at the first failure.
 *
 * ```ts
 * assert.equal(await get(async () => ({ _tag: "Right", right: 1 })), 1);
 * const failure = { _tag: "Interrupted" } as const;
 * const failing = get(async () => ({ _tag: "Left", left: failure }));
 * await assert.rejects(failing, { message: describe(failure), cause: failure });
 * ```
 */
export const get = async <A>(effect: TaskEither<Failure, A>): Promise<A> => {
  const ended = await effect();
  if (ended._tag === "Left") throw new Error(describe(ended.left), { cause: ended.left });
  return ended.right;
};
