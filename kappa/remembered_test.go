package kappa

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/event"
	"lambdakappa/view"
)

// Ensure that what de-duplication holds grows by every reading, once more for the trips, and that it is
// nothing when no window can take a copy any more.
func TestRemembered(t *testing.T) {
	f := func(views view.Set, each int64) {
		t.Helper()
		rules := event.DefaultRules()
		s := newState(rules, views)
		for seq := range int64(5) {
			r := reading{seq: seq, offset: seq}
			s.remember(s.window(s.car("car-1"), 0), r)
			if s.trips != nil {
				s.trips.remember(s.trips.window(s.trips.car("car-1"), 0), r)
			}
		}
		require.Equal(t, 5*each, s.remembered())
		s.advance(rules.Window + rules.AllowedLateness + rules.TripGap + rules.DisorderBound + rules.Window)
		require.Zero(t, s.remembered())
	}
	f(view.Windows, 24)
	f(view.All, 48)
}
