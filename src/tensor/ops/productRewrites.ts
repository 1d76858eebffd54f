/** What rewrites of a program ask of matrix products, and make of them. */
import type { BindingBound } from "../../kernels/bounds.ts";
import { mostExtras, type Epilogue, type ProductMeeting } from "../../kernels/epilogue.ts";
import { expressionOf } from "../../kernels/expression.ts";
import { productShape, type ProductForm } from "../../kernels/productShape.ts";
import { inputsOf, type Node, type Shape, type Tensor } from "../tensor.ts";
import { productAll, recipeOf, type Batch, type Steps } from "./product.ts";

/** Storage bindings of a product at most. */
const mostBindings = 8;

/** The form of a product that has nothing but its two operands; undefined for another node. */
export const formOf = (node: Node): ProductForm | undefined => (inputsOf(node).length === 2 ? recipeOf(node)?.form : undefined);

/**
 * The outputs of a product that computes more of its sums before it stores them; they have no gradient. `extras` are what the expression reads behind the
 * product's value. Undefined for another node, for a product of two outputs or of f16, for too many tensors, and where sums are cut into windows.
 */
export const withEpilogue = (
  node: Node,
  { expression, operands }: Epilogue,
  extras: readonly Tensor[],
  bounds: BindingBound,
): readonly Tensor[] | undefined => {
  const recipe = recipeOf(node);
  if (node.kind !== "apply" || recipe === undefined || node.outputs.length > 1 || node.outputs[0].dtype !== "f32") return undefined;
  const read = recipe.more?.operands ?? [];
  const all = expressionOf(1 + read.length + operands.length);
  const [value] = recipe.more === undefined ? [0] : all.append(recipe.more.expression, [0, ...read.map((_, i) => 1 + i)]);
  const values = all.append(expression, [value, ...operands.map((_, i) => 1 + read.length + i)]);
  const more: Epilogue = { expression: all.whole(values), operands: [...read, ...operands] };
  const bindings = node.inputs.length + extras.length + values.length;
  if (more.operands.length > mostExtras || bindings > mostBindings || node.op.products!(bounds).some(({ add }) => add === true)) return undefined;
  return productAll([...node.inputs, ...extras], { ...recipe, a: node.inputs[0], b: node.inputs[1], more });
};

const isPlain = ({ layouts, heads }: ProductForm): boolean => layouts.every((layout) => layout === "rows") && heads === 1;

/** What tells products apart that could be computed together; undefined for another node, and for a product that has a batch, a bias or a low-rank pair. */
export const kindOf = (node: Node): { readonly key: string; readonly meetings: readonly ProductMeeting[]; readonly shape: Shape } | undefined => {
  const recipe = recipeOf(node);
  if (recipe === undefined || recipe.bias !== undefined || recipe.lowRank !== undefined || recipe.batch !== undefined || recipe.half === true) return undefined;
  const { form, more, shape } = recipe;
  const inputs = inputsOf(node);
  if (!isPlain(form) || inputs.some(({ dtype }) => dtype !== "f32")) return undefined;
  return { key: JSON.stringify([form, more, shape, inputs.map((t) => t.shape)]), meetings: more?.operands ?? [], shape };
};

/** The outputs of products of one kind as one operation: its inputs span those of all of them. */
export const together = (node: Node, inputs: readonly Tensor[], batch: Batch): readonly Tensor[] => {
  const recipe = recipeOf(node)!;
  const { more } = recipe;
  const operands = more?.operands.map((meeting): ProductMeeting => (meeting === "column" ? "columns" : meeting));
  return productAll(inputs, { ...recipe, batch, ...(more === undefined ? {} : { more: { ...more, operands: operands! } }) });
};

/** What tells products apart that could be one in steps: those that have nothing but two factors, alone or as a batch. Undefined for another node. */
export const stepKindOf = (node: Node): string | undefined => {
  const recipe = recipeOf(node);
  const inputs = inputsOf(node);
  if (recipe === undefined || inputs.length > 2 || recipe.more !== undefined || recipe.half === true || recipe.batch?.within !== undefined) return undefined;
  const { form, shape, batch } = recipe;
  if (!isPlain(form) || inputs.some(({ dtype }) => dtype !== "f32")) return undefined;
  return JSON.stringify([form, shape, batch, inputs.map((t) => t.shape)]);
};

/** Products of one such kind as one: its inputs span those of all of them, in steps of so many elements. */
export const inSteps = (node: Node, inputs: readonly Tensor[], steps: Steps): Tensor => {
  const recipe = recipeOf(node)!;
  return productAll(inputs, { ...recipe, batch: { ...steps, ...(recipe.batch === undefined ? {} : { within: recipe.batch }) } })[0];
};

/** The widest product that is worth folding into another's epilogue; wider ones cost more there than an addition. */
const epilogueRank = 64;

/**
 * The sum of two products, where the second is a thin one of the same form (the path through a low-rank adapter beside the path through its weight): it becomes
 * the epilogue of the first. Undefined where it cannot.
 */
export const withThin = (wide: Tensor, thin: Tensor): Tensor | undefined => {
  const [w, t] = [recipeOf(wide.node), recipeOf(thin.node)];
  if (w === undefined || t === undefined) return undefined;
  const [large, small] = [w, t].map(({ form, a, b, shape }) => productShape(form, { a: a.shape, b: b.shape, c: shape })!);
  const fits =
    [w.form, t.form].every((form) => form.layouts.every((l) => l === "rows") && !form.ta && form.scale === 1) &&
    [w, t].every(({ bias, lowRank, more, batch }) => bias === undefined && lowRank === undefined && more === undefined && batch === undefined);
  if (!fits || w.form.tb !== t.form.tb || small.k > epilogueRank) return undefined;
  // Values of one size may be those of matrices of different sizes.
  if (large.m !== small.m || large.n !== small.n) return undefined;
  // Products may have been rewritten: their inputs are those of the nodes.
  const [[a, b], [p, q]] = [inputsOf(wide.node), inputsOf(thin.node)];
  if ([p, q, wide, thin].some(({ dtype }) => dtype !== "f32")) return undefined;
  return productAll([a, b, p, q], { ...w, a, b, lowRank: { p, q } })[0];
};
