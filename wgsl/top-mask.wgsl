// y = 1 at the k largest elements of every row of x, 0 elsewhere; of equal elements those with the lowest indices come first.
//
// An element lives where fewer than k others of its row rank before it: all of a row's ranks cost width^2 comparisons, meant for rows of
// some hundred elements at most. Values are compared as whole numbers that are ordered as they are, so that no adapter's handling of NaN
// or of numbers below the normal ones matters: -0 equals 0, and every NaN counts as one number above infinity.
//
// Bindings: 0 Dims {count, width, k}; 1 x f32[count / width, width], read as its bits; 2 y [count / width, width].
// Layout:   workgroup 64, a grid of any size folded over x and y; its threads stride over the elements.
// Bounds:   the stride ends at count.

struct Dims { count: u32, width: u32, k: u32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

// A whole number that is larger for a larger float.
fn ordered(bits: u32) -> u32 {
  let magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) { return 0xffffffffu; }
  return select(0x80000000u + magnitude, 0x80000000u - magnitude, bits > 0x80000000u);
}

fn element(i: u32) {
  let first = i - i % dims.width;
  let own = ordered(x[i]);
  var before = 0u;
  for (var j = first; j < first + dims.width; j += 1u) {
    let other = ordered(x[j]);
    if (other > own || (other == own && j < i)) { before += 1u; }
  }
  y[i] = select(0.0, 1.0, before < dims.k);
}

//#include elements
