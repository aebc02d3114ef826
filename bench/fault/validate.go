package fault

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Validate checks what a scenario says about faults, against the components that will run and the
// wall-clock time that its workload takes to be sent. The error is an [*Error].
func Validate(steps []Step, random Random, targets []string, span time.Duration) error {
	if len(steps) == 0 && random.none() {
		return nil
	}
	if span <= 0 {
		return problem("faults", "take a workload that is sent at a pace of its own (speedup above 0)")
	}
	for i, s := range steps {
		path := fmt.Sprintf("faults[%d]", i)
		if e := s.validate(targets, span); e != nil {
			return e.under(path)
		}
		for j, before := range steps[:i] {
			if s.contradicts(before) {
				return problem(path+".at", "%s", contradiction(s, before, j))
			}
		}
	}
	if e := validateLeaves(steps); e != nil {
		return e
	}
	if e := random.validate(targets, span); e != nil {
		return e.under("random")
	}
	return nil
}

// validateLeaves demands that whoever leaves has joined.
func validateLeaves(steps []Step) *Error {
	for i, s := range steps {
		if s.Do != Leave {
			continue
		}
		joined := 0
		for j, o := range steps {
			switch {
			case o.Target != s.Target || o.At > s.At || i == j:
			case o.Do == Join:
				joined++
			case o.Do == Leave:
				joined--
			}
		}
		if joined <= 0 {
			return problem(fmt.Sprintf("faults[%d].do", i), "leave %s at %s: nobody has joined that is still there", s.Target, s.At)
		}
	}
	return nil
}

// contradiction says why a step cannot happen beside one that is written above it.
func contradiction(s, before Step, j int) string {
	while := fmt.Sprintf("faults[%d] (%s, from %s to %s)", j, before.Name(), before.At, before.Ends())
	switch {
	case before.Do == BrokerDown && kinds[s.Do].starts, s.Do == BrokerDown && kinds[before.Do].starts:
		return fmt.Sprintf("%s at %s overlaps %s: nothing can start without its broker", s.Name(), s.At, while)
	case before.Do == Stop:
		return fmt.Sprintf("%s at %s overlaps %s: it is stopped then", s.Name(), s.At, while)
	default:
		return fmt.Sprintf("%s at %s overlaps %s: one at a time on one target", s.Name(), s.At, while)
	}
}

func (s Step) validate(targets []string, span time.Duration) *Error {
	k, known := kinds[s.Do]
	if !known {
		return problem("do", "%q is none of %s", s.Do, strings.Join(order, ", "))
	}
	if e := s.validateFields(k); e != nil {
		return e
	}
	if e := s.validateTarget(k, targets); e != nil {
		return e
	}
	switch {
	case s.At < 0:
		return problem("at", "%s: must not be negative", s.At)
	case s.At >= span:
		return problem("at", "%s: the workload is sent within %s", s.At, span)
	case s.Ends() > span:
		return problem("for", "%s from %s on: the workload is sent within %s", s.For, s.At, span)
	case s.Share > 1:
		return problem("share", "%v: must be above 0 and at most 1", s.Share)
	case s.Do == Retention && (s.OlderThan > 0) == (s.Share > 0):
		return problem("older_than", "retention takes either older_than or share")
	}
	return nil
}

// validateFields demands the fields that the fault takes, above 0, and no other.
func (s Step) validateFields(k kind) *Error {
	for _, f := range []struct {
		name        string
		set, usable bool
	}{
		{"target", s.Target != "", true},
		{"for", s.For != 0, s.For > 0},
		{"delay", s.Delay != 0, s.Delay > 0},
		{"bytes_per_second", s.BytesPerSecond != 0, s.BytesPerSecond > 0},
		{"older_than", s.OlderThan != 0, s.OlderThan > 0},
		{"share", s.Share != 0, s.Share > 0},
	} {
		must := slices.Contains(strings.Fields(k.fields), f.name)
		switch {
		case must && !f.set:
			return problem(f.name, "must be given: %s takes %s", s.Do, takes[f.name])
		case f.set && !must && !slices.Contains(strings.Fields(k.may), f.name):
			return problem(f.name, "%s takes none", s.Do)
		case f.set && !f.usable:
			return problem(f.name, "must be above 0: %s takes %s", s.Do, takes[f.name])
		}
	}
	return nil
}

// takes says what a field takes.
var takes = map[string]string{
	"target":           `a component such as "kappa process"`,
	"for":              "how long it lasts, such as 8s",
	"delay":            "a time in each direction, such as 20ms",
	"bytes_per_second": "a number of bytes",
	"older_than":       "an age such as 1m",
	"share":            "a share of the log above 0 and at most 1",
}

func (s Step) validateTarget(k kind, targets []string) *Error {
	switch {
	case k.broker && s.Target != "" && s.Target != Broker:
		return problem("target", "%q: %s happens to the broker", s.Target, s.Do)
	case k.broker || s.Target == "" || slices.Contains(targets, s.Target):
		return nil
	}
	return unknownTarget("target", s.Target, targets)
}

func unknownTarget(field, target string, targets []string) *Error {
	return problem(field, "%q is none of %s", target, strings.Join(targets, ", "))
}
