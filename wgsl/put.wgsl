// Puts rows into places of a cache, in place: cache[b, at + i] = x[b, i]. A cache larger than a binding is visited window by window: this window
// holds the rows first .. first + rows - 1 of all b · capacity.
//
// Bindings:  0 Dims {count, width, length, capacity, first, rows}; 1 x [b, length, width]; 2 at u32 [1]; 3 cache [b, capacity, width], updated.
// Layout:    workgroup 64, a grid of any size folded over x and y; its threads stride over the elements of x.
// Bounds:    the stride ends at count; what would lie behind the capacity, or outside of the window, is not written.

struct Dims { count: u32, width: u32, length: u32, capacity: u32, first: u32, rows: u32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> at: array<u32>;
@group(0) @binding(3) var<storage, read_write> cache: array<f32>;

fn element(e: u32) {
  let row = e / dims.width;
  let batch = row / dims.length;
  let place = at[0] + row - batch * dims.length;
  let to = batch * dims.capacity + place;
  if (place < dims.capacity && to >= dims.first && to - dims.first < dims.rows) {
    cache[(to - dims.first) * dims.width + e - row * dims.width] = x[e];
  }
}

//#include elements
