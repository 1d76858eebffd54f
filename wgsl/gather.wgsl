// out[i] = table[index[i]], row by row. A table larger than a binding is visited window by window: this window holds the rows
// first .. first + rows - 1 of it.
//
// Constants: KEEP leaves the rows of other windows as they are (every visit but the first); else they become 0.
//            HALF reads a table of f16, two in a word, the first in its low bits.
// Bindings:  0 Dims {count, width, first, rows}; 1 table [rows, width]; 2 index u32 [count / width]; 3 out [count / width, width].
// Layout:    workgroup 64, a grid of any size folded over x and y; its threads stride over the elements of out.
// Bounds:    the stride ends at count; an index outside of the window reads nothing.

struct Dims { count: u32, width: u32, first: u32, rows: u32 }

@group(0) @binding(0) var<uniform> dims: Dims;
//#if HALF
@group(0) @binding(1) var<storage, read> table: array<u32>;
//#else
@group(0) @binding(1) var<storage, read> table: array<f32>;
//#end
@group(0) @binding(2) var<storage, read> index: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

fn entry(i: u32) -> f32 {
//#if HALF
  let pair = unpack2x16float(table[i / 2u]);
  return select(pair.x, pair.y, i % 2u == 1u);
//#else
  return table[i];
//#end
}

fn element(e: u32) {
  let i = e / dims.width;
  let column = e - i * dims.width;
  let row = index[i];
  if (row >= dims.first && row - dims.first < dims.rows) {
    out[e] = entry((row - dims.first) * dims.width + column);
  }
//#if !KEEP
  else { out[e] = 0.0; }
//#end
}

//#include elements
