package kappa

import "slices"

// Somebody may have acted on an alert. The alert topic is append-only: what a new version does not say
// again is not taken back there, and what it says of old events comes late. So a cut-over to another
// version reports how many alerts it retracts, and how many are belated.

// compareAlerts counts the alerts that a cut-over takes back: the old version had raised them and the
// new one does not; and those of events that the old version had processed without raising one. What
// either has dropped because of its age is not among them. The
// old view is frozen, so nobody has to be kept from writing to it, and everything in it is reflected by
// the new one.
func compareAlerts(old, new *materialised) (retracted, belated int) {
	for i, p := range old.parts {
		gone, late := p.compareAlerts(new.parts[i])
		retracted, belated = retracted+gone, belated+late
	}
	return retracted, belated
}

// compareAlerts compares rowsPerLock cars at a time: the new part is live.
func (p *part) compareAlerts(new *part) (retracted, belated int) {
	for from := 0; from < len(p.all); from += rowsPerLock {
		retracted += p.countGone(new, p.all[from:min(from+rowsPerLock, len(p.all))])
	}
	cars := new.carsOf("")
	for from := 0; from < len(cars); from += rowsPerLock {
		gone, added := p.compareCars(new, cars[from:min(from+rowsPerLock, len(cars))])
		retracted, belated = retracted+gone, belated+added
	}
	return retracted, belated
}

// countGone counts the alerts of cars of p that the new part does not have.
func (p *part) countGone(new *part, cars []*carRows) (retracted int) {
	new.mu.RLock()
	defer new.mu.RUnlock()
	from := max(p.keptFrom, new.keptFrom)
	for _, c := range cars {
		if new.cars[c.id] == nil {
			retracted += len(alertsFrom(c.alerts, from))
		}
	}
	return retracted
}

// compareCars compares cars of the new part.
func (p *part) compareCars(new *part, cars []*carRows) (retracted, belated int) {
	new.mu.RLock()
	defer new.mu.RUnlock()
	from := max(p.keptFrom, new.keptFrom)
	for _, c := range cars {
		var before []alertCell
		if was := p.cars[c.id]; was != nil {
			before = was.alerts
		}
		gone, added := differ(alertsFrom(before, from), alertsFrom(c.alerts, from), p.reach)
		retracted, belated = retracted+gone, belated+added
	}
	return retracted, belated
}

// alertsFrom returns the alerts of event times from a time on.
func alertsFrom(alerts []alertCell, from int64) []alertCell {
	if from == 0 {
		return alerts
	}
	return slices.DeleteFunc(slices.Clone(alerts), func(a alertCell) bool { return a.eventTime < from })
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
