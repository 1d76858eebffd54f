// One AdamW step with decoupled weight decay (Loshchilov and Hutter, 2019), in place, in torch's order of operations.
//
// Constants: KEEPS asks for a number: where that is 0, nothing is updated.
// Bindings:  0 Dims {count}; 1 g [count]; 2 hyper [8] = lr, beta1, beta2, eps, weight decay, 1 - beta1^t, 1 - beta2^t, gradient scale;
//            3 p [count], 4 m [count], 5 v [count]: parameters and moments, updated; 6 fine [1], absent where not asked for.
// Layout:    workgroup 64, a grid of any size folded over x and y; its threads stride over the elements.
// Bounds:    the stride ends at count.

struct Dims { count: u32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> g: array<f32>;
@group(0) @binding(2) var<storage, read> hyper: array<f32>;
@group(0) @binding(3) var<storage, read_write> p: array<f32>;
@group(0) @binding(4) var<storage, read_write> m: array<f32>;
@group(0) @binding(5) var<storage, read_write> v: array<f32>;
//#if KEEPS
@group(0) @binding(6) var<storage, read> fine: array<f32>;
//#end

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
//#if KEEPS
  if (fine[0] == 0.0) { return; }
//#end
  let lr = hyper[0];
  let beta1 = hyper[1];
  let beta2 = hyper[2];
  let eps = hyper[3];
  let decay = hyper[4];
  let correction1 = hyper[5];
  let correction2 = hyper[6];
  let scale = hyper[7];

  let stride = groups.x * groups.y * 64u;
  for (var i = id.x + id.y * (groups.x * 64u); i < dims.count; i += stride) {
    let gradient = scale * g[i];
    let decayed = p[i] * (1.0 - lr * decay);
    let mean = fma(1.0 - beta1, gradient - m[i], m[i]);
    let square = fma((1.0 - beta2) * gradient, gradient, beta2 * v[i]);
    m[i] = mean;
    v[i] = square;
    p[i] = decayed - (lr / correction1) * mean / (sqrt(square) / sqrt(correction2) + eps);
  }
}
