package scenarios

import (
	"time"

	"github.com/goccy/go-yaml/ast"
)

// A Scenario is one question to both architectures, as a file says it.
type Scenario struct {
	Name     string `yaml:"name"`     // of the file, without .yaml
	Question string `yaml:"question"` // what is asked, in a few words
	Sentence string `yaml:"sentence"` // what is run and what it shows

	Claim     string   `yaml:"claim"`     // that it puts to the test; empty for one that only measures
	Slides    []int    `yaml:"slides"`    // of the source that state it
	Sources   []string `yaml:"sources"`   // of the literature that state it
	Predicted string   `yaml:"predicted"` // what follows if the claim is right
	Against   string   `yaml:"against"`   // who says otherwise

	Published []Published `yaml:"published"` // figures of others, as context

	Parts     []string `yaml:"parts"`     // of the two architectures that it is about; see [Parts]
	Reading   string   `yaml:"reading"`   // how to read its figures
	Surprises string   `yaml:"surprises"` // what surprises in those of the reference run; figures are said by data alone
	Caution   string   `yaml:"caution"`   // what they do not say

	Procedure string           `yaml:"procedure"` // how it is run
	With      ast.Node         `yaml:"with"`      // the procedure's own settings; may be nil
	Arms      []Arm            `yaml:"arms"`
	Views     []string         `yaml:"views"` // that the arms keep; empty is all
	Window    time.Duration    `yaml:"window"`
	Workload  Workload         `yaml:"workload"`
	Profiles  map[Name]Profile `yaml:"profiles"` // what differs by profile

	Short    bool     `yaml:"short"`    // part of `make bench`, not only of `make bench-all`
	Apart    bool     `yaml:"apart"`    // part of neither: it runs when it is named
	Headline []string `yaml:"headline"` // figures for the verdict table
	Figures  []string `yaml:"figures"`  // that its table shows even when one is missing
	Verdict  []Rule   `yaml:"verdict"`  // all of them together decide
	Any      bool     `yaml:"any"`      // or one of them is enough: a claim that something is wrong, wherever it is seen
	// Objection are the rules by which what stands under Against holds; without any it is only told.
	Objection []Rule `yaml:"objection"`

	Crossovers []Crossover `yaml:"crossovers"`

	file string // as errors name it
}

// Parts are the parts of the two architectures by the names that a scenario says them by: components, and where something is
// kept.
var Parts = []string{
	"log", "lambda ingest", "master dataset", "lambda batch", "batch view", "lambda speed", "speed view", "lambda serve",
	"kappa process", "changelog", "kappa serve", "kappa replay", "kappa sink",
}

// Name is the name of a profile.
type Name = string

// Published is a figure that somebody else has reported, with its source.
type Published struct {
	Source string `yaml:"source"`
	Says   string `yaml:"says"`
}

// A Profile is what a scenario does otherwise in one profile.
type Profile struct {
	Workload Workload `yaml:"workload"`
	With     ast.Node `yaml:"with"`
	// Sweep is what else is run, beside the scenario's own size: every point changes one thing.
	Sweep []Workload `yaml:"sweep"`
}

// NotBuilt is the procedure of a claim that nothing measures yet.
const NotBuilt = "none"

// The profiles: quick fits a laptop and a few minutes, full is for a reference run.
const (
	Quick = "quick"
	Full  = "full"
)

// Sized returns the scenario's workload in a profile.
func (s *Scenario) Sized(profile string) Workload {
	return s.Workload.with(s.Profiles[profile].Workload)
}

// File is where the scenario was read, as errors name it.
func (s *Scenario) File() string { return s.file }

// ArmNamed returns the arm of that name, false when the scenario has none.
func (s *Scenario) ArmNamed(name string) (Arm, bool) {
	for _, a := range s.Arms {
		if a.Name == name {
			return a, true
		}
	}
	return Arm{}, false
}
