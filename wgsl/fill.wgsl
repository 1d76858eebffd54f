// Fills a tensor with one value: out[i] = value.
//
// Bindings: 0 Dims {count, value}; 1 out f32[count], any shape, row-major.
// Layout:   workgroup 64, a grid of any size folded over x and y; its threads stride over the elements.
// Bounds:   the stride ends at count.

struct Dims { count: u32, value: f32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;

fn element(i: u32) { out[i] = dims.value; }

//#include elements
