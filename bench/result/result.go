// Package result is what a run of the benchmark leaves in summary.json: the nouns of the report.
// The driver fills it, the report draws it, results/schema.json documents it.
//
// A figure that was not measured is absent (nil), never 0.
package result

import "lambdakappa/view"

// SchemaVersion is raised when a name or a meaning changes.
const SchemaVersion = 2

// Summary is one invocation of the benchmark.
type Summary struct {
	SchemaVersion int                 `json:"schema_version"`
	Command       string              `json:"command"` // reproduces the run
	Started       string              `json:"started"` // 20261122T233000Z
	Seconds       float64             `json:"seconds"`
	Profile       string              `json:"profile"` // quick or full
	Seed          uint64              `json:"seed"`
	Revision      string              `json:"revision"` // of the source; "+dirty" when it had changes
	Machine       Machine             `json:"machine"`
	Broker        Broker              `json:"broker"`
	Settings      Settings            `json:"settings"`
	Scenarios     []Scenario          `json:"scenarios"` // the ledger: every claim and its verdict
	Runs          []Run               `json:"runs"`
	CodeSize      map[string]CodeSize `json:"code_size,omitempty"` // lambda, lambda-shared, kappa, kappa-archived, shared
	RawLimits     *RawLimits          `json:"raw_limits,omitempty"`
	Interrupted   bool                `json:"interrupted,omitempty"` // it did not come to its end: what was measured until then
}

// OK reports whether every run that was finished has right answers.
func (s *Summary) OK() bool {
	for i := range s.Runs {
		if !s.Runs[i].OK {
			return false
		}
	}
	return true
}

// Machine is where it ran.
type Machine struct {
	OS        string `json:"os"`
	Arch      string `json:"arch"`
	CPU       string `json:"cpu"`
	Cores     int    `json:"cores"`
	MemBytes  uint64 `json:"mem_bytes"`
	GoVersion string `json:"go_version"`
	Kernel    string `json:"kernel"`
}

// Broker is which log was used. Kind is "embedded" or "kafka".
type Broker struct {
	Kind    string `json:"kind"`
	Version string `json:"version"`
}

// Settings are equal for both sides.
type Settings struct {
	Partitions   int     `json:"partitions"`
	WindowMs     int64   `json:"window_ms"`
	DisorderMs   int64   `json:"disorder_bound_ms"`
	LatenessMs   int64   `json:"allowed_lateness_ms"`
	FutureSkewMs int64   `json:"max_future_skew_ms"`
	LingerMs     float64 `json:"linger_ms"`
	GOGC         string  `json:"gogc"`
	GOMEMLIMIT   string  `json:"gomemlimit"`
}

// Run is one execution of one scenario by one arm.
type Run struct {
	Scenario   string `json:"scenario"`
	Arm        string `json:"arm"`   // lambda, kappa, both or control
	Phase      string `json:"phase"` // batch, log_to_served, replay or empty
	Repetition int    `json:"repetition"`
	Seed       uint64 `json:"seed"`
	Window     string `json:"window,omitempty"`   // when it differs from the settings
	Input      string `json:"input,omitempty"`    // csv:FILE for recorded input
	Events     int64  `json:"events"`             // entries of the input log
	OK         bool   `json:"ok"`                 // every answer was right and nothing was lost
	Void       string `json:"void,omitempty"`     // why there are no figures (the machine was too slow)
	Error      string `json:"error,omitempty"`    // why it is not OK, in one sentence
	Attempts   int    `json:"attempts,omitempty"` // how often it was begun, when that is more than once: it was void before

	Mistake      string     `json:"mistake,omitempty"`      // made on purpose: wrong answers are what is measured
	Unmeasurable string     `json:"unmeasurable,omitempty"` // why this machine cannot measure it
	Parameter    *Parameter `json:"parameter,omitempty"`    // that a sweep has varied
	Workload     *Workload  `json:"workload,omitempty"`     // its size

	Correctness Correctness `json:"correctness"`
	Checks      []Check     `json:"checks,omitempty"` // every comparison of the run, by name

	LatencyMs       *Latencies   `json:"latency_ms,omitempty"`
	FreshnessMs     *Quantiles   `json:"freshness_ms,omitempty"` // of the arm's default layer
	FreshnessLayers []LayerFresh `json:"freshness_layers,omitempty"`
	EventsPerSecond float64      `json:"events_per_second,omitempty"`
	Seconds         float64      `json:"seconds,omitempty"`
	SentBy          float64      `json:"sent_by_seconds,omitempty"` // of the run: all events were sent by then, as a Mark's time
	Figures         []Figure     `json:"figures,omitempty"`         // what only its scenario measures
	Cost            *Cost        `json:"cost,omitempty"`
	Components      []Component  `json:"components,omitempty"`
	Series          []Series     `json:"series,omitempty"` // what the plots over time show
	Marks           []Mark       `json:"marks,omitempty"`  // batch cycles, kills: bands and lines in the plots
	RestoreMs       *float64     `json:"restore_ms,omitempty"`
	Dir             string       `json:"dir,omitempty"` // views of this run, relative to the results folder
	Notes           []string     `json:"notes,omitempty"`
}

// Correctness is the final comparison of the complete views with the truth.
type Correctness struct {
	Windows view.Diff `json:"windows"`
	Alerts  view.Diff `json:"alerts"`
	Trips   view.Diff `json:"trips"` // nothing was expected when they are not kept
}

