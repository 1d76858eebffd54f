// Shrinks every element towards zero by kappa, in place: the proximal step of an L1 penalty (CoDyRA).
//
//   paper: |g| > kappa -> g - sign(g) kappa, else 0
//   CODE:  |g| > 2 kappa -> g - sign(g) kappa; kappa < |g| < 2 kappa -> 0; |g| < kappa -> 0; the authors' three statements, each of
//          which sees what the one before left
//
// A kappa of 0 changes nothing in either form.
//
// Constants: CODE; KEEPS asks for a number: where that is 0, nothing is updated.
// Bindings:  0 Dims {count}; 1 hyper [1] = kappa; 2 g [count], updated; 3 fine [1], absent where not asked for.
// Layout:    workgroup 64, a grid of any size folded over x and y; its threads stride over the elements.
// Bounds:    the stride ends at count.

struct Dims { count: u32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> hyper: array<f32>;
@group(0) @binding(2) var<storage, read_write> g: array<f32>;
//#if KEEPS
@group(0) @binding(3) var<storage, read> fine: array<f32>;
//#end

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
//#if KEEPS
  if (fine[0] == 0.0) { return; }
//#end
  let kappa = hyper[0];
  let stride = groups.x * groups.y * 64u;
  for (var i = id.x + id.y * (groups.x * 64u); i < dims.count; i += stride) {
    var value = g[i];
//#if CODE
    if (value > kappa) { value -= kappa; }
    if (value < -kappa) { value += kappa; }
    if (abs(value) < kappa) { value = 0.0; }
//#else
    value = select(0.0, value - sign(value) * kappa, abs(value) > kappa);
//#end
    g[i] = value;
  }
}
