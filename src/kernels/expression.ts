/**
 * What is computed of elements one by one, as data: steps that each are a function of operands or of steps before.
 *
 * ```ts
 * { operands: 2, steps: [{ fn: "mul", of: [0, 1] }, { fn: "affine", of: [2], constants: [0.5, 0] }] } // 0.5 a b
 * ```
 *
 * One kernel computes any expression (`wgsl/elementwise.wgsl`), and products compute one of their sums before they store them. An expression of several
 * operations gives the bits that they would give one after another: steps are not reordered, and compilers, which would contract a product and a sum to one
 * fma or take out a common factor, cannot see from one step into the next (`wgsl/parts/kept.wgsl`).
 */

/** The functions of elements, with their text: of the texts of what they are functions of, and of their constants. */
const functions = {
  constant: { of: 0, constants: 1, text: (_: readonly string[], [k]: readonly string[]) => `Real(${k})` },
  affine: { of: 1, constants: 2, text: ([x]: readonly string[], [alpha, beta]: readonly string[]) => `fma(Real(${alpha}), ${x}, Real(${beta}))` },
  times: { of: 1, constants: 1, text: ([x]: readonly string[], [alpha]: readonly string[]) => `${alpha} * ${x}` },
  same: { of: 1, constants: 0, text: ([x]: readonly string[]) => `${x}` },
  exp: { of: 1, constants: 0, text: ([x]: readonly string[]) => `exp(${x})` },
  log: { of: 1, constants: 0, text: ([x]: readonly string[]) => `log(${x})` },
  sqrt: { of: 1, constants: 0, text: ([x]: readonly string[]) => `sqrt(${x})` },
  square: { of: 1, constants: 0, text: ([x]: readonly string[]) => `${x} * ${x}` },
  abs: { of: 1, constants: 0, text: ([x]: readonly string[]) => `abs(${x})` },
  sign: { of: 1, constants: 0, text: ([x]: readonly string[]) => `sign(${x})` },
  sigmoid: { of: 1, constants: 0, text: ([x]: readonly string[]) => `sigmoid(${x})` },
  quickGelu: { of: 1, constants: 0, text: ([x]: readonly string[]) => `quickGelu(${x})` },
  gelu: { of: 1, constants: 0, text: ([x]: readonly string[]) => `gelu(${x})` },
  geluSlope: { of: 1, constants: 0, text: ([x]: readonly string[]) => `geluSlope(${x})` },
  silu: { of: 1, constants: 0, text: ([x]: readonly string[]) => `silu(${x})` },
  siluSlope: { of: 1, constants: 0, text: ([x]: readonly string[]) => `siluSlope(${x})` },
  add: { of: 2, constants: 0, text: ([a, b]: readonly string[]) => `${a} + ${b}` },
  sub: { of: 2, constants: 0, text: ([a, b]: readonly string[]) => `${a} - ${b}` },
  mul: { of: 2, constants: 0, text: ([a, b]: readonly string[]) => `${a} * ${b}` },
  div: { of: 2, constants: 0, text: ([a, b]: readonly string[]) => `${a} / ${b}` },
  max: { of: 2, constants: 0, text: ([a, b]: readonly string[]) => `max(${a}, ${b})` },
  where: { of: 3, constants: 0, text: ([c, a, b]: readonly string[]) => `select(${b}, ${a}, ${c} != Real(0))` },
  quickGeluGrad: { of: 2, constants: 0, text: ([z, dy]: readonly string[]) => `quickGeluGrad(${z}, ${dy})` },
} as const;

/** A function of elements. */
export type ElementFunction = keyof typeof functions;

/** The functions of elements by name, with how many elements and numbers they are functions of. */
export const elementFunctions: Readonly<Record<ElementFunction, { readonly of: number; readonly constants: number }>> = functions;

/** One step: numbers in `of` count the operands first, then the steps. */
export interface Step {
  readonly fn: ElementFunction;
  readonly of: readonly number[];
  readonly constants?: readonly number[];
}

/** An expression of elements. */
export interface Expression {
  /** How many operands it has. */
  readonly operands: number;
  readonly steps: readonly Step[];
  /** What it gives, numbered as in {@link Step.of}. Default: its last step alone. */
  readonly values?: readonly number[];
}

/** The expression of one step. */
export const oneStep = (fn: ElementFunction, constants: readonly number[] = []): Expression => {
  const { of } = functions[fn];
  return { operands: of, steps: [{ fn, of: Array.from({ length: of }, (_, i) => i), ...(constants.length === 0 ? {} : { constants }) }] };
};

/** What an expression gives, by number. */
export const valuesOf = ({ operands, steps, values = [operands + steps.length - 1] }: Expression): readonly number[] => values;

/** An expression that is being put together from others. */
export interface ExpressionParts {
  /** Appends an expression whose operands have these numbers, and gives the numbers of its values. */
  readonly append: (part: Expression, of: readonly number[]) => readonly number[];
  /** All that was appended, as one expression with the values of these numbers. */
  readonly whole: (values: readonly number[]) => Expression;
}

/** An expression of so many operands that is put together from others, which come one behind the other. */
export const expressionOf = (operands: number): ExpressionParts => {
  const steps: Step[] = [];
  return {
    append: (part, of) => {
      const first = operands + steps.length - part.operands;
      const place = (from: number): number => (from < part.operands ? of[from] : first + from);
      steps.push(...part.steps.map((step) => ({ ...step, of: step.of.map(place) })));
      return valuesOf(part).map(place);
    },
    whole: (values) => ({ operands, steps, values }),
  };
};

/** The constants of an expression, step by step. */
export const constantsOf = ({ steps }: Expression): readonly number[] => steps.flatMap(({ constants = [] }) => constants);

/** An f32 as a text of WGSL, exactly. */
export const exactly = (x: number): string => `bitcast<f32>(0x${new Uint32Array(Float32Array.of(x).buffer)[0].toString(16).padStart(8, "0")}u)`;

/** The lines of an expression, and the names of the values that it gives. */
export interface ExpressionText {
  readonly lines: readonly string[];
  readonly values: readonly string[];
}

/**
 * The text of an expression, in the type that its kernel calls Real: `names` are those of its operands, `constant` the text of a constant by its value and its
 * place among {@link constantsOf}. Its steps are named `s0`, `s1`, …. The kernel includes the parts `activations` and `kept`.
 */
export const expressionText = (expression: Expression, names: readonly string[], constant: (value: number, place: number) => string): ExpressionText => {
  let place = 0;
  const read = new Set(expression.steps.flatMap(({ of }) => of));
  const named = [...names];
  const lines = expression.steps.map(({ fn, of, constants = [] }, i) => {
    const numbers = constants.map((value) => constant(value, place++));
    const text = functions[fn].text(
      of.map((from) => named[from]),
      numbers,
    );
    named.push(`s${i}`);
    return `let s${i} = ${read.has(expression.operands + i) ? `kept(${text})` : text};`;
  });
  return { lines, values: valuesOf(expression).map((from) => named[from]) };
};
