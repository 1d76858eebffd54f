// One step of gradient descent with momentum and weight decay, in place, as torch's SGD (dampening 0, no Nesterov).
//
// Constants: KEEPS asks for a number: where that is 0, nothing is updated.
// Bindings:  0 Dims {count}; 1 g [count]; 2 hyper [4] = lr, momentum, weight decay, gradient scale; 3 p [count], 4 m [count], updated;
//            5 fine [1], absent where not asked for.
// Layout:    workgroup 64, a grid of any size folded over x and y; its threads stride over the elements.
// Bounds:    the stride ends at count.

struct Dims { count: u32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> g: array<f32>;
@group(0) @binding(2) var<storage, read> hyper: array<f32>;
@group(0) @binding(3) var<storage, read_write> p: array<f32>;
@group(0) @binding(4) var<storage, read_write> m: array<f32>;
//#if KEEPS
@group(0) @binding(5) var<storage, read> fine: array<f32>;
//#end

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
//#if KEEPS
  if (fine[0] == 0.0) { return; }
//#end
  let lr = hyper[0];
  let momentum = hyper[1];
  let decay = hyper[2];
  let scale = hyper[3];

  let stride = groups.x * groups.y * 64u;
  for (var i = id.x + id.y * (groups.x * 64u); i < dims.count; i += stride) {
    let gradient = fma(decay, p[i], scale * g[i]);
    let velocity = fma(momentum, m[i], gradient);
    m[i] = velocity;
    p[i] = fma(-lr, velocity, p[i]);
  }
}
