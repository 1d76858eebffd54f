// What happens to a sum of a matrix product, scale op(A) op(B) + P op(Q), before it is stored, which `//#include epilogue` brings in after
// `product`. Every element is taken by itself: all kernels of products, however they keep their sums, give it the same bits.
//
//   BIAS         + bias[n]
//   EPILOGUE     an expression of that: STEPS are its lines, EXTRAS declares the tensors that it reads, VALUE is what is stored
//   SECOND       the expression has a second value, SECOND_VALUE, which goes to a tensor like C
//   ADD          C += instead of C =
//   C            what is stored, f32 or f16
alias Real = f32;
//#if BIAS
@group(0) @binding(4) var<storage, read> bias: array<f32>;
//#end
//#if SECOND
@group(0) @binding({{SECOND_AT}}) var<storage, read_write> other: array<f32>;
//#end
//#if EPILOGUE
{{EXTRAS}}

//#include activations

//#include kept

//#end
//#if SECOND
alias Finished = vec2f;
//#else
alias Finished = f32;
//#end

// What is stored of a sum. `row` and `column` are its place in a matrix of C, `at` is its place in the binding; all lie inside.
fn finished(sum: f32, row: u32, column: u32, at: u32) -> Finished {
  var value = sum;
//#if BIAS
  value += bias[column];
//#end
//#if EPILOGUE
  value = kept(value);
{{STEPS}}
//#if SECOND
  return vec2f({{VALUE}}, {{SECOND_VALUE}});
//#else
  return {{VALUE}};
//#end
//#else
  return value;
//#end
}

fn store(at: u32, done: Finished) {
//#if SECOND
  let value = done.x;
  other[at] = done.y;
//#else
  let value = done;
//#end
//#if ADD
  c[at] = {{C}}(f32(c[at]) + value);
//#else
  c[at] = {{C}}(value);
//#end
}
