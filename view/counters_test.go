package view_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lambdakappa/event"
	"lambdakappa/view"
)

func anyCounters(t *rapid.T) view.Counters {
	n := rapid.Int64Range(0, 1e12)
	c := view.Counters{
		Events: n.Draw(t, "events"), DroppedLate: n.Draw(t, "late"),
		Duplicates: n.Draw(t, "duplicates"), Conflicts: n.Draw(t, "conflicts"),
		DroppedLateTrips: n.Draw(t, "late for trips"),
	}
	for _, reason := range event.Reasons {
		if rapid.Bool().Draw(t, "some") {
			c.Reject(reason, rapid.Int64Range(1, 1e12).Draw(t, "rejects"))
		}
	}
	return c
}

func sum(parts ...view.Counters) view.Counters {
	var total view.Counters
	for _, c := range parts {
		total.Add(c)
	}
	return total
}

func TestCountersAddUpInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := anyCounters(t), anyCounters(t), anyCounters(t)
		require.Equal(t, a, sum(a, view.Counters{}))
		require.Equal(t, sum(a, b), sum(b, a))
		require.Equal(t, sum(sum(a, b), c), sum(a, sum(b, c)))
	})
}

func TestReject(t *testing.T) {
	var c view.Counters
	c.Reject(event.ReasonFuture, 0)
	require.Nil(t, c.DeadLetters, "no entry for a reason that did not occur")
	c.Reject(event.ReasonFuture, 2)
	c.Reject(event.ReasonFuture, 1)
	c.Reject(event.ReasonMalformed, 1)
	require.Equal(t, map[event.Reason]int64{event.ReasonFuture: 3, event.ReasonMalformed: 1}, c.DeadLetters)
}

// Ensure that a clone can be kept while the original goes on counting.
func TestCloneSharesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyCounters(t)
		clone, before := c.Clone(), sum(c)
		require.Equal(t, c, clone)
		c.Reject(event.ReasonFuture, 1)
		c.Events++
		require.Equal(t, before, clone)
	})
}
