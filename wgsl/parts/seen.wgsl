// The keys that a query sees, which `//#include seen` brings in for the rows of an attention map [batch, heads, queries, keys]: those from
// `begin` on, before `end`. Row r is the query r % queries of the sample r / share. The kernel has width, queries and share in its Dims.
//#if STARTS
@group(0) @binding(4) var<storage, read> starts: array<u32>;
//#end
//#if AT
@group(0) @binding(5) var<storage, read> at: array<u32>;
//#end

struct Seen { begin: u32, end: u32 }

fn seen(row: u32) -> Seen {
  var end = dims.width;
//#if CAUSAL
  end = row % dims.queries + 1u;
//#if AT
  end += at[0];
//#end
  end = min(end, dims.width);
//#end
  var begin = 0u;
//#if STARTS
  begin = min(starts[row / dims.share], end);
//#end
  return Seen(begin, end);
}
