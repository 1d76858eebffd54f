// y[i] = alpha * x[(i / div) % wrap]: repeats a vector along leading and trailing dimensions.
//
// x   [wrap]                   binding 1
// y   [outer, wrap, div]       binding 2, count = outer * wrap * div elements
//
// One element a thread, workgroup 64, grid folded over x and y; threads past `count` do nothing.

struct Dims { count: u32, div: u32, wrap: u32, alpha: f32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * (groups.x * 64u);
  if (i >= dims.count) { return; }
  y[i] = dims.alpha * x[(i / dims.div) % dims.wrap];
}
