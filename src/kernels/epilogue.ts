/** What a product computes of its sums before it stores them: an expression of each sum, with its bias, and of elements of other tensors. */
import { exactly, expressionText, valuesOf, type Expression } from "./expression.ts";
import type { Constants } from "./template.ts";

/**
 * How a tensor meets the elements of a product: it is like C, it has one element for every column, for every column of every matrix of a batch, or one for all.
 */
export type ProductMeeting = "same" | "column" | "columns" | "one";

/** An expression whose operand 0 is the sum; the others are tensors of f32. Its second value, where it has one, goes to a tensor like C. */
export interface Epilogue {
  readonly expression: Expression;
  /** How the operands behind the sum meet it. */
  readonly operands: readonly ProductMeeting[];
}

/** Tensors that an epilogue reads at most. */
export const mostExtras = 3;

/** The binding of a product's second result, and of the first tensor that its epilogue reads. */
const [second, firstExtra] = [7, 8];

/** The operands of a launch behind those of a product without an epilogue: the second result, and the tensors that the epilogue reads. */
export const epilogueBindings = <O>({ expression }: Epilogue, result: O, extras: readonly O[]): readonly (O | undefined)[] => [
  valuesOf(expression).length > 1 ? result : undefined,
  ...extras,
];

const readText: Readonly<Record<ProductMeeting, string>> = {
  same: "at",
  column: "column",
  columns: "at / dims.cOuter * dims.columnStep + column",
  one: "0u",
};

/** The constants of a product's kernel for its epilogue. */
export const epilogueConstants = (epilogue: Epilogue | undefined): Constants => {
  if (epilogue === undefined) return { EPILOGUE: false, SECOND: false };
  const { expression, operands } = epilogue;
  const names = ["value", ...operands.map((_, j) => `a${j}`)];
  const { lines, values } = expressionText(expression, names, exactly);
  const reads = operands.map((meeting, j) => `  let a${j} = x${j}[${readText[meeting]}];`);
  return {
    EPILOGUE: true,
    SECOND: values.length > 1,
    EXTRAS: operands.map((_, j) => `@group(0) @binding(${firstExtra + j}) var<storage, read> x${j}: array<f32>;`).join("\n"),
    SECOND_AT: second,
    STEPS: [...reads, ...lines.map((line) => `  ${line}`)].join("\n"),
    VALUE: values[0],
    SECOND_VALUE: values[1] ?? "",
  };
};
