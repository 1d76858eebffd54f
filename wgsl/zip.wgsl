// y[i] = f(a[i], b[(i / div) % wrap]), where one constant names f.
//
//   ADD  SUB  MUL  DIV  MAX
//   QUICK_GELU_GRAD  GELU_GRAD     f(z, dy) = dy g'(z) for the activation g of map.wgsl
//
// Constants: SAME says that b has the shape of a, so that element i meets b[i].
//            GAP says that a has a dimension within those of b: b is [wrap / low, low], and a [outer, wrap / low, gap, low, div].
// Bindings:  0 Dims {count, div, wrap, low, span}, span = gap low, the last two for GAP; 1 a [outer, wrap, div], count elements; 2 b [wrap];
//            3 y like a.
// Layout:    workgroup 64, a grid of any size folded over x and y; its threads stride over the elements.
// Bounds:    the stride ends at count.

struct Dims { count: u32, div: u32, wrap: u32, low: u32, span: u32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

//#if QUICK_GELU_GRAD
// e^-|x| never overflows, whatever the sign of x.
fn sigmoid(x: f32) -> f32 {
  let e = exp(-abs(x));
  return select(1.0, e, x < 0.0) / (1.0 + e);
}
//#end

//#if GELU_GRAD
// The normal distribution function, as in map.wgsl.
fn normal(x: f32) -> f32 {
  let a = min(abs(x), 16.0);
  var p = 1.6340808e-6;
  p = fma(p, a, -2.3496475e-5);
  p = fma(p, a, 1.11887573e-4);
  p = fma(p, a, 1.33959518e-4);
  p = fma(p, a, -4.94337827e-3);
  p = fma(p, a, 3.64174470e-2);
  p = fma(p, a, 0.318290174);
  p = fma(p, a, 0.797886133);
  let tail = 0.5 * exp(-a * p);
  return select(1.0 - tail, tail, x < 0.0);
}

// Its density, e^(-x^2 / 2) / sqrt(2 pi).
fn density(x: f32) -> f32 {
  let a = min(abs(x), 16.0);
  return 0.39894228 * exp(-0.5 * a * a);
}
//#end

fn f(a: f32, b: f32) -> f32 {
//#if ADD
  return a + b;
//#end
//#if SUB
  return a - b;
//#end
//#if MUL
  return a * b;
//#end
//#if DIV
  return a / b;
//#end
//#if MAX
  return max(a, b);
//#end
//#if QUICK_GELU_GRAD
  let s = sigmoid(1.702 * a);
  return b * s * fma(1.702 * a, 1.0 - s, 1.0);
//#end
//#if GELU_GRAD
  return b * fma(a, density(a), normal(a));
//#end
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let stride = groups.x * groups.y * 64u;
  for (var i = id.x + id.y * (groups.x * 64u); i < dims.count; i += stride) {
//#if SAME
    y[i] = f(a[i], b[i]);
//#else
    // Integer division is slow on every adapter, and most broadcasts (a bias, a gain) need one, not two.
    var j = i;
    if (dims.div > 1u) { j /= dims.div; }
//#if GAP
    y[i] = f(a[i], b[(j / dims.span * dims.low) % dims.wrap + j % dims.low]);
//#else
    y[i] = f(a[i], b[j % dims.wrap]);
//#end
//#end
  }
}
