package bench

import (
	"context"
	"fmt"
	"time"

	"lambdakappa/internal/httpapi"
)

// settlePoll is how often the driver asks for the served positions: they end a measured time, so
// it is short; a status answer costs some 50 µs.
const settlePoll = 5 * time.Millisecond

// A statusSource answers how far the served answers reflect the log.
type statusSource func(ctx context.Context) (httpapi.Status, error)

// settle waits until done says so of a status, and returns that status. Settled is a state, not a
// pause: what has not reached it within limit has failed, with the last status in the error.
func settle(
	ctx context.Context, ask statusSource, limit time.Duration, done func(httpapi.Status) bool,
) (httpapi.Status, error) {
	inner, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(settlePoll)
	defer tick.Stop()
	var last httpapi.Status
	for {
		s, err := ask(inner)
		switch {
		case inner.Err() != nil:
		case err != nil:
			return s, err
		case done(s):
			return s, nil
		default:
			last = s
		}
		select {
		case <-tick.C:
		case <-inner.Done():
			if ctx.Err() != nil {
				return last, fmt.Errorf("settle: %w", context.Cause(ctx))
			}
			return last, &unsettledError{limit, last}
		}
	}
}

// An unsettledError says that the served answers were still behind when their time was up.
type unsettledError struct {
	limit time.Duration
	last  httpapi.Status
}

func (e *unsettledError) Error() string {
	return fmt.Sprintf("not settled within %s: positions %v, boundaries %v, lag %d",
		e.limit, positions(e.last), boundaries(e.last), e.last.Lag)
}

// reached says that every served position is at or beyond the given end of the log.
func reached(end []int64) func(httpapi.Status) bool {
	return func(s httpapi.Status) bool { return atLeast(positions(s), end) }
}

// covered says that the batch view alone covers the log up to end.
func covered(end []int64) func(httpapi.Status) bool {
	return func(s httpapi.Status) bool {
		return atLeast(boundaries(s), end) && atLeast(positions(s), end)
	}
}

// inside says that a hand-over has happened strictly inside the log: some of it is behind the
// boundary and some of it is not.
func inside(boundary, end []int64) bool {
	var behind, ahead bool
	for p, b := range boundary {
		behind = behind || b > 0
		ahead = ahead || b < end[p]
	}
	return behind && ahead
}

// atLeast reports whether got has reached want in every partition.
func atLeast(got, want []int64) bool {
	if len(got) != len(want) {
		return false
	}
	for p := range want {
		if got[p] < want[p] {
			return false
		}
	}
	return true
}

// positions returns the served position of every partition.
func positions(s httpapi.Status) []int64 {
	return perPartition(s, func(p httpapi.PartitionStatus) int64 { return p.Position })
}

// boundaries returns the boundary of every partition.
func boundaries(s httpapi.Status) []int64 {
	return perPartition(s, func(p httpapi.PartitionStatus) int64 { return p.Boundary })
}

func perPartition(s httpapi.Status, of func(httpapi.PartitionStatus) int64) []int64 {
	all := make([]int64, len(s.Partitions))
	for _, p := range s.Partitions {
		if p.Partition >= 0 && p.Partition < len(all) {
			all[p.Partition] = of(p)
		}
	}
	return all
}
