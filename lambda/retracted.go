package lambda

import (
	"lambdakappa/internal/httpapi"
	"lambdakappa/view"
)

// Somebody may have acted on an alert. The alert topic is append-only: what a new version does not say
// again is not taken back there, and of events before its boundary it says nothing there at all. So a
// swap to another version reports how many alerts it retracts, and how many are belated.

// compareAlerts counts the alerts that a swap takes back: the old version had raised them and the new
// one does not; and those of readings that the old version had counted without raising one. What
// either has dropped because of its age is not among them. The old pair is frozen, and everything in it is
// reflected by the new one.
func compareAlerts(old, new *pair) (retracted, belated int) {
	all := httpapi.All()
	all.Layer = httpapi.Merged
	for i, p := range old.parts {
		now := new.parts[i].readAlerts(nil, all)
		kept := all
		kept.From = max(p.keptNow(), new.parts[i].keptNow())
		before := map[view.AlertKey]bool{}
		for _, a := range p.readAlerts(nil, kept) {
			before[a.AlertKey] = true
		}
		for _, a := range now {
			if a.EventTime < kept.From {
				continue
			}
			if before[a.AlertKey] {
				delete(before, a.AlertKey)
			} else if p.hasReading(a.AlertKey) {
				belated++
			}
		}
		retracted += len(before)
	}
	return retracted, belated
}

// hasReading reports whether a reading is counted in a window, of either layer.
func (p *part) hasReading(key view.AlertKey) bool {
	if i, ok := p.batch.index[key.CarID]; ok && p.batch.seenOf(i).has(key.Seq) {
		return true
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	c := p.cars[key.CarID]
	if c == nil {
		return false
	}
	for i := range c.windows {
		if c.windows[i].seqs.has(key.Seq) {
			return true
		}
	}
	return false
}
