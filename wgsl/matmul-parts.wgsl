// C[z] = f(sum of the parts of scale op(A[z]) op(B[z]) + P op(Q) + bias): what a product that was split along k still needs. The parts are added in
// their order, whatever kernel computed them.
//
// Constants: those of parts/epilogue.wgsl; HALF where C is f16.
// Bindings:  0 Dims, those of the product; 1 parts, laid out as parts/split.wgsl says; 3 C [batch, m, n]; 4 bias [n];
//            7 a second result like C; 8 to 10 what the epilogue reads; absent where not asked for.
// Layout:    workgroup 64, a grid of any size folded over x and y; its threads stride over the elements of C.
// Bounds:    the stride ends at the last element.

//#if HALF
enable f16;

//#end
//#include product

//#include epilogue

//#include split

@group(0) @binding(1) var<storage, read> parts: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let count = dims.batch * dims.m * dims.n;
  let stride = groups.x * groups.y * 64u;
  for (var i = id.x + id.y * (groups.x * 64u); i < count; i += stride) {
    var sum = parts[placeOfPart(i, 0u)];
    for (var part = 1u; part < partsOfSum(); part++) { sum += parts[placeOfPart(i, part)]; }
    let column = i % dims.n;
    let row = i / dims.n % dims.m;
    let z = i / dims.n / dims.m;
    let at = z / dims.heads * dims.cOuter + z % dims.heads * dims.cHead + row * dims.ldc + column;
    store(at, finished(sum, row, column, at));
  }
}
