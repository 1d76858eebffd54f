/** The launches of an expression of tensors: which element of each operand meets which of the output. */
import type { BindingBound } from "./bounds.ts";
import { constantsOf, expressionText, valuesOf, type Expression } from "./expression.ts";
import { elementLaunch, input, output, type Launch } from "./launch.ts";
import type { Pattern } from "./pattern.ts";
import type { Constants } from "./template.ts";
import { windows } from "./windows.ts";

/** How an operand meets the output: "same" where it has its elements, or a broadcast. */
export type Meeting = "same" | Pattern;

/** What operands and results are stored as. Steps are computed in f32; kernels that read or write f16 need `shader-f16`. */
export interface ElementTypes {
  readonly operands: readonly ElementType[];
  readonly results: readonly ElementType[];
}

/** What an element is stored as. */
export type ElementType = "f32" | "f16";

/** Operands that one launch has at most. */
export const mostOperands = 6;
/** Constants that one launch has at most. */
export const mostConstants = 8;
/** Outputs that one launch has at most. */
export const mostOutputs = 2;

/** Patterns as the text tells them apart: integer division is slow on every adapter, and most broadcasts need one or none. */
type Access = "same" | "one" | "wrap" | "row" | "gap";

const accessOf = (at: Meeting): Access => {
  if (at === "same") return "same";
  if (at.gap !== undefined) return "gap";
  if (at.mod === 1) return "one";
  return at.div === 1 ? "wrap" : "row";
};

/** The text that reads an operand's element for the element i of a window of the output, which is the element `first + i` of all of it. */
const readText: Readonly<Record<Access, (j: number) => string>> = {
  same: () => "i",
  one: () => "0u",
  wrap: (j) => `(dims.first + i) % dims.wrap${j}`,
  row: (j) => `(dims.first + i) / dims.div${j} % dims.wrap${j}`,
  gap: (j) => `across((dims.first + i) / dims.div${j}, dims.wrap${j}, dims.low${j}, dims.span${j})`,
};

const isHalf = ({ operands, results }: ElementTypes): boolean => [...operands, ...results].includes("f16");

/** All of f32. */
const plain = (expression: Expression, meetings: readonly Meeting[]): ElementTypes => ({
  operands: meetings.map(() => "f32"),
  results: valuesOf(expression).map(() => "f32"),
});

/** For each result the operand that it overwrites, if it does: one of the same type that is like it. The operand has no binding of its own then. */
export type Overwritten = readonly (number | undefined)[];

/** The constants of the kernel for an expression whose operands meet its output in these ways. Numbers of the expression are not among them. */
export const elementwiseConstants = (
  expression: Expression,
  meetings: readonly Meeting[],
  types: ElementTypes = plain(expression, meetings),
  over: Overwritten = [],
): Constants => {
  const accesses = meetings.map(accessOf);
  const { lines, values } = expressionText(
    expression,
    accesses.map((_, j) => `a${j}`),
    (_, place) => `dims.k${place}`,
  );
  const buffers = [
    ...accesses.flatMap((_, j) => (over.includes(j) ? [] : [`@group(0) @binding(${1 + j}) var<storage, read> x${j}: array<${types.operands[j]}>;`])),
    ...values.map((_, j) => `@group(0) @binding(${1 + mostOperands + j}) var<storage, read_write> y${j}: array<${types.results[j]}>;`),
  ];
  const nameOf = (j: number): string => (over.includes(j) ? `y${over.indexOf(j)}` : `x${j}`);
  const reads = accesses.map((access, j) => `  let a${j} = f32(${nameOf(j)}[${readText[access](j)}]);`);
  const writes = values.map((value, j) => `  y${j}[i] = ${types.results[j]}(${value});`);
  return {
    BUFFERS: buffers.join("\n"),
    STEPS: [...reads, ...lines.map((line) => `  ${line}`), ...writes].join("\n"),
    ACROSS: accesses.includes("gap"),
    HALF: isHalf(types),
    // What it computes, in words: the text does not ask for it, a profile does.
    FORM: expression.steps.map(({ fn }) => fn).join(" "),
    ...(over.some((j) => j !== undefined) ? { OVER: over.flatMap((j, result) => (j === undefined ? [] : [result])).join(" ") } : {}),
  };
};

type Slot<Name extends string, N extends number> = `${Name}${N}`;
type Six = 0 | 1 | 2 | 3 | 4 | 5;
type OperandDims = Readonly<Record<Slot<"div" | "wrap" | "low" | "span", Six>, number>>;
type NumberDims = Readonly<Record<Slot<"k", Six | 6 | 7>, number>>;

const operandDims = (meetings: readonly Meeting[]): OperandDims =>
  Object.fromEntries(
    Array.from({ length: mostOperands }, (_, j) => {
      const at = meetings[j] ?? "same";
      const { div, mod, gap = { count: 1, low: 1 } } = at === "same" ? { div: 1, mod: 1 } : at;
      return Object.entries({ div, wrap: mod, low: gap.low, span: gap.count * gap.low }).map(([name, value]) => [`${name}${j}`, value]);
    }).flat(),
  ) as OperandDims;

/** The uniform of the kernel for `count` elements from the element `first` on. */
export const elementwiseDims = (
  expression: Expression,
  meetings: readonly Meeting[],
  count: number,
  first = 0,
): { readonly count: number; readonly first: number; readonly zero: number } & NumberDims & OperandDims => {
  const numbers = constantsOf(expression);
  const constants = Object.fromEntries(Array.from({ length: mostConstants }, (_, i) => [`k${i}`, numbers[i] ?? 0])) as NumberDims;
  return { count, first, zero: 0, ...constants, ...operandDims(meetings) };
};

/** The launches of an expression with outputs of `count` elements, in windows where they are larger than a binding; some may overwrite an operand. */
export const elementwiseLaunches = (
  bounds: BindingBound,
  expression: Expression,
  meetings: readonly Meeting[],
  count: number,
  types: ElementTypes = plain(expression, meetings),
  over: Overwritten = [],
): readonly Launch[] => {
  const constants = elementwiseConstants(expression, meetings, types, over);
  return windows(bounds, count, isHalf(types) ? 128 : 64).map(({ first, count: inside, cut }) => {
    const read = Array.from({ length: mostOperands }, (_, j) => {
      if (j >= meetings.length || over.includes(j)) return undefined;
      return meetings[j] === "same" ? cut(input(j)) : input(j);
    });
    const written = valuesOf(expression).map((_, j) => cut(output(j)));
    return elementLaunch("elementwise", elementwiseDims(expression, meetings, inside, first), [...read, ...written], constants);
  });
};
