// Activations and what their gradients need, which `//#include activations` brings in, for the type that the kernel calls Real: f32 or vec4f.

// e^-|x| never overflows, whatever the sign of x.
fn sigmoid(x: Real) -> Real {
  let e = exp(-abs(x));
  return select(Real(1.0), e, x < Real(0.0)) / (1.0 + e);
}

// The normal distribution function. The tail Phi(-a) is 1/2 exp(-a P(a)); the polynomial was fitted on [0, 9] so that both Phi and x Phi(x)
// are off by less than 2.1e-8 before rounding. The tail keeps its relative precision where 1 + erf(x) would cancel.
fn normal(x: Real) -> Real {
  let a = min(abs(x), Real(16.0));
  var p = Real(1.6340808e-6);
  p = fma(p, a, Real(-2.3496475e-5));
  p = fma(p, a, Real(1.11887573e-4));
  p = fma(p, a, Real(1.33959518e-4));
  p = fma(p, a, Real(-4.94337827e-3));
  p = fma(p, a, Real(3.64174470e-2));
  p = fma(p, a, Real(0.318290174));
  p = fma(p, a, Real(0.797886133));
  let tail = 0.5 * exp(-a * p);
  return select(1.0 - tail, tail, x < Real(0.0));
}

// Its density, e^(-x^2 / 2) / sqrt(2 pi).
fn density(x: Real) -> Real {
  let a = min(abs(x), Real(16.0));
  return 0.39894228 * exp(-0.5 * a * a);
}

// The activation of OpenAI's CLIP.
fn quickGelu(x: Real) -> Real { return x * sigmoid(1.702 * x); }

// Its gradient, for the gradient dy of its value.
fn quickGeluGrad(x: Real, dy: Real) -> Real {
  let s = sigmoid(1.702 * x);
  return dy * s * fma(1.702 * x, 1.0 - s, Real(1.0));
}

// The exact gelu, x Phi(x), and its derivative.
fn gelu(x: Real) -> Real { return x * normal(x); }
fn geluSlope(x: Real) -> Real { return fma(x, density(x), normal(x)); }

// x sigmoid(x), and its derivative.
fn silu(x: Real) -> Real { return x * sigmoid(x); }
fn siluSlope(x: Real) -> Real {
  let s = sigmoid(x);
  return s * fma(x, 1.0 - s, Real(1.0));
}
