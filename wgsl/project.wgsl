// out = x + sign * basis . coeff: with coeff = basis^T x (a matmul) and orthonormal columns in `basis`, sign = -1 takes out of x what lies in
// their span.
//
// Constants: ONLY leaves x away, and binding 1 with it: out = sign * basis . coeff is what lies in the span.
// Bindings:  0 Dims {rows, width, rank, sign}; 1 x [rows, width]; 2 basis [rows, rank]; 3 coeff [rank, width]; 4 out [rows, width].
// Layout:    one element of out a thread, workgroup 64, the grid folded over x and y; the rank is summed in ascending order.
// Bounds:    threads past out return.

struct Dims { rows: u32, width: u32, rank: u32, sign: f32 }

@group(0) @binding(0) var<uniform> dims: Dims;
//#if !ONLY
@group(0) @binding(1) var<storage, read> x: array<f32>;
//#end
@group(0) @binding(2) var<storage, read> basis: array<f32>;
@group(0) @binding(3) var<storage, read> coeff: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let e = id.x + id.y * (groups.x * 64u);
  if (e >= dims.rows * dims.width) { return; }
  let row = e / dims.width;
  let column = e - row * dims.width;
  var dot = 0.0;
  for (var k = 0u; k < dims.rank; k += 1u) {
    dot = fma(basis[row * dims.rank + k], coeff[k * dims.width + column], dot);
  }
//#if ONLY
  out[e] = dims.sign * dot;
//#else
  out[e] = fma(dims.sign, dot, x[e]);
//#end
}
