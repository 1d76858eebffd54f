// out = x + sign * basis . coeff: with coeff = basis^T x (a matmul) and orthonormal columns in `basis`, sign = -1 takes out of x what lies in
// their span.
//
// Constants: ONLY leaves x away, and binding 1 with it: out = sign * basis . coeff is what lies in the span.
// Bindings:  0 Dims {rows, width, rank, sign}; 1 x [rows, width]; 2 basis [rows, rank]; 3 coeff [rank, width]; 4 out [rows, width].
// Layout:    a block of 4 x 4 elements of out a thread, so that 8 loads serve 16 products; workgroup 64, a grid of any size folded over x and
//            y, whose threads stride over the blocks. The rank is summed in ascending order.
// Bounds:    a block at an edge reads the last row or column again, and does not write it.

struct Dims { rows: u32, width: u32, rank: u32, sign: f32 }

@group(0) @binding(0) var<uniform> dims: Dims;
//#if !ONLY
@group(0) @binding(1) var<storage, read> x: array<f32>;
//#end
@group(0) @binding(2) var<storage, read> basis: array<f32>;
@group(0) @binding(3) var<storage, read> coeff: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

fn store(row: u32, column: u32, dots: vec4f) {
  if (row >= dims.rows) { return; }
  for (var i = 0u; i < 4u && column + i < dims.width; i += 1u) {
    let at = row * dims.width + column + i;
//#if ONLY
    out[at] = dims.sign * dots[i];
//#else
    out[at] = fma(dims.sign, dots[i], x[at]);
//#end
  }
}

fn project(row: u32, column: u32) {
  let rows = min(row + vec4u(0u, 1u, 2u, 3u), vec4u(dims.rows - 1u)) * dims.rank;
  let columns = min(column + vec4u(0u, 1u, 2u, 3u), vec4u(dims.width - 1u));
  var dots0 = vec4f();
  var dots1 = vec4f();
  var dots2 = vec4f();
  var dots3 = vec4f();
  for (var k = 0u; k < dims.rank; k += 1u) {
    let line = columns + k * dims.width;
    let c = vec4f(coeff[line.x], coeff[line.y], coeff[line.z], coeff[line.w]);
    dots0 = fma(vec4f(basis[rows.x + k]), c, dots0);
    dots1 = fma(vec4f(basis[rows.y + k]), c, dots1);
    dots2 = fma(vec4f(basis[rows.z + k]), c, dots2);
    dots3 = fma(vec4f(basis[rows.w + k]), c, dots3);
  }
  store(row, column, dots0);
  store(row + 1u, column, dots1);
  store(row + 2u, column, dots2);
  store(row + 3u, column, dots3);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let across = (dims.width + 3u) / 4u;
  let blocks = (dims.rows + 3u) / 4u * across;
  let stride = groups.x * groups.y * 64u;
  for (var block = id.x + id.y * (groups.x * 64u); block < blocks; block += stride) {
    project(4u * (block / across), 4u * (block % across));
  }
}
