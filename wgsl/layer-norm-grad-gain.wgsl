// The gradient of layer-norm.wgsl for its gain, over chunks of rows: out[k, c] = the sum of dy[r, c] (x[r, c] - mean[r]) rstd[r] over the rows r
// of chunk k. reduce.wgsl sums the chunks.
//
// Bindings: 0 Dims {rows, width, chunk}; 1 dy [rows, width]; 2 x [rows, width]; 3 stats [rows, 2] = mean, rstd;
//           4 out [max(1, ceil(rows / chunk)), width].
// Layout:   workgroup 64, a grid of any size folded over x and y; its threads stride over the elements of out, neighbours over columns.
// Bounds:   the stride ends with out; the last chunk may be short.

struct Dims { rows: u32, width: u32, chunk: u32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> stats: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

fn sumChunk(i: u32) {
  let k = i / dims.width;
  let c = i - k * dims.width;
  let end = min((k + 1u) * dims.chunk, dims.rows);
  var sum = 0.0;
  for (var r = k * dims.chunk; r < end; r += 1u) {
    let at = r * dims.width + c;
    sum = fma(dy[at], (x[at] - stats[2u * r]) * stats[2u * r + 1u], sum);
  }
  out[i] = sum;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let chunks = max(1u, (dims.rows + dims.chunk - 1u) / dims.chunk);
  let count = chunks * dims.width;
  let stride = groups.x * groups.y * 64u;
  for (var i = id.x + id.y * (groups.x * 64u); i < count; i += stride) { sumChunk(i); }
}
