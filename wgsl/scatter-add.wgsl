// out[r] = the sum of dy[i] over all i with index[i] = r: the gradient of gather.wgsl. Every chain of equal indices (links.wgsl) is summed
// by the thread of its head, in ascending order; so there are no atomics, and the bits are the same every time. Rows that no index
// names are left alone: out is zero-filled before.
//
// Bindings: 0 Dims {count, width, first, rows}; 1 dy [n, width], count = n width; 2 index u32 [n]; 3 next u32 [n];
//           4 out [rows, width], the rows first .. first + rows - 1 of the whole table.
// Layout:   workgroup 64, a grid of any size folded over x and y; its threads stride over the elements of dy.
// Bounds:   the stride ends at count; an index outside of the window writes nothing.

struct Dims { count: u32, width: u32, first: u32, rows: u32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> index: array<u32>;
@group(0) @binding(3) var<storage, read> next: array<u32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

fn element(e: u32) {
  let width = dims.width;
  let i = e / width;
  let column = e - i * width;
  let row = index[i];
  let isHead = (next[i] & 0x80000000u) == 0u;
  if (!isHead || row < dims.first || row - dims.first >= dims.rows) { return; }
  var sum = 0.0;
  let n = dims.count / width;
  for (var j = i; j < n; j = next[j] & 0x7fffffffu) { sum += dy[j * width + column]; }
  out[(row - dims.first) * width + column] = sum;
}

//#include elements
