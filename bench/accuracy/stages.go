package accuracy

import "lambdakappa/view"

// A Stage is when an answer is looked at.
type Stage int

// The stages of a window's life.
const (
	AtClose    Stage = iota // the first answer whose watermark has passed its end
	AfterBatch              // the first one whose batch view covers the moment of its close
	Finally                 // the last one
)

// Stages are all of them, in order.
var Stages = []Stage{AtClose, AfterBatch, Finally}

// String says the stage in words.
func (s Stage) String() string {
	return [...]string{"at close", "after the next batch", "finally"}[s]
}

// A Share counts the windows of a band at a stage.
type Share struct {
	Band    Band
	Stage   Stage
	Windows int // that were looked at
	ExactA  int // as truth A says
	ExactB  int // as truth B says; no row where it has none
}

// Percent is what part of n a count is.
func Percent(count, n int) float64 { return 100 * float64(count) / float64(n) }

// Lives is how the windows of a watch have lived.
type Lives struct {
	Shares    []Share // of every band and stage that has windows
	Closed    int     // windows that were seen at their close
	Corrected int     // of them: another row in the end than at the close
}

// Lives follows every window of the truth from its close to the end. Final are the rows that were
// served in the end; boundaries are, by partition, those of all batch runs on the log, the arm's own or
// another one's.
func (t *Truth) Lives(w *Watch, final []view.Window, boundaries [][]int64) Lives {
	last := make(map[view.WindowKey]view.Window, len(final))
	for _, row := range final {
		last[row.WindowKey] = row
	}
	var lives Lives
	shares := map[[2]int]*Share{}
	for key, win := range t.windows {
		band := win.band
		if win.partition < len(boundaries) {
			band = win.bandAmong(boundaries[win.partition])
		}
		note := func(stage Stage, row view.Window, served bool) {
			s := shares[[2]int{int(band), int(stage)}]
			if s == nil {
				s = &Share{Band: band, Stage: stage}
				shares[[2]int{int(band), int(stage)}] = s
			}
			s.count(win, row, served)
		}
		end, inTheEnd := last[key]
		note(Finally, end, inTheEnd)
		if win.closes == never {
			continue
		}
		if closed := w.from(key.Start+t.length, win.partition, watermarkOf); closed < len(w.Moments) {
			row, served := w.Windows.at(key, closed)
			note(AtClose, row, served)
			lives.Closed++
			if served != inTheEnd || row != end {
				lives.Corrected++
			}
		}
		if batch := w.from(win.closes, win.partition, boundaryOf); batch < len(w.Moments) {
			row, served := w.Windows.at(key, batch)
			note(AfterBatch, row, served)
		}
	}
	for _, b := range Bands {
		for _, s := range Stages {
			if share := shares[[2]int{int(b), int(s)}]; share != nil {
				lives.Shares = append(lives.Shares, *share)
			}
		}
	}
	return lives
}

func (s *Share) count(w *window, row view.Window, served bool) {
	s.Windows++
	if served && row == w.a {
		s.ExactA++
	}
	if served == w.inB && (!served || row == w.b) {
		s.ExactB++
	}
}
