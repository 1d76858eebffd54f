// Links equal indices into chains, so that scatter-add.wgsl can sum each chain in order and without atomics.
//
// next[i]: bits 0..30 are the position of the next index equal to index[i], or count if there is none; bit 31 is set if an equal index
// stands before i, which therefore is not the head of its chain.
//
// Bindings: 0 Dims {count}; 1 index u32 [count]; 2 next u32 [count].
// Layout:   workgroup 64, a grid of any size folded over x and y; its threads stride over the positions. Each scans until it
//           finds the neighbours in the chain: quadratic at worst, but a batch of tokens is short and repeats its padding.
// Bounds:   the stride ends at count; count < 2^31.

struct Dims { count: u32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> index: array<u32>;
@group(0) @binding(2) var<storage, read_write> next: array<u32>;

fn element(i: u32) {
  let row = index[i];
  var after = i + 1u;
  while (after < dims.count && index[after] != row) { after += 1u; }
  // One past the position before: 0 says that there is none.
  var before = i;
  while (before > 0u && index[before - 1u] != row) { before -= 1u; }
  next[i] = select(after, after | 0x80000000u, before > 0u);
}

//#include elements
