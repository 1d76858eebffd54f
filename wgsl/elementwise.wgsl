// y = f(x0, x1, ...), element by element, for an expression f of up to six operands, with up to two results.
//
// Constants: BUFFERS declares the operands and results that there are, and STEPS is the body of f: src/kernels/elementwise.ts writes both.
//            ACROSS says that an operand is broadcast over a gap, HALF that one of them, or a result, is stored as f16.
// Bindings:  0 Dims {count, first, zero, k0 .. k7, div, wrap, low and span of each operand}, zero = 0, with the numbers k of the expression;
//            1 .. 6 the operands, each like the results or [wrap], broadcast to [outer, wrap, div] or, over a gap, from [wrap / low, low] to
//            [outer, wrap / low, gap, low, div], span = gap low; 7, 8 the results, count elements: those from the element `first` on.
//            A result may overwrite an operand of its own type that is like it; this operand has no other binding.
// Layout:    workgroup 64, a grid of any size folded over x and y; its threads stride over the elements.
// Bounds:    the stride ends at count.

//#if HALF
enable f16;
//#end

struct Dims {
  count: u32, first: u32, zero: u32,
  k0: f32, k1: f32, k2: f32, k3: f32, k4: f32, k5: f32, k6: f32, k7: f32,
  div0: u32, wrap0: u32, low0: u32, span0: u32,
  div1: u32, wrap1: u32, low1: u32, span1: u32,
  div2: u32, wrap2: u32, low2: u32, span2: u32,
  div3: u32, wrap3: u32, low3: u32, span3: u32,
  div4: u32, wrap4: u32, low4: u32, span4: u32,
  div5: u32, wrap5: u32, low5: u32, span5: u32,
}

@group(0) @binding(0) var<uniform> dims: Dims;
{{BUFFERS}}

alias Real = f32;
//#include activations

//#include kept

//#if ACROSS
// The element of [wrap / low, low] that element j of [outer, wrap / low, gap, low] meets.
fn across(j: u32, wrap: u32, low: u32, span: u32) -> u32 { return (j / span * low) % wrap + j % low; }
//#end

fn element(i: u32) {
{{STEPS}}
}

//#include elements
