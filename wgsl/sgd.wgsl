// One step of gradient descent with momentum and weight decay, in place, as torch's SGD (dampening 0, no Nesterov).
//
// Bindings: 0 Dims {count}; 1 g [count]; 2 hyper [4] = lr, momentum, weight decay, gradient scale; 3 p [count], 4 m [count], updated.
// Layout:   one element a thread, workgroup 64, the grid folded over x and y.
// Bounds:   threads past count return.

struct Dims { count: u32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> g: array<f32>;
@group(0) @binding(2) var<storage, read> hyper: array<f32>;
@group(0) @binding(3) var<storage, read_write> p: array<f32>;
@group(0) @binding(4) var<storage, read_write> m: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * (groups.x * 64u);
  if (i >= dims.count) { return; }
  let lr = hyper[0];
  let momentum = hyper[1];
  let decay = hyper[2];
  let gradient = fma(decay, p[i], g[i] * hyper[3]);
  let velocity = fma(momentum, m[i], gradient);
  m[i] = velocity;
  p[i] = fma(-lr, velocity, p[i]);
}
