// y[i] = alpha * x[(i / div) % wrap]: repeats a vector along leading and trailing dimensions.
//
// Constants: GAP repeats x along a dimension within its own too: x is [wrap / low, low], and y [outer, wrap / low, gap, low, div].
// Bindings:  0 Dims {count, div, wrap, alpha, low, span}, span = gap low, the last two for GAP; 1 x [wrap]; 2 y [outer, wrap, div], count elements.
// Layout:    workgroup 64, a grid of any size folded over x and y; its threads stride over the elements.
// Bounds:    the stride ends at count.

struct Dims { count: u32, div: u32, wrap: u32, alpha: f32, low: u32, span: u32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn element(i: u32) {
  // As in zip.wgsl: mostly one division, not two.
  var j = i;
  if (dims.div > 1u) { j /= dims.div; }
//#if GAP
  y[i] = dims.alpha * x[(j / dims.span * dims.low) % dims.wrap + j % dims.low];
//#else
  y[i] = dims.alpha * x[j % dims.wrap];
//#end
}

//#include elements
