package result

// Scenario is one line of the ledger: a question, the claim that it puts to the test, and what the
// runs say about it.
type Scenario struct {
	Name      string      `json:"name"`
	Question  string      `json:"question"`
	Sentence  string      `json:"sentence"`
	Claim     string      `json:"claim,omitempty"`
	Slides    []int       `json:"slides,omitempty"`
	Sources   []string    `json:"sources,omitempty"`
	Predicted string      `json:"predicted,omitempty"`
	Against   string      `json:"against,omitempty"`
	Published []Published `json:"published,omitempty"`
	Parts     []string    `json:"parts,omitempty"`     // of the architectures that it is about
	Reading   string      `json:"reading,omitempty"`   // how to read its figures
	Surprises string      `json:"surprises,omitempty"` // what surprises in the reference run's
	Caution   string      `json:"caution,omitempty"`   // what they do not say
	Headline  []string    `json:"headline,omitempty"`  // figures for the verdict table
	Figures   []string    `json:"figures,omitempty"`   // that were to be measured

	// Verdict is supports, contradicts, no difference, undecided, not measurable here, not run yet or
	// not in this run; empty for a scenario without a claim. Lean is what the medians alone would say.
	Verdict   string     `json:"verdict,omitempty"`
	Lean      string     `json:"lean,omitempty"`
	Why       string     `json:"why,omitempty"`
	Rulings   []Ruling   `json:"rulings,omitempty"`
	Reference *Reference `json:"reference,omitempty"`

	// Objection is the verdict on Against, and Objections its rules; absent where nothing measures it.
	Objection  string   `json:"objection,omitempty"`
	Objections []Ruling `json:"objections,omitempty"`

	Crossovers []Crossover `json:"crossovers,omitempty"`
}

// Crossover is where two arms change places: straight lines fitted over what a sweep has varied.
type Crossover struct {
	Says   string   `json:"says"` // the sentence that At completes
	Figure string   `json:"figure"`
	Unit   string   `json:"unit"`
	Over   string   `json:"over"`    // what the lines are drawn over
	OverIn string   `json:"over_in"` // its unit
	Lines  []Fitted `json:"lines"`
	// At is where they cross, absent when they do not within ten times what was measured; Low and High
	// are its 95 % interval, absent when some resamples do not cross.
	At           *float64 `json:"at,omitempty"`
	Low          *float64 `json:"low,omitempty"`
	High         *float64 `json:"high,omitempty"`
	Extrapolated bool     `json:"extrapolated,omitempty"` // beyond what was measured
	Why          string   `json:"why,omitempty"`          // there is no crossover
}

// Fitted is one arm's straight line: figure = Intercept + Slope x over.
type Fitted struct {
	Arm       string       `json:"arm"` // "limit" for a limit
	Intercept float64      `json:"intercept"`
	Slope     float64      `json:"slope"`
	Points    [][2]float64 `json:"points,omitempty"` // (over, figure) of every right run
}

// Workload is the size of a run.
type Workload struct {
	Cars                 int     `json:"cars"`
	Rate                 float64 `json:"rate"`             // events/s
	DurationSeconds      float64 `json:"duration_seconds"` // of event time
	BatchIntervalSeconds float64 `json:"batch_interval_seconds,omitempty"`
}

// Published is a figure that somebody else has reported.
type Published struct {
	Source string `json:"source"`
	Says   string `json:"says"`
}

// Ruling is one rule of a scenario, held against its runs.
type Ruling struct {
	Rule    string      `json:"rule"` // in words
	Figure  string      `json:"figure,omitempty"`
	Arms    []ArmFigure `json:"arms,omitempty"`
	Value   *float64    `json:"value,omitempty"` // median of the figure, or of the ratio pair by pair
	Low     *float64    `json:"low,omitempty"`   // its 95 % interval; of a count, least and greatest
	High    *float64    `json:"high,omitempty"`
	Runs    int         `json:"runs"` // that were used, or pairs of runs
	Verdict string      `json:"verdict"`
	Lean    string      `json:"lean"`
	Why     string      `json:"why,omitempty"`
}

// ArmFigure is the figure of one arm that a rule has used.
type ArmFigure struct {
	Arm    string   `json:"arm"`
	Phase  string   `json:"phase,omitempty"`
	Unit   string   `json:"unit,omitempty"`
	Median *float64 `json:"median,omitempty"`
	Low    *float64 `json:"low,omitempty"`
	High   *float64 `json:"high,omitempty"`
	Runs   int      `json:"runs"`
}

// Reference is what the committed reference run says about the same claim.
type Reference struct {
	Verdict   string `json:"verdict"`
	Started   string `json:"started"`
	Revision  string `json:"revision"`
	Agreement string `json:"agreement"` // of this run's lean with it: agrees, differs, too short to tell
}

// Figure is something that only one scenario measures.
type Figure struct {
	Name  string  `json:"name"`
	Unit  string  `json:"unit"`
	Value float64 `json:"value"`
}

// Parameter is what a sweep varies: runs with different values of it are not repetitions.
type Parameter struct {
	Name  string  `json:"name"` // "batch interval"
	Unit  string  `json:"unit"`
	Value float64 `json:"value"`
}
