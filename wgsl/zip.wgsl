// y[i] = f(a[i], b[(i / div) % wrap]), where one constant names f.
//
//   ADD  SUB  MUL  DIV  MAX
//   QUICK_GELU_GRAD  GELU_GRAD  SILU_GRAD     f(z, dy) = dy g'(z) for the activation g of map.wgsl
//   SWIGLU                                    silu(a) b
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

alias Real = f32;
//#include activations

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
//#if SILU_GRAD
  return b * siluSlope(a);
//#end
//#if SWIGLU
  return silu(a) * b;
//#end
//#if GELU_GRAD
  return b * fma(a, density(a), normal(a));
//#end
}

fn element(i: u32) {
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

//#include elements
