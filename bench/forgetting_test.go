package bench

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"lambdakappa/internal/eventlog"
)

// Ensure that what a component says last is understood, however it is wrapped, and nothing else is.
func TestLossIn(t *testing.T) {
	lost := &eventlog.Lost{Topic: eventlog.CarsTopic, Partition: 1, From: 4147, To: 16492}
	l, ok := lossIn(fmt.Sprintf("time=now level=ERROR\nError: ingest partition 1: %v\n", lost))
	require.True(t, ok)
	require.Equal(t, loss{Partition: 1, From: 4147, To: 16492}, l)
	_, ok = lossIn("Error: ingest partition 1: the disk is full")
	require.False(t, ok)
}

// Ensure that an outage that is longer than it can be cannot be asked for.
func TestForgetsFits(t *testing.T) {
	o := DefaultOptions()
	o.Scenarios = []string{"outage"}
	_, err := o.asked()
	require.NoError(t, err)
	s := &Scenario{size: size{duration: 0, speedup: 20}}
	s.size.duration = 20 * 7 * rollInterval / 2
	require.ErrorContains(t, (&correctness{Forgets: 6 * rollInterval}).check(s), "forgets 12s: must fit into the 7s")
}
