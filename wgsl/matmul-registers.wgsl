// C[z] = f(scale op(A[z]) op(B[z]) + P op(Q) + bias), in registers, without workgroup memory.
//
// One operand is "left": its rows are shared by all lanes of a workgroup. The other is "right": its columns are spread over the lanes.
// Left is A, or B with SWAP, which suits a product with few columns. A tile is ROWS by COLS * LANES; a lane keeps ROWS by COLS sums, four
// rows in a vec4. With BROADCAST a workgroup is one subgroup, each lane loads its share of left and the others get it by a broadcast;
// without, each lane loads all of it.
//
//   TA TB              A is stored [k, m] and not [m, k]; B is stored [n, k] and not [k, n]
//   BIAS               + bias[n]
//   LOW_RANK           + P op(Q), for one matrix only; Q is stored as B is, with r in the place of k
//   EPILOGUE SECOND    f, an expression of a sum and of other tensors, and its second value: parts/epilogue.wgsl
//   ADD                C += instead of C =
//   LEFT RIGHT C       what an operand is stored as: f32 or vec4f, f16 or vec4h; HALF where one of them is f16. Sums are f32
//   LEFT_VEC4 RIGHT_VEC4   it is read by four: its strides are then multiples of 4, and so is the extent that it is stored along
//   LEFT_BY_K          stored with k as its rows, so that a vec4f holds four rows of one k (LEFT_ACROSS), not four k of one row; so RIGHT_*
//   TAIL               k is no multiple of 4
//   ROWS COLS LANES    the tile; QUADS = ROWS / 4; SLOTS = vectors of left that a lane loads
//
// Bindings: 0 Dims; 1 A [batch, m, k]; 2 B [batch, k, n]; 3 C [batch, m, n]; 4 bias [n]; 5 P [m, r]; 6 Q [r, n];
//           7 a second result like C; 8 to 10 what the epilogue reads; absent where not asked for.
// Layout:   ld* are strides between stored rows, *Outer and *Head between matrices z = outer * heads + head; B's is that of head / share. A
//           workgroup is one tile of one matrix; the grid is folded over x and y, tiles along right first (parts/registers.wgsl). A sum runs
//           over k, then over r, with one accumulator.
// Bounds:   a row or column past the edge reads the last one instead, and is not written; k is cut exactly.

//#if HALF
enable f16;

//#end
//#if BROADCAST
enable subgroups;

//#end
//#include product

//#include epilogue

//#include registers
