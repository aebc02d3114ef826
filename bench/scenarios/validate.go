package scenarios

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// validate checks everything that this package knows about; a procedure checks its own settings.
func (s *Scenario) validate() *flaw {
	for _, check := range []func() *flaw{
		s.validateHead, s.validateArms, s.validateSizes, s.validateRules,
	} {
		if f := check(); f != nil {
			return f
		}
	}
	return nil
}

func (s *Scenario) validateHead() *flaw {
	switch {
	case s.Name == "":
		return problem("name", "must be given")
	case s.Name != nameOf(s.file):
		return problem("name", "%q differs from the name of the file", s.Name)
	case s.Question == "":
		return problem("question", "must be given: what is asked, in a few words")
	case s.Sentence == "":
		return problem("sentence", "must be given: what is run and what it shows")
	case s.Procedure == "":
		return problem("procedure", "must be given: how the scenario is run")
	case s.Claim == "" && s.Predicted != "":
		return problem("predicted", "predicts something about a claim that is not there")
	}
	for i, part := range s.Parts {
		if !slices.Contains(Parts, part) {
			return problem(fmt.Sprintf("parts[%d]", i), "%q is none of %s", part, strings.Join(Parts, ", "))
		}
	}
	return nil
}

// views are those that an arm can keep.
var views = []string{"windows", "alerts", "trips"}

func (s *Scenario) validateArms() *flaw {
	names := map[string]bool{}
	for i := range s.Arms {
		at := fmt.Sprintf("arms[%d]", i)
		if f := s.Arms[i].validate(); f != nil {
			return f.under(at)
		}
		if names[s.Arms[i].Name] {
			return problem(at, "%q is there twice", s.Arms[i].Name)
		}
		names[s.Arms[i].Name] = true
	}
	for i, v := range s.Views {
		if !slices.Contains(views, v) {
			return problem(fmt.Sprintf("views[%d]", i), "%q is none of %s", v, strings.Join(views, ", "))
		}
	}
	return nil
}

func (s *Scenario) validateSizes() *flaw {
	for name := range s.Profiles {
		if name != Quick && name != Full {
			return problem("profiles."+name, "is none of quick, full")
		}
	}
	if s.Window < 0 || s.Window%time.Millisecond != 0 {
		return problem("window", "%s: takes a length in whole milliseconds such as 10s", s.Window)
	}
	for _, profile := range []string{Quick, Full} {
		f := s.Sized(profile).validate()
		if f == nil {
			if f = s.validateSweep(profile); f != nil {
				return f
			}
			continue
		}
		if _, own := s.Profiles[profile]; own {
			return f.under("profiles." + profile + ".workload")
		}
		return f.under("workload")
	}
	return nil
}

func (s *Scenario) validateSweep(profile string) *flaw {
	points := s.Points(profile)
	for i, change := range s.Profiles[profile].Sweep {
		f := s.Sized(profile).validateSweep(change)
		if f == nil {
			f = points[i].Workload.validate()
		}
		if f != nil {
			return f.under(fmt.Sprintf("profiles.%s.sweep[%d]", profile, i))
		}
	}
	return nil
}

func (s *Scenario) validateRules() *flaw {
	for i := range s.Crossovers {
		if f := s.Crossovers[i].validate(s); f != nil {
			return f.under(fmt.Sprintf("crossovers[%d]", i))
		}
	}
	for i := range s.Verdict {
		if f := s.Verdict[i].validate(s); f != nil {
			return f.under(fmt.Sprintf("verdict[%d]", i))
		}
	}
	for i := range s.Objection {
		if f := s.Objection[i].validate(s); f != nil {
			return f.under(fmt.Sprintf("objection[%d]", i))
		}
	}
	switch {
	case len(s.Verdict) > 0 && s.Claim == "":
		return problem("verdict", "judges a claim that is not there")
	case len(s.Objection) > 0 && s.Against == "":
		return problem("objection", "judges what does not stand under against")
	}
	return nil
}
