package bench

import (
	"lambdakappa/bench/ledger"
	"lambdakappa/bench/supervise"
)

// restored is how long the components of an architecture took to have their state again after a kill,
// ms: the median over the processes that were started again, each as slow as its slowest partition. It
// is nil when nobody said so.
func (s *system) restored(like string) *float64 {
	var all []float64
	for _, c := range s.supervisor.All() {
		if belongs(c.Name, like) {
			all = append(all, restores(c)...)
		}
	}
	if len(all) == 0 {
		return nil
	}
	median := ledger.Median(all)
	return &median
}

// restores are how long every process but the first took to restore its state, ms.
func restores(c *supervise.Component) []float64 {
	said := c.Said()
	var all []float64
	for _, f := range said[min(1, len(said)):] {
		slowest, any := 0.0, false
		restored, _, _ := f.Since("restored", 0)
		for _, one := range restored {
			var took struct{ MS float64 }
			if one.Into(&took) == nil {
				slowest, any = max(slowest, took.MS), true
			}
		}
		if any {
			all = append(all, slowest)
		}
	}
	return all
}