// Check is one comparison: a view, the counters or a side topic, at a named moment of the run.
type Check struct {
	Name   string `json:"name"` // e.g. "between batches", "after the covering batch", "counters", "late topic"
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"`
	// Answers says that rows were compared. Other checks are of how the run went: a claim about answers does not lose by them.
	Answers bool `json:"answers,omitempty"`
	// OnPurpose says that the run's mistake is why it was not equal: that is no failure.
	OnPurpose bool `json:"on_purpose,omitempty"`
}

// MistakeShows is the name of the check that a mistake which was made on purpose has been seen.
const MistakeShows = "the mistake shows"

// Failed reports whether the comparison speaks against its run.
func (c Check) Failed() bool { return !c.OK && !c.OnPurpose }

// Latencies by question. Milliseconds from the intended moment.
type Latencies struct {
	Visible Quantiles  `json:"visible"`         // intended send to a query that answers with the event in it
	Query   Quantiles  `json:"query"`           // intended start of a point query to its answer
	Alert   *Quantiles `json:"alert,omitempty"` // intended send to alert row readable
}

// Quantiles of a histogram. A percentile without enough samples behind it (10/(1-p)) is nil.
type Quantiles struct {
	Count    int64        `json:"count"`
	P50      *float64     `json:"p50"`
	P90      *float64     `json:"p90"`
	P99      *float64     `json:"p99"`
	P999     *float64     `json:"p999"`
	Max      *float64     `json:"max"`
	Spectrum [][2]float64 `json:"spectrum,omitempty"` // (percentile 0..100, ms), for the plot
}

// LayerFresh is the freshness of one layer's answers.
type LayerFresh struct {
	Layer string `json:"layer"` // merged, batch, speed
	Quantiles
}

// Cost of a run, less the control run where Control says so.
type Cost struct {
	CPUSecondsPerMillionEvents float64       `json:"cpu_seconds_per_million_events"`
	PeakRSSBytes               int64         `json:"peak_rss_bytes"` // sum of the components' own peaks
	BytesPerEvent              BytesPerEvent `json:"bytes_per_event"`
	LessControl                bool          `json:"less_control"`
}

// BytesPerEvent on disk at the end of the run.
type BytesPerEvent struct {
	Log    float64 `json:"log"`
	Master float64 `json:"master"`
	Views  float64 `json:"views"` // batch and speed views, changelog
}

// Component is one operating-system process (with its restarts).
type Component struct {
	Name         string  `json:"name"` // e.g. "lambda speed"
	CPUSeconds   float64 `json:"cpu_seconds"`
	PeakRSSBytes int64   `json:"peak_rss_bytes"`
	ReadBytes    int64   `json:"read_bytes"`
	WrittenBytes int64   `json:"written_bytes"`
	Starts       int     `json:"starts"`
}

// Series is one line of a plot over time: (seconds since the run began, value).
type Series struct {
	Name   string       `json:"name"` // e.g. "freshness merged"
	Unit   string       `json:"unit"`
	Points [][2]float64 `json:"points"`
}

// Mark is a moment or, with an end, a band of a plot over time. Seconds since the run began.
type Mark struct {
	Name string  `json:"name"` // e.g. "batch 3", "kill kappa process"
	From float64 `json:"from"`
	To   float64 `json:"to,omitempty"`
}

// CodeSize is counted from the Go syntax tree, tests apart.
type CodeSize struct {
	Files               int            `json:"files"`
	Lines               int            `json:"lines"` // lines with tokens: no comments, no blank lines
	Statements          int            `json:"statements"`
	LogicStatements     int            `json:"logic_statements"` // that say what the answer is, all copies
	CognitiveComplexity int            `json:"cognitive_complexity"`
	Functions           int            `json:"functions"`
	ComplexityPerFunc   []int          `json:"complexity_per_function,omitempty"` // sorted
	TestLines           int            `json:"test_lines"`
	Operators           map[string]int `json:"operators,omitempty"` // processes, topics, consumer groups, directories, config fields
	PerFile             []FileSize     `json:"per_file,omitempty"`

	Changes map[string]ChangeCost `json:"changes,omitempty"` // bugfix, metric, field, view
}

// ChangeCost is what one change of the logic has added to a column, tests apart.
type ChangeCost struct {
	Files      int `json:"files"`
	Places     int `json:"places"` // declarations, fields, statements, clauses, elements of lists
	Statements int `json:"statements"`
	Lines      int `json:"lines"`            // from the first to the last of every place
	Duplicated int `json:"duplicated_edits"` // edits that are made in another file of the column as well
}

// FileSize is one file's share.
type FileSize struct {
	File       string `json:"file"`
	Lines      int    `json:"lines"`
	Statements int    `json:"statements"`
	Complexity int    `json:"cognitive_complexity"`
}

// RawLimits are what the machine can do at most, measured in the same run: neither folds anything.
type RawLimits struct {
	FetchDecodeEventsPerSecond float64 `json:"fetch_decode_events_per_second"`
	ColumnReadRowsPerSecond    float64 `json:"column_read_rows_per_second"`
	OracleEventsPerSecond      float64 `json:"oracle_events_per_second"` // the single-threaded program (COST)
}
