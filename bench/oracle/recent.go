package oracle

import (
	"iter"

	"lambdakappa/view"
)

// Forget drops what the fold knows of windows that end at or before an event time, of alerts before it, and of what was
// not admitted: a truth that is asked for the newest windows alone can go on for ever. It does nothing for trips.
//
// Invariant: the windows that are left are those of a fold that forgets nothing, as long as no event comes any more for
// those that were forgotten. [Fold.Forgotten] says of an event that it would.
func (f *Fold) Forget(before int64) {
	f.forgotten = max(f.forgotten, before)
	for id, c := range f.cars {
		for start := range c.windows {
			if start+f.cfg.WindowMs <= f.forgotten {
				delete(c.windows, start)
			}
		}
		c.seen.forget(func(start int64) int64 { return start + f.cfg.WindowMs }, f.forgotten)
		if len(c.windows) == 0 && len(c.seen.windows) == 0 {
			delete(f.cars, id)
		}
	}
	for id, a := range f.alerts {
		if a.EventTime < f.forgotten {
			delete(f.alerts, id)
		}
	}
	clear(f.dead)
	clear(f.late)
}

// Forgotten reports whether an event of that time belongs to a window that [Fold.Forget] has dropped: it must not be added.
func (f *Fold) Forgotten(eventTime int64) bool {
	return f.cfg.windowStart(eventTime)+f.cfg.WindowMs <= f.forgotten
}

// Windows are the rows of windows that begin in [from, to), in no order.
func (f *Fold) Windows(from, to int64) iter.Seq[view.Window] {
	return func(yield func(view.Window) bool) {
		for id, c := range f.cars {
			for start := f.cfg.windowStart(max(from, 0) + f.cfg.WindowMs - 1); start < to; start += f.cfg.WindowMs {
				t, ok := c.windows[start]
				if !ok {
					continue
				}
				if !yield(view.Window{WindowKey: view.WindowKey{CarID: id, Start: start}, Tally: *t}) {
					return
				}
			}
		}
	}
}

// Window is one row; false when there is none.
func (f *Fold) Window(k view.WindowKey) (view.Window, bool) {
	c := f.cars[k.CarID]
	if c == nil || c.windows[k.Start] == nil {
		return view.Window{}, false
	}
	return view.Window{WindowKey: k, Tally: *c.windows[k.Start]}, true
}
