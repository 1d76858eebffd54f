// What happens to a sum of a matrix product, scale op(A) op(B) + P op(Q), before it is stored, which `//#include epilogue` brings in after
// `product`. Every element is taken by itself: all kernels of products, however they keep their sums, give it the same bits.
//
//   BIAS         + bias[n]
//   ACTIVATION   f, one of QUICK_GELU and GELU
//   ADD          C += instead of C =
//   C            what is stored, f32 or f16
alias Real = f32;
//#if BIAS
@group(0) @binding(4) var<storage, read> bias: array<f32>;
//#end
//#if ACTIVATION
//#include activations

//#end
// What is stored of a sum. `row` and `column` are its place in a matrix of C, `at` is its place in the binding; all lie inside.
fn finished(sum: f32, row: u32, column: u32, at: u32) -> f32 {
  var value = sum;
//#if BIAS
  value += bias[column];
//#end
//#if QUICK_GELU
  value = quickGelu(value);
//#end
//#if GELU
  value = gelu(value);
//#end
  return value;
}

fn store(at: u32, value: f32) {
//#if ADD
  c[at] = {{C}}(f32(c[at]) + value);
//#else
  c[at] = {{C}}(value);
//#end
}
