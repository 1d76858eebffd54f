// Lays the square patches of images out as rows, so that a convolution with stride = kernel becomes a matmul.
//
// Bindings: 0 Dims {count, channels, height, width, side}; 1 x [batch, channels, height, width];
//           2 y [batch (height / side) (width / side), channels side side]; count elements. Columns run over (channel, row, column), as
//           those of a convolution's weight do; rows run over (image, patch row, patch column).
// Layout:   one element of y a thread, workgroup 64, the grid folded over x and y.
// Bounds:   threads past count return; side divides height and width.

struct Dims { count: u32, channels: u32, height: u32, width: u32, side: u32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let e = id.x + id.y * (groups.x * 64u);
  if (e >= dims.count) { return; }
  let side = dims.side;
  let across = dims.width / side;
  let down = dims.height / side;

  // e as [image, patch row, patch column, channel, row in the patch, column in the patch], from the back.
  let px = e % side;
  let py = (e / side) % side;
  let plane = e / (side * side);
  let channel = plane % dims.channels;
  let tile = plane / dims.channels;
  let gx = tile % across;
  let gy = (tile / across) % down;
  let image = tile / (across * down);

  let row = gy * side + py;
  let column = gx * side + px;
  y[e] = x[((image * dims.channels + channel) * dims.height + row) * dims.width + column];
}
