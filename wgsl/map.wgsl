// y[i] = f(x[i]), where one constant names f.
//
//   AFFINE      alpha x + beta        QUICK_GELU  x sigmoid(1.702 x), the activation of OpenAI's CLIP
//   EXP         e^x                   GELU        x Phi(x), the exact form
//   LOG         natural logarithm     SIGMOID     1 / (1 + e^-x)
//   SQRT  SQUARE  ABS  SIGN           RECIPROCAL  1 / x
//
// Bindings: 0 Dims {count, alpha, beta}; 1 x [count]; 2 y [count].
// Layout:   workgroup 64, a grid of any size folded over x and y; its threads stride over the elements.
// Bounds:   the stride ends at count.

struct Dims { count: u32, alpha: f32, beta: f32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

// e^-|x| never overflows, whatever the sign of x.
fn sigmoid(x: f32) -> f32 {
  let e = exp(-abs(x));
  return select(1.0, e, x < 0.0) / (1.0 + e);
}

//#if GELU
// The normal distribution function. The tail Phi(-a) is 1/2 exp(-a P(a)); the polynomial was fitted on [0, 9] so that both Phi and x Phi(x)
// are off by less than 2.1e-8 before rounding. The tail keeps its relative precision where 1 + erf(x) would cancel.
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
//#end

fn f(x: f32) -> f32 {
//#if AFFINE
  return fma(dims.alpha, x, dims.beta);
//#end
//#if EXP
  return exp(x);
//#end
//#if LOG
  return log(x);
//#end
//#if SQRT
  return sqrt(x);
//#end
//#if SQUARE
  return x * x;
//#end
//#if ABS
  return abs(x);
//#end
//#if SIGN
  return sign(x);
//#end
//#if SIGMOID
  return sigmoid(x);
//#end
//#if RECIPROCAL
  return 1.0 / x;
//#end
//#if QUICK_GELU
  return x * sigmoid(1.702 * x);
//#end
//#if GELU
  return x * normal(x);
//#end
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let stride = groups.x * groups.y * 64u;
  for (var i = id.x + id.y * (groups.x * 64u); i < dims.count; i += stride) {
    y[i] = f(x[i]);
  }
}
