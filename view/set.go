package view

import (
	"fmt"
	"strings"
)

// A Set says which views a system keeps.
type Set uint8

// The views. Windows and Alerts are one fold, so no system keeps one without the other.
const (
	Windows Set = 1 << iota
	Alerts
	Trips //bench:change view

	All Set = 1<<iota - 1 // whatever stands above
)

var setNames = [...]string{
	"windows",
	"alerts",
	"trips", //bench:change view
}

// Has reports whether all views of o are in s.
func (s Set) Has(o Set) bool { return s&o == o }

// String lists the names with commas, as [ParseSet] reads them.
func (s Set) String() string {
	var names []string
	for i, name := range setNames {
		if s.Has(1 << i) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}

// Validate returns an error when no system keeps just these views.
func (s Set) Validate() error {
	if !s.Has(Windows | Alerts) {
		return fmt.Errorf("views %q: windows and alerts are always kept: give windows,alerts or %s", s, All)
	}
	return nil
}

// ParseSet reads names of views with commas between them, or returns an error that names the first
// that is none.
func ParseSet(text string) (Set, error) {
	var s Set
	for name := range strings.SplitSeq(text, ",") {
		var view Set
		for i, known := range setNames {
			if name == known {
				view = 1 << i
			}
		}
		if view == 0 {
			return 0, fmt.Errorf("view %q: takes %s", name, All)
		}
		s |= view
	}
	return s, nil
}

// MarshalText implements [encoding.TextMarshaler].
func (s Set) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]. No text is no view: the zero Set.
func (s *Set) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*s = 0
		return nil
	}
	*s, err = ParseSet(string(text))
	return err
}
