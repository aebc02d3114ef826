package decide

import (
	"maps"
	"math"
	"slices"
)

// An Input is a number of the reader's own.
type Input struct {
	Name    string  `json:"name"` // as a flag of the command line and as a name in terms
	Label   string  `json:"label"`
	Unit    string  `json:"unit"`
	Default float64 `json:"default"`
	Least   float64 `json:"least"`
	Most    float64 `json:"most"`
	InUnit  float64 `json:"in_unit"` // how much of the arithmetic's unit one of Unit is: 86,400 s a day
}

// A Coefficient is what a run has measured, with its 95 % interval.
type Coefficient struct {
	Name  string  `json:"name"`
	Unit  string  `json:"unit"`
	From  string  `json:"from"` // scenario, arm and figure
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// A Term is a product: a coefficient (1 without one), a constant, and inputs to their powers.
type Term struct {
	Coefficient string         `json:"coefficient,omitempty"`
	Constant    float64        `json:"constant"`
	Powers      map[string]int `json:"powers,omitempty"`
}

// A Quantity is one line of the answer: a sum of terms for every column. Less is better.
type Quantity struct {
	Name  string   `json:"name"`
	Unit  string   `json:"unit"`
	Sums  [][]Term `json:"sums"`  // as many as the model has columns, in their order; an empty sum is 0
	Means string   `json:"means"` // what the terms are, in words
}

// A Model is everything that an answer is computed from.
type Model struct {
	Run          string                 `json:"run"` // which run has measured
	Columns      []string               `json:"columns"`
	Margin       float64                `json:"margin"` // what is no difference
	Inputs       []Input                `json:"inputs"`
	Coefficients map[string]Coefficient `json:"coefficients"`
	Quantities   []Quantity             `json:"quantities"`
	Crossings    []Crossing             `json:"crossings"`
	Reach        []Reach                `json:"reach"`
}

// A Crossing is where one sum overtakes another one as an input grows: Left is below Right before it.
type Crossing struct {
	Over  string `json:"over"`  // the name of the input
	Says  string `json:"says"`  // what holds up to there, or from there on, and ends before the number
	Below string `json:"below"` // what holds when Left is below Right all the way
	Above string `json:"above"` // and when it is above
	Left  []Term `json:"left"`
	Right []Term `json:"right"`
}

// A Reach is how far something was measured that an answer depends on. Beyond it the answer goes on along a
// straight line that nobody has followed so far.
type Reach struct {
	What string  `json:"what"`
	Of   Term    `json:"of"`
	Most float64 `json:"most"`
}

// Numbers are the reader's inputs by name, in the arithmetic's units.
type Numbers map[string]float64

// Defaults returns the numbers of a reader who has given none.
func (m *Model) Defaults() Numbers {
	in := Numbers{}
	for _, i := range m.Inputs {
		in[i.Name] = i.Default * i.InUnit
	}
	return in
}

// An Estimate is a value with the interval that the coefficients' intervals allow.
type Estimate struct{ Value, Low, High float64 }

// Of evaluates a sum. The bounds take every coefficient at its own, so they are wider than 95 %.
func (m *Model) Of(terms []Term, in Numbers) (sum Estimate) {
	for _, t := range terms {
		c := m.coefficient(t)
		product := t.product(in)
		sum.Value += c.Value * product
		sum.Low += c.Low * product
		sum.High += c.High * product
	}
	return sum
}

func (m *Model) coefficient(t Term) Coefficient {
	if t.Coefficient == "" {
		return Coefficient{Value: 1, Low: 1, High: 1}
	}
	return m.Coefficients[t.Coefficient]
}

func (t Term) product(in Numbers) float64 {
	product := t.Constant
	for name, power := range t.Powers {
		product *= math.Pow(in[name], float64(power))
	}
	return product
}

// Over is what e takes of what other takes.
func (e Estimate) Over(other Estimate) Estimate {
	return Estimate{e.Value / other.Value, e.Low / other.High, e.High / other.Low}
}

// Beyond returns what of the numbers lies further than anybody has measured, and by which factor.
func (m *Model) Beyond(in Numbers) (found []Reach, factors []float64) {
	for _, r := range m.Reach {
		if x := m.Of([]Term{r.Of}, in).Value; x > r.Most {
			found, factors = append(found, r), append(factors, x/r.Most)
		}
	}
	return found, factors
}

// halvings until a crossing is known to more digits than anybody prints.
const halvings = 60

// At returns where the sums cross between the least and the most that the input takes, with the reader's other numbers as they
// are. Which, when they do not, says which of the two is below all the way: -1 for Left, 1 for Right.
func (m *Model) At(c Crossing, in Numbers) (at float64, which int) {
	input := m.Input(c.Over)
	numbers := maps.Clone(in)
	gap := func(x float64) float64 {
		numbers[c.Over] = x
		return m.Of(c.Left, numbers).Value - m.Of(c.Right, numbers).Value
	}
	low, high := input.Least*input.InUnit, input.Most*input.InUnit
	below := gap(low) < 0
	if below == (gap(high) < 0) {
		if below {
			return 0, -1
		}
		return 0, 1
	}
	for range halvings {
		middle := (low + high) / 2
		if (gap(middle) < 0) == below {
			low = middle
		} else {
			high = middle
		}
	}
	return (low + high) / 2, 0
}

// Input returns the input of that name.
func (m *Model) Input(name string) Input {
	at := slices.IndexFunc(m.Inputs, func(i Input) bool { return i.Name == name })
	return m.Inputs[at]
}

// times multiplies a sum by a constant and inputs.
func times(terms []Term, constant float64, inputs ...string) []Term {
	var all []Term
	for _, t := range terms {
		p := Term{Coefficient: t.Coefficient, Constant: t.Constant * constant, Powers: map[string]int{}}
		for name, power := range t.Powers {
			p.Powers[name] = power
		}
		for _, name := range inputs {
			p.Powers[name]++
		}
		all = append(all, p)
	}
	return all
}

func plus(sums ...[]Term) []Term { return slices.Concat(sums...) }
