/** Which layers the configuration of an adapter means: the rules of PEFT 0.21 (`check_target_module_exists` and `get_pattern_key`). */
import * as E from "fp-ts/lib/Either.js";
import { firstLine } from "../../platform/failures.ts";

/** Layers as a configuration names them: by a regular expression, or by full names or their ends. */
export type Choice = string | readonly string[];

/** What of a configuration says which layers are adapted. */
export interface Targets {
  readonly target_modules: Choice;
  readonly exclude_modules?: Choice;
  readonly layers_to_transform?: number | readonly number[];
  readonly layers_pattern?: Choice;
}

/** What Python's regular expressions have and those of JavaScript lack, or read otherwise. */
const pythonOnly = /\\[AZ]|\(\?(?:[aiLmsux-]+[:)]|[#>(])|[*+?}]\+|\{,/;

/** An expression that repeats groups, or repeats many things, may try for ages; no name of a layer needs that. */
const endless = (pattern: string): boolean => /(?<!\\)\)(?:[*+]|\{\d*,)/.test(pattern) || (pattern.match(/[*+]|\{\d*,\}/g) ?? []).length > 8;

/** A regular expression of Python, which must be one of JavaScript too; the left side says why it is none. */
const compiled = (pattern: string, around: (pattern: string) => string): E.Either<string, RegExp> => {
  const foreign = pythonOnly.exec(pattern);
  if (foreign !== null) return E.left(`the regular expression ${pattern} has ${foreign[0]}, which is not read`);
  if (endless(pattern)) return E.left(`the regular expression ${pattern} repeats too much, and is not tried`);
  const ours = pattern.replaceAll("(?P<", "(?<").replace(/\(\?P=(\w+)\)/g, "\\k<$1>");
  return E.tryCatch(
    () => new RegExp(around(ours)),
    (error) => `${pattern} is no regular expression: ${firstLine(error)}`,
  );
};

/** Whether a name is one of a choice. */
const chosenBy = (choice: Choice): E.Either<string, (name: string) => boolean> => {
  if (typeof choice !== "string") return E.right((name) => choice.some((end) => name === end || name.endsWith(`.${end}`)));
  const whole = compiled(choice, (pattern) => `^(?:${pattern})$`);
  return E.isLeft(whole) ? whole : E.right((name) => whole.right.test(name));
};

/** Whether the block of a layer is among those that are adapted; the number of a block is the first in its name. */
const blocksOf = ({ layers_to_transform: wanted, layers_pattern: under }: Targets): E.Either<string, (name: string) => boolean> => {
  const numbers = wanted === undefined ? [] : typeof wanted === "number" ? [wanted] : wanted;
  if (numbers.length === 0) return E.right(() => true);
  const stacks = under === undefined ? [] : typeof under === "string" ? [under] : under;
  const places = stacks.map((stack) => compiled(stack, (pattern) => `^(?:|.*?\\.)(?:${pattern})\\.(?<idx>\\d+)\\.`));
  const bad = places.find(E.isLeft);
  if (bad !== undefined) return bad;
  const found = stacks.length === 0 ? [/^.*?\.[^.]*\.(?<idx>\d+)\./] : places.flatMap((place) => (E.isRight(place) ? [place.right] : []));
  return E.right((name) => {
    const at = found.map((place) => place.exec(name)).find((match) => match !== null)?.groups?.idx;
    return at !== undefined && numbers.includes(Number(at));
  });
};

/** Whether a layer of this name is adapted; the left side says which expression cannot be read. `all-linear` is every linear layer. */
export const targeted = (targets: Targets): E.Either<string, (name: string) => boolean> => {
  const { target_modules: modules, exclude_modules: without } = targets;
  const everything = typeof modules === "string" && modules.toLowerCase() === "all-linear";
  const chosen = everything ? E.right(() => true) : chosenBy(modules);
  if (E.isLeft(chosen)) return chosen;
  const left = without === undefined || without.length === 0 ? E.right(() => false) : chosenBy(without);
  if (E.isLeft(left)) return left;
  // Numbers of blocks are heeded where modules are listed, as in PEFT; it makes a list of all-linear.
  const inBlock = typeof modules === "string" && !everything ? E.right(() => true) : blocksOf(targets);
  if (E.isLeft(inBlock)) return inBlock;
  return E.right((name) => chosen.right(name) && !left.right(name) && inBlock.right(name));
};

/** What a table of patterns holds for a layer: the value of the first that is its name or an end of it. */
export const byPattern = <A>(table: Readonly<Record<string, A>>): E.Either<string, (name: string) => A | undefined> => {
  const rows: (readonly [RegExp, A])[] = [];
  for (const [key, value] of Object.entries(table)) {
    const pattern = compiled(key, (ours) => `^(.*\\.)?(${ours})$`);
    if (E.isLeft(pattern)) return pattern;
    rows.push([pattern.right, value]);
  }
  return E.right((name) => rows.find(([pattern]) => pattern.test(name))?.[1]);
};
