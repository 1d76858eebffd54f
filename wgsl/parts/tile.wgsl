// The tile of a workgroup in a product, which `//#include tile` brings into `main` behind `product`: the matrix z that it is of, where it begins in
// C, the terms of its sums, and where the matrices begin in memory. A workgroup past the last tile returns. With SPLIT it has a part of the
// terms alone.
  let tileNumber = group.x + group.y * groups.x;
  let tilesAcross = (dims.n + cols - 1u) / cols;
  let tiles = tilesAcross * ((dims.m + rows - 1u) / rows);
//#if SPLIT
  let part = tileNumber / tiles / dims.batch;
  let z = tileNumber / tiles % dims.batch;
  let begin = part * dims.part;
  if (begin >= dims.k) { return; }
  let end = min(begin + dims.part, dims.k);
//#else
  let z = tileNumber / tiles;
  if (z >= dims.batch) { return; }
  const begin = 0u;
  let end = dims.k;
//#end
  let row0 = (tileNumber % tiles) / tilesAcross * rows;
  let col0 = (tileNumber % tilesAcross) * cols;
  let outer = z / dims.heads;
  let head = z % dims.heads;
  let aBase = outer * dims.aOuter + head * dims.aHead;
  let bBase = outer * dims.bOuter + head / dims.share * dims.bHead;
  let cBase = outer * dims.cOuter + head * dims.cHead;
