package systemtest

import (
	"fmt"

	"lambdakappa/bench/oracle"
	"lambdakappa/event"
	"lambdakappa/view"
)

// falsifications are ways in which an answer can be wrong. Each has to be caught.
var falsifications = map[string]func(*answer){
	"lose-window":    func(a *answer) { a.windows = a.windows[1:] },
	"lose-alert":     func(a *answer) { a.alerts = a.alerts[1:] },
	"count-twice":    func(a *answer) { a.windows[0].Readings *= 2 },
	"round-a-sum":    func(a *answer) { a.windows[0].SpeedSum++ },
	"rename-rule":    func(a *answer) { a.alerts[0].Rule++ },
	"nudge-score":    func(a *answer) { a.alerts[0].Score += 1e-12 },
	"forget-late":    func(a *answer) { a.late = nil },
	"call-late":      func(a *answer) { a.late = map[oracle.Position]view.Set{{}: view.All} },
	"lose-letter":    func(a *answer) { a.deadLetters = nil },
	"swap-reason":    swapReason,
	"miss-a-count":   func(a *answer) { a.status.Counters.Duplicates-- },
	"lag":            func(a *answer) { a.status.Partitions[0].Position-- },
	"push-watermark": func(a *answer) { a.status.Partitions[0].Watermark++ },
	"mix-versions":   func(a *answer) { a.stamp.Version = "v2" },
	"lose-trip":      func(a *answer) { a.trips = a.trips[1:] },
	"stretch-trip":   func(a *answer) { a.trips[0].End++ },
	"lengthen-trip":  func(a *answer) { a.trips[0].Distance++ },
	"invent-window": func(a *answer) {
		ghost := a.windows[0]
		ghost.CarID = "zz"
		a.windows = append(a.windows, ghost)
	},
	"invent-alert": func(a *answer) {
		a.alerts = append(a.alerts, view.Alert{AlertKey: view.AlertKey{CarID: "zz"}})
	},
}

func swapReason(a *answer) {
	for at := range a.deadLetters {
		a.deadLetters[at] = event.ReasonFuture
	}
}

// breakSide falsifies the answers of one side from here on.
func (w *world) breakSide(c command) (string, error) {
	if len(c.words) != 2 {
		return "", fmt.Errorf("break: want SIDE HOW")
	}
	s, err := w.side(c.words[0])
	if err != nil {
		return "", err
	}
	how, known := falsifications[c.words[1]]
	if !known {
		return "", fmt.Errorf("break %s: no such way", c.words[1])
	}
	s.falsify = how
	return "", nil
}
