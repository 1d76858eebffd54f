/** Rotary positions: queries and keys turned by angles that grow with their position, so that scores depend on distances alone. */
import { elementLaunch, input, output } from "../../kernels/launch.ts";
import { apply, check, floats, show, size, type Tensor } from "../tensor.ts";
import { boundPositions, checkPositions, type Positions } from "./positions.ts";

/** Options of {@link rotary}. */
export interface RotaryOptions extends Positions {
  /** The base of the frequencies θ^(-2i/d), i < d/2, of a head of width d. */
  readonly theta: number;
}

/** The frequencies θ^(-2i/d) of a head of width d. */
export const rotaryFrequencies = (width: number, theta: number): readonly number[] =>
  Array.from({ length: Math.floor(width / 2) }, (_, i) => theta ** ((-2 * i) / width));

/** An f32 as a literal of WGSL. */
const literal = (x: number): string => `${Math.fround(x)}f`;

/**
 * Rotary positions, half-split: x [batch, tokens, heads · d], where the halves (x1, x2) of every head become (x1 cos a − x2 sin a, x2 cos a + x1 sin a), with
 * the angles a = p f. Token i of row b stands at position p = max(0, at + i − starts[b]); f are the frequencies, rounded to f32, and p f is computed in f32.
 * Fails (while tracing) where the width of a head is odd, or θ is not a number above 0.
 */
export const rotary = (x: Tensor, heads: number, options: RotaryOptions): Tensor => {
  const [batch, tokens, width] = x.shape;
  const d = width / heads;
  check(x.shape.length === 3 && d > 0 && d % 2 === 0, "rotary", () => `${show(x)} of ${heads} heads`);
  const { theta } = options;
  check(theta > 0 && theta < Infinity, "rotary", () => `theta is ${theta}`);
  checkPositions("rotary", batch, options);
  const { tensors, operands, constants } = boundPositions(1, options);
  const all = { ...constants, HALF: d / 2, FREQUENCIES: rotaryFrequencies(d, theta).map(literal).join(", ") };
  const turned = (t: Tensor, turn: number): Tensor =>
    apply(
      {
        name: "rotary",
        cheap: true,
        lower: () => [elementLaunch("rotary", { count: size(t.shape) / 2, tokens, heads, turn }, [input(0), output(0), ...operands], all)],
        vjp: (_, [dy]) => [dy && turned(dy, -turn)],
      },
      [t, ...tensors],
      floats(t.shape),
    );
  return turned(x, 1);
};
