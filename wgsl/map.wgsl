// y[i] = f(x[i]), where one constant names f.
//
//   AFFINE      alpha x + beta        QUICK_GELU  x sigmoid(1.702 x), the activation of OpenAI's CLIP
//   EXP         e^x                   GELU        x Phi(x), the exact form
//   LOG         natural logarithm     SIGMOID     1 / (1 + e^-x)
//   SQRT  SQUARE  ABS  SIGN           RECIPROCAL  1 / x
//                                     SILU        x sigmoid(x)
//
// Bindings: 0 Dims {count, alpha, beta}; 1 x [count]; 2 y [count].
// Layout:   workgroup 64, a grid of any size folded over x and y; its threads stride over the elements.
// Bounds:   the stride ends at count.

struct Dims { count: u32, alpha: f32, beta: f32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

alias Real = f32;
//#include activations

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
  return quickGelu(x);
//#end
//#if SILU
  return silu(x);
//#end
//#if GELU
  return gelu(x);
//#end
}

fn element(i: u32) { y[i] = f(x[i]); }

//#include elements
