// The keys that a query of a sample sees, of so many that there are, which `//#include seen` brings in for attention: those from `begin` on,
// before `end`.
//#if STARTS
@group(0) @binding(4) var<storage, read> starts: array<u32>;
//#end
//#if AT
@group(0) @binding(5) var<storage, read> at: array<u32>;
//#end

struct Seen { begin: u32, end: u32 }

fn seen(sample: u32, query: u32, keys: u32) -> Seen {
  var end = keys;
//#if CAUSAL
  end = query + 1u;
//#if AT
  end += at[0];
//#end
  end = min(end, keys);
//#end
  var begin = 0u;
//#if STARTS
  begin = min(starts[sample], end);
//#end
  return Seen(begin, end);
}
