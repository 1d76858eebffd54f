// Lays the square patches of images out as rows, so that a convolution with stride = kernel becomes a matmul.
//
// Bindings: 0 Dims {count, channels, height, width, side}; 1 x [batch, channels, height, width];
//           2 y [batch (height / side) (width / side), channels side side]; count elements. Columns run over (channel, row, column), as
//           those of a convolution's weight do; rows run over (image, patch row, patch column).
// Layout:   workgroup 64, a grid of any size folded over x and y; its threads stride over the elements of y.
// Bounds:   the stride ends at count; side divides height and width.

struct Dims { count: u32, channels: u32, height: u32, width: u32, side: u32 }

@group(0) @binding(0) var<uniform> dims: Dims;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn element(e: u32) {
  let side = dims.side;
  let across = dims.width / side;
  let down = dims.height / side;

  // e as [image, patch row, patch column, channel, row in the patch, column in the patch], from the back.
  let lines = e / side;
  let planes = lines / side;
  let tiles = planes / dims.channels;
  let bands = tiles / across;
  let image = bands / down;
  let channel = planes - tiles * dims.channels;
  let row = (bands - image * down) * side + (lines - planes * side);
  let column = (tiles - bands * across) * side + (e - lines * side);
  y[e] = x[((image * dims.channels + channel) * dims.height + row) * dims.width + column];
}

//#include elements
