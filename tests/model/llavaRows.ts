/** The batch of the tiny LLaVA's golden file, and others like it. */
import type { HostTensor } from "../../src/formats/hostTensor.ts";
import type { LlavaConfig } from "../../src/model/llavaConfig.ts";
import type { Value } from "../tensor/check.ts";
import type { Rows } from "./decoders.ts";

export const range = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);
const whole = (shape: readonly number[], data: ArrayLike<number>): Value => ({ shape, data: Uint32Array.from(data) });

/** The picks of rows of ids: the tokens of pictures stand in their order. */
const picksOf = (ids: readonly number[], token: number): readonly number[] => {
  let k = 0;
  return ids.map((id) => (id === token ? ++k : 0));
};

/** Rows of one length with their pixels; `positions` are those whose next token counts. */
export const rowsOf = (ids: readonly (readonly number[])[], pixels: HostTensor, token: number, positions: readonly number[]): Rows => {
  const shape = [ids.length, ids[0].length];
  const flat = ids.flat();
  return {
    ids: whole(shape, flat),
    starts: whole(
      [ids.length],
      ids.map(() => 0),
    ),
    positions,
    next: positions.map((at) => flat[Math.min(at + 1, flat.length - 1)]),
    pictures: { pixels, picks: whole(shape, picksOf(flat, token)) },
  };
};

export const table = (t: HostTensor): readonly (readonly number[])[] => range(t.shape[0]).map((i) => [...t.data.slice(i * t.shape[1], (i + 1) * t.shape[1])]);

/** The batch of the golden file. */
export const goldenRows = async ({ config }: { readonly config: LlavaConfig }, golden: (name: string) => HostTensor): Promise<Rows> => {
  const labels = table(golden("labels"));
  const positions = labels.flatMap((row, i) => range(row.length - 1).flatMap((k) => (row[k + 1] === -100 ? [] : [i * row.length + k])));
  return rowsOf(table(golden("ids")), golden("pixel_values"), config.imageToken, positions);
};
