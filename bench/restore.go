package bench

import (
	"lambdakappa/bench/ledger"
)

// restored is how long the components of an architecture took to have their state again after a kill,
// ms: the median over the processes that were started again, each as slow as its slowest partition. It
// is nil when nobody said so.
func (s *system) restored(like string) *float64 {
	var all []float64
	for _, c := range s.supervisor.all() {
		if belongs(c.name, like) {
			all = append(all, c.restores()...)
		}
	}
	if len(all) == 0 {
		return nil
	}
	median := ledger.Median(all)
	return &median
}

// restores are how long every process but the first took to restore its state, ms.
func (c *component) restores() []float64 {
	c.mu.Lock()
	said := c.said
	c.mu.Unlock()
	var all []float64
	for _, f := range said[min(1, len(said)):] {
		slowest, any := 0.0, false
		restored, _, _ := f.since("restored", 0)
		for _, one := range restored {
			var took struct{ MS float64 }
			if one.into(&took) == nil {
				slowest, any = max(slowest, took.MS), true
			}
		}
		if any {
			all = append(all, slowest)
		}
	}
	return all
}
