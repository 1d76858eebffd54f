// Fills a tensor with one value: out[i] = value.
//
// Bindings: 0 Dims {count, value}; 1 out f32[count], any shape, row-major.
// Layout:   one element a thread, workgroup 64, the grid folded over x and y.
// Bounds:   threads past count return.

struct Dims {
  count: u32,
  value: f32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * (groups.x * 64u);
  if (i >= dims.count) {
    return;
  }
  out[i] = dims.value;
}
