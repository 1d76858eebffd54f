// The scale of a loss behind a step: it halves where a gradient was not finite, and doubles after so many good steps in a row.
//
// Bindings: 0 Dims {first, largest, patience}: the scale of the first step, the largest, and the good steps in a row after which it doubles;
//           1 sum [1] of all gradients, which is finite where they are; 2 state [2] = the scale less `first`, since states begin with zeros,
//           and the good steps in a row; updated; 3 fine [1]: 1 where the sum is finite, else 0.
// Layout:   one thread.
// Bounds:   it halves down to 1 / 1,024, where a training has long ended: it must never be 0. Powers of two stay exact.

struct Dims { first: f32, largest: f32, patience: f32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> sum: array<f32>;
@group(0) @binding(2) var<storage, read_write> state: array<f32>;
@group(0) @binding(3) var<storage, read_write> fine: array<f32>;

@compute @workgroup_size(1)
fn main() {
  // By its bits: compilers may take it that there are no infinities and no NaN.
  let finite = (bitcast<u32>(sum[0]) & 0x7f800000u) != 0x7f800000u;
  let scale = dims.first + state[0];
  let good = state[1] + 1.0;
  let due = good >= dims.patience;
  let larger = select(scale, min(2.0 * scale, dims.largest), due);
  fine[0] = select(0.0, 1.0, finite);
  state[0] = select(max(0.5 * scale, 1.0 / 1024.0), larger, finite) - dims.first;
  state[1] = select(0.0, good, finite && !due);
}
