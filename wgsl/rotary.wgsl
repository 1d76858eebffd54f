// Rotary positions (Su et al., 2021), half-split: with x1, x2 the halves of a head and f its frequencies, token i of row b at position p has
//     y1 = x1 cos(p f) - x2 sin(p f),  y2 = x2 cos(p f) + x1 sin(p f),  p = max(0, at + i - starts[b]).
//
// Constants: HALF is half the width of a head, FREQUENCIES its numbers in f32, the same for every head; STARTS and AT say which of these are bound.
// Bindings:  0 Dims {count, tokens, heads, turn}; 1 x [rows, tokens, heads, 2 HALF]; 2 y like x; 3 starts u32 [rows], absent without STARTS: 0;
//            4 at u32 [1], absent without AT: 0. count = rows tokens heads HALF; turn = 1, or -1 for the gradient, which turns back.
// Layout:    workgroup 64, a grid of any size folded over x and y; its threads stride over the pairs (x1, x2).
// Bounds:    the stride ends at count.

struct Dims { count: u32, tokens: u32, heads: u32, turn: f32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
//#if STARTS
@group(0) @binding(3) var<storage, read> starts: array<u32>;
//#end
//#if AT
@group(0) @binding(4) var<storage, read> at: array<u32>;
//#end

const half = {{HALF}}u;
const frequencies = array<f32, {{HALF}}>({{FREQUENCIES}});

// (cos a, sin a) to about 1e-7 for a in [0, 1e5]: WGSL promises less of its own. q pi / 2 is taken from a in parts: three of 8 bits, whose
// products with a q below 2^16 are exact, also where fma rounds them, and the rest. Polynomials on [-pi / 4, pi / 4] (Cephes).
fn circle(a: f32) -> vec2f {
  let q = round(a * 0.63661977);
  let r = fma(-q, 9.92093580e-10, fma(-q, 1.26659870e-6, fma(-q, 4.82559204e-4, fma(-q, 1.5703125, a))));
  let s = r * r;
  let sine = fma(fma(fma(-1.95152959e-4, s, 8.33216087e-3), s, -0.166666546) * s, r, r);
  let cosine = fma(fma(fma(2.44331571e-5, s, -1.38873163e-3), s, 4.16666457e-2), s * s, fma(-0.5, s, 1.0));
  let quarter = u32(q) % 4u;
  let turned = select(vec2f(cosine, sine), vec2f(-sine, cosine), (quarter & 1u) == 1u);
  return select(turned, -turned, quarter >= 2u);
}

fn element(e: u32) {
  let head = e / half;
  let i = e - head * half;
  let row = head / dims.heads;
  let batch = row / dims.tokens;
  var position = i32(row - batch * dims.tokens);
//#if AT
  position += i32(at[0]);
//#end
//#if STARTS
  position = max(position - i32(starts[batch]), 0);
//#end
  let c = circle(f32(position) * frequencies[i]);
  let sine = dims.turn * c.y;
  let first = 2u * head * half + i;
  let x1 = x[first];
  let x2 = x[first + half];
  y[first] = fma(x1, c.x, -x2 * sine);
  y[first + half] = fma(x2, c.x, x1 * sine);
}

//#include elements
