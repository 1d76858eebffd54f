// y[i] = x[i], from f16 to f32, which is exact. Needs no feature: two f16 lie in one word, the first in its low bits.
//
// Bindings: 0 Dims {count}; 1 x f16[count], read as u32[ceil(count / 2)]; 2 y [count].
// Layout:   workgroup 64, a grid of any size folded over x and y; its threads stride over the elements.
// Bounds:   the stride ends at count; the last word of an odd count is half read.

struct Dims { count: u32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn element(i: u32) {
  let pair = unpack2x16float(x[i / 2u]);
  y[i] = select(pair.x, pair.y, i % 2u == 1u);
}

//#include elements
