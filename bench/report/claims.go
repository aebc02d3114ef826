package report

// A claim is a line of the ledger: what the slides of K. Waehner, "Kappa vs. Lambda Architecture"
// (2021), state, what follows if it is so, and who says otherwise. A claim may lose.
type claim struct {
	Scenario  string // that has to measure it
	Claim     string
	Predicted string
	Against   string
	measure   measure // nil until the scenario exists
}

var claims = []claim{
	{
		"freshness", "Real-time answers in ms, batch answers in minutes or hours (slides 7, 8, 10)",
		"merged Lambda is as fresh as Kappa, batch-only is not",
		"Shopify: latency \"is actually not the main goal\"", sameFreshness,
	},
	{
		"settled", "Better data quality, no mismatches (18)", "both 100 % right",
		"Sanla: Kappa about 9 % less accurate (their Kappa had no replay)", bothRight,
	},
	{
		"code", "Simplicity, one code base (18)", "Kappa about half (LinkedIn: double effort)",
		"Kreps: even when written once, two systems stay to be run", halfTheCode,
	},
	{
		"always-on", "Kappa reprocesses only when code changes (Kreps)", "Lambda pays all the time",
		"Kreps: efficiency \"somewhat of a wash\"", lambdaPays,
	},
	{
		"late", "Late data is solved by state and replay (12)", "the stream drops what is late, batch repairs (Uber)",
		"Twitter: more than 95 % equal, and batch dropped late events", nil,
	},
	{"duplicates", "Exactly-once (12)", "near exactly-once by de-duplication (Twitter)", "the horizon is finite", nil},
	{"crash", "Consistency and fault tolerance (12)", "Kappa loses nothing (Twitter); speed view wrong until batch repairs it", "", nil},
	{"outage", "Replay after an outage (25)", "nothing lost", "retention shorter than the outage loses data", nil},
	{
		"bugfix", "Reprocessing by replay (12, 18 to 20)", "replay with more parallelism is \"very, very fast\" (Kreps)",
		"LinkedIn: backfill as a stream 7 h, as batch 25 min; Uber: a full re-publish overwhelms Kafka", nil,
	},
	{"one-sided", "Two code bases drift (9)", "a visible mismatch", "Summingbird, Beam: one code base with two runtimes exists", nil},
	{"boundary", "Windows across the batch boundary (Uber)", "Lambda wrong at the seam", "a careful hand-over has no seam", nil},
	{"order", "Replay with guaranteed order (12)", "identical if order is kept", "Uber, Netflix: another order breaks watermarks", nil},
	{
		"retention", "Store data long-term in Kafka (12, 19 to 24)", "tiered storage makes it natural",
		"Netflix: 93 M$ a year for 30 days; KIP-405: not for compacted topics", nil,
	},
	{"ceiling", "Throughput (17)", "Kappa higher (Twitter)", "other engines, other hardware", nil},
	{"deadline", "Quality of service (Persico)", "Lambda outperforms Kappa for its problem class", "", nil},
	{
		"batch-app", "One pipeline for real-time and batch consumers (10)", "one pipeline suffices",
		"the published demo documents a data-lake sink of its own", nil,
	},
	{"new-view", "A new use case is a new consumer (18)", "just connect a consumer", "remote reads cost the broker page cache and I/O", nil},
	{"time-travel", "All events from time A to time B (20)", "", "columns prune better than a row log (Netflix)", nil},
	{"schema", "Schema changes (20)", "", "", nil},
	{"model", "Training from the log, no extra store (26 to 28)", "no data lake needed", "every epoch re-reads the stream", nil},
	{"poison", "Data quality", "nothing lost, nothing closed early", "", nil},
	{"spike", "Elasticity (14)", "", "OSPBench: 55 to 119 s to drain on four engines, with different outputs", nil},
	{"scale-out", "Scalability (14)", "linear with partitions", "Vogel 2024: Kafka Streams unstable after rebalances", nil},
}

// partOfDisturbed are scenarios whose mechanics `disturbed` exercises: it shows that answers stay
// right, not how much anything costs, so it settles no claim.
var partOfDisturbed = []string{"late", "duplicates", "crash", "boundary", "poison"}
