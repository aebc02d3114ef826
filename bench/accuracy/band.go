package accuracy

import "lambdakappa/bench/oracle"

// A Band is how late the latest reading of a window was, in the order of the log.
type Band int

// The bands, from the most harmless on.
const (
	InOrder  Band = iota // nothing of its partition with a later event time came before it
	Disorder             // overtaken, and not behind the watermark
	Lateness             // behind the watermark, and its window still took it
	Beyond               // too late: only a batch counts it
	BatchCut             // too late, and a batch run had closed the book on its window before it came
)

// Bands are all of them, in order.
var Bands = []Band{InOrder, Disorder, Lateness, Beyond, BatchCut}

// String says the band in words.
func (b Band) String() string {
	return [...]string{
		"in order", "within the disorder bound", "within the allowed lateness",
		"beyond the allowed lateness", "beyond the batch cut",
	}[b]
}

// bandOf is the band of a reading, as far as the log alone can tell; greatest is the greatest event
// time of its partition before it.
func bandOf(r *oracle.Ruling, greatest int64) Band {
	switch {
	case r.Late:
		return Beyond
	case r.Event.EventTime < r.Watermark:
		return Lateness
	case r.Event.EventTime < greatest:
		return Disorder
	default:
		return InOrder
	}
}

// bandAmong is the band of a window when batch runs have covered its partition up to the given
// offsets. A run whose boundary lies between the event that has closed the window for good and the
// window's last reading had taken it for complete.
func (w *window) bandAmong(boundaries []int64) Band {
	for _, b := range boundaries {
		if w.band == Beyond && w.forgets <= b && b <= w.lateAt {
			return BatchCut
		}
	}
	return w.band
}
