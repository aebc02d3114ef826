package kappa

// Somebody may have acted on an alert. The alert topic is append-only: what a new version does not say
// again is not taken back there, and what it says of old events comes late. So a cut-over to another
// version reports how many alerts it retracts, and how many are belated.

// compareAlerts counts the alerts that a cut-over takes back: the old version had raised them and the
// new one does not; and those of events that the old version had processed without raising one. The
// old view is frozen, and everything in it is reflected by the new one.
func compareAlerts(old, new *materialised) (retracted, belated int) {
	for i, p := range old.parts {
		gone, late := p.compareAlerts(new.parts[i])
		retracted, belated = retracted+gone, belated+late
	}
	return retracted, belated
}

func (p *part) compareAlerts(new *part) (retracted, belated int) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	new.mu.RLock()
	defer new.mu.RUnlock()
	for _, c := range p.all {
		if new.cars[c.id] == nil {
			retracted += len(c.alerts)
		}
	}
	for _, c := range new.all {
		var before []alertCell
		if was := p.cars[c.id]; was != nil {
			before = was.alerts
		}
		gone, added := differ(before, c.alerts, p.reach)
		retracted, belated = retracted+gone, belated+added
	}
	return retracted, belated
}

// differ counts the alerts of a car that are in before alone, and in after alone if their event's
// offset is below reach. Both ascend by seq.
func differ(before, after []alertCell, reach int64) (gone, added int) {
	for len(before) > 0 && len(after) > 0 {
		switch b, a := before[0].seq, after[0].seq; {
		case b < a:
			gone++
			before = before[1:]
		case b > a:
			if after[0].offset < reach {
				added++
			}
			after = after[1:]
		default:
			before, after = before[1:], after[1:]
		}
	}
	for i := range after {
		if after[i].offset < reach {
			added++
		}
	}
	return gone + len(before), added
}
