/**
 * Chains and trees of element-wise operations become one launch: an operation computes what it reads itself, where nothing else reads that. The steps are those
 * of the operations, and the bits are the same.
 */
import { mostConstants, mostOperands, type Meeting } from "../../kernels/elementwise.ts";
import { constantsOf, expressionOf, valuesOf } from "../../kernels/expression.ts";
import { isSeed } from "../gradient.ts";
import type { Program } from "../program.ts";
import { inputsOf, type Node, type Tensor } from "../tensor.ts";
import { computationOf, computeAll, type ComputedOf } from "../ops/expression.ts";
import { graphOf, rewrite, type Graph, type Pass } from "./pass.ts";
import { readersOf, source } from "./views.ts";

/** A node and the nodes that it computes itself. */
type Group = ReadonlySet<Node>;

/** Whether everything that reads a node, under whatever shape, is in the group. */
const isInner = (node: Node, group: Group, graph: Graph): boolean => !graph.isResult(node) && readersOf(node, graph).every((reader) => group.has(reader));

/** Whether a node is stored as it was computed: what is rounded to f16 is read as such by everybody. */
const isPlain = (node: Node): boolean => node.outputs.every(({ dtype }) => dtype === "f32");

/** Whether an operand that meets its reader so is computed by the reader: element for element, or where it is the same for all of them. */
const isFoldable = (node: Node, meeting: Meeting): boolean => {
  const computation = computationOf(node);
  return (
    computation !== undefined &&
    isPlain(node) &&
    !isSeed(node) &&
    valuesOf(computation.expression).length === 1 &&
    (meeting === "same" || computation.meetings.length === 0)
  );
};

const sameMeeting = (a: Meeting, b: Meeting): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);

/** What a group reads from outside, each once, and how. */
const operandsOf = (group: Group): readonly ComputedOf[] => {
  const found: ComputedOf[] = [];
  for (const node of group) {
    const { meetings } = computationOf(node)!;
    inputsOf(node).forEach((t, i) => {
      const known = found.some(([o, meeting]) => o.node === t.node && o.output === t.output && sameMeeting(meeting, meetings[i]));
      if (!known && !group.has(source(t).node)) found.push([t, meetings[i]]);
    });
  }
  return found;
};

const fits = (group: Group): boolean =>
  operandsOf(group).length <= mostOperands && [...group].reduce((n, node) => n + constantsOf(computationOf(node)!.expression).length, 0) <= mostConstants;

/** The groups of a program by the node that computes them, last nodes first: each takes in what it alone reads. */
const groupsOf = (program: Program): ReadonlyMap<Node, Group> => {
  const graph = graphOf(program);
  const groups = new Map<Node, Group>();
  const taken = new Set<Node>();
  for (const root of [...program.schedule].reverse()) {
    if (taken.has(root) || computationOf(root) === undefined) continue;
    let group: Group = new Set([root]);
    for (let grown = true; grown; ) {
      grown = false;
      for (const node of [...group].flatMap((member) =>
        inputsOf(member).flatMap((t, i) => (isFoldable(source(t).node, computationOf(member)!.meetings[i]) ? [source(t).node] : [])),
      )) {
        if (group.has(node) || taken.has(node) || !isInner(node, group, graph)) continue;
        const larger = new Set([...group, node]);
        if (!fits(larger)) continue;
        [group, grown] = [larger, true];
        taken.add(node);
      }
    }
    if (group.size > 1) groups.set(root, group);
  }
  return groups;
};

/** One operation for a group: its members in the order of the program, as steps. `rewritten` has the members with their rewritten inputs. */
const fuse = (root: Node, members: readonly Node[], rewritten: ReadonlyMap<Node, Node>): readonly Tensor[] => {
  const read = operandsOf(new Set(members));
  const operands: ComputedOf[] = [];
  const values = new Map<Node, readonly number[]>();
  const all = expressionOf(read.length);
  for (const node of members) {
    const { expression, meetings } = computationOf(node)!;
    const of = inputsOf(node).map((t, i) => {
      const inner = values.get(source(t).node);
      if (inner !== undefined) return inner[0];
      const place = read.findIndex(([o, meeting]) => o.node === t.node && o.output === t.output && sameMeeting(meeting, meetings[i]));
      operands[place] = [inputsOf(rewritten.get(node)!)[i], meetings[i]];
      return place;
    });
    values.set(node, all.append(expression, of));
  }
  const name = members.map((node) => (node.kind === "apply" ? node.op.name : "")).join(", ");
  const types = root.outputs.map(({ dtype }): "f16" | "f32" => (dtype === "f16" ? dtype : "f32"));
  return computeAll(name, all.whole(values.get(root)!), operands, root.outputs[0].shape, undefined, types);
};

/** Computes chains and trees of element-wise operations in one launch each. */
export const elementwiseChains: Pass = (program) => {
  const groups = groupsOf(program);
  const rewritten = new Map<Node, Node>();
  return rewrite(program, (node, traced) => {
    rewritten.set(traced, node);
    const group = groups.get(traced);
    return (
      group &&
      fuse(
        traced,
        program.schedule.filter((member) => group.has(member)),
        rewritten,
      )
    );
  });
};
