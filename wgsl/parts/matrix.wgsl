// Matrices that a subgroup holds together, which `//#include matrix` brings in: op(A)'s [mm, mk] and op(B)'s [mk, mn], read from f16 in `tile`,
// and sums [mm, mn] in f32. The kernel defines `tile`, `sums`, aStride and bStride. With EMULATED the lanes do by themselves what the units of a
// GPU do, so that an adapter without such units runs the kernel's tiles, edges and epilogue: a matrix is then the place where it begins, and is
// read where it is multiplied; a lane keeps every lanes-th sum.
const mm = {{MM}}u;
const mn = {{MN}}u;
const mk = {{MK}}u;
const lanes = {{LANES}}u;
//#if EMULATED
const perLane = mm * mn / lanes;
alias Left = u32;
alias Right = u32;
alias Sums = u32;

// Set by the kernel: the lane, and mk. A compiler that knew the latter would unroll all loops, which takes it minutes.
var<private> lane: u32;
var<private> terms: u32;
var<private> held: array<f32, {{DOWN}}u * {{ACROSS}}u * 2u * perLane>;

fn leftAt(at: u32) -> Left { return at; }
fn rightAt(at: u32) -> Right { return at; }
fn zeros(number: u32) -> Sums { return number * perLane; }

fn multiplied(left: Left, right: Right, sum: Sums) -> Sums {
  for (var e = 0u; e < perLane * min(terms, 1u); e++) {
    let i = (e * lanes + lane) / mn;
    let j = (e * lanes + lane) % mn;
    for (var t = 0u; t < terms; t++) {
//#if TA
      let x = tile[left + t * aStride + i];
//#else
      let x = tile[left + i * aStride + t];
//#end
//#if TB
      let y = tile[right + j * bStride + t];
//#else
      let y = tile[right + t * bStride + j];
//#end
      held[sum + e] = fma(f32(x), f32(y), held[sum + e]);
    }
  }
  return sum;
}

fn scaled(sum: Sums, factor: f32) -> Sums {
  for (var e = 0u; e < perLane * min(terms, 1u); e++) { held[sum + e] *= factor; }
  return sum;
}

fn put(at: u32, sum: Sums) {
  for (var e = 0u; e < perLane * min(terms, 1u); e++) { sums[at + e * lanes + lane] = held[sum + e]; }
}
//#else
alias Left = subgroup_matrix_left<f16, mk, mm>;
alias Right = subgroup_matrix_right<f16, mn, mk>;
alias Sums = subgroup_matrix_result<f32, mn, mm>;

//#if TA
fn leftAt(at: u32) -> Left { return subgroupMatrixLoad<Left, col_major>(&tile, at, aStride); }
//#else
fn leftAt(at: u32) -> Left { return subgroupMatrixLoad<Left, row_major>(&tile, at, aStride); }
//#end
//#if TB
fn rightAt(at: u32) -> Right { return subgroupMatrixLoad<Right, col_major>(&tile, at, bStride); }
//#else
fn rightAt(at: u32) -> Right { return subgroupMatrixLoad<Right, row_major>(&tile, at, bStride); }
//#end

// Sums that are zero; those of a lane have different numbers, which the emulation knows them by.
fn zeros(number: u32) -> Sums { return Sums(); }
fn multiplied(left: Left, right: Right, sum: Sums) -> Sums { return subgroupMatrixMultiplyAccumulate(left, right, sum); }
fn scaled(sum: Sums, factor: f32) -> Sums { return subgroupMatrixScalarMultiply(sum, factor); }
fn put(at: u32, sum: Sums) { subgroupMatrixStore<row_major>(&sums, at, sum, mn); }
//#end
